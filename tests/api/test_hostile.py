"""Clients that mean no good, or know no better: huge questions, impossible shapes, and five hundred who dawdle."""

import contextlib
import socket
import threading
import time
from urllib.parse import urlsplit

import httpx
import numpy as np
import orjson
import psycopg
import pytest

from geo.settings import Settings
from tests.conftest import make_object
from tests.tiles.test_vector import address

ITEMS = "/ogc/collections/zones/items"
INTERSECT = "/api/v1/spatial/intersect"


def _polygon(*ring: tuple[float, float]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [[list(p) for p in (*ring, ring[0])]]}


@pytest.fixture(scope="module")
def zone(settings: Settings) -> int:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        return make_object(
            connection, "zones", name="Остров", geom="POLYGON((178 70,179.9 70,179.9 71,178 71,178 70))"
        )


def _status(server: str, request: bytes) -> int:
    """Status of a request that no decent client would send; 0 where the server closed the door instead."""
    where = urlsplit(server)
    with socket.create_connection((where.hostname, where.port or 80), timeout=60) as client:
        with contextlib.suppress(OSError):
            client.sendall(request)
        try:
            head = client.recv(64)
        except OSError:
            return 0
    return int(head.split()[1]) if head else 0


def test_ten_megabytes_of_filter_are_refused(server: str) -> None:
    text = "name='a'" + "%20OR%20name='a'" * (10_000_000 // 16)
    for path in (ITEMS, f"/tiles/zones/{address(83, 55, 10)}.mvt"):
        status = _status(server, f"GET {path}?filter={text} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert status in (0, 400, 413, 414, 431)
    with httpx.Client(base_url=server, timeout=60) as client:
        long = "name='a'" + " OR name='a'" * 2_500
        for path in (ITEMS, f"/tiles/zones/{address(83, 55, 10)}.mvt"):
            assert client.get(path, params={"filter": long}).status_code in (200, 204, 400, 414)
        assert client.post(INTERSECT, content=b"[" * 10_000_000).status_code in (400, 413, 422)
        assert client.get(ITEMS).status_code == 200


def test_a_polygon_that_crosses_itself_is_refused_by_name(server: str) -> None:
    answer = httpx.post(server + INTERSECT, json=_polygon((83, 55), (84, 56), (84, 55), (83, 56)), timeout=30)
    assert answer.status_code == 422
    assert answer.json()["code"]


def test_a_million_vertices_are_answered(server: str, zone: int) -> None:
    count = 1_000_000
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    ring = np.round(np.column_stack((178.5 + 0.4 * np.cos(turn), 70.5 + 0.3 * np.sin(turn))), 9)
    body = orjson.dumps({"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()]]})
    answer = httpx.post(server + INTERSECT, content=body, timeout=120)
    assert answer.status_code in (200, 202, 413, 422), answer.text[:300]
    assert httpx.get(server + ITEMS, timeout=30).status_code == 200


@pytest.mark.parametrize(
    "ring",
    [
        [(170.0, 70.0), (190.0, 70.0), (190.0, 72.0), (170.0, 72.0)],
        [(179.0, 70.0), (-179.0, 70.0), (-179.0, 71.0), (179.0, 71.0)],
        [(-180.0, 60.0), (180.0, 60.0), (180.0, 90.0), (-180.0, 90.0)],
        [(0.0, 89.0), (120.0, 89.0), (-120.0, 89.0)],
        [(0.0, 80.0), (0.0, 91.0), (10.0, 80.0)],
    ],
    ids=[
        "past the antimeridian",
        "over the antimeridian",
        "the whole cap",
        "round the pole",
        "beyond the pole",
    ],
)
def test_polygons_at_the_ends_of_the_world_are_answered(
    server: str, zone: int, ring: list[tuple[float, float]]
) -> None:
    answer = httpx.post(server + INTERSECT, json=_polygon(*ring), timeout=60)
    assert answer.status_code in (200, 400, 422), answer.text[:300]
    west, south = min(p[0] for p in ring), min(p[1] for p in ring)
    box = f"{west},{south},{max(p[0] for p in ring)},{max(p[1] for p in ring)}"
    assert httpx.get(f"{server}{ITEMS}?bbox={box}", timeout=30).status_code in (200, 400)


def test_an_unknown_system_and_the_future_are_refused(server: str) -> None:
    for path in (
        f"{ITEMS}?crs=http://www.opengis.net/def/crs/EPSG/0/999999",
        f"{ITEMS}?bbox=1,2,3,4&bbox-crs=urn:nonsense",
        f"{ITEMS}?as_of=2999-01-01T00:00:00Z",
        "/api/v1/spatial/at?lon=83&lat=55&as_of=2999-01-01T00:00:00Z",
        "/tiles/zones/3/1/1.mvt?as_of=2999-01-01T00:00:00Z",
    ):
        answer = httpx.get(server + path, timeout=30)
        assert answer.status_code == 400, path
        assert answer.json()["detail"]


def _statements(settings: Settings, mark: str) -> int:
    with psycopg.connect(settings.database_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s AND pid <> pg_backend_pid()",
            [f"%{mark}%"],
        ).fetchone()
    return int(row[0]) if row else 0


def _until(wanted: bool, settings: Settings, mark: str, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if bool(_statements(settings, mark)) is wanted:
            return True
        time.sleep(0.05)
    return False


def test_a_tile_that_nobody_waits_for_is_not_made(server: str, settings: Settings, zone: int) -> None:
    """The layer is locked, so that the statement waits until it is cancelled."""
    path = f"/tiles/zones/{address(178.5, 70.5, 9)}.mvt?v={time.time()}"
    httpx.get(server + path, timeout=30)
    where = urlsplit(server)
    with psycopg.connect(settings.database_url) as owner:
        owner.execute("LOCK TABLE register.zones IN ACCESS EXCLUSIVE MODE")
        with socket.create_connection((where.hostname, where.port or 80), timeout=10) as client:
            client.sendall(f"GET {path}1 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert _until(True, settings, "ST_AsMVT", 5), "the tile was not asked for"
        gone = _until(False, settings, "ST_AsMVT", 5)
        owner.rollback()
    assert gone, "the statement goes on for nobody"
    assert httpx.get(server + path, timeout=30).status_code in (200, 204)


def test_five_hundred_slow_clients_do_not_keep_the_others_waiting(server: str, zone: int) -> None:
    where = urlsplit(server)
    dawdlers: list[socket.socket] = []
    stop = threading.Event()

    def dawdle() -> None:
        while not stop.wait(0.3):
            for one in dawdlers:
                with contextlib.suppress(OSError):
                    one.send(b"x")

    try:
        for _ in range(500):
            one = socket.create_connection((where.hostname, where.port or 80), timeout=10)
            one.send(b"GET /ogc/collections/zones/items HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            one.setblocking(False)
            dawdlers.append(one)
        thread = threading.Thread(target=dawdle)
        thread.start()
        with httpx.Client(base_url=server, timeout=20) as client:
            for path in (ITEMS, "/healthz", f"/tiles/zones/{address(178.5, 70.5, 9)}.mvt") * 5:
                assert client.get(path).status_code in (200, 204)
    finally:
        stop.set()
        for one in dawdlers:
            one.close()
    thread.join()
