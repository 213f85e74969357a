"""Pages of 1,000 features: our server against its own SQL and against tipg, one client, pages drawn from one list."""

import statistics
import time
from collections.abc import Iterable
from typing import Any

import httpx
import psycopg
from sqlalchemy.dialects import postgresql

from geo import objects
from geo.access import ANONYMOUS, IDENTIFY
from geo.cluster import Cluster
from geo.layers import layer
from geo.objects import Query
from tests.benchmarks import servers
from tests.benchmarks.bench_tiles import Ground
from tests.benchmarks.coverage import Coverage
from tests.benchmarks.row import Row

PAGE = 1_000
PAGES = 40


def fetched(client: httpx.Client, urls: Iterable[str]) -> float:
    """Median seconds of a page; every page is checked to hold its features."""
    times = []
    for url in urls:
        begin = time.perf_counter()
        body = client.get(url).content
        times.append(time.perf_counter() - begin)
        if body.count(b'"Feature"') != PAGE:
            raise RuntimeError(f"{url}: {body[:200]!r}")
    return statistics.median(times)


def queried(connection: psycopg.Connection[Any], starts: Iterable[int]) -> float:
    """Median seconds of the page's statement alone, as the serving role."""
    table = objects.gate("stands")
    times = []
    for start in starts:
        query = Query(limit=PAGE, after=start)
        columns = [table.c.id, objects.feature_text(layer("stands"))]
        statement = objects.chosen(layer("stands"), query, columns, limit=PAGE + 1)
        text = str(
            statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
        )
        begin = time.perf_counter()
        connection.execute(text).fetchall()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def rows() -> list[Row]:
    """The rows of the section."""
    cluster = Cluster.temporary()
    cluster.start()
    try:
        return _pages(Ground(cluster, Coverage(316)))
    finally:
        cluster.destroy()


def _pages(ground: Ground) -> list[Row]:
    with psycopg.connect(ground.settings.database_url) as owner:
        first = owner.execute("SELECT min(id) - 1 FROM register.stands").fetchone()
    start = int(first[0]) if first else 0
    offsets = [(n * 7919) % (ground.count - PAGE) for n in range(PAGES)]
    with psycopg.connect(ground.settings.app_database_url) as app:
        app.execute(IDENTIFY, ANONYMOUS.settings())
        queried(app, [start])
        alone = queried(app, [start + o for o in offsets])
    with servers.mezha(ground.settings) as server, httpx.Client(base_url=server, timeout=60) as client:
        urls = [f"/ogc/collections/stands/items?limit={PAGE}&after={start + o}" for o in offsets]
        fetched(client, urls[:6])
        ours = fetched(client, urls)
        boxed = [f"{u}&filter=S_INTERSECTS(geometry,BBOX(80,53,84,56))" for u in urls[:20]]
        filtered = fetched(client, boxed)
    with (
        servers.tipg(ground.settings.database_url, "peers") as server,
        httpx.Client(base_url=server, timeout=60) as client,
    ):
        urls = [f"/collections/peers.stands/items?limit={PAGE}&offset={o}" for o in offsets]
        fetched(client, urls[:4])
        peer = fetched(client, urls)
    label = f"page of {PAGE:,} of {ground.count:,} features"
    rate = f"{PAGE / ours:,.0f} features/s, {ours * 1000:.1f} ms"
    return [
        Row(label, rate, f"its SQL alone {alone * 1000:.1f} ms", alone / ours, "≥ 0.6"),
        Row(label, rate, f"tipg {PAGE / peer:,.0f} features/s, {peer * 1000:.1f} ms", peer / ours, "≥ 5"),
        Row(
            f"{label}, CQL2 box",
            f"{filtered * 1000:.1f} ms",
            f"without filter {ours * 1000:.1f} ms",
            ours / filtered,
        ),
    ]
