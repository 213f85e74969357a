"""Reference lists: loaded once, unchanged twice; a changed entry makes one version, a vanished one is closed."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from geo.errors import MezhaError
from geo.settings import Settings
from ingest import door
from ingest.pipeline import Options, Result

HEAD = "code\tname\tlink\n"
ROWS = [f"{n} 00 000 00 00 {n % 6}\tОтход {n}\t/x\n" for n in range(1, 10)]


def _load(settings: Settings, folder: Path, rows: list[str], options: Options | None = None) -> Result:
    file = folder / "fkko.csv"
    file.write_text(HEAD + "".join(rows), "utf-8")
    return door.ingest(settings.url_for("registrar"), door.find("fkko"), file, options)


def test_a_list_is_versioned(settings: Settings, tmp_path: Path, owner: psycopg.Connection[Any]) -> None:
    assert _load(settings, tmp_path, ROWS).counts["new"] == 9
    again = _load(settings, tmp_path, ROWS).counts
    assert (again["new"], again["changed"], again["unchanged"], again["gone"]) == (0, 0, 9, 0)
    changed = [ROWS[0].replace("Отход", "Остаток"), *ROWS[1:8]]
    third = _load(settings, tmp_path, changed).counts
    assert (third["new"], third["changed"], third["unchanged"], third["gone"]) == (0, 1, 7, 1)
    rows = owner.execute(
        "SELECT title, sys_to = 'infinity' FROM register.reference_entries"
        " WHERE list = 'fkko' AND code IN ('1 00 000 00 00 1', '9 00 000 00 00 3') ORDER BY version"
    ).fetchall()
    assert rows == [("Отход 1", False), ("Отход 9", False), ("Остаток 1", True)]


def test_a_list_that_lost_most_of_its_entries_is_refused(settings: Settings, tmp_path: Path) -> None:
    _load(settings, tmp_path, ROWS)
    with pytest.raises(MezhaError, match="would be closed"):
        _load(settings, tmp_path, ROWS[:1])
    assert _load(settings, tmp_path, ROWS[:1], Options(dry=True, confirm_gone=True)).counts["gone"] >= 8
    assert _load(settings, tmp_path, ROWS).counts["gone"] == 0


def test_the_writing_role_can_close_an_entry_and_nothing_else(settings: Settings, tmp_path: Path) -> None:
    _load(settings, tmp_path, ROWS)
    with psycopg.connect(settings.url_for("registrar")) as connection:
        for statement in (
            "UPDATE register.reference_entries SET title = 'x'",
            "DELETE FROM register.reference_entries",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()
