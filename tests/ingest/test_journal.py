"""A load and its entry in the journal are one transaction."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from geo.settings import Settings
from ingest.pipeline import Options, ingest
from ingest.profile import profile
from ingest.undo import undo

ROW = '{"type":"Feature","properties":{"cartodb_id":1,"name":"А"},"geometry":{"type":"Polygon","coordinates":[[[60,50],[61,50],[61,51],[60,50]]]}}'


class PowerFailureError(Exception):
    """Stands for whatever ends a process between load and commit."""


@pytest.mark.requirement("C-27", "N-30")
def test_a_load_leaves_one_entry_and_what_was_not_loaded_none(
    settings: Settings, tmp_path: Path, owner: psycopg.Connection[Any]
) -> None:
    file = tmp_path / "plans.geojson"
    file.write_text(f'{{"type":"FeatureCollection","features":[{ROW}]}}')
    url, target = settings.url_for("registrar"), profile("ru-municipalities")

    def die(stage: str) -> None:
        if stage == "load":
            raise PowerFailureError

    ingest(url, target, file, Options(dry=True))
    with pytest.raises(PowerFailureError):
        ingest(url, target, file, Options(after=die))
    assert owner.execute("SELECT count(*) FROM journal.entries").fetchone() == (0,)
    result = ingest(url, target, file, Options(account=7))
    rows = owner.execute(
        "SELECT action, account, subject, object, details ->> 'sha256', details -> 'counts' ->> 'new' FROM journal.entries"
    ).fetchall()
    assert rows == [("imported", 7, "municipalities", result.run, result.sha256, "1")]
    undone = undo(url, result.run, 9)
    last = owner.execute(
        "SELECT action, account, object, details ->> 'undoes' FROM journal.entries ORDER BY at DESC LIMIT 1"
    ).fetchone()
    assert last == ("undo", 9, undone, str(result.run))
