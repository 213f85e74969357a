"""Spatial questions: what is here, what a polygon cuts, the past against today, 10,000 stands against 1,000,000."""

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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


Question = tuple[httpx.Client, Sequence[str]]


def p95(questions: dict[str, Question]) -> dict[str, float]:
    """95th percentile in milliseconds of each kind of question, after a warm-up; asked in turn, so that the machine's
    mood is the same for all of them."""
    times: dict[str, list[float]] = {name: [] for name in questions}
    for n in range(-30, ASKED):
        for name, (client, urls) in questions.items():
            begin = time.perf_counter()
            client.get(urls[n]).raise_for_status()
            if n >= 0:
                times[name].append(time.perf_counter() - begin)
    return {name: statistics.quantiles(found, n=20)[18] * 1000 for name, found in times.items()}


def places(ground: Ground) -> list[tuple[float, float]]:
    """Places all over the forest, the same for every question."""
    dice = random.Random(5)
    west, south, east, north = ground.coverage.box
    return [(dice.uniform(west, east), dice.uniform(south, north)) for _ in range(ASKED)]


@contextmanager
def client_of(ground: Ground) -> Iterator[httpx.Client]:
    """A client of a server over the forest."""
    with servers.mezha(ground.settings) as server, httpx.Client(base_url=server, timeout=60) as client:
        yield client


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
    with client_of(ground) as client:
        found = p95(
            {
                "box": (client, boxes),
                "box then": (client, [f"{u}&as_of={then}" for u in boxes]),
                "spot": (client, spots),
                "spot then": (client, [f"{u}&as_of={then}" for u in spots]),
            }
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


def growth_rows(small: Ground, large: Ground) -> list[Row]:
    """The same questions of a small and of a large forest."""
    with client_of(small) as near, client_of(large) as far:
        few, many = questions_of(small), questions_of(large)
        found = p95(
            {f"{name} few": (near, few[name]) for name in few}
            | {f"{name} many": (far, many[name]) for name in many}
        )
    return [
        Row(
            f"at, all layers, {large.count:,} stands",
            f"p95 {found['at many']:.1f} ms",
            "",
            None,
            "≤ 10 ms",
        ),
        *(
            Row(
                f"{name}: growth {small.count:,} → {large.count:,}",
                f"p95 {found[f'{name} many']:.1f} ms",
                f"{found[f'{name} few']:.1f} ms",
                found[f"{name} many"] / found[f"{name} few"],
                "≤ 1.3",
            )
            for name in few
        ),
    ]


def rows() -> list[Row]:
    """The rows of the section."""
    place = cluster()
    try:
        small, large = (Ground.of(place, side) for side in sides())
        return [*growth_rows(small, large), against_sql(large), *past_rows(large)]
    finally:
        place.stop()
