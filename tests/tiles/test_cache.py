"""What is remembered of tiles: within its bytes, never for another audience, never past its version."""

import asyncio
from pathlib import Path

import httpx
import mapbox_vector_tile
import psycopg
import pytest

from geo.access import Caller
from geo.moment import ALWAYS
from geo.settings import Settings
from tests.conftest import _Fixed, client_of, make_object
from tiles.bands import cells_of
from tiles.cache import OVERHEAD, Memory, Shelf, Tile
from tiles.vector import TileQuery
from tiles.versions import BOUND

QUERY = TileQuery(("zones",), 3, 1, 1, ALWAYS)
PATH = "/tiles/zones,licences/12/2992/1295.mvt"


def _tile(size: int) -> Tile:
    return Tile.of(QUERY, b"x" * size, 1, 1)


def test_memory_keeps_within_its_bytes_and_forgets_what_was_used_longest_ago() -> None:
    memory = Memory(3 * (OVERHEAD + 2000))
    for name in "abc":
        memory.put((name,), _tile(1000))
    assert memory.get(("a",))
    memory.put(("d",), _tile(1000))
    assert [memory.get((n,)) is not None for n in "abcd"] == [True, False, True, True]
    memory.put(("e",), _tile(10_000_000))
    assert memory.size == 0
    assert len(memory) == 0


def test_a_shelf_gives_no_older_version_no_other_audience_and_no_broken_file(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "tiles", 1 << 20)
    shelf.put("db", "0", QUERY, 5, b"five")
    assert shelf.get("db", "0", QUERY, 5) == (5, b"five")
    assert shelf.get("db", "0", QUERY, 4) == (5, b"five")
    assert shelf.get("db", "0", QUERY, 6) is None
    assert shelf.get("db", "rank=3", QUERY, 5) is None
    assert shelf.get("other", "0", QUERY, 5) is None
    file = next((tmp_path / "tiles").glob("*/*"))
    file.write_bytes(file.read_bytes()[:-1])
    assert shelf.get("db", "0", QUERY, 5) is None


def test_a_shelf_keeps_within_its_bytes(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "tiles", 100_000)
    for n in range(40):
        shelf.put("db", str(n), QUERY, 1, b"x" * 10_000)
    assert shelf.trim() <= 100_000
    assert sum(f.stat().st_size for f in (tmp_path / "tiles").glob("*/*")) <= 100_000


@pytest.mark.parametrize(
    ("tile", "cells"),
    [
        ((10, 5, 7), (4, 6, 6, 8)),
        ((10, 0, 0), (0, 0, 1, 1)),
        ((12, 4 * 5 + 1, 4 * 7 + 1), (5, 7, 5, 7)),
        ((12, 4 * 5, 4 * 7), (4, 6, 5, 7)),
        ((0, 0, 0), (0, 0, 1023, 1023)),
        ((8, 1, 1), (3, 3, 8, 8)),
    ],
)
def test_a_tile_lies_on_the_cells_that_it_and_its_buffer_touch(
    tile: tuple[int, int, int], cells: tuple[int, int, int, int]
) -> None:
    assert cells_of(*tile) == cells


@pytest.fixture(scope="module")
def identity(settings: Settings) -> int:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        make_object(connection, "licences", holder_inn="5400000001")
        return make_object(connection, "zones", name="Заказник")


async def test_a_remembered_tile_is_of_one_audience(settings: Settings, identity: int) -> None:
    async with client_of(settings) as client:
        app = client._transport.app  # type: ignore[attr-defined]
        seen = []
        for caller in (
            Caller(),
            Caller(account=1, rank=2),
            Caller(),
            Caller(account=2, rank=1, inns=("5400000001",)),
            Caller(account=3, rank=1, inns=("5400000002",)),
        ):
            app._identity = _Fixed(caller, None)
            answer = await client.get(PATH)
            seen.append(sorted(mapbox_vector_tile.decode(answer.content)))
            assert ("private" in answer.headers["cache-control"]) == (caller.account is not None)
        assert seen == [["zones"], ["licences", "zones"], ["zones"], ["licences", "zones"], ["zones"]]


async def test_a_remembered_tile_is_served_without_the_database_and_a_change_ends_it(
    settings: Settings, identity: int, client: httpx.AsyncClient
) -> None:
    first = await client.get(PATH)
    source = client._transport.app.tiles._source  # type: ignore[attr-defined]
    made: list[str] = []
    make = source._make

    async def counted(*arguments: object) -> Tile:
        made.append("made")
        tile: Tile = await make(*arguments)
        return tile

    source._make = counted
    assert (await client.get(PATH)).content == first.content
    assert made == []
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        make_object(connection, "zones", name="Новая")
    await asyncio.sleep(BOUND)
    changed = await client.get(PATH)
    assert made == ["made"]
    assert len(mapbox_vector_tile.decode(changed.content)["zones"]["features"]) == 2
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        make_object(connection, "zones", geom="POLYGON((10 10,10.1 10,10.1 10.1,10 10.1,10 10))")
    await asyncio.sleep(BOUND)
    assert (await client.get(PATH)).content == changed.content
    assert made == ["made"]


async def test_compression_begins_with_the_second_request(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        for n in range(30):
            make_object(connection, "zones", name=f"Охранная зона номер {n}, с длинным названием")
    answers = [await client.get("/tiles/zones/12/2992/1295.mvt") for _ in range(3)]
    assert [a.headers.get("content-encoding") for a in answers] == [None, "gzip", "gzip"]
    assert len({a.content for a in answers}) == 1


def test_changes_are_noted_by_cell_a_mass_change_by_layer_and_merging_keeps_the_sums(
    db: psycopg.Connection[tuple[object, ...]],
) -> None:
    def noted() -> dict[tuple[int, int], int]:
        rows = db.execute(
            "SELECT x, y, sum(weight)::bigint FROM tiles.changes WHERE layer = 'stands' GROUP BY 1, 2"
        ).fetchall()
        return {(int(str(x)), int(str(y))): int(str(weight)) for x, y, weight in rows}

    before = noted()
    make_object(db, "stands")
    after = noted()
    assert {k for k in after if after[k] != before.get(k)} == {(748, 323)}
    db.execute(
        "INSERT INTO register.stands (key, region, number, digest, geom)"
        " SELECT 'm' || n, '54', n, lpad(n::text, 32, '0')::uuid,"
        " ST_Multi(ST_MakeEnvelope(n * 0.001, 0, n * 0.001 + 0.0005, 0.0005, 4326)) FROM generate_series(1, 5001) n"
    )
    mass = noted()
    assert {k for k in mass if mass[k] != after.get(k)} == {(-1, -1)}
    db.execute("SELECT tiles.merge_changes(-1000)")
    assert noted() == mass
    assert db.execute("SELECT bool_and(merged) FROM tiles.changes").fetchone() == (True,)
