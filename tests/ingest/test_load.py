"""A first load of many rows builds its indexes after them, and leaves the layer as it found it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from geo.settings import Settings
from ingest import load
from ingest.errors import RefusedError
from ingest.pipeline import ingest
from ingest.profile import profile
from tests.ingest.test_undo import current, write


def shape(connection: psycopg.Connection[Any]) -> list[tuple[str, ...]]:
    """Indexes and triggers of the layer; a trigger that is off shows."""
    indexes = connection.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'zones'").fetchall()
    triggers = connection.execute(
        "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'register.zones'::regclass"
    ).fetchall()
    return sorted([*indexes, *triggers])


def noted(connection: psycopg.Connection[Any]) -> list[tuple[int, int]]:
    """Cells that the tiles know as changed; -1, -1 is the whole layer."""
    return connection.execute(
        "SELECT x, y FROM tiles.changes WHERE layer = 'zones' ORDER BY weight"
    ).fetchall()


def test_a_bulk_load_leaves_indexes_and_triggers_and_tells_the_tiles(
    new_database: Callable[[], Settings], shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = new_database()
    file = shared_data / "bc-forest-licence-tfl6" / "ogma_legal_current_tfl6.gpkg"
    monkeypatch.setattr(load, "BULK_ROWS", 100)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        before, told = shape(connection), noted(connection)
        result = ingest(settings.url_for("registrar"), profile("bc-zones"), file)
        assert result.counts["new"] == 165
        assert shape(connection) == before
        assert len(before) > 12
        assert noted(connection) == [*told, (-1, -1)]
        assert connection.execute("SELECT count(*) FROM history.bulk").fetchone() == (0,)
        found = connection.execute(
            "SELECT count(*) FROM register.zones WHERE sys_to = 'infinity' AND geom && ST_MakeEnvelope(-180, -90, 180, 90, 4326)"
        ).fetchone()
        assert found == (165,)


@pytest.mark.parametrize("first", [True, False])
def test_a_register_that_does_not_hold_what_was_staged_is_rolled_back(
    new_database: Callable[[], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    settings = new_database()
    url, known = settings.url_for("registrar"), profile("ru-municipalities")
    file = write(tmp_path / "places.geojson", {1: ("Один", 1), 2: ("Два", 1)})
    if not first:
        ingest(url, known, file)
        write(file, {1: ("Первый", 1), 2: ("Два", 1), 3: ("Три", 1)})
    before = current(settings)
    written = load.write

    def wrong(connection: psycopg.Connection[Any], layer: Any, run: int, *rest: Any, **named: Any) -> None:
        written(connection, layer, run, *rest, **named)
        connection.execute(
            f"UPDATE ingest.stage_{run} SET digest = gen_random_uuid() WHERE stage_row = 1".encode()
        )

    monkeypatch.setattr(load, "write", wrong)
    with pytest.raises(RefusedError, match="the register holds"):
        ingest(url, known, file)
    assert current(settings) == before
