"""The abstract tests of OGC API – Features 1.0 (parts 1 and 2) as the OGC's executable suite runs them.

Names and order follow ets-ogcapi-features10 1.9: landing page, definition, conformance, collections, collection,
features, feature, then part 2. The suite itself: docs/api.md says how to run it against an installation.
"""

import re
from typing import Any

import httpx
import jsonschema
import psycopg
import pytest
from pyproj import Transformer

from geo.settings import Settings
from tests.conftest import make_object

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GEOJSON = "application/geo+json"
PART1 = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
LAYERS = ("zones", "waste_sites", "leases")


@pytest.fixture(scope="module", autouse=True)
def things(settings: Settings) -> None:
    """Something in three public collections, with times, and one at the antimeridian."""
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        for n in range(15):
            shift = f"POLYGON(({83 + n} 55,{83.5 + n} 55,{83.5 + n} 55.5,{83 + n} 55.5,{83 + n} 55))"
            make_object(c, "zones", geom=shift, valid_from=f"20{10 + n}-01-01", established_on="2020-01-01")
            make_object(c, "leases", geom=shift)
        make_object(c, "waste_sites", valid_from="2019-03-04", valid_to="2021-01-01")
        make_object(c, "waste_sites", geom="POINT(179.99 60)")


async def get(client: httpx.AsyncClient, url: str, **parameters: Any) -> Any:
    answer = await client.get(url, params=parameters or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def link_of(document: dict[str, Any], rel: str, kind: str = "") -> dict[str, Any]:
    found = [k for k in document["links"] if k["rel"] == rel and (not kind or k["type"] == kind)]
    assert found, (rel, kind, document["links"])
    return found[0]


async def definition(client: httpx.AsyncClient) -> dict[str, Any]:
    landing = await get(client, "/ogc")
    link = link_of(landing, "service-desc")
    answer = await client.get(link["href"])
    assert answer.headers["content-type"] == link["type"] == "application/vnd.oai.openapi+json;version=3.0"
    return answer.json()  # type: ignore[no-any-return]


async def test_landing_page(client: httpx.AsyncClient) -> None:
    for path in ("/ogc", "/ogc/"):
        answer = await client.get(path, follow_redirects=True)
        assert answer.status_code == 200
        for rel in ("service-desc", "service-doc", "conformance", "data", "self", "alternate"):
            target = link_of(answer.json(), rel)
            got = await client.get(target["href"])
            assert got.status_code == 200, target
            assert got.headers["content-type"].split(";")[0] == target["type"].split(";")[0], target


async def test_definition_is_openapi_3_0_and_says_what_is_there(client: httpx.AsyncClient) -> None:
    document = await definition(client)
    assert re.fullmatch(r"3\.0\.\d", document["openapi"])
    parameters = document["components"]["parameters"]
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10}
    assert parameters["limit"]["style"] == "form" and parameters["limit"]["explode"] is False
    box = parameters["bbox"]["schema"]
    assert (box["type"], box["minItems"], box["maxItems"]) == ("array", 4, 6)
    assert box["items"] == {"type": "number"}
    assert parameters["datetime"]["schema"]["type"] == "string" and parameters["datetime"]["in"] == "query"
    for layer in LAYERS:
        names = {
            parameters[p["$ref"].rsplit("/", 1)[-1]]["name"] if "$ref" in p else p["name"]
            for p in document["paths"][f"/collections/{layer}/items"]["get"]["parameters"]
        }
        assert {"limit", "bbox", "datetime", "crs", "bbox-crs", "filter"} <= names
    base = document["servers"][0]["url"]
    assert "/collections/licences" not in document["paths"], "a hidden layer is not named"
    for path in document["paths"]:
        if "{" not in path:
            assert (await client.get(base + path, follow_redirects=True)).status_code == 200, path


async def test_definition_follows_the_openapi_schema(client: httpx.AsyncClient) -> None:
    """The parts of the OpenAPI 3.0 schema that decide whether a reader can use an operation."""
    document = await definition(client)
    seen = set()
    for path, item in document["paths"].items():
        operation = item["get"]
        assert operation["operationId"] not in seen
        seen.add(operation["operationId"])
        assert set(re.findall(r"{(\w+)}", path)) == {
            p["name"]
            for p in (
                document["components"]["parameters"][q["$ref"].rsplit("/", 1)[-1]] if "$ref" in q else q
                for q in operation["parameters"]
            )
            if p["in"] == "path" and p["required"]
        }
        assert all(r["description"] for r in operation["responses"].values())


async def test_conformance(client: httpx.AsyncClient) -> None:
    declared = set((await get(client, "/ogc/conformance"))["conformsTo"])
    assert {PART1 + name for name in ("core", "oas30", "html", "geojson")} <= declared
    assert "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs" in declared
    # What QGIS ≥ 3.44 needs before it pushes its filters to the server.
    assert {
        "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
        "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
        "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
        "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
        "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
    } <= declared


async def test_collections(client: httpx.AsyncClient) -> None:
    document = await get(client, "/ogc/collections")
    assert link_of(document, "self")["type"] == "application/json"
    assert link_of(document, "alternate")["type"] == "text/html"
    assert {c["id"] for c in document["collections"]} >= set(LAYERS)
    for entry in document["collections"]:
        assert link_of(entry, "items", GEOJSON) and link_of(entry, "items", "text/html")
        single = await get(client, f"/ogc/collections/{entry['id']}")
        for name in ("id", "title", "description", "extent", "itemType", "storageCrs"):
            assert entry.get(name) == single.get(name), name
        holds = (await get(client, f"/ogc/collections/{entry['id']}/items", datetime="../.."))[
            "numberMatched"
        ]
        assert ("extent" in entry) == (holds > 0), "an empty collection has no extent"
        if "extent" in entry:
            west, south, east, north = entry["extent"]["spatial"]["bbox"][0]
            assert -180 <= west <= east <= 180 and -90 <= south <= north <= 90
            # The suite parses both ends of a temporal extent and stops at one that is null.
            assert "temporal" not in entry["extent"]
        # Part 2: the list of systems is one list, the default and the storage system are in it.
        assert entry["crs"] == ["#/crs"] and single["crs"] == document["crs"]
        assert single["crs"][0] == CRS84 and single["storageCrs"] in single["crs"]


@pytest.mark.parametrize("layer", LAYERS)
async def test_features(client: httpx.AsyncClient, layer: str) -> None:
    answer = await client.get(f"/ogc/collections/{layer}/items")
    document = answer.json()
    assert answer.headers["content-type"] == GEOJSON
    assert answer.headers["content-crs"] == f"<{CRS84}>"
    assert document["type"] == "FeatureCollection"
    assert document["numberReturned"] == len(document["features"]) <= document["numberMatched"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["timeStamp"])
    assert link_of(document, "self", GEOJSON) and link_of(document, "alternate", "text/html")
    for feature in document["features"]:
        assert feature["type"] == "Feature" and feature["id"] and feature["geometry"]["type"]
    if document["numberMatched"] > document["numberReturned"]:
        onward = await get(client, link_of(document, "next")["href"])
        assert not {f["id"] for f in onward["features"]} & {f["id"] for f in document["features"]}


@pytest.mark.parametrize("layer", LAYERS)
async def test_limit(client: httpx.AsyncClient, layer: str) -> None:
    for limit in (1, 2, 10_000, 1_000_000):
        document = await get(client, f"/ogc/collections/{layer}/items", limit=limit)
        assert len(document["features"]) == min(document["numberMatched"], limit, 10_000)
    for bad in ("0", "-1", "1.5", "", "x"):
        answer = await client.get(f"/ogc/collections/{layer}/items", params={"limit": bad})
        assert answer.status_code == 400, bad


@pytest.mark.parametrize("layer", LAYERS)
async def test_bbox_takes_what_it_meets(client: httpx.AsyncClient, layer: str) -> None:
    url = f"/ogc/collections/{layer}/items"
    everything = (await get(client, url, limit=100))["features"]
    for feature in everything[::4]:
        x, y = feature["geometry"]["coordinates"], None
        while isinstance(x[0], list):
            x = x[0]
        x, y = x[0], x[1]
        # A point's box has no area, and its corners are written as the server wrote the coordinates.
        for delta in (0.0, 1e-6):
            box = f"{x - delta},{y - delta},{x + delta},{y + delta}"
            found = (await get(client, url, bbox=box, limit=100))["features"]
            assert feature["id"] in {f["id"] for f in found}, (box, delta)
    crossing = await get(client, url, bbox="177,-90,-177,90", limit=100)
    assert len(crossing["features"]) == (1 if layer == "waste_sites" else 0)
    for bad in ("1,2,3", "1,2,3,4,5", "a,b,c,d", "0,1,1,0", "", "1,2,3,4,"):
        assert (await client.get(url, params={"bbox": bad})).status_code == 400, bad


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2020-01-01", 1), ("2020-01-01T12:00:00Z", 1), ("2022-01-01/..", 1), ("../2018-12-31", 1), ("/2018-12-31", 1),
     ("2020-01-01/2020-12-31", 2), ("2019-03-04/", 2), ("2020-01-01T00:00:00Z/2020-12-31T00:00:00Z", 2)],
)  # fmt: skip
async def test_datetime(client: httpx.AsyncClient, text: str, expected: int) -> None:
    document = await get(client, "/ogc/collections/waste_sites/items", datetime=text)
    always = 1
    assert document["numberMatched"] == always + (
        expected - 1
        if text != "2020-01-01" and "/" in text and expected == 2
        else int(text.startswith("2020"))
    )


@pytest.mark.parametrize(
    "text", ["yesterday", "2020-13-01", "2020-01-01/2019-01-01", "", "/", "a/b", "2020-01-01/b/c"]
)
async def test_bad_datetime(client: httpx.AsyncClient, text: str) -> None:
    answer = await client.get("/ogc/collections/zones/items", params={"datetime": text})
    assert answer.status_code == (200 if text == "/" else 400), answer.text


@pytest.mark.parametrize("layer", LAYERS)
async def test_unknown_parameter(client: httpx.AsyncClient, layer: str) -> None:
    for url in ("/ogc", "/ogc/collections", f"/ogc/collections/{layer}", f"/ogc/collections/{layer}/items"):
        answer = await client.get(url, params={"unknownQueryParameter": "x"})
        assert answer.status_code == 400, url


@pytest.mark.parametrize("layer", LAYERS)
async def test_feature(client: httpx.AsyncClient, layer: str) -> None:
    page = await get(client, f"/ogc/collections/{layer}/items")
    for feature in page["features"][:3]:
        single = await get(client, f"/ogc/collections/{layer}/items/{feature['id']}")
        assert {k: single[k] for k in ("type", "id", "geometry", "properties")} == feature
        for rel, kind in (("self", GEOJSON), ("alternate", "text/html"), ("collection", "application/json")):
            assert (await client.get(link_of(single, rel, kind)["href"])).status_code == 200


@pytest.mark.parametrize("layer", LAYERS)
async def test_systems_of_part_2(client: httpx.AsyncClient, layer: str) -> None:
    systems = (await get(client, f"/ogc/collections/{layer}"))["crs"]
    assert f"{EPSG}4326" in systems and f"{EPSG}3857" in systems
    url = f"/ogc/collections/{layer}/items"
    one = (await get(client, url, limit=1))["features"][0]["id"]
    for system in systems[:60:12] + systems[-60::25]:
        for path in (url, f"{url}/{one}"):
            answer = await client.get(path, params={"crs": system})
            assert answer.status_code == 200, (system, answer.text)
            assert answer.headers["content-crs"] == f"<{system}>"
    for name in ("crs", "bbox-crs"):
        answer = await client.get(url, params={name: f"{EPSG}0/unknown", "bbox": "0,0,1,1"})
        assert answer.status_code == 400
    plain = await get(client, url, bbox="83,54,84,56")
    turned = await get(client, url, bbox="54,83,56,84", **{"bbox-crs": f"{EPSG}4326"})
    assert plain["features"] == turned["features"]


OGC_NAME = re.compile(
    r"http://www\.opengis\.net/def/crs/[\w.-]+/[\w.-]+/[\w.-]+|urn:ogc:def:crs:[\w.-]+::(?:[\w.~-]|%[0-9A-F]{2})+"
)


@pytest.mark.requirement("C-38", "F-37")
async def test_systems_have_names_that_hold_under_any_address(client: httpx.AsyncClient) -> None:
    """The suite refuses an http identifier whose host is no public name: localhost, a container, a short name."""
    for host in ("localhost:8000", "mezha", "gis.example.org"):
        document = await get_as(client, host, "/ogc/collections")
        assert document["collections"][0]["links"][0]["href"].startswith(f"http://{host}/")
        assert [name for name in document["crs"] if not OGC_NAME.fullmatch(name)] == []
        # It tries the first twenty: those that anybody can compute, then the office's own, which it passes over.
        assert [name for name in document["crs"][3:20] if "MEZHA" not in name] == []


async def get_as(client: httpx.AsyncClient, host: str, path: str) -> Any:
    return (await client.get(path, headers={"host": host})).json()


async def test_extent_in_another_system_holds_the_same_features(client: httpx.AsyncClient) -> None:
    """Points on the very edge too, however the corners are rounded on the way."""
    url = "/ogc/collections/waste_sites"
    box = (await get(client, url))["extent"]["spatial"]["bbox"][0]
    everything = (await get(client, f"{url}/items", limit=10_000))["features"]
    carry = Transformer.from_crs("OGC:CRS84", "EPSG:3857", always_xy=True)
    corners = [*carry.transform(*box[:2]), *carry.transform(*box[2:])]
    for system, numbers in (("3857", corners), ("4326", [box[1], box[0], box[3], box[2]])):
        # Seven decimals, and no nought before the point: so the suite writes them.
        written = ",".join(f"{n:.7f}".replace("0.", ".") if abs(n) < 1 else f"{n:.7f}" for n in numbers)
        found = await get(
            client, f"{url}/items", limit=10_000, bbox=written, **{"bbox-crs": f"{EPSG}{system}"}
        )
        assert found["features"] == everything, system


@pytest.mark.parametrize("path", ["/ogc", "/ogc/", "/ogc/api", "/ogc//conformance/", "/ogc/collections/zones",
                                  "/ogc/collections/zones/items?limit=2", "/ogc/tiles/WebMercatorQuad/7/40/93"])  # fmt: skip
async def test_head_and_options(client: httpx.AsyncClient, path: str) -> None:
    whole, head, options = [await client.request(m, path) for m in ("GET", "HEAD", "OPTIONS")]
    assert whole.status_code == head.status_code == 200, "a slash at the end is no other resource"
    assert head.content == b"" and len(whole.content) > 100
    assert head.headers["content-type"] == whole.headers["content-type"]
    if "WebMercatorQuad" not in path:
        assert options.status_code == 204
        assert {"GET", "HEAD", "OPTIONS"} <= set(options.headers["allow"].split(", "))
    assert (await client.head("/ogc/collections/nothing")).status_code == 404


@pytest.mark.parametrize("layer", LAYERS)
async def test_queryables_and_schema_are_schemas_of_the_features(
    client: httpx.AsyncClient, layer: str
) -> None:
    page = await get(client, f"/ogc/collections/{layer}/items")
    for noun in ("queryables", "schema"):
        answer = await client.get(f"/ogc/collections/{layer}/{noun}")
        assert answer.headers["content-type"] == "application/schema+json"
        document = answer.json()
        assert document["$id"].endswith(f"/ogc/collections/{layer}/{noun}") and document["$schema"]
        jsonschema.Draft202012Validator.check_schema(document)
        roles = [p.get("x-ogc-role") for p in document["properties"].values()]
        assert roles.count("primary-geometry") == 1 and roles.count("id") == 1
        assert set(page["features"][0]["properties"]) <= set(document["properties"])


@pytest.mark.parametrize(
    "parameters",
    [{"f": "xml"}, {"f": ""}, {"limit": "+5"}, {"limit": " 5"}, {"limit": "٣"}, {"limit": "1e1"}, {"after": "x"},
     {"after": "-1"}, {"crs": ""}, {"bbox-crs": "", "bbox": "1,1,2,2"}, {"crs": "4326"}, {"BBOX": "1,2,3,4"},
     {"crs": "urn:ogc:def:crs:MEZHA::NOTHING"}, {"datetime": "2020-01-01/P2D"}, {"id": "x"}, {"valid_from": "x"}],
)  # fmt: skip
async def test_values_that_cannot_be_meant(client: httpx.AsyncClient, parameters: dict[str, str]) -> None:
    answer = await client.get("/ogc/collections/zones/items", params=parameters)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("accept", "page"),
    [("*/*", False), ("image/png", False), ("garbage", False), ("application/json", False), ("text/html", True),
     ("application/json;q=0.5, text/html;q=0.9", True), ("text/html;q=0.1, application/geo+json", False),
     ("application/xhtml+xml, text/html, application/json", True), ("text/html;q=0, application/xml", False), ("text/html, application/json", True),
     ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True), ("TEXT/HTML; charset=utf-8", True),
     ("application/json, application/javascript, text/javascript, text/json", False)],
)  # fmt: skip
async def test_what_is_accepted_most_is_sent(client: httpx.AsyncClient, accept: str, page: bool) -> None:
    for path in ("/ogc", "/ogc/collections/zones/items"):
        answer = await client.get(path, headers={"accept": accept})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html") == page


@pytest.mark.parametrize("path", ["/ogc", "/ogc/conformance", "/ogc/collections", "/ogc/collections/zones",
                                  "/ogc/collections/zones/items", "/ogc/api", "/ogc/collections/zones/queryables"])  # fmt: skip
async def test_pages_for_people(client: httpx.AsyncClient, path: str) -> None:
    for answer in (
        await client.get(path, headers={"accept": "text/html"}),
        await client.get(path, params={"f": "html"}),
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "<title>" in answer.text


async def test_other_sites_may_read_what_the_public_sees(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ogc/collections/zones/items", headers={"origin": "https://example.org"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
