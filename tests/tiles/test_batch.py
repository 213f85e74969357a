"""Small tiles in groups: each is the same as alone, in fewer statements, and one that fails fails alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import psycopg
import pytest
from morecantile import tms

from geo.access import ANONYMOUS
from geo.errors import MezhaError
from geo.settings import Settings
from tests.conftest import make_object
from tiles import batch
from tiles.batch import BATCH_FROM, Batches, Question
from tiles.connections import Connections
from tiles.vector import statement

CORNER = (61.0, 64.0)
TODAY = date(2026, 6, 1)
QUESTION = Question(("zones", "leases"), None, TODAY, TODAY, whole=False)


@pytest.fixture(scope="module", autouse=True)
def _objects(settings: Settings) -> None:
    x, y = CORNER
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        for n in range(30):
            w = x + 0.02 * n
            ring = f"{w} {y},{w + 0.015} {y},{w + 0.015} {y + 0.01},{w} {y + 0.01},{w} {y}"
            make_object(connection, "zones", name=f"Зона {n}", kind="oopt", geom=f"POLYGON(({ring}))")
            make_object(connection, "zones", name=f"Тайна {n}", visibility=3, geom=f"POLYGON(({ring}))")


@pytest.fixture
async def connections(settings: Settings) -> AsyncIterator[Connections]:
    made = Connections(settings)
    yield made
    made.drop()


def _places(zoom: int = 14) -> list[tuple[int, int, int]]:
    grid = tms.get("WebMercatorQuad")
    found = [grid.tile(CORNER[0] + 0.01 * n, CORNER[1] + 0.005, zoom) for n in range(60)]
    return list(dict.fromkeys((t.z, t.x, t.y) for t in found))


class _Counted(Connections):
    """Counts its statements; fails for a column."""

    asked = 0
    poison = -1

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        self.asked += 1
        if self.poison in values[1]:
            raise MezhaError("spoilt", "none")
        return await super().rows(statement, *values)


async def test_grouped_tiles_are_those_made_alone(settings: Settings, connections: Connections) -> None:
    counted = _Counted(settings)
    batches = Batches(counted)
    places = [*_places(14), *_places(BATCH_FROM)]
    bodies = await asyncio.gather(*(batches.body(QUESTION, place) for place in places))
    sql = statement(QUESTION.layers, False)
    alone = [await connections.value(ANONYMOUS, sql, *place, TODAY, TODAY) or b"" for place in places]
    assert list(bodies) == alone
    assert sum(map(bool, alone)) > 20
    assert "Тайна".encode() not in b"".join(bodies)
    assert "Зона".encode() in b"".join(bodies)
    assert counted.asked < len(places) / 3
    counted.drop()


async def test_one_that_fails_fails_alone_and_who_left_hinders_nobody(settings: Settings) -> None:
    counted = _Counted(settings)
    batches = Batches(counted)
    places = _places()
    counted.poison = places[3][1]
    asks = [asyncio.ensure_future(batches.body(QUESTION, place)) for place in places]
    await asyncio.sleep(0)
    asks[5].cancel()
    found = await asyncio.gather(*asks, return_exceptions=True)
    assert isinstance(found[3], MezhaError)
    assert isinstance(found[5], asyncio.CancelledError)
    assert all(isinstance(body, bytes) for n, body in enumerate(found) if n not in (3, 5))
    assert await batches.body(QUESTION, places[0]) == found[0]
    assert not batches._lines
    counted.drop()


async def test_a_group_is_bounded(settings: Settings) -> None:
    sizes: list[int] = []

    class Sized(Connections):
        async def rows(self, statement: str, *values: Any) -> list[Any]:
            sizes.append(len(values[0]))
            return await super().rows(statement, *values)

    sized = Sized(settings)
    batches = Batches(sized)
    await asyncio.gather(*(batches.body(QUESTION, place) for place in _places()))
    assert max(sizes) <= batch.MOST
    sized.drop()
