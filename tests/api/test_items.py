"""OGC API – Features, parts 1 to 3: what the executable test suite of the OGC asks, and what it forgets to ask."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyogrio
import pytest

from geo.access import ANONYMOUS
from geo.export import KINDS, Format
from geo.settings import Settings
from tests.conftest import client_of, make_object

ZONES = "/ogc/collections/zones/items"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


def square(west: float, south: float, side: float = 0.01) -> str:
    e, n = west + side, south + side
    return f"POLYGON(({west} {south},{e} {south},{e} {n},{west} {n},{west} {south}))"


@pytest.fixture(scope="module", autouse=True)
def zones(settings: Settings) -> dict[str, int]:
    """Twelve zones in a row, and one object of the point layer."""
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        found = {
            f"z{n}": make_object(
                c,
                "zones",
                geom=square(83 + n / 10, 55),
                number=f"54:{n}",
                name=f"Зона {n}",
                kind="oopt" if n % 2 else "ozu",
                established_on=f"20{10 + n}-01-01",
                area_m2=1000.0 * n,
            )
            for n in range(12)
        }
        found["bare"] = make_object(c, "zones", geom=None, name=None, number="54:bare")
        make_object(c, "waste_sites")
        found["old"] = make_object(
            c, "zones", geom=square(90, 60), sys_from="2020-01-01", sys_to="2021-01-01"
        )
    return found


async def names(client: httpx.AsyncClient, **parameters: Any) -> list[str]:
    answer = await client.get(ZONES, params={"limit": 100} | parameters)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["numberMatched"] == document["numberReturned"] == len(document["features"])
    return [f["properties"]["number"] for f in document["features"]]


async def test_pages_join_without_gap_or_repeat(client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    url: str | None = f"{ZONES}?limit=5"
    while url:
        page = (await client.get(url)).json()
        seen += [f["id"] for f in page["features"]]
        assert page["numberMatched"] == 13
        url = next((k["href"] for k in page["links"] if k["rel"] == "next"), None)
    assert seen == sorted(set(seen)) and len(seen) == 13


async def test_a_count_is_remembered_only_until_the_layer_changes(
    client: httpx.AsyncClient, owner: psycopg.Connection[Any]
) -> None:
    url = "/ogc/collections/forestries/items"
    assert (await client.get(url)).json()["numberMatched"] == 0
    made = make_object(owner, "forestries")
    assert (await client.get(url)).json()["numberMatched"] == 1
    owner.execute(
        "SELECT history.close('forestries', array_agg(version)) FROM register.forestries WHERE id = %s",
        [made],
    )
    assert (await client.get(url)).json()["numberMatched"] == 0


async def test_counts_of_different_questions_are_remembered_apart(client: httpx.AsyncClient) -> None:
    asked: list[tuple[dict[str, str], int]] = [
        ({}, 13),
        ({"kind": "oopt"}, 6),
        ({"kind": "ozu"}, 6),
        ({"bbox": "82.99,54.99,83.105,55.02"}, 2),
        ({"bbox": "82.99,54.99,83.205,55.02"}, 3),
        ({"bbox": "82.99,54.99,83.105,55.02", "kind": "oopt"}, 1),
        ({"as_of": "2020-06-01T00:00:00Z"}, 1),
        ({"filter": "number = '54:3'"}, 1),
        ({"filter": "number IN ('54:3', '54:4')"}, 2),
    ]
    for _ in range(2):
        for parameters, expected in asked:
            assert (await client.get(ZONES, params=parameters)).json()["numberMatched"] == expected


async def test_a_remembered_count_is_nobody_elses(settings: Settings, owner: psycopg.Connection[Any]) -> None:
    from geo.access import Caller

    make_object(owner, "deposits")
    url = "/ogc/collections/deposits/items"
    async with client_of(settings, Caller(account=1, rank=3)) as chief:
        assert (await chief.get(url)).json()["numberMatched"] == 1
    async with client_of(settings, ANONYMOUS) as stranger:
        assert (await stranger.get(url)).json()["numberMatched"] == 0


@pytest.mark.parametrize(
    ("bbox", "system", "expected"),
    [
        ("82.99,54.99,83.105,55.02", None, ["54:0", "54:1"]),
        ("54.99,82.99,55.02,83.105", f"{EPSG}4326", ["54:0", "54:1"]),
        ("82.99,54.99,83.105,55.02", CRS84, ["54:0", "54:1"]),
        ("9238404,7360000,9251200,7366000", f"{EPSG}3857", ["54:0", "54:1"]),
        ("82.99,54.99,0,83.105,55.02,100", None, ["54:0", "54:1"]),
        ("179,-90,-179,90", None, []),
        ("170,54,83.005,56", None, ["54:0"]),
    ],
)
async def test_boxes_in_their_system(
    client: httpx.AsyncClient, bbox: str, system: str | None, expected: list[str]
) -> None:
    extra = {"bbox-crs": system} if system else {}
    assert await names(client, bbox=bbox, **extra) == expected


async def test_coordinates_come_in_the_order_of_their_axes(
    client: httpx.AsyncClient, zones: dict[str, int]
) -> None:
    def first(document: dict[str, Any]) -> list[float]:
        return document["geometry"]["coordinates"][0][0][0]  # type: ignore[no-any-return]

    item = f"{ZONES}/{zones['z0']}"
    plain = await client.get(item)
    assert plain.headers["content-crs"] == f"<{CRS84}>"
    assert first(plain.json()) == [83, 55]
    swapped = await client.get(item, params={"crs": f"{EPSG}4326"})
    assert swapped.headers["content-crs"] == f"<{EPSG}4326>"
    assert first(swapped.json()) == [55, 83]
    mercator = await client.get(item, params={"crs": f"{EPSG}3857"})
    assert first(mercator.json()) == pytest.approx([9239517.7, 7361866.1], abs=0.2)
    # Pulkovo 1942 / Gauss-Kruger zone 14: northing first by EPSG.
    gauss = first((await client.get(item, params={"crs": f"{EPSG}28414"})).json())
    assert gauss[0] == pytest.approx(6_098_000, abs=5000) and gauss[1] == pytest.approx(14_627_900, abs=5000)


async def test_local_systems_have_a_name_and_an_address_that_defines_them(
    client: httpx.AsyncClient, zones: dict[str, int]
) -> None:
    listed = (await client.get("/ogc/collections")).json()["crs"]
    address = "urn:ogc:def:crs:MEZHA::MSK-54.3"
    assert address in listed
    assert (await client.get("/ogc/crs/MSK-54.3")).json()["type"] == "BoundCRS"
    answer = await client.get(f"{ZONES}/{zones['z0']}", params={"crs": address})
    x, y = answer.json()["geometry"]["coordinates"][0][0][0]
    assert answer.headers["content-crs"] == f"<{address}>"
    assert 3_000_000 < x < 4_600_000 and 300_000 < y < 700_000, (x, y)
    box = {"bbox": f"{x - 5},{y - 5},{x + 5},{y + 5}", "bbox-crs": address}
    assert await names(client, **box) == ["54:0"]


FILTERS = {
    "number = '54:3'": ["54:3"],
    "name LIKE 'Зона 1%'": ["54:1", "54:10", "54:11"],
    "CASEI(name) LIKE CASEI('зОНА 1%')": ["54:1", "54:10", "54:11"],
    "number IN ('54:3', '54:4')": ["54:3", "54:4"],
    "area_m2 BETWEEN 2000 AND 3000": ["54:2", "54:3"],
    "area_m2 >= 11000 OR number = '54:0'": ["54:0", "54:11"],
    "name IS NULL": ["54:bare"],
    "NOT (area_m2 > 0) AND name IS NOT NULL": ["54:0"],
    "established_on > DATE('2019-12-31')": ["54:10", "54:11"],
    "established_on = '2011-01-01'": ["54:1"],
    "T_AFTER(established_on, DATE('2020-06-01'))": ["54:11"],
    "T_DURING(established_on, INTERVAL('2010-06-01', '2012-06-01'))": ["54:1", "54:2"],
    "T_INTERSECTS(established_on, INTERVAL('2020-06-01', '..'))": ["54:11"],
    "S_INTERSECTS(geometry, POINT(83.005 55.005))": ["54:0"],
    "S_INTERSECTS(geom, BBOX(83.2, 55, 83.3, 55.1))": ["54:2", "54:3"],
    "S_WITHIN(geometry, POLYGON((83.19 54.9,83.25 54.9,83.25 55.1,83.19 55.1,83.19 54.9)))": ["54:2"],
    "S_CONTAINS(POLYGON((83.19 54.9,83.25 54.9,83.25 55.1,83.19 55.1,83.19 54.9)), geometry)": ["54:2"],
    "S_DISJOINT(geometry, POLYGON((83.05 54,85 54,85 56,83.05 56,83.05 54)))": ["54:0"],
    "kind = 'ozu' AND S_INTERSECTS(geometry, BBOX(83, 54, 83.25, 56))": ["54:0", "54:2"],
    "number = '54:1'' OR 1=1 --'": [],
    "number = name": [],
    "true": [f"54:{n}" for n in range(12)] + ["54:bare"],
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FILTERS.items())
async def test_filters(client: httpx.AsyncClient, text: str, expected: list[str]) -> None:
    assert await names(client, filter=text) == expected


async def test_filters_as_json_and_in_another_system(client: httpx.AsyncClient) -> None:
    point = {"type": "Point", "coordinates": [55.005, 83.005]}
    question = {"op": "s_intersects", "args": [{"property": "geometry"}, point]}
    extra = {"filter-lang": "cql2-json", "filter-crs": f"{EPSG}4326"}
    assert await names(client, filter=json.dumps(question), **extra) == ["54:0"]
    named = {"op": "in", "args": [{"property": "number"}, ["54:5"]]}
    assert await names(client, filter=json.dumps(named), **{"filter-lang": "cql2-json"}) == ["54:5"]


BAD_FILTERS = [
    "number = ", "nothing = 1", "number = 1", "area_m2 / 0 > 1", "area_m2 + 1 > 1", "pg_sleep(10) = 1",
    "CAST(number AS integer) = 1", "number; DROP TABLE register.zones", "source_geom IS NULL", "visibility = 0",
    "holder_inn = '1'", "digest = 'x'", "S_INTERSECTS(geometry, POLYGON((0 0,1 1,1 0,0 1,0 0)))",
    "S_WITHIN(geometry, GEOMETRYCOLLECTION(POINT(0 0),POINT(1 1)))", "S_INTERSECTS(number, POINT(0 0))",
    "S_INTERSECTS(geometry, POINT(300 0))", "T_AFTER(number, DATE('2020-01-01'))", "established_on > 'soon'",
    "(" * 5000 + "true" + ")" * 5000, "NOT " * 5000 + "true", "true AND " * 30000 + "true", "name = '" + "x" * 10_000_000 + "'",
    "area_m2 = " + "-" * 5000 + "1", "CASEI(" * 3000 + "name" + ")" * 3000 + " = 'x'",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_FILTERS, ids=lambda t: t[:30])
async def test_bad_filters_are_refused(settings: Settings, client: httpx.AsyncClient, text: str) -> None:
    from geo import filters, objects
    from geo.crs import WGS84
    from geo.errors import CrsError
    from geo.layers import layer
    from geo.reference import Reference

    if len(text) > 60_000:
        # A URL of this length does not reach the server: the domain must refuse it all the same.
        with pytest.raises(filters.FilterError):
            filters.condition(layer("zones"), objects.gate("zones"), text)
        return
    assert CrsError
    assert Reference(WGS84, WGS84).degrees
    answer = await client.get(ZONES, params={"filter": text})
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] in ("bad-filter", "bad-crs")


@pytest.mark.parametrize(
    "text", ["{", "[]", "1", "null", '{"op":1}', '{"op":"and"}', '{"op":"=","args":[1]}', '{"op":"=","args":[{},{}]}',
             '{"op":"s_intersects","args":[{"property":"geom"},{"type":"Point","coordinates":["a",1]}]}',
             '{"op":"s_intersects","args":[{"property":"geom"},{"bbox":[1,2]}]}', '{"op":"in","args":[{"property":"number"},5]}',
             '{"op":"not","args":[' * 500 + "true" + "]}" * 500, "[" * 90_000],
    ids=lambda t: t[:24],
)  # fmt: skip
async def test_bad_json_filters_are_refused(text: str) -> None:
    from geo import filters, objects
    from geo.layers import layer

    with pytest.raises(filters.FilterError):
        filters.condition(layer("zones"), objects.gate("zones"), text, language="cql2-json")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("crs", f"{EPSG}0"), ("crs", "http://www.opengis.net/def/crs/0/unknown"), ("bbox-crs", "x"), ("filter-crs", "y"),
     ("crs", f"{EPSG}999999"), ("filter-lang", "sql"), ("as_of", "2999-01-01T00:00:00Z"), ("f", "exe"), ("after", "x")],
)  # fmt: skip
async def test_unknown_values_are_named(client: httpx.AsyncClient, parameter: str, value: str) -> None:
    extra = {"filter": "true"} if parameter.startswith("filter") else {"bbox": "0,0,1,1"}
    answer = await client.get(ZONES, params={parameter: value} | extra)
    assert answer.status_code in (400, 404), answer.text
    assert answer.json()["value"] in value


async def test_both_times(client: httpx.AsyncClient, zones: dict[str, int]) -> None:
    then = (await client.get(ZONES, params={"as_of": "2020-06-01T00:00:00Z"})).json()
    assert [f["id"] for f in then["features"]] == [zones["old"]]
    assert (await client.get(f"{ZONES}/{zones['old']}")).status_code == 404
    past = await client.get(f"{ZONES}/{zones['old']}", params={"as_of": "2020-06-01T00:00:00Z"})
    assert past.status_code == 200


@pytest.mark.requirement("F-11", "F-37")
@pytest.mark.parametrize("kind", list(Format))
async def test_files_hold_every_feature(client: httpx.AsyncClient, tmp_path: Path, kind: Format) -> None:
    parameters = {"f": kind, "filter": "name IS NOT NULL"}
    answer = await client.get(ZONES, params=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(KINDS[kind].media_type.split(";")[0])
    path = tmp_path / f"zones.{KINDS[kind].ending}"
    path.write_bytes(answer.content)
    if kind is Format.geoparquet:
        import geopandas

        frame = geopandas.read_parquet(path)
    else:
        frame = pyogrio.read_dataframe(f"/vsizip/{path}" if kind is Format.shapefile else path)
    assert len(frame) == 12
    if kind is not Format.csv:
        assert frame.total_bounds == pytest.approx([83, 55, 84.11, 55.01])
    if kind not in (Format.dxf, Format.kml):
        assert frame["name"].tolist()[3] == "Зона 3"
    if kind is Format.shapefile:
        assert any(n.endswith(".cpg") for n in zipfile.ZipFile(io.BytesIO(answer.content)).namelist())


async def test_a_file_in_another_system(client: httpx.AsyncClient, tmp_path: Path) -> None:
    parameters = {"f": "gpkg", "crs": f"{EPSG}28414", "limit": 3, "filter": "name IS NOT NULL"}
    (tmp_path / "z.gpkg").write_bytes((await client.get(ZONES, params=parameters)).content)
    frame = pyogrio.read_dataframe(tmp_path / "z.gpkg")
    assert len(frame) == 3 and frame.crs.to_epsg() == 28414
    assert 14_600_000 < frame.total_bounds[0] < 14_700_000
    shape = frame.to_crs(4326).total_bounds
    assert shape[:2] == pytest.approx([83, 55], abs=1e-4)


async def test_an_empty_answer_is_an_empty_file(client: httpx.AsyncClient, tmp_path: Path) -> None:
    for kind in Format:
        answer = await client.get("/ogc/collections/parcels/items", params={"f": kind})
        assert answer.status_code == 200, (kind, answer.text)


async def test_accept_chooses_the_format(client: httpx.AsyncClient) -> None:
    for accept, kind in {
        "application/flatgeobuf": "application/flatgeobuf",
        "text/csv": "text/csv; charset=utf-8",
        "text/html": "text/html; charset=utf-8",
        "application/geo+json": "application/geo+json",
        "*/*": "application/geo+json",
    }.items():
        answer = await client.get(ZONES, headers={"accept": accept})
        assert answer.headers["content-type"] == kind
