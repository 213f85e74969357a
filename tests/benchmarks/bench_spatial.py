"""Spatial questions: what is here, what a polygon cuts, the past against today, 10,000 stands against 1,000,000."""

import random
import statistics
import time
from collections.abc import Callable, Sequence

import httpx
import numpy as np
import psycopg
import shapely

from geo.access import ANONYMOUS, IDENTIFY
from geo.layers import all_layers
from geo.moment import Moment
from geo.spatial import cut
from geo.spatial.spot import moment_values
from tests.benchmarks import servers
from tests.benchmarks.ground import Ground, cluster, sides
from tests.benchmarks.row import Row

ASKED = 300


def p95(ask: Callable[[str], object], urls: Sequence[str]) -> float:
    """95th percentile in milliseconds, after a warm-up."""
    for url in urls[:30]:
        ask(url)
    times = []
    for url in urls:
        begin = time.perf_counter()
        ask(url)
        times.append(time.perf_counter() - begin)
    return statistics.quantiles(times, n=20)[18] * 1000


def places(ground: Ground) -> list[tuple[float, float]]:
    """Places all over the forest, the same for every question."""
    dice = random.Random(5)
    west, south, east, north = ground.coverage.box
    return [(dice.uniform(west, east), dice.uniform(south, north)) for _ in range(ASKED)]


def asked(ground: Ground, questions: dict[str, list[str]]) -> dict[str, float]:
    """p95 of each kind of question over one server."""
    with servers.mezha(ground.settings) as server, httpx.Client(base_url=server, timeout=60) as client:

        def ask(url: str) -> None:
            client.get(url).raise_for_status()

        return {name: p95(ask, urls) for name, urls in questions.items()}


def questions_of(ground: Ground) -> dict[str, list[str]]:
    """`at` over every layer and item by id, at random places and ids."""
    dice = random.Random(9)
    ids = [1 + dice.randrange(ground.count) for _ in range(ASKED)]
    return {
        "at": [f"/api/v1/spatial/at?lon={x}&lat={y}" for x, y in places(ground)],
        "item": [f"/ogc/collections/stands/items/{i}" for i in ids],
    }


def against_sql(ground: Ground) -> Row:
    """A polygon of 1,000 vertices over the interface and as its bare statements."""
    west, south, east, north = ground.coverage.box
    turn = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    x, y = (west + east) / 2, (south + north) / 2
    ring = np.column_stack((x + 0.08 * np.cos(turn), y + 0.05 * np.sin(turn)))
    shape = shapely.Polygon(ring)
    values = {"shape": shapely.to_wkb(shape)} | moment_values(Moment.today("UTC"))
    times: dict[str, list[float]] = {"sql": [], "http": []}
    body = shapely.to_geojson(shape).encode()
    with (
        servers.mezha(ground.settings) as server,
        httpx.Client(base_url=server, timeout=60) as client,
        psycopg.connect(ground.settings.app_database_url) as app,
    ):
        app.execute(IDENTIFY, ANONYMOUS.settings())
        for _ in range(25):
            begin = time.perf_counter()
            for name in all_layers():
                app.execute(cut.statement(name, False), values).fetchall()
            times["sql"].append(time.perf_counter() - begin)
            begin = time.perf_counter()
            client.post("/api/v1/spatial/intersect", content=body).raise_for_status()
            times["http"].append(time.perf_counter() - begin)
    sql, http = (statistics.median(times[k][5:]) * 1000 for k in ("sql", "http"))
    return Row(
        "intersect, 1,000 vertices, 12 layers", f"{http:.1f} ms", f"its SQL {sql:.1f} ms", http / sql, "≤ 1.5"
    )


def past_rows(ground: Ground) -> list[Row]:
    """Two years back against today, where the past is as large as the present."""
    then = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() - 2 * 365 * 86_400))
    boxes = [
        f"/ogc/collections/stands/items?limit=100&bbox={x},{y},{x + 0.05},{y + 0.05}"
        for x, y in places(ground)
    ]
    spots = [f"/api/v1/spatial/at?lon={x}&lat={y}&layers=stands" for x, y in places(ground)]
    found = asked(
        ground,
        {
            "box": boxes,
            "box then": [f"{u}&as_of={then}" for u in boxes],
            "spot": spots,
            "spot then": [f"{u}&as_of={then}" for u in spots],
        },
    )
    label = f"as_of two years back, {ground.count:,} stands now and then"
    return [
        Row(
            f"{label}: {name}",
            f"p95 {found[f'{name} then']:.1f} ms",
            f"today {found[name]:.1f} ms",
            found[f"{name} then"] / found[name],
            "≤ 1.5",
        )
        for name in ("box", "spot")
    ]


def rows() -> list[Row]:
    """The rows of the section."""
    place = cluster()
    try:
        small, large = (Ground.of(place, side) for side in sides())
        few, many = asked(small, questions_of(small)), asked(large, questions_of(large))
        made = [
            Row(f"at, all layers, {large.count:,} stands", f"p95 {many['at']:.1f} ms", "", None, "≤ 10 ms"),
            against_sql(large),
            *past_rows(large),
        ]
        for name in ("at", "item"):
            made.append(
                Row(
                    f"{name}: growth {small.count:,} → {large.count:,}",
                    f"p95 {many[name]:.1f} ms",
                    f"{few[name]:.1f} ms",
                    many[name] / few[name],
                    "≤ 1.3",
                )
            )
        return made
    finally:
        place.stop()
