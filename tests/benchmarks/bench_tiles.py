"""Vector tiles: live and cached, over distinct tiles from one seeded list, against the SQL alone and the peers."""

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from morecantile import tms

from geo.moment import ALWAYS
from tests.benchmarks import servers
from tests.benchmarks.coverage import Coverage
from tests.benchmarks.ground import Ground, cluster, sides
from tests.benchmarks.load import Seen, floor, missing, stampede, walk
from tests.benchmarks.row import Row
from tiles.vector import TileQuery, statement

SECONDS = 5.0
# Seconds of a turn, how many there are, and what nobody answers more than in one.
TURN, TURNS, AT_MOST = 2.0, 4, 12_000
Tile = tuple[int, int, int]
OURS = "/tiles/stands/{z}/{x}/{y}.mvt"
PEERS = {
    "tipg": (servers.tipg, "/collections/peers.stands/tiles/WebMercatorQuad/{z}/{x}/{y}"),
    "martin": (servers.martin, "/stands/{z}/{x}/{y}"),
    "pg_tileserv": (servers.pg_tileserv, "/peers.stands/{z}/{x}/{y}.pbf"),
}
GOALS = {
    10: {"pgbench": "≥ 0.85"},
    12: {"pgbench": "≥ 0.65", "tipg": "≥ 3.5"},
    14: {"tipg": "≥ 10"},
}
THEN = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() - 2 * 365 * 86_400))


def tiles_of(coverage: Coverage, zoom: int, rim: int = 0) -> list[Tile]:
    """Every tile of the forest at a zoom, in a seeded order; without so many at the edge."""
    west, south, east, north = coverage.box
    grid = tms.get("WebMercatorQuad")
    first, last = grid.tile(west + 0.01, north - 0.01, zoom), grid.tile(east - 0.01, south + 0.01, zoom)
    columns, rows = range(first.x + rim, last.x + 1 - rim), range(first.y + rim, last.y + 1 - rim)
    found = [(zoom, x, y) for x in columns for y in rows]
    random.Random(coverage.seed).shuffle(found)
    return found


def paths(tiles: list[Tile], template: str) -> list[str]:
    """Addresses of tiles."""
    return [template.format(z=z, x=x, y=y) for z, x, y in tiles]


def plain(zoom: int) -> str:
    """The statement of a live tile at a zoom with the day in place."""
    query = TileQuery(("stands",), zoom, 0, 0, ALWAYS)
    return (
        statement(query.layers, False, whole=query.whole())
        .replace("$4", "CURRENT_DATE")
        .replace("$5", "CURRENT_DATE")
    )


def rounds(tiles: list[Tile], template: str, least: int) -> list[str]:
    """At least so many addresses: each round over the tiles asks for another day, on which the same holds, so that
    nothing is remembered, nor kept on the shelf."""
    days = [date.today() - timedelta(n) for n in range(least // len(tiles) + 1)]
    return [f"{path}?datetime={day}" for day in days for path in paths(tiles, template)]


def in_turn(contenders: Mapping[str, Callable[[int], Seen]]) -> dict[str, Seen]:
    """The mean of each over `TURNS` turns: who is measured a minute later finds another machine."""
    turns = {name: [] for name in contenders}  # type: dict[str, list[Seen]]
    for turn in range(TURNS):
        for name, measure in contenders.items():
            turns[name].append(measure(turn))
    return {name: Seen.mean(seen) for name, seen in turns.items()}


def first_hits(server: str, tiles: list[Tile], *, clients: int = 16) -> Callable[[int], Seen]:
    """No tile is asked for twice; a second on the end of the list wakes the server up."""
    fresh = rounds(tiles, OURS, AT_MOST * (TURNS + 1))
    walk(server, fresh[::-1], 1, clients=clients)
    return lambda turn: walk(server, fresh[turn * AT_MOST : (turn + 1) * AT_MOST], TURN, clients=clients)


def rival(server: str, tiles: list[Tile], template: str) -> Callable[[int], Seen]:
    """A peer, which remembers nothing."""
    walk(server, paths(tiles[::-1], template), 1)
    return lambda turn: walk(server, paths(tiles[turn * len(tiles) // TURNS :] + tiles, template), TURN)


def said(seen: Seen) -> str:
    """Figures of a walk in words."""
    return f"{seen.rate:,.0f} tiles/s, p95 {seen.p95:.1f} ms, {seen.errors} errors"


def live(ground: Ground) -> list[Row]:
    """First hits against the same SQL in pgbench and against the peers that are installed."""
    made = []
    with ExitStack() as running:
        ours = running.enter_context(servers.mezha(ground.settings))
        peers = {
            name: (running.enter_context(start(ground.cluster, ground.name, "peers")), template)
            for name, (start, template) in PEERS.items()
            if name == "tipg" or shutil.which(name)
        }
        for zoom, goals in GOALS.items():
            tiles = tiles_of(ground.coverage, zoom)
            bare = partial(floor, ground.cluster, ground.name, plain(zoom), tiles, TURN)
            found = in_turn(
                {"ours": first_hits(ours, tiles), "pgbench": lambda _, bare=bare: Seen(bare(), 0, 0)}
                | {name: rival(server, tiles, template) for name, (server, template) in peers.items()}
            )
            mine = found.pop("ours")
            made += [
                Row(
                    f"live z{zoom}, {ground.count:,} polygons",
                    said(mine),
                    f"{name} {seen.rate:,.0f} tiles/s",
                    mine.rate / seen.rate,
                    goals.get(name, ""),
                )
                for name, seen in found.items()
            ]
    return made


def past(ground: Ground) -> Row:
    """Two years back, where the past is as large as the present, against today."""
    tiles = tiles_of(ground.coverage, 12)
    with servers.mezha(ground.settings) as server:
        seen = in_turn(
            {
                kind: lambda turn, ask=ask: walk(
                    server, paths(tiles, f"{OURS}?v={turn}{ask}"), TURN, clients=2
                )
                for kind, ask in (("today", ""), ("then", f"&as_of={THEN}"))
            }
        )
    today, then = seen["today"], seen["then"]
    return Row(
        "as_of two years back, z12, 2 clients",
        said(then),
        f"today {said(today)}",
        then.p95 / today.p95,
        "≤ 1.5",
    )


def growth(small: Ground, large: Ground) -> Row:
    """A tile of a large forest against one of a small."""
    with servers.mezha(small.settings) as few, servers.mezha(large.settings) as many:
        seen = in_turn(
            {
                name: first_hits(server, tiles_of(ground.coverage, 12, rim=1), clients=1)
                for name, ground, server in (("few", small, few), ("many", large, many))
            }
        )
    return Row(
        f"z12 live, 1 client: growth {small.count:,} → {large.count:,}",
        f"p95 {seen['many'].p95:.1f} ms",
        f"p95 {seen['few'].p95:.1f} ms",
        seen["many"].p95 / seen["few"].p95,
        "≤ 1.3",
    )


def low(ground: Ground) -> list[Row]:
    """z0–z9 from overviews against the plain `ST_AsMVT` of the same tiles."""
    chunks, took = ground.overviews()
    made = []
    if chunks:
        rate = f"{ground.count / took:,.0f} polygons/s"
        made = [
            Row(f"building {chunks} chunks of overviews, {ground.count:,} polygons", f"{took:.0f} s", rate)
        ]
    with servers.mezha(ground.settings) as server:
        for zoom in (4, 6, 8, 9):
            tiles = tiles_of(ground.coverage, zoom)
            fresh = rounds(tiles, OURS, 4_000)
            walk(server, fresh[::-1], 1, clients=2)
            ours = walk(server, fresh, SECONDS, clients=2)
            least = floor(ground.cluster, ground.name, plain(zoom), tiles, SECONDS, once=zoom < 8)
            made.append(
                Row(
                    f"overview z{zoom}, {ground.count:,} polygons, 2 clients",
                    said(ours),
                    f"plain ST_AsMVT in pgbench {least:,.2f} tiles/s",
                    ours.rate / least,
                    "≥ 10, p95 ≤ 50 ms" if zoom == 8 else "p95 ≤ 50 ms",
                )
            )
    return made


def cached(ground: Ground) -> list[Row]:
    """Repeat hits against nginx serving the same bytes as files, and a stampede on tiles that nobody has."""
    tiles = tiles_of(ground.coverage, 12)[:1000]
    crowded = paths(tiles_of(ground.coverage, 10)[:10], OURS)
    folder = Path(tempfile.mkdtemp(prefix="files-", dir=ground.cluster.socket))
    with servers.mezha(ground.settings) as server:
        cold = stampede(server, crowded, clients=100)
        for path, body in servers.fetched(server, paths(tiles, OURS)):
            target = folder / path[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
        with servers.nginx(folder) as files:
            both = {"ours": server, "nginx": files}
            again = partial(walk, paths=paths(tiles, OURS), clients=32)
            for place in both.values():
                # Both processes, so that each remembers.
                again(place, seconds=SECONDS)
            seen = in_turn(
                {n: lambda _, place=place: again(place, seconds=TURN) for n, place in both.items()}
            )
    ours, peer = seen["ours"], seen["nginx"]
    with servers.mezha(ground.settings) as server:
        alone = stampede(server, crowded, clients=1)
    shutil.rmtree(folder)
    return [
        Row(
            "repeat hits z12, 1,000 tiles, 32 clients",
            said(ours),
            f"nginx, files {said(peer)}",
            ours.rate / peer.rate,
            "≥ 0.6",
        ),
        Row(
            "stampede: 100 clients, the same 10 tiles z10, cold",
            f"all 1,000 answers in {cold.seconds:.2f} s, slowest {cold.slowest:.2f} s, {cold.errors} errors",
            f"one client, 10 answers in {alone.seconds:.2f} s",
            cold.seconds / alone.seconds,
            "0 errors",
        ),
    ]


def rows() -> list[Row]:
    """The rows of the section."""
    lacking = missing()
    if lacking:
        return [Row("tiles", "not measured", f"{lacking} is not installed (apt-get install wrk nginx-light)")]
    place = cluster()
    try:
        small, large = (Ground.of(place, side) for side in sides())
        made = (
            [Row(f"making {large.count:,} stands with their past", f"{large.took:.0f} s")]
            if large.took
            else []
        )
        return [*made, *live(large), past(large), growth(small, large), *cached(large), *low(large)]
    finally:
        place.stop()
