"""Decisions: an approval with its rules, register, plan, paper and seal, from the officer's word to the commit."""

import asyncio
import statistics
import time

import psycopg

from cases.decisions import seal
from cases.desk import Desk
from geo.cluster import Cluster
from geo.db import Database
from geo.settings import Settings
from tests.benchmarks.bench_cases import _settings
from tests.benchmarks.row import Row
from tests.cases.region import OFFICER, Region, act, furnish, lodged

RUNS = 15


async def _decided(settings: Settings, region: Region) -> list[float]:
    """Seconds of each approval; the first, which loads the libraries, comes first."""
    writer, desk = Database(settings, role="registrar"), Desk.of(settings)
    await writer.open()
    seconds = []
    try:
        for n in range(RUNS):
            west = 83.011 + n % 15 * 0.005
            case = await lodged(
                writer, desk, region, corners=(west, 55.006, west + 0.004, 55.012), volume_m3=1
            )
            for name in ("accept", "review"):
                await act(writer, desk, OFFICER, name, case.id)
            began = time.perf_counter()
            await act(writer, desk, OFFICER, "approve", case.id)
            seconds.append(time.perf_counter() - began)
    finally:
        await writer.close()
    return seconds


def rows() -> list[Row]:
    """Signed decisions over a register of a million objects, with their neighbours on the plan."""
    cluster = Cluster.temporary()
    cluster.start()
    try:
        settings = _settings(cluster)
        seal.make(settings, "Орган по измерениям")
        with psycopg.connect(settings.database_url, autocommit=True) as owner:
            region = furnish(owner)
            owner.execute("ANALYZE")
        first, *rest = asyncio.run(_decided(settings, region))
    finally:
        cluster.destroy()
    rest.sort()
    goal = "≤ 1.5 s"
    return [
        Row("Signed decision with its map over 1,000,000 objects, median", f"{statistics.median(rest):.2f} s", "", None, goal),
        Row("The slowest of them", f"{rest[-1]:.2f} s", "", None, goal),
        Row("The first of a process, which loads the libraries", f"{first:.2f} s"),
    ]  # fmt: skip
