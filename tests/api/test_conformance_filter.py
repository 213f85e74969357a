"""The abstract tests of CQL2 (OGC 21-065r2) and of Features part 3 (19-079r2), for every class that is claimed.

Each runs over queryables of every kind, as the standards have it; what is invalid must be refused with 400.
"""

import itertools
import random
from collections.abc import AsyncIterator

import cql2
import httpx
import orjson
import psycopg
import pytest

from geo.access import Caller
from geo.settings import Settings
from tests.conftest import client_of, make_object

BASE = "/ogc/collections/zones"
# A place of its own, on both sides of the antimeridian: what other tests lay elsewhere is not asked for.
HERE = "178,60,-178,63"
SQUARE = "POLYGON((178.1 61,178.3 61,178.3 61.2,178.1 61.2,178.1 61))"
WORLD = "BBOX(-180,-90,180,90)"
ALL_ROUND = "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))"
VALUES = {
    "string": "'foo'",
    "number": "3.14",
    "integer": "1",
    "date-time": "TIMESTAMP('2022-04-14T14:48:46Z')",
    "date": "DATE('2022-04-14')",
}
SPECIAL = {
    "number": "54:s",
    "name": "50 %_",
    "area_declared_m2": 2.5,
    "area_m2": 2.5,
    "established_on": "2022-04-16",
}


@pytest.fixture(scope="module", autouse=True)
def things(settings: Settings) -> None:
    """Plain and special rows, and two that lie on either side of the antimeridian."""
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        make_object(c, "zones", geom=SQUARE, **SPECIAL)
        late = {"established_on": "2022-05-01", "valid_from": "2022-01-01"}
        make_object(c, "zones", geom=SQUARE, number="54:t", name=None, **late)
        for n, west in enumerate((178.5, -179.5)):
            square = f"POLYGON(({west} 61,{west + 1} 61,{west + 1} 62,{west} 62,{west} 61))"
            make_object(c, "zones", number=f"54:edge{n}", geom=square)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(settings, Caller()) as found:
        yield found


async def ids(client: httpx.AsyncClient, condition: str, *, language: str = "", **more: str) -> set[int]:
    """Who meets the condition; written as JSON where ``language`` says so."""
    if language == "cql2-json":
        condition = orjson.dumps(cql2.parse_text(condition).to_json()).decode()
    given = {"filter": condition, "limit": "10000", "bbox": HERE, **more}
    if language:
        given["filter-lang"] = language
    answer = await client.get(f"{BASE}/items", params=given)
    assert answer.status_code == 200, (condition, answer.text)
    return {f["id"] for f in answer.json()["features"]}


async def status(client: httpx.AsyncClient, condition: str, **more: str) -> int:
    return (await client.get(f"{BASE}/items", params={"filter": condition, **more})).status_code


async def queryables(client: httpx.AsyncClient) -> dict[str, str]:
    """Names and kinds of what filters may ask, without the geometry."""
    found = (await client.get(f"{BASE}/queryables")).json()["properties"]
    return {
        name: about.get("format", about["type"])
        for name, about in found.items()
        if "geometry" not in about.get("format", "")
    }


async def two_of_each_kind(client: httpx.AsyncClient) -> dict[str, str]:
    """The first and the last queryable of every kind: the kind decides what becomes of a condition."""
    found = await queryables(client)
    kinds: dict[str, list[str]] = {}
    for name, kind in found.items():
        kinds.setdefault(kind, []).append(name)
    assert set(kinds) == set(VALUES)
    return {name: found[name] for names in kinds.values() for name in (names[0], names[-1])}


@pytest.mark.parametrize("language", ["cql2-text", "cql2-json"])
async def test_comparisons_of_queryables(client: httpx.AsyncClient, language: str) -> None:
    """basic-cql2, and property-property: value and property in either order, and a property with itself."""
    for name, kind in (await two_of_each_kind(client)).items():
        known = await ids(client, f"{name} IS NOT NULL", language=language)
        assert not known & await ids(client, f"{name} is null", language=language)
        value = VALUES[kind]
        for one, other in (("=", "<>"), (">", "<="), ("<", ">=")):
            for left, right in ((name, value), (value, name)):
                first = await ids(client, f"{left} {one} {right}", language=language)
                second = await ids(client, f"{left} {other} {right}", language=language)
                assert not first & second and first | second == known, (left, one, right)
            empty, full = (other, one) if one == "=" else (one, other)
            assert await ids(client, f"{name} {empty} {name}", language=language) == set()
            assert await ids(client, f"{name} {full} {name}", language=language) == known


async def test_constants(client: httpx.AsyncClient) -> None:
    everything = await ids(client, "true")
    assert everything and await ids(client, "false") == set()
    for value in (*VALUES.values(), "true"):
        for operator, expected in (("=", everything), (">=", everything), ("<", set()), ("<>", set())):
            assert await ids(client, f"{value} {operator} {value}") == expected, (value, operator)


async def test_geometry_may_be_null_or_not(client: httpx.AsyncClient) -> None:
    assert await ids(client, "geometry IS NULL") == set()
    assert await ids(client, "geometry IS NOT NULL") == await ids(client, "true")


async def test_advanced_comparisons(client: httpx.AsyncClient) -> None:
    for name, kind in (await two_of_each_kind(client)).items():
        known = await ids(client, f"{name} IS NOT NULL")
        if kind == "string":
            filled, empty = await ids(client, f"{name} like '_%'"), await ids(client, f"{name} like ''")
            assert not filled & empty
            assert await ids(client, f"{name} LIKE '%'") == await ids(client, f"{name} LIKE '%%'") == known
            await ids(client, f"{name} in ('foo', 'bar')")
        elif kind in ("number", "integer"):
            within = await ids(client, f"{name} BETWEEN 0 AND 100")
            assert within == known - await ids(client, f"{name} NOT BETWEEN 0 AND 100")
            assert await ids(client, f"{name} between 100.0 and 1.0") == set()
            await ids(client, f"{name} IN (1, 2, 3)")
        elif kind == "date":
            # Also without DATE(): the property says what the texts are.
            await ids(client, f"{name} in ('2022-04-14', '2022-04-15')")
        else:
            await ids(client, f"{name} in ('2022-04-14T14:52:56Z', '2022-04-14T15:52:56Z')")
    special = await ids(client, "number = '54:s'")
    assert len(special) == 1
    assert await ids(client, r"name LIKE '50 \%\_'") == special
    assert await ids(client, "'København' LIKE 'K_benhavn'") == await ids(client, "true")
    assert (
        await ids(client, "area_declared_m2 between area_declared_m2 and area_m2 AND number='54:s'")
        == special
    )


async def test_case_insensitive_comparisons(client: httpx.AsyncClient) -> None:
    for name, kind in (await two_of_each_kind(client)).items():
        if kind == "string":
            same = await ids(client, f"CASEI({name}) = casei('foo')")
            assert not same & await ids(client, f"CASEI({name}) <> casei('FOO')")
            like = await ids(client, f"CASEI({name}) LIKE casei('foo%')")
            assert like == await ids(client, f"CASEI({name}) LIKE casei('FOO%')")
    assert await ids(client, "CASEI(number) IN (casei('54:S'), casei('54:T'))") == await ids(
        client, "number IN ('54:s','54:t')"
    )


GEOMETRIES = {
    "POINT(83.005 55.005)": 200,
    "POINT Z(83.005 55.005 120)": 200,
    "MULTIPOINT(83 55,84 56)": 200,
    "LINESTRING(-180 -45,0 -45)": 200,
    "MULTILINESTRING((-180 -45,0 -45),(0 45,180 45))": 200,
    ALL_ROUND: 200,
    "MULTIPOLYGON(((-180 -90,-90 -90,-90 90,-180 90,-180 -90),(-120 -50,-100 -50,-100 -40,-120 -40,-120 -50)),"
    "((0 0,10 0,10 10,0 10,0 0)))": 200,
    "GEOMETRYCOLLECTION(POINT(7.02 49.92),POLYGON((0 0,10 0,10 10,0 10,0 0)))": 200,
    "POINT(90 180)": 400,
    "MULTIPOINT(7.02 49.92,90 180)": 400,
    "GEOMETRYCOLLECTION(POINT(7.02 49.92),POINT(90 180))": 400,
    "BBOX(1000000,1000000,2000000,2000000)": 400,
    "BBOX(10,50,20,40)": 400,
}


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize(
    "template", ["S_INTERSECTS(geometry,{})", "S_INTERSECTS({},geometry)", "S_DISJOINT(geometry,{})"]
)
async def test_spatial_literals(client: httpx.AsyncClient, geometry: str, template: str) -> None:
    condition = template.format(geometry)
    assert await status(client, condition) == GEOMETRIES[geometry]
    if GEOMETRIES[geometry] == 200:
        meet = await ids(client, f"S_INTERSECTS(geometry,{geometry})")
        apart = await ids(client, f"S_DISJOINT(geometry,{geometry})")
        assert not meet & apart and meet | apart == await ids(client, "true")
        assert meet == await ids(client, f"S_INTERSECTS(geometry,{geometry})", language="cql2-json")


async def test_a_collection_is_met_where_one_of_its_parts_is(client: httpx.AsyncClient) -> None:
    square = "POLYGON((178.9 61.2,179 61.2,179 61.4,178.9 61.4,178.9 61.2))"
    parts = await ids(client, f"S_INTERSECTS(geometry,{square}) OR S_INTERSECTS(geometry,POINT(-179 61.5))")
    whole = f"GEOMETRYCOLLECTION({square},POINT(-179 61.5))"
    assert len(parts) >= 2
    assert await ids(client, f"S_INTERSECTS(geometry,{whole})") == parts
    assert await status(client, f"S_WITHIN(geometry,{whole})") == 400


async def test_a_box_over_the_antimeridian(client: httpx.AsyncClient) -> None:
    edges = await ids(client, "number LIKE '54:edge%'")
    assert await ids(client, "S_INTERSECTS(geometry,BBOX(178,60,-178,63))") >= edges
    assert not edges & await ids(client, "S_INTERSECTS(geometry,BBOX(-178,60,178,63))")
    turned = {"filter-crs": "http://www.opengis.net/def/crs/EPSG/0/4326"}
    assert await ids(client, "S_INTERSECTS(geometry,BBOX(60,178,63,-178))", **turned) >= edges
    assert await ids(client, f"S_INTERSECTS(geometry,BBOX({HERE}))") == await ids(client, "true")


async def test_a_box_without_width_is_a_line(client: httpx.AsyncClient) -> None:
    assert await ids(client, "S_INTERSECTS(geometry,BBOX(179,60,179,61.5))") >= await ids(
        client, "number = '54:edge0'"
    )


async def test_spatial_functions(client: httpx.AsyncClient) -> None:
    """Each with a literal on either side, with itself and between literals alone: property-property allows it."""
    everything = await ids(client, "true")
    for name in ("EQUALS", "TOUCHES", "CROSSES", "OVERLAPS"):
        found = await ids(client, f"S_{name}(geometry,{ALL_ROUND})")
        assert found == await ids(client, f"S_{name}({ALL_ROUND},geometry)")
        assert found == await ids(client, f"S_{name}(geometry,{WORLD})") or name == "EQUALS"
    within = await ids(client, f"S_WITHIN(geometry,{WORLD})")
    assert within == await ids(client, f"S_CONTAINS({ALL_ROUND},geometry)") == everything
    assert await ids(client, f"S_CONTAINS(geometry,{WORLD})") == set()
    assert await ids(client, "S_EQUALS(geometry,geometry)") == everything
    assert await ids(client, "S_DISJOINT(geometry,geometry)") == set()
    assert await ids(client, "S_INTERSECTS(POINT(1 1),POINT(1 1))") == everything
    assert await ids(client, f"S_WITHIN({WORLD},POINT(1 1))") == set()


# Periods that relate to 1 January – 31 December 2021 as the function says, and one that does not.
ALLEN = {
    "AFTER": ("2022-01-01", "2022-02-01"),
    "BEFORE": ("2020-01-01", "2020-12-31"),
    "DISJOINT": ("2022-01-01", "2022-02-01"),
    "EQUALS": ("2021-01-01", "2021-12-31"),
    "INTERSECTS": ("2021-12-31", "2022-02-01"),
    "CONTAINS": ("2020-01-01", "2022-02-01"),
    "DURING": ("2021-02-01", "2021-03-01"),
    "FINISHEDBY": ("2020-01-01", "2021-12-31"),
    "FINISHES": ("2021-02-01", "2021-12-31"),
    "MEETS": ("2020-01-01", "2021-01-01"),
    "METBY": ("2021-12-31", "2022-02-01"),
    "OVERLAPPEDBY": ("2021-02-01", "2022-02-01"),
    "OVERLAPS": ("2020-01-01", "2021-02-01"),
    "STARTEDBY": ("2021-01-01", "2022-02-01"),
    "STARTS": ("2021-01-01", "2021-02-01"),
}


@pytest.mark.parametrize("name", ALLEN)
async def test_temporal_functions(client: httpx.AsyncClient, name: str) -> None:
    kinds = await queryables(client)
    year, times = (
        "INTERVAL('2021-01-01','2021-12-31')",
        "INTERVAL('2021-01-01T00:00:00Z','2021-12-31T23:59:59Z')",
    )
    for kind, period in (("date", year), ("date-time", times)):
        for first, last in itertools.permutations([q for q, k in kinds.items() if k == kind][-2:], 2):
            await ids(client, f"T_{name}(INTERVAL({first},{last}),{period})")
            if name in ("AFTER", "EQUALS", "INTERSECTS"):
                await ids(client, f"T_{name}({first},{VALUES[kind]})")
                await ids(client, f"T_{name}({period},{first})")
    everything = await ids(client, "true")
    for language in ("cql2-text", "cql2-json"):
        first, last = ALLEN[name]
        assert (
            await ids(client, f"T_{name}(INTERVAL('{first}','{last}'),{year})", language=language)
            == everything
        )
        apart = "INTERVAL('1999-01-01','1999-02-01')"
        expected = everything if name in ("DISJOINT", "BEFORE") else set()
        assert await ids(client, f"T_{name}({apart},{year})", language=language) == expected


async def test_what_holds_for_ever_ends_with_an_open_interval(client: httpx.AsyncClient) -> None:
    """No last day of ``..`` is before the end of what has none."""
    holds = await ids(client, "T_INTERSECTS(INTERVAL(valid_from,valid_to),INTERVAL('2100-01-01','..'))")
    assert holds == await ids(client, "valid_to > DATE('2100-01-01')") and holds
    finishes = await ids(client, "T_FINISHES(INTERVAL(valid_from,valid_to),INTERVAL('..','..'))")
    assert finishes >= await ids(client, "number = '54:t'") and finishes <= holds


async def test_logical_combinations(client: httpx.AsyncClient) -> None:
    predicates = ["number='54:s'", "name IS NULL", "S_INTERSECTS(geometry,BBOX(178,60,-178,63))", "id > 5",
                  "T_AFTER(established_on,DATE('2022-04-20'))", "CASEI(name) LIKE casei('5%')", "true"]  # fmt: skip
    everything, dice = await ids(client, "true"), random.Random(7)
    for _ in range(10):
        chosen = dice.sample(predicates, 4)
        yes = [await ids(client, p) for p in chosen]
        no = [await ids(client, f"NOT ({p})") for p in chosen]
        p1, p2, p3, p4 = chosen
        found = await ids(client, f"((NOT ({p1}) AND {p2}) OR ({p3} and NOT ({p4})))")
        assert found == (no[0] & yes[1]) | (yes[2] & no[3]) <= everything, chosen


async def test_queryables_describe_themselves(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{BASE}/queryables?f=json")
    document = answer.json()
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"].endswith(f"{BASE}/queryables"), "without the parameters of the request"
    assert document["type"] == "object" and document["additionalProperties"] is False
    geometry = document["properties"].pop("geometry")
    assert geometry["format"] == "geometry-multipolygon" and "type" not in geometry
    assert all(about["type"] in ("string", "number", "integer") for about in document["properties"].values())
    for path in (f"{BASE}/items", f"{BASE}/items?limit=1"):
        link = (await client.get(path)).headers["link"]
        assert f"{BASE}/queryables>" in link
        assert 'rel="http://www.opengis.net/def/rel/ogc/1.0/queryables"' in link


async def test_every_simple_queryable_is_a_parameter(client: httpx.AsyncClient) -> None:
    """queryables-query-parameters: with the schema of the queryable, and only what has that value."""
    definition = (await client.get("/ogc/api")).json()
    schemas = {
        p["name"]: p["schema"]
        for p in definition["paths"]["/collections/zones/items"]["get"]["parameters"]
        if "name" in p
    }
    page = (await client.get(f"{BASE}/items", params={"number": "54:s", "bbox": HERE})).json()
    (feature,) = page["features"]
    values = feature["properties"] | {"id": feature["id"]}
    for name, kind in (await queryables(client)).items():
        assert schemas[name].get("format", schemas[name]["type"]) == kind, name
        if values.get(name) is not None:
            answer = await client.get(f"{BASE}/items", params={name: values[name], "bbox": HERE})
            found = answer.json()["features"]
            assert feature["id"] in {f["id"] for f in found}, (name, answer.text[:200])
            assert {(f["properties"] | {"id": f["id"]})[name] for f in found} == {values[name]}
        if kind != "string":
            assert (await client.get(f"{BASE}/items", params={name: "x"})).status_code == 400, name


async def test_filters_that_are_refused(client: httpx.AsyncClient) -> None:
    for bad in (
        "THIS IS NOT A FILTER",
        "this_is_not_a_queryable IS NULL",
        "name = 1",
        "T_AFTER(name,DATE('2020-01-01'))",
    ):
        assert await status(client, bad) == 400, bad
    for more in (
        {"filter-lang": "cql"},
        {"filter-crs": "http://www.opengis.net/def/crs/OGC/0/does_not_exist"},
    ):
        assert await status(client, f"S_INTERSECTS(geometry,{WORLD})", **more) == 400
    inside, outside = "178,60,180,63", "10,10,11,11"
    for box, some in ((inside, True), (outside, False)):
        found = await ids(client, "S_INTERSECTS(geometry,BBOX(178,60,180,63))", bbox=box)
        assert bool(found) == some
