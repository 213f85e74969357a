"""Pages of 1,000 features: our server against its own SQL, tipg and pygeoapi; one client, pages drawn from one list."""

import statistics
import time
from collections.abc import Iterable
from typing import Any

import httpx
import psycopg
from sqlalchemy.dialects import postgresql

from geo import objects
from geo.access import ANONYMOUS, IDENTIFY
from geo.layers import layer
from geo.moment import Moment
from geo.objects import Query
from tests.benchmarks import servers
from tests.benchmarks.ground import Ground, cluster, sides
from tests.benchmarks.row import Row

PAGE = 1_000
PAGES = 40
# Pages that wake everybody up and do not count.
WARM = 6
# A peer that counts its table for every page needs seconds: fewer pages tell as much.
SECONDS = 30.0


def fetched(client: httpx.Client, urls: Iterable[str]) -> float:
    """Median seconds of a page; every page is checked to hold its features."""
    times: list[float] = []
    until = time.monotonic() + SECONDS
    for url in urls:
        begin = time.perf_counter()
        body = client.get(url).content
        times.append(time.perf_counter() - begin)
        if body.count(b'"Feature"') != PAGE:
            raise RuntimeError(f"{url}: {body[:200]!r}")
        if time.monotonic() > until and len(times) >= 3:
            break
    return statistics.median(times)


def queried(connection: psycopg.Connection[Any], starts: Iterable[int]) -> float:
    """Median seconds of the page's statement alone, as the serving role."""
    times = []
    for start in starts:
        query = Query(moment=Moment.today("UTC"), limit=PAGE, after=start)
        statement = objects.page_statement(layer("stands"), query)
        text = str(
            statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
        )
        begin = time.perf_counter()
        connection.execute(text).fetchall()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def rows() -> list[Row]:
    """The rows of the section."""
    place = cluster()
    try:
        small, large = (Ground.of(place, side) for side in sides())
        return [*_pages(large), growth(small, large)]
    finally:
        place.stop()


def _offsets(ground: Ground) -> list[int]:
    return [(n * 7919_1) % (ground.count - PAGE) for n in range(PAGES)]


def growth(small: Ground, large: Ground) -> Row:
    """A page of a large forest against one of a small, asked in turn."""
    with (
        servers.mezha(small.settings) as few,
        servers.mezha(large.settings) as many,
        httpx.Client(timeout=60) as client,
    ):
        times: dict[int, list[float]] = {0: [], 1: []}
        for near, far in zip(_offsets(small), _offsets(large), strict=True):
            for n, (server, offset) in enumerate(((few, near), (many, far))):
                url = f"{server}/ogc/collections/stands/items?limit={PAGE}&after={offset}"
                times[n].append(fetched(client, [url]))
    before, after = (statistics.median(times[n][WARM:]) * 1000 for n in (0, 1))
    return Row(
        f"page of {PAGE:,}: growth {small.count:,} → {large.count:,}",
        f"{after:.1f} ms",
        f"{before:.1f} ms",
        after / before,
        "≤ 1.3",
    )


def _ours(ground: Ground, offsets: list[int]) -> dict[str, float]:
    """Seconds of a page as the client asks for it (packed), as it is, through a CQL2 box, and of its SQL alone, in turn."""
    west, south, east, north = ground.coverage.box
    box = (
        f"&filter=S_INTERSECTS(geometry,BBOX({west - 1:.2f},{south - 1:.2f},{east + 1:.2f},{north + 1:.2f}))"
    )
    times: dict[str, list[float]] = {name: [] for name in ("packed", "plain", "filtered", "sql")}
    with (
        servers.mezha(ground.settings) as server,
        httpx.Client(base_url=server, timeout=60) as client,
        httpx.Client(base_url=server, timeout=60, headers={"accept-encoding": "identity"}) as near,
        psycopg.connect(ground.settings.app_database_url) as app,
    ):
        app.execute(IDENTIFY, ANONYMOUS.settings())
        for offset in [*offsets[:WARM], *offsets]:
            url = f"/ogc/collections/stands/items?limit={PAGE}&after={offset}"
            times["packed"].append(fetched(client, [url]))
            times["plain"].append(fetched(near, [url]))
            times["filtered"].append(fetched(client, [url + box]))
            times["sql"].append(queried(app, [offset]))
    return {name: statistics.median(taken[WARM:]) for name, taken in times.items()}


def _pages(ground: Ground) -> list[Row]:
    offsets = _offsets(ground)
    found = _ours(ground, offsets)
    ours, plain, filtered, alone = (found[name] for name in ("packed", "plain", "filtered", "sql"))
    peers: dict[str, float] = {}
    with (
        servers.tipg(ground.cluster, ground.name, "peers") as server,
        httpx.Client(base_url=server, timeout=120) as client,
    ):
        urls = [f"/collections/peers.plots/items?limit={PAGE}&offset={o}" for o in offsets]
        fetched(client, urls[:3])
        peers["tipg"] = fetched(client, urls)
    with (
        servers.pygeoapi(ground.cluster, ground.name, "peers.plots") as server,
        httpx.Client(base_url=server, timeout=120) as client,
    ):
        urls = [f"/collections/plots/items?f=json&limit={PAGE}&offset={o}" for o in offsets]
        fetched(client, urls[:3])
        peers["pygeoapi"] = fetched(client, urls)
    label = f"page of {PAGE:,} of {ground.count:,} features"
    rate = f"{PAGE / ours:,.0f} features/s, {ours * 1000:.1f} ms"
    goals = {"tipg": "≥ 5", "pygeoapi": "≥ 10"}
    return [
        Row(label, rate, f"its SQL alone {alone * 1000:.1f} ms", alone / ours, "≥ 0.6"),
        Row(
            f"{label}, not packed",
            f"{PAGE / plain:,.0f} features/s, {plain * 1000:.1f} ms",
            f"its SQL alone {alone * 1000:.1f} ms",
            alone / plain,
        ),
        *(
            Row(
                label,
                rate,
                f"{name} {PAGE / peer:,.0f} features/s, {peer * 1000:.1f} ms",
                peer / ours,
                goals[name],
            )
            for name, peer in peers.items()
        ),
        Row(
            f"{label}, CQL2 box",
            f"{filtered * 1000:.1f} ms",
            f"without filter {ours * 1000:.1f} ms",
            ours / filtered,
        ),
    ]
