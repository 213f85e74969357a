"""Vector tiles: live and cached, over distinct tiles from one seeded list, against the SQL alone and the peers."""

import random
import tempfile
import time
import urllib.request
from datetime import date
from pathlib import Path

import psycopg
from morecantile import tms

from geo.cluster import Cluster
from geo.migration import migrate
from geo.settings import Settings
from tests.benchmarks import servers
from tests.benchmarks.coverage import Coverage
from tests.benchmarks.load import floor, missing, walk
from tests.benchmarks.row import Row
from tiles.overviews import keep
from tiles.vector import statement

SECONDS = 4.0
Tile = tuple[int, int, int]


def tiles_of(coverage: Coverage, zoom: int) -> list[Tile]:
    """Every tile of the forest at a zoom, in a seeded order."""
    west, south, east, north = coverage.box
    grid = tms.get("WebMercatorQuad")
    first, last = grid.tile(west + 0.01, north - 0.01, zoom), grid.tile(east - 0.01, south + 0.01, zoom)
    found = [(zoom, x, y) for x in range(first.x, last.x + 1) for y in range(first.y, last.y + 1)]
    random.Random(coverage.seed).shuffle(found)
    return found


def paths(tiles: list[Tile], template: str) -> list[str]:
    """Addresses of tiles."""
    return [template.format(z=z, x=x, y=y) for z, x, y in tiles]


OURS = "/tiles/stands/{z}/{x}/{y}.mvt"
TIPG = "/collections/peers.stands/tiles/WebMercatorQuad/{z}/{x}/{y}"
PEERS = """
CREATE SCHEMA peers;
CREATE TABLE peers.stands AS
  SELECT id, number, species, age_group, land_kind, area_m2, geom_3857 AS geom FROM register.stands ORDER BY version;
CREATE INDEX ON peers.stands USING gist (geom);
ALTER TABLE peers.stands ADD PRIMARY KEY (id);
ANALYZE peers.stands;
"""


class Ground:
    """A throw-away cluster with a forest of one size."""

    def __init__(self, cluster: Cluster, coverage: Coverage) -> None:
        self.cluster, self.coverage = cluster, coverage
        self.name = f"forest_{coverage.side}"
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.name}")
        migrate(cluster.url(self.name), frozenset())
        with psycopg.connect(cluster.url(self.name), autocommit=True) as connection:
            connection.execute("ALTER ROLE mezha_app LOGIN")
            connection.execute("ALTER ROLE mezha_registrar LOGIN")
            self.count = coverage.load(connection)
            connection.execute("VACUUM register.stands")
            connection.execute(PEERS)
        self.settings = Settings(
            database_url=cluster.url(self.name),
            app_database_url=cluster.url(self.name, "mezha_app"),
            registrar_database_url=cluster.url(self.name, "mezha_registrar"),
            home=Path(tempfile.mkdtemp(prefix="mezha-bench-", dir=cluster.socket)),
        )


def live(ground: Ground, goals: dict[int, tuple[str, str]]) -> list[Row]:
    """First hits: no tile is asked for twice while it could be remembered."""
    made: list[Row] = []
    sql = statement(("stands",), False).replace("$4", "CURRENT_DATE").replace("$5", "CURRENT_DATE")
    label = f"{ground.count:,} polygons"
    for zoom, (goal_floor, goal_tipg) in goals.items():
        tiles = tiles_of(ground.coverage, zoom)
        with servers.mezha(ground.settings) as server:
            ours = walk(server, paths(tiles, OURS), SECONDS)
        least = floor(ground.cluster, ground.name, sql, tiles, SECONDS)
        with servers.tipg(ground.cluster, ground.name, "peers") as server:
            peer = walk(server, paths(tiles, TIPG), SECONDS)
        rate = f"{ours.rate:,.0f} tiles/s, p95 {ours.p95:.0f} ms, {ours.errors} errors"
        against = f"pgbench {least:,.0f} tiles/s"
        made.append(Row(f"live z{zoom}, {label}", rate, against, ours.rate / least, goal_floor))
        made.append(
            Row(
                f"live z{zoom}, {label}",
                rate,
                f"tipg {peer.rate:,.0f} tiles/s, p95 {peer.p95:.0f} ms",
                ours.rate / peer.rate,
                goal_tipg,
            )
        )
    return made


def low(ground: Ground) -> list[Row]:
    """z0–z9 from overviews against the plain `ST_AsMVT` of the same tiles."""
    begin = time.monotonic()
    chunks = keep(ground.settings, date.today())
    took = time.monotonic() - begin
    made = [
        Row(
            f"building {chunks} chunks of overviews, {ground.count:,} polygons",
            f"{took:.0f} s",
            f"{ground.count / took:,.0f} polygons/s",
        )
    ]
    sql = statement(("stands",), False).replace("$4", "CURRENT_DATE").replace("$5", "CURRENT_DATE")
    for zoom in (4, 6, 8, 9):
        tiles = tiles_of(ground.coverage, zoom)
        with servers.mezha(ground.settings) as server:
            # Each address differs, so that nothing is remembered.
            fresh = [f"{path}?v={n}" for n in range(200 // len(tiles) + 1) for path in paths(tiles, OURS)]
            ours = walk(server, fresh, SECONDS, clients=2)
        least = floor(ground.cluster, ground.name, sql, tiles, SECONDS)
        made.append(
            Row(
                f"overview z{zoom}, {ground.count:,} polygons, 2 clients",
                f"{ours.rate:,.0f} tiles/s, p95 {ours.p95:.0f} ms, {ours.errors} errors",
                f"plain ST_AsMVT in pgbench {least:,.1f} tiles/s",
                ours.rate / least,
                "≥ 10 at z8, p95 ≤ 50 ms" if zoom == 8 else "p95 ≤ 50 ms",
            )
        )
    return made


def cached(ground: Ground) -> list[Row]:
    """Repeat hits against nginx serving the same bytes as files, and a stampede on tiles that nobody has."""
    tiles = tiles_of(ground.coverage, 12)[:1000]
    folder = Path(tempfile.mkdtemp(prefix="files-", dir=ground.cluster.socket))
    with servers.mezha(ground.settings) as server:
        cold = walk(server, paths(tiles[:20], OURS), SECONDS, clients=100)
        for path in paths(tiles, OURS):
            target = folder / path[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            # Both workers, so that each remembers.
            for _ in range(4):
                with urllib.request.urlopen(server + path) as answer:
                    target.write_bytes(answer.read())
        ours = walk(server, paths(tiles, OURS), SECONDS, clients=32)
    with servers.nginx(folder) as server:
        peer = walk(server, paths(tiles, OURS), SECONDS, clients=32)
    return [
        Row(
            "repeat hits z12, 1,000 tiles, 32 clients",
            f"{ours.rate:,.0f} tiles/s, p95 {ours.p95:.1f} ms, {ours.errors} errors",
            f"nginx, files {peer.rate:,.0f} tiles/s, p95 {peer.p95:.1f} ms, {peer.errors} errors",
            ours.rate / peer.rate,
            "≥ 0.6",
        ),
        Row(
            "stampede: 100 clients, 20 tiles z12, cold",
            f"{cold.rate:,.0f} tiles/s, p95 {cold.p95:.1f} ms, {cold.errors} errors",
        ),
    ]


def rows() -> list[Row]:
    """The rows of the section."""
    lacking = missing()
    if lacking:
        return [Row("tiles", "not measured", f"{lacking} is not installed (apt-get install wrk nginx-light)")]
    cluster = Cluster.temporary()
    cluster.start()
    try:
        ground = Ground(cluster, Coverage(548))
        goals = {8: ("", ""), 10: ("≥ 0.5", ""), 12: ("≥ 0.5", "≥ 3"), 14: ("≥ 0.5", "")}
        return [*live(ground, goals), *cached(ground), *low(ground)]
    finally:
        cluster.destroy()
