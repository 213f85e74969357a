"""CQL2 filters in tiles: the same objects as in features, and never one more."""

import asyncio

import httpx
import mapbox_vector_tile
import psycopg
import pytest

from geo.access import Caller
from geo.settings import Settings
from tests.conftest import client_of, make_object
from tests.tiles.test_vector import address

PLACE = (70.2, 61.1)


def _box(x: float, y: float) -> str:
    return f"POLYGON(({x} {y},{x + 0.01} {y},{x + 0.01} {y + 0.01},{x} {y + 0.01},{x} {y}))"


@pytest.fixture(scope="module", autouse=True)
def _objects(settings: Settings) -> None:
    x, y = PLACE
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        make_object(connection, "zones", name="Бор", kind="oopt", geom=_box(x, y))
        make_object(connection, "zones", name="Луг", kind="water", geom=_box(x + 0.012, y))
        make_object(connection, "zones", name="Тайна", kind="oopt", visibility=3, geom=_box(x, y + 0.012))


async def _names(client: httpx.AsyncClient, filter_: str, **further: str) -> set[str]:
    path = f"/tiles/zones/{address(PLACE[0] + 0.008, PLACE[1] + 0.008, 10)}.mvt"
    answer = await client.get(path, params={"filter": filter_, **further})
    assert answer.status_code in (200, 204), answer.text
    features = mapbox_vector_tile.decode(answer.content)["zones"]["features"] if answer.content else []
    return {f["properties"]["name"] for f in features}


async def test_a_filter_chooses_by_attribute_and_by_place(client: httpx.AsyncClient) -> None:
    x, y = PLACE
    assert await _names(client, "kind='oopt'") == {"Бор"}
    assert await _names(client, "name LIKE 'Л%' AND kind IN ('water','oopt')") == {"Луг"}
    assert await _names(client, f"S_INTERSECTS(geometry,BBOX({x + 0.011},{y},{x + 0.02},{y + 0.001}))") == {
        "Луг"
    }
    as_json = '{"op":"=","args":[{"property":"kind"},"water"]}'
    assert await _names(client, as_json, **{"filter-lang": "cql2-json"}) == {"Луг"}
    assert await _names(client, "kind='oopt'", as_of="2020-01-01T00:00:00Z") == set()


async def test_a_filter_shows_no_more_than_the_caller_may_see(
    settings: Settings, client: httpx.AsyncClient
) -> None:
    assert await _names(client, "name='Тайна' OR kind='oopt'") == {"Бор"}
    async with client_of(settings, Caller(account=1, rank=3)) as administrator:
        assert await _names(administrator, "kind='oopt'") == {"Бор", "Тайна"}


async def test_a_filtered_tile_follows_the_register(settings: Settings, client: httpx.AsyncClient) -> None:
    assert await _names(client, "name='Роща'") == set()
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        make_object(connection, "zones", name="Роща", kind="oopt", geom=_box(PLACE[0] + 0.004, PLACE[1]))

    await asyncio.sleep(1)
    assert await _names(client, "name='Роща'") == {"Роща"}


@pytest.mark.parametrize(
    "filter_",
    ["nonsense =", "height_m>3", "area_m2/0>1", "name='a'; DROP TABLE x", "(" * 5000, "name LIKE 'a\\'"],
)
async def test_a_bad_filter_is_refused(client: httpx.AsyncClient, filter_: str) -> None:
    answer = await client.get(f"/tiles/zones/{address(*PLACE, 10)}.mvt", params={"filter": filter_})
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad-filter"
