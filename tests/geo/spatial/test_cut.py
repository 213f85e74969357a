"""What a polygon cuts, what is nearest, how much there is: checked against shapely and the naive way."""

import asyncio
import io
import json
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest
import shapely

from api.main import Mezha
from api.worker import worker_app
from geo.access import ANONYMOUS, IDENTIFY, Caller
from geo.geometry import area_geodesic
from geo.settings import Settings
from tests.conftest import client_of, make_object

URL = "/api/v1/spatial/intersect"


def square(west: float, south: float, side: float = 0.01) -> str:
    e, n = west + side, south + side
    return f"POLYGON(({west} {south},{e} {south},{e} {n},{west} {n},{west} {south}))"


def ring(vertices: int) -> bytes:
    """A circle around the stands, as GeoJSON."""
    turn = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    return shapely.to_geojson(
        shapely.Polygon(np.column_stack((83.05 + 0.06 * np.cos(turn), 55.005 + 0.05 * np.sin(turn))))
    ).encode()


def body(wkt: str) -> bytes:
    return shapely.to_geojson(shapely.from_wkt(wkt)).encode()


@pytest.fixture(scope="module", autouse=True)
def things(settings: Settings) -> dict[str, int]:
    """A row of stands, a municipality over half of them, a site, and a licence that strangers do not see."""
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        found = {
            f"s{n}": make_object(
                c, "stands", geom=square(83 + n / 100, 55), species="pine" if n % 2 else "birch",
                area_m2=711_000.0, stock_m3_ha=100.0 + n, age=n,
            )
            for n in range(10)
        }  # fmt: skip
        found["west"] = make_object(c, "municipalities", name="Западный", geom=square(82.9, 54.9, 0.15))
        found["site"] = make_object(c, "waste_sites", geom="POINT(83.025 55.005)")
        found["licence"] = make_object(c, "licences", geom=square(83, 55))
        found["past"] = make_object(
            c, "quarters", geom=square(83, 55), sys_from="2020-01-01", sys_to="2021-01-01"
        )
    return found


async def ask(client: httpx.AsyncClient, wkt: str, **parameters: str) -> dict[str, Any]:
    answer = await client.post(URL, content=body(wkt), params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_areas_are_geodesic_and_shares_exact(client: httpx.AsyncClient, things: dict[str, int]) -> None:
    wkt = square(83.005, 55.002, 0.02)
    found = await ask(client, wkt)
    question = shapely.from_wkt(wkt)
    stands = [o for o in found["objects"] if o["layer"] == "stands"]
    assert {o["id"] for o in stands} == {things["s0"], things["s1"], things["s2"]}
    for o in stands:
        n = next(int(k[1:]) for k, v in things.items() if v == o["id"])
        common = shapely.from_wkt(square(83 + n / 100, 55)).intersection(question)
        hectares = float(area_geodesic(np.array([common], dtype=object))[0]) / 10_000
        assert o["overlap_ha"] == pytest.approx(hectares, rel=1e-6)
        assert o["share_of_question"] == pytest.approx(common.area / question.area, rel=1e-3)
    assert [o["id"] for o in found["objects"] if o["layer"] == "waste_sites"] == []
    assert found["layers"]["stands"]["answer"] == "hit" and found["layers"]["stands"]["hits"] == 3
    assert found["layers"]["licences"]["answer"] == "not_checked"
    assert found["layers"]["parcels"]["reason"] == "empty"


async def test_a_shared_border_is_no_overlap(client: httpx.AsyncClient, things: dict[str, int]) -> None:
    found = await ask(client, square(83.01, 55.0), layers="stands")
    assert [o["id"] for o in found["objects"]] == [things["s1"]]
    assert found["objects"][0]["share_of_object"] == pytest.approx(1)


async def test_another_system_and_another_time(client: httpx.AsyncClient, things: dict[str, int]) -> None:
    from pyproj import Transformer

    carry = Transformer.from_crs(4326, 3857, always_xy=True)
    shape = shapely.transform(
        shapely.from_wkt(square(83, 55)), lambda xy: np.column_stack(carry.transform(xy[:, 0], xy[:, 1]))
    )
    answer = await client.post(
        URL, content=shapely.to_geojson(shape).encode(), params={"crs": "http://www.opengis.net/def/crs/EPSG/0/3857", "layers": "stands"},
    )  # fmt: skip
    assert [o["id"] for o in answer.json()["objects"]] == [things["s0"]]
    past = await ask(client, square(83, 55), layers="quarters", as_of="2020-06-01T00:00:00Z")
    assert [o["id"] for o in past["objects"]] == [things["past"]]
    assert past["layers"]["quarters"]["answer"] == "hit"
    assert (await ask(client, square(83, 55), layers="quarters"))["objects"] == []


BAD = {
    "bow": ('{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}', "self-intersection at 0.5, 0.5"),
    "line": ('{"type":"LineString","coordinates":[[0,0],[1,1]]}', "no area"),
    "empty": ('{"type":"Polygon","coordinates":[]}', "empty"),
    "no json": ("hello", "no GeoJSON"),
    "nothing": ("", "no GeoJSON"),
    "array": ("[1,2]", "no GeoJSON"),
    "antimeridian": ('{"type":"Polygon","coordinates":[[[-179,60],[179,60],[179,61],[-179,61],[-179,60]]]}', "antimeridian"),
    "pole": ('{"type":"Polygon","coordinates":[[[-180,80],[180,80],[180,90],[-180,90],[-180,80]]]}', "pole"),
    "outside": ('{"type":"Polygon","coordinates":[[[190,80],[200,80],[200,85],[190,80]]]}', "outside"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_bad_polygons_are_explained_with_their_place(client: httpx.AsyncClient, name: str) -> None:
    text, words = BAD[name]
    answer = await client.post(URL, content=text)
    assert answer.status_code in (400, 422), answer.text
    assert words in answer.json()["title"].lower() or words in answer.json()["title"], answer.text


async def test_polygons_of_too_many_vertices_are_a_job_or_refused(
    settings: Settings, client: httpx.AsyncClient
) -> None:
    answer = await client.post(URL, content=ring(100_001), params={"layers": "stands,licences"})
    assert answer.status_code == 202, answer.text
    address = answer.headers["location"]
    assert (await client.get(address)).json()["status"] == "waiting"
    app = worker_app(settings)
    async with app.open_async():
        await app.run_worker_async(wait=False, install_signal_handlers=False)
    done = (await client.get(address)).json()
    assert (done["status"], done["progress"]) == ("done", 1), done
    assert done["answer"]["layers"]["stands"]["hits"] == 10
    assert done["answer"]["layers"]["licences"]["answer"] == "not_checked", "the job sees what its asker sees"
    import geopandas

    frame = geopandas.read_parquet(io.BytesIO((await client.get(done["file"])).content))
    assert len(frame) == 10 and frame.crs.to_epsg() in (4326, None)
    assert done["answer"]["layers"]["stands"]["overlap_ha"] == pytest.approx(
        frame["overlap_ha"].sum(), rel=1e-6
    )
    async with client_of(settings, Caller(account=7, rank=1)) as stranger:
        assert (await stranger.get(address)).status_code == 404
        assert (await stranger.get(f"{address}/file")).status_code == 404
    # The policy says so too, whatever the statement asks: a stranger finds no question and makes none in another's name.
    with psycopg.connect(settings.app_database_url) as bare:
        bare.execute(IDENTIFY, Caller(account=7, rank=3).settings())
        assert bare.execute("SELECT count(*) FROM spatial.questions").fetchone() == (0,)
        assert bare.execute("UPDATE spatial.questions SET status = 'cancelled'").rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            bare.execute(
                "INSERT INTO spatial.questions (kind, arguments, caller, account) VALUES ('export', '{}', '{}', 8)"
            )
    refused = await client.post(URL, content=ring(1_000_001))
    assert refused.status_code == 422 and "vertices" in refused.json()["title"]


async def test_a_question_can_be_cancelled(settings: Settings, client: httpx.AsyncClient) -> None:
    address = (await client.post(URL, content=ring(100_001))).headers["location"]
    assert (await client.delete(address)).json()["status"] == "cancelled"
    app = worker_app(settings)
    async with app.open_async():
        await app.run_worker_async(wait=False, install_signal_handlers=False)
    assert (await client.get(address)).json()["status"] == "cancelled"
    assert (await client.get(f"{address}/file")).status_code == 404
    assert (await client.get("/api/v1/spatial/questions/nonsense")).status_code == 404


async def test_the_statement_dies_with_its_client(settings: Settings) -> None:
    """A client that goes away takes his statement with him: nobody computes for nobody."""
    locker = psycopg.connect(settings.database_url)
    locker.execute("LOCK TABLE register.stands IN ACCESS EXCLUSIVE MODE")
    app = Mezha(settings)
    await app.database.open()
    sent: list[Any] = []
    gone = asyncio.Event()
    parts = [{"type": "http.request", "body": body(square(83, 55)), "more_body": False}]

    async def receive() -> Any:
        if parts:
            return parts.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": URL, "raw_path": URL.encode(), "query_string": b"layers=stands",
        "headers": [(b"host", b"x")], "scheme": "http", "server": ("x", 80), "client": ("y", 1), "http_version": "1.1",
        "root_path": "", "state": {},
    }  # fmt: skip
    watch = psycopg.connect(settings.database_url, autocommit=True)
    running = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%gate.stands%'"
    )
    task = asyncio.create_task(app(scope, receive, send))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if watch.execute(running).fetchone() == (1,):
            break
    assert watch.execute(running).fetchone() == (1,)
    gone.set()
    await asyncio.wait_for(task, 8)
    await asyncio.sleep(0.2)
    assert watch.execute(running).fetchone() == (0,)
    watch.close()
    locker.close()
    await app.database.close()


async def test_nearest_by_true_distance(client: httpx.AsyncClient, things: dict[str, int]) -> None:
    url = "/api/v1/spatial/nearest?lon=83.125&lat=55.005&layers=stands,waste_sites,licences&limit=2"
    found = (await client.get(url)).json()
    assert [o["id"] for o in found["objects"]] == [things["s9"], things["s8"], things["site"]]
    assert found["objects"][0]["distance_m"] == pytest.approx(1598, abs=5)
    assert found["layers"]["licences"]["answer"] == "not_checked"
    close = (await client.get(url + "&within=1700")).json()
    assert [o["id"] for o in close["objects"]] == [things["s9"]]
    past = "/api/v1/spatial/nearest?lon=83.125&lat=55.005&layers=quarters&as_of=2020-06-01T00:00:00Z"
    assert [o["id"] for o in (await client.get(past)).json()["objects"]] == [things["past"]]


async def test_summary_by_property_area_and_polygon(
    client: httpx.AsyncClient, things: dict[str, int]
) -> None:
    url = "/api/v1/spatial/summary?layer=stands"
    species = {g["value"]: g for g in (await client.get(url + "&by=species&add=age")).json()["groups"]}
    assert species["pine"]["count"] == 5 and species["pine"]["sum_age"] == 1 + 3 + 5 + 7 + 9
    assert species["birch"]["area_ha"] == pytest.approx(5 * 71.1)
    assert species["birch"]["stock_m3"] == pytest.approx(71.1 * sum(100 + n for n in (0, 2, 4, 6, 8)))
    per = {g["value"]: g["count"] for g in (await client.get(url + "&per=municipalities")).json()["groups"]}
    assert per == {"Западный": 5, None: 5}
    inside = (await client.get(url + f"&within=municipalities/{things['west']}")).json()["groups"]
    assert inside[0]["count"] == 5
    half = body("POLYGON((83 54,83.005 54,83.005 56,83 56,83 54))")
    cut = (await client.post(url, content=half)).json()["groups"]
    assert cut[0]["count"] == 1 and cut[0]["area_ha"] == pytest.approx(71.1 / 2, rel=1e-6)
    hidden = (await client.get("/api/v1/spatial/summary?layer=licences")).json()
    assert hidden["groups"] == [] and hidden["layers"]["licences"]["answer"] == "not_checked"


@pytest.mark.parametrize(
    "query", ["layer=nothing", "layer=stands&by=x", "layer=stands&per=zones", "layer=stands&add=species", "",
              "layer=stands&within=stands", "layer=stands&within=stands/999999", "layer=stands&within=licences/1"],
)  # fmt: skip
async def test_bad_summaries_are_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/api/v1/spatial/summary?{query}")
    assert answer.status_code in (400, 404), answer.text


def test_bodies_are_json() -> None:
    assert json.loads(body(square(0, 0)))["type"] == "Polygon"
    assert ANONYMOUS.anonymous
