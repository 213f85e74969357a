"""Vector tiles: live and cached, over distinct tiles from one seeded list, against the SQL alone and the peers."""

import random
import tempfile
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
from tiles.vector import statement

SECONDS = 5.0
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
        with servers.tipg(ground.settings.database_url, "peers") as server:
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


def rows() -> list[Row]:
    """The rows of the section."""
    lacking = missing()
    if lacking:
        return [Row("tiles", "not measured", f"{lacking} is not installed (apt-get install wrk nginx-light)")]
    cluster = Cluster.temporary()
    cluster.start()
    try:
        small = Ground(cluster, Coverage(548))
        return live(small, {8: ("", ""), 10: ("≥ 0.5", ""), 12: ("≥ 0.5", "≥ 3"), 14: ("≥ 0.5", "")})
    finally:
        cluster.destroy()
