"""Sessions: the price of knowing who asks, and how soon a revoked one is dead in another process."""

import asyncio
import statistics
import time
from collections.abc import Callable

import psycopg

from accounts.consent import EDITION
from accounts.enrolment import Newcomer, enrol
from accounts.origin import Origin
from accounts.sessions import Entrance, enter
from api.identity import Identity
from geo.access import ANONYMOUS
from geo.cluster import Cluster
from geo.db import Database
from geo.migration import migrate
from geo.settings import Settings
from tests.benchmarks.row import Row

CHECKS = 5000


def _scope(secret: str) -> dict[str, object]:
    headers = [(b"host", b"mezha.test"), (b"cookie", b"mezha_session=" + secret.encode())]
    return {"method": "GET", "path": "/", "scheme": "http", "headers": headers, "state": {}}


async def _timed(identity: Identity, make: Callable[[], dict[str, object]], checks: int) -> float:
    times = []
    for _ in range(checks):
        scope = make()
        begin = time.perf_counter()
        await identity.caller(scope)
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


async def _measure(settings: Settings, account: int) -> list[Row]:
    first, second = Database(settings), Database(settings)
    await first.open()
    await second.open()
    async with first.transaction(ANONYMOUS) as connection:
        ticket = await enter(connection, Entrance(account, "password"), Origin(), settings)
    here, there = Identity(first, settings), Identity(second, settings)
    warm = await _timed(here, lambda: _scope(ticket.secret), CHECKS)
    cold = []
    for _ in range(50):
        here._kept.clear()
        cold.append(await _timed(here, lambda: _scope(ticket.secret), 1))
    await there.caller(_scope(ticket.secret))
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        owner.execute("UPDATE accounts.sessions SET revoked_at = now()")
    begin = time.perf_counter()
    for _ in range(1000):
        if (await there.caller(_scope(ticket.secret))).anonymous:
            break
        await asyncio.sleep(0.005)
    seen = time.perf_counter() - begin
    await first.close()
    await second.close()
    return [
        Row("check of a session, median of 5,000, warm", f"{warm:.4f} ms", goal="≤ 0.5 ms"),
        Row("the same, asked of the database", f"{statistics.median(cold):.2f} ms"),
        Row("revoked session dead in a second process", f"{seen:.2f} s", goal="≤ 1 s"),
    ]


def rows() -> list[Row]:
    """Measure on a throw-away cluster."""
    cluster = Cluster.temporary()
    cluster.start()
    try:
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        migrate(cluster.url("bench"), frozenset())
        settings = Settings(database_url=cluster.url("bench"))
        with psycopg.connect(settings.database_url, autocommit=True) as owner:
            account = enrol(
                owner, Newcomer("bench", "b@mezha.test", "Bench", must_change=False), "Leshiy-i-Bereza-7"
            )
            owner.execute(
                "INSERT INTO accounts.consents (account, document, edition, address) VALUES (%s, 'terms', %s, '')",
                [account, EDITION],
            )
        return asyncio.run(_measure(settings, account))
    finally:
        cluster.destroy()
