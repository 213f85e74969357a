"""Two server processes and random edits: a tile is never older than a second, whatever becomes of notifications."""

import asyncio
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import mapbox_vector_tile
import psycopg
import pytest

from geo.settings import Settings
from tests.conftest import make_object

BOUND = 1.0
PLACES = [(83.0 + 0.3 * i, 55.0 + 0.2 * i) for i in range(4)]


def _square(place: tuple[float, float]) -> str:
    x, y = place
    return f"POLYGON(({x} {y},{x + 0.01} {y},{x + 0.01} {y + 0.01},{x} {y + 0.01},{x} {y}))"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def servers(settings: Settings) -> Iterator[list[str]]:
    """Two granian processes over one database, each at an address of its own."""
    environment = os.environ | {
        "MEZHA_DATABASE_URL": settings.database_url,
        "MEZHA_APP_DATABASE_URL": settings.app_database_url,
        "MEZHA_REGISTRAR_DATABASE_URL": settings.registrar_database_url,
        "MEZHA_HOME": str(settings.home),
    }
    ports = [_free_port(), _free_port()]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--workers", "1"],
            env=environment,
            start_new_session=True,
        )
        for port in ports
    ]
    try:
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        until = time.monotonic() + 60
        for address in addresses:
            while True:
                try:
                    if httpx.get(f"{address}/healthz", timeout=5).status_code == 200:
                        break
                except httpx.HTTPError:
                    pass
                assert time.monotonic() < until, "the server does not start"
                time.sleep(0.1)
        yield addresses
    finally:
        for process in processes:
            os.killpg(process.pid, 9)
            process.wait()


class Edits:
    """Random edits of four zones, and the moment at which each was committed."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url)
        self.random = random.Random(20)
        self.names = [f"start {n}" for n in range(len(PLACES))]
        self.log: list[tuple[float, int, int]] = []
        self.ids = [
            make_object(self.connection, "zones", name=f"{n}:0", geom=_square(p))
            for n, p in enumerate(PLACES)
        ]
        self.connection.commit()
        self.numbers = [0] * len(PLACES)

    def edit(self) -> None:
        """One to three zones in one transaction, each a new version with the next number as its name."""
        for n in self.random.sample(range(len(PLACES)), self.random.randint(1, 3)):
            self.numbers[n] += 1
            self.connection.execute(
                "SELECT history.close('zones', array_agg(version)) FROM register.zones WHERE id = %s AND sys_to = 'infinity'",
                [self.ids[n]],
            )
            make_object(
                self.connection,
                "zones",
                id=self.ids[n],
                name=f"{n}:{self.numbers[n]}",
                geom=_square(PLACES[n]),
            )
            self.log.append((float("inf"), n, self.numbers[n]))
        self.connection.commit()
        done = time.monotonic()
        self.log = [(min(at, done), n, number) for at, n, number in self.log]

    def due(self, at: float) -> list[int]:
        """Least number that each zone must show to who asks at a time."""
        return [
            max([number for when, zone, number in self.log if zone == n and when < at - BOUND], default=0)
            for n in range(len(PLACES))
        ]


def _numbers(body: bytes) -> dict[int, int]:
    features = mapbox_vector_tile.decode(body)["zones"]["features"]
    return {int(n): int(k) for n, k in (f["properties"]["name"].split(":") for f in features)}


async def _watch(address: str, paths: list[str], edits: Edits, until: float) -> int:
    asked = 0
    async with httpx.AsyncClient(base_url=address, timeout=20) as client:
        while time.monotonic() < until:
            for path in paths:
                begun = time.monotonic()
                due = edits.due(begun)
                shown = _numbers((await client.get(path)).content)
                asked += 1
                for zone, number in shown.items():
                    assert number >= due[zone], f"{path}: {number} shown, {due[zone]} due"
            await asyncio.sleep(0.005)
    return asked


@pytest.mark.requirement("C-15")
async def test_no_worker_serves_a_tile_older_than_a_second(settings: Settings, servers: list[str]) -> None:
    edits = Edits(settings.database_url)
    paths = ["/tiles/zones/6/46/20.mvt", "/tiles/zones/11/1497/645.mvt", "/tiles/zones/8/187/80.mvt"]
    until = time.monotonic() + 6

    async def write() -> None:
        while time.monotonic() < until:
            await asyncio.to_thread(edits.edit)
            await asyncio.sleep(edits.random.uniform(0.02, 0.6))

    async def lose_notifications() -> None:
        """The connections that listen die in the middle of it."""
        await asyncio.sleep(2)
        async with await psycopg.AsyncConnection.connect(
            settings.database_url, autocommit=True
        ) as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'mezha tiles' AND datname = current_database()"
            )

    asked = await asyncio.gather(
        *(_watch(address, paths, edits, until) for address in servers), write(), lose_notifications()
    )
    assert edits.numbers != [0] * len(PLACES)
    assert min(a for a in asked if a is not None) > 20
    edits.connection.close()


def test_what_becomes_restricted_leaves_every_worker_within_a_second(
    settings: Settings, servers: list[str]
) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        identity = make_object(connection, "zones", name="9:1", geom=_square((90, 60)))
        path = "/tiles/zones/12/3072/1189.mvt"
        time.sleep(BOUND)
        before = [httpx.get(address + path) for address in servers]
        assert [_numbers(answer.content) for answer in before] == [{9: 1}, {9: 1}]
        with connection.transaction():
            connection.execute(
                "SELECT history.close('zones', array_agg(version)) FROM register.zones WHERE id = %s",
                [identity],
            )
            make_object(connection, "zones", id=identity, name="9:2", geom=_square((90, 60)), visibility=2)
        time.sleep(BOUND)
        assert [httpx.get(address + path).status_code for address in servers] == [204, 204]


def test_a_layer_that_is_closed_leaves_every_worker_within_a_second(
    settings: Settings, servers: list[str]
) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        make_object(connection, "forestries", geom=_square((91, 60)), name="Лесничество")
        path = "/tiles/forestries/12/3083/1189.mvt"
        time.sleep(BOUND)
        assert [httpx.get(address + path).status_code for address in servers] == [200, 200]
        connection.execute("UPDATE access.layers SET rank = 2 WHERE name = 'forestries'")
        time.sleep(BOUND)
        assert [httpx.get(address + path).status_code for address in servers] == [204, 204]
