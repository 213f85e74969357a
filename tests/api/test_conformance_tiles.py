"""OGC API – Tiles as the OGC's executable suite (ets-ogcapi-tiles10) walks it: landing page, lists, tilesets, tiles."""

from typing import Any

import httpx
import mapbox_vector_tile
import psycopg
import pytest

from geo.settings import Settings
from tests.conftest import make_object

REL = "http://www.opengis.net/def/rel/ogc/1.0/"
PLACE = {"tileMatrix": 7, "tileRow": 40, "tileCol": 93}
PATHS = ("/ogc/tiles", "/ogc/collections/zones/tiles", "/ogc/collections/leases/tiles")


@pytest.fixture(scope="module", autouse=True)
def things(settings: Settings) -> None:
    """Something in one tile of two public collections and of one that is not."""
    square = "POLYGON((83 55,83.5 55,83.5 55.5,83 55.5,83 55))"
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        for layer in ("zones", "leases", "licences"):
            make_object(c, layer, geom=square)


async def get(client: httpx.AsyncClient, url: str) -> Any:
    answer = await client.get(url, headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def hrefs(document: dict[str, Any], rel: str) -> list[str]:
    return [k["href"] for k in document["links"] if k["rel"] == rel]


async def template_of(client: httpx.AsyncClient, path: str) -> str:
    listed = (await get(client, path))["tilesets"][0]
    return hrefs(await get(client, hrefs(listed, "self")[0]), "item")[0]


async def test_lists_of_tilesets_are_linked_where_the_data_is(client: httpx.AsyncClient) -> None:
    assert [h.endswith("/ogc/tiles") for h in hrefs(await get(client, "/ogc"), f"{REL}tilesets-vector")] == [
        True
    ]
    for entry in (await get(client, "/ogc/collections"))["collections"]:
        (listed,) = hrefs(entry, f"{REL}tilesets-vector")
        assert listed.endswith(f"/ogc/collections/{entry['id']}/tiles")


@pytest.mark.parametrize("path", PATHS)
async def test_every_link_of_a_listed_tileset_answers(client: httpx.AsyncClient, path: str) -> None:
    """A template is no URI: a client that follows what a list names would trip over it."""
    (listed,) = (await get(client, path))["tilesets"]
    assert {"dataType", "crs", "tileMatrixSetURI", "title"} <= set(listed)
    for href in [k["href"] for k in listed["links"]]:
        assert "{" not in href
        await get(client, href)


@pytest.mark.parametrize("path", PATHS)
async def test_tiles_lie_within_the_limits_of_their_tileset(client: httpx.AsyncClient, path: str) -> None:
    template = await template_of(client, path)
    tileset = await get(client, f"{path}/WebMercatorQuad")
    for limit in tileset["tileMatrixSetLimits"][:9:4]:
        place = {"tileMatrix": limit["tileMatrix"], "tileCol": limit["minTileCol"]}
        within = await client.get(template.format(**place, tileRow=limit["maxTileRow"]))
        assert within.status_code in (200, 204)
        for row in (limit["maxTileRow"] + 1, 2**31 - 1, -1):
            beyond = await client.get(template.format(**place, tileRow=row))
            assert beyond.status_code == 400 and beyond.json()["code"] == "bad-parameter"
    deepest = tileset["tileMatrixSetLimits"][-1]["tileMatrix"]
    deeper = {"tileMatrix": int(deepest) + 1, "tileRow": 0, "tileCol": 0}
    assert (await client.get(template.format(**deeper))).status_code == 400


async def test_tiles_by_their_ogc_address_are_the_same_tiles(client: httpx.AsyncClient) -> None:
    template = await template_of(client, "/ogc/collections/zones/tiles")
    ours = await client.get(template.format(**PLACE))
    plain = await client.get("/tiles/zones/7/93/40.mvt")
    assert ours.status_code == plain.status_code == 200
    assert ours.content == plain.content and len(ours.content) > 100
    assert ours.headers["content-type"] == "application/vnd.mapbox-vector-tile"


@pytest.mark.requirement("C-38")
async def test_tiles_of_everything_hold_every_public_collection(client: httpx.AsyncClient) -> None:
    template = await template_of(client, "/ogc/tiles")
    drawn = {k["id"] for k in (await get(client, "/ogc/tiles/WebMercatorQuad"))["layers"]}
    tile = await client.get(template.format(**PLACE), headers={"accept": "*/*"})
    assert tile.status_code == 200
    found = mapbox_vector_tile.decode(tile.content)
    assert {"zones", "leases"} <= set(found) <= drawn
    assert "licences" not in drawn


async def test_grid_is_listed_and_defined(client: httpx.AsyncClient) -> None:
    (listed,) = (await get(client, "/ogc/tileMatrixSets"))["tileMatrixSets"]
    assert listed["uri"] == "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
    for rel in ("self", "item"):
        grid = await get(client, hrefs(listed, rel)[0])
        assert grid["tileMatrices"][7]["matrixWidth"] == 128


async def test_operations_are_named_as_the_standard_names_them(client: httpx.AsyncClient) -> None:
    paths = (await get(client, "/ogc/api"))["paths"]
    named = {path: item["get"]["operationId"] for path, item in paths.items()}
    for path in (p.removeprefix("/ogc") for p in PATHS):
        assert named[path].endswith(".vector.getTileSetsList")
        assert named[f"{path}/WebMercatorQuad"].endswith(".vector.getTileSet")
        tile = f"{path}/WebMercatorQuad/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
        assert named[tile].endswith(".vector.getTile")
