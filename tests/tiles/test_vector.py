"""Vector tiles, decoded."""

import httpx
import mapbox_vector_tile
import psycopg
import pytest
from morecantile import tms

from geo.access import Caller
from geo.settings import Settings
from tests.conftest import client_of, make_object


def address(lon: float, lat: float, zoom: int) -> str:
    tile = tms.get("WebMercatorQuad").tile(lon, lat, zoom)
    return f"{tile.z}/{tile.x}/{tile.y}"


@pytest.fixture(scope="module")
def identity(settings: Settings) -> int:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        make_object(connection, "licences")
        return make_object(connection, "zones", name="Заказник", kind="oopt")


async def test_a_tile_holds_the_object_with_its_properties(client: httpx.AsyncClient, identity: int) -> None:
    answer = await client.get(f"/tiles/zones/{address(83.005, 55.005, 12)}.mvt")
    assert answer.status_code == 200
    features = mapbox_vector_tile.decode(answer.content)["zones"]["features"]
    assert [(f["id"], f["properties"]["name"], f["properties"]["kind"]) for f in features] == [
        (identity, "Заказник", "oopt")
    ]


async def test_several_layers_in_one_tile_and_restricted_ones_stay_out(
    settings: Settings, client: httpx.AsyncClient, identity: int
) -> None:
    path = f"/tiles/zones,licences/{address(83.005, 55.005, 12)}.mvt"
    assert set(mapbox_vector_tile.decode((await client.get(path)).content)) == {"zones"}
    async with client_of(settings, Caller(account=1, rank=3)) as administrator:
        assert set(mapbox_vector_tile.decode((await administrator.get(path)).content)) == {
            "zones",
            "licences",
        }


async def test_an_unchanged_tile_is_not_sent_again(client: httpx.AsyncClient, identity: int) -> None:
    path = f"/tiles/zones/{address(83.005, 55.005, 12)}.mvt"
    etag = (await client.get(path)).headers["etag"]
    assert (await client.get(path, headers={"if-none-match": etag})).status_code == 304


async def test_an_empty_tile_has_no_content(client: httpx.AsyncClient) -> None:
    assert (await client.get("/tiles/zones/12/0/0.mvt")).status_code == 204


async def test_tilejson_tells_bounds_of_what_is_seen(client: httpx.AsyncClient, identity: int) -> None:
    document = (await client.get("/tiles/zones.json")).json()
    assert document["bounds"] == pytest.approx([83, 55, 83.01, 55.01])
    assert document["vector_layers"][0]["id"] == "zones"
