"""The server's own interface: what went through ASGI before still does, and public tiles are the same either way."""

import asyncio
import http.client
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import mapbox_vector_tile
import psycopg
import pytest

from api.loop import Loop, own_task
from geo.settings import Settings
from tests.conftest import make_object
from tests.tiles.test_vector import address

TILE = f"/tiles/zones/{address(75.005, 58.005, 12)}.mvt"


@pytest.fixture(scope="module")
def client(server: str, settings: Settings) -> Iterator[httpx.Client]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        for n in range(60):
            x = 75 + 0.0001 * n
            ring = f"{x} 58,{x + 0.01} 58,{x + 0.01} 58.01,{x} 58.01,{x} 58"
            make_object(connection, "zones", name=f"Заказник {n}", kind="oopt", geom=f"POLYGON(({ring}))")
    with httpx.Client(base_url=server, timeout=30) as made:
        yield made


def test_a_public_tile_is_the_same_with_and_without_asgi(client: httpx.Client) -> None:
    # Small tiles are packed when they are asked for again.
    client.get(TILE)
    quick = client.get(TILE)
    # A cookie leads through ASGI, whatever it says.
    slow = client.get(TILE, headers={"cookie": "theme=dark"})
    assert quick.status_code == slow.status_code == 200
    assert quick.content == slow.content
    kept = (
        "content-type",
        "etag",
        "vary",
        "cache-control",
        "access-control-allow-origin",
        "content-encoding",
    )
    assert [quick.headers.get(k) for k in kept] == [slow.headers.get(k) for k in kept]
    assert quick.headers["cache-control"] == "public, no-cache"
    assert len(mapbox_vector_tile.decode(quick.content)["zones"]["features"]) == 60


def test_an_unchanged_tile_is_not_sent_again_and_an_empty_one_is_empty(client: httpx.Client) -> None:
    tag = client.get(TILE).headers["etag"]
    again = client.get(TILE, headers={"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get("/tiles/zones/12/0/0.mvt").status_code == 204
    head = client.head(TILE)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)


def test_a_token_is_never_overlooked(client: httpx.Client) -> None:
    answer = client.get(TILE, headers={"authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert answer.json()["code"] == "bad-token" or answer.json()["status"] == 401


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/tiles/nothing/3/1/1.mvt", 404, "unknown-layer"),
        ("/tiles/zones/99/0/0.mvt", 400, "bad-parameter"),
        ("/tiles/a/b.mvt", 400, "bad-parameter"),
        ("/nowhere", 404, "not-found"),
    ],
)
def test_faults_are_problem_documents(client: httpx.Client, path: str, status: int, code: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_bodies_and_streams_pass(client: httpx.Client) -> None:
    ring = [[75 + 0.02 * i / 2000, 58.0 + (0.02 if i % 2 else 0.021)] for i in range(2000)]
    shape = {"type": "Polygon", "coordinates": [[[75, 58], *ring, [75.02, 58], [75, 58]]]}
    assert client.post("/api/v1/spatial/intersect", json=shape).status_code in (200, 422)
    table = client.get("/ogc/collections/zones/items?f=csv&limit=50")
    assert table.status_code == 200
    assert len(table.text.splitlines()) == 51
    page = client.get("/ogc/collections/zones/items", params={"name": "Заказник 7"})
    assert [f["properties"]["name"] for f in page.json()["features"]] == ["Заказник 7"]


def test_several_cookies_are_set_and_paths_are_decoded(client: httpx.Client) -> None:
    page = client.get("/login")
    assert page.status_code == 200
    assert "set-cookie" in page.headers
    assert client.get("/ogc/collections/z%6Fnes").json()["id"] == "zones"


def test_the_first_step_of_a_request_is_taken_where_it_arrives_and_the_rest_in_a_task() -> None:
    said: list[str] = []

    async def future_watcher(name: str, *, waits: bool) -> None:
        said.append(f"{name} begun by {threading.current_thread().name}")
        if waits:
            await own_task()
            assert asyncio.current_task() is not None
        said.append(f"{name} done by {threading.current_thread().name}")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        done = loop.create_future()

        def arrive() -> None:
            # As granian asks: from a thread of its own.
            for name, waits in (("quick", False), ("slow", True)):
                loop.call_soon_threadsafe(take, future_watcher(name, waits=waits), None)

        def take(work: Coroutine[Any, Any, None], _: None) -> None:
            loop.create_task(work).add_done_callback(lambda _: done.set_result(None))

        thread = threading.Thread(target=arrive, name="granian")
        thread.start()
        await done
        thread.join()

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(main())
    assert said == [
        "quick begun by granian",
        "quick done by granian",
        "slow begun by granian",
        "slow done by MainThread",
    ]


def test_who_leaves_a_stream_leaves_the_server_well(server: str, client: httpx.Client) -> None:
    where = urlsplit(server)
    for _ in range(5):
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        connection.request("GET", "/ogc/collections/zones/items?limit=10000")
        connection.sock.close()
    time.sleep(0.2)
    assert client.get(TILE).status_code == 200
