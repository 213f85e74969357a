"""Reference lists: loaded once, unchanged twice; a changed entry makes one version, a vanished one is closed."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from geo.errors import MezhaError
from geo.settings import Settings
from ingest import door
from ingest.pipeline import Options, Result
from ingest.reference_profile import ReferenceProfile
from ingest.undo import undo

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


def _own(name: str) -> ReferenceProfile:
    """A list of a test's own, read as FKKO is."""
    found = door.find("fkko")
    assert isinstance(found, ReferenceProfile)
    return found.model_copy(update={"list": name})


def _titles(connection: psycopg.Connection[Any], name: str) -> list[str]:
    rows = connection.execute(
        "SELECT title FROM register.reference_entries WHERE list = %s AND sys_to = 'infinity' ORDER BY code",
        [name],
    ).fetchall()
    return [title for (title,) in rows]


def _again(settings: Settings, folder: Path, name: str, rows: list[str]) -> int:
    file = folder / "list.csv"
    file.write_text(HEAD + "".join(rows), "utf-8")
    return door.ingest(settings.url_for("registrar"), _own(name), file).run


def test_the_load_of_a_list_is_taken_back_as_new_versions(
    settings: Settings, tmp_path: Path, owner: psycopg.Connection[Any]
) -> None:
    first = _again(settings, tmp_path, "undone", ROWS[:3])
    second = _again(settings, tmp_path, "undone", [ROWS[0].replace("Отход", "Остаток"), ROWS[1], ROWS[4]])
    assert _titles(owner, "undone") == ["Остаток 1", "Отход 2", "Отход 5"]
    with pytest.raises(MezhaError, match="changed after it"):
        undo(settings.url_for("registrar"), first)
    number = undo(settings.url_for("registrar"), second)
    assert _titles(owner, "undone") == ["Отход 1", "Отход 2", "Отход 3"]
    assert owner.execute(
        "SELECT status, undoes, counts FROM ingest.runs WHERE id = %s", [number]
    ).fetchone() == ("done", second, {"closed": 2, "restored": 2})
    # Nothing is gone from the history, and what came back belongs to the run that brought it.
    kept = owner.execute(
        "SELECT count(*), count(*) FILTER (WHERE run = %s) FROM register.reference_entries WHERE list = 'undone'",
        [number],
    ).fetchone()
    assert kept == (7, 2)
    with pytest.raises(MezhaError, match="undone already"):
        undo(settings.url_for("registrar"), second)
    undo(settings.url_for("registrar"), number)
    assert _titles(owner, "undone") == ["Остаток 1", "Отход 2", "Отход 5"]


def test_what_was_entered_again_is_not_taken_back(settings: Settings, tmp_path: Path) -> None:
    _again(settings, tmp_path, "entered-again", ROWS[:3])
    shorter = _again(settings, tmp_path, "entered-again", ROWS[:2])
    _again(settings, tmp_path, "entered-again", ROWS[:3])
    with pytest.raises(MezhaError, match="1 objects of run"):
        undo(settings.url_for("registrar"), shorter)


def test_the_journal_tells_of_a_list(
    settings: Settings, tmp_path: Path, owner: psycopg.Connection[Any]
) -> None:
    run = _again(settings, tmp_path, "told", ROWS[:3])
    number = undo(settings.url_for("registrar"), run)
    told = owner.execute(
        "SELECT action, subject, details ->> 'list', details ->> 'file', details ->> 'undoes'"
        " FROM journal.entries WHERE subject = 'reference_entries' AND object IN (%s, %s) ORDER BY at",
        [run, number],
    ).fetchall()
    assert told == [
        ("imported", "reference_entries", "told", "list.csv", None),
        ("undo", "reference_entries", "told", None, str(run)),
    ]
