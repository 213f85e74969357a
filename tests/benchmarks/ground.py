"""Forests of 10,000 and of 1,000,000 stands with a past and rights over them: made once, kept for every benchmark.

They lie in a cluster of their own below ``.mezha/bench``; a change of the migrations or of these modules makes them
anew, ``.venv/bin/python -m tests.benchmarks.ground`` throws them away.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import psycopg

from geo.cluster import Cluster
from geo.migration import migrate
from geo.settings import Settings
from tests.benchmarks.coverage import Coverage
from tiles.overviews import keep

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".mezha" / "bench"


def sides() -> tuple[int, int]:
    """Sides of the small and of the large forest; MEZHA_BENCH_SIDE makes the large one another than a million."""
    return 100, int(os.environ.get("MEZHA_BENCH_SIDE", "1000"))


# What a mass import does without too: it notes the layer as a whole.
_TRIGGERS = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tgname FROM pg_trigger
    WHERE tgrelid = 'register.{layer}'::regclass AND tgname IN ('tiles_added', 'conflicts_noted') LOOP
    EXECUTE format('ALTER TABLE register.{layer} {able} TRIGGER %I', name);
  END LOOP;
END $$
"""
# What was known of every stand before today's version.
_PAST = """
INSERT INTO register.stands (id, key, region, number, quarter, species, area_m2, digest, geom, sys_from, sys_to)
SELECT id, key, region, number, quarter, species, area_m2, digest, geom,
  now() - interval '3 years', now() - interval '1 year'
FROM register.stands WHERE sys_to = 'infinity' AND id BETWEEN %s AND %s
"""
# Rights and restrictions over the forest, one of each kind for twenty stands, each of 32 vertices.
_RIGHTS = """
INSERT INTO register.{layer} (number, key, region, digest, geom)
SELECT 'n' || i, 'bench:' || i, '54', md5(i::text)::uuid, ST_Multi(ST_Buffer(ST_SetSRID(ST_Point(
  {west} + (i * 0.754877666 + {shift}) % 1 * {width}, {south} + (i * 0.569840291 + {shift}) % 1 * {height}), 4326), 0.01))
FROM generate_series(1::numeric, {count}) i
"""
RIGHTS = ("leases", "zones", "forest_plots", "licences", "parcels")
# The peers read plain tables: web mercator for tiles, degrees for features, as their manuals advise.
_PEERS = (
    "CREATE TABLE peers.stands AS SELECT id, number, species, age_group, land_kind, area_m2, geom_3857 AS geom"
    " FROM register.stands WHERE sys_to = 'infinity';"
    "CREATE INDEX ON peers.stands USING gist (geom); ALTER TABLE peers.stands ADD PRIMARY KEY (id)",
    "CREATE TABLE peers.plots AS SELECT id, number, quarter, species, age_group, land_kind, area_m2, geom"
    " FROM register.stands WHERE sys_to = 'infinity';"
    "CREATE INDEX ON peers.plots USING gist (geom); ALTER TABLE peers.plots ADD PRIMARY KEY (id)",
)
# Larger forests are asked how our own cost grows; nobody's tables are needed beside them.
_PEERS_TO = 1000
_AFTER = 2
# A quarter of the machine's memory at most, as the manual advises; the large forest fits in it.
BUFFERS = "4GB"
# Whoever is measured first must not pay for the disk.
_WARM = """
SELECT sum(pg_prewarm(oid::regclass)) FROM pg_class
WHERE relkind IN ('r', 'i') AND relnamespace IN ('register'::regnamespace, 'tiles'::regnamespace, 'peers'::regnamespace)
"""


def _key(side: int) -> str:
    digest = hashlib.sha256(str(side).encode())
    for path in [
        *sorted((ROOT / "migrations" / "sql").glob("*.sql")),
        Path(__file__),
        ROOT / "tests/benchmarks/coverage.py",
    ]:
        digest.update(path.read_bytes())
    return f"forest_{side}_{digest.hexdigest()[:8]}"


def cluster() -> Cluster:
    """The cluster of the forests, running."""
    found = Cluster.of_home(HOME)
    kept = Cluster(found.data, found.socket, throw_away=True)
    kept.start()
    with psycopg.connect(kept.url("postgres"), autocommit=True) as connection:
        known = connection.execute("SHOW shared_buffers").fetchone()
        connection.execute(f"ALTER SYSTEM SET shared_buffers = '{BUFFERS}'")
        connection.execute("ALTER SYSTEM SET max_wal_size = '16GB'")
    if known != (BUFFERS,):
        kept.stop()
        kept.start()
    return kept


@dataclass(frozen=True)
class Ground:
    """A database with a forest of ``side`` × ``side`` stands."""

    cluster: Cluster
    name: str
    coverage: Coverage
    took: float

    @property
    def count(self) -> int:
        """Its stands."""
        return self.coverage.side**2

    @property
    def settings(self) -> Settings:
        """Settings of servers over it; tiles that were kept by an earlier run are gone."""
        home = self.cluster.socket / self.name
        home.mkdir(exist_ok=True)
        shutil.rmtree(home / "tiles", ignore_errors=True)
        return Settings(
            database_url=self.cluster.url(self.name),
            app_database_url=self.cluster.url(self.name, "mezha_app"),
            registrar_database_url=self.cluster.url(self.name, "mezha_registrar"),
            home=home,
        )

    @classmethod
    def of(cls, place: Cluster, side: int) -> "Ground":
        """The forest in memory, made where there is none yet; ``took`` tells in how many seconds, 0 where it was there."""
        ground = cls._of(place, side)
        with psycopg.connect(place.url(ground.name), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
            connection.execute(_WARM)
        return ground

    @classmethod
    def _of(cls, place: Cluster, side: int) -> "Ground":
        coverage, name, begin = Coverage(side), _key(side), time.monotonic()
        with psycopg.connect(place.url("postgres"), autocommit=True) as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"forest\\_{side}\\_%"]
            ).fetchall()
            if (name,) in rows:
                return cls(place, name, coverage, 0.0)
            for (old,) in rows:
                connection.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
            connection.execute(f"DROP DATABASE IF EXISTS making_{side} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE making_{side}")
        _make(place.url(f"making_{side}"), coverage)
        with psycopg.connect(place.url("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE making_{side} RENAME TO {name}")
        return cls(place, name, coverage, time.monotonic() - begin)

    def overviews(self) -> tuple[int, float]:
        """Build what overviews are not true; chunks and seconds."""
        begin = time.monotonic()
        return keep(self.settings, date.today(), hands=_AFTER), time.monotonic() - begin


def _run(url: str, statements: Sequence[str]) -> None:
    """Each on a connection of its own, two at a time."""

    def one(statement: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            connection.execute("SET maintenance_work_mem = '512MB'")
            connection.execute(statement)

    with ThreadPoolExecutor(_AFTER) as pool:
        list(pool.map(one, statements))


def _copy(url: str, coverage: Coverage, first: int, last: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        coverage.copy(connection, first, last)


def _make(url: str, coverage: Coverage) -> None:
    migrate(url, frozenset())
    half, count = coverage.side // 2, coverage.side**2
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER ROLE mezha_app LOGIN")
        connection.execute("ALTER ROLE mezha_registrar LOGIN")
        connection.execute("CREATE SCHEMA peers")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'register' AND tablename = 'stands'"
            " AND indexname NOT LIKE 'pk%'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX register.{name}")
        for layer in ("stands", *RIGHTS):
            connection.execute(_TRIGGERS.format(layer=layer, able="DISABLE"))
    parts = [(0, half), (half, coverage.side)]
    workers = [get_context("spawn").Process(target=_copy, args=(url, coverage, *part)) for part in parts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode:
            raise RuntimeError("the stands were not loaded")
    _run(url, [_PAST.replace("%s", "{}").format(a * coverage.side + 1, b * coverage.side) for a, b in parts])
    west, south, east, north = coverage.box
    rights = [
        _RIGHTS.format(
            layer=layer,
            west=west,
            south=south,
            width=east - west,
            height=north - south,
            count=count // 20,
            shift=n / 7,
        )
        for n, layer in enumerate(RIGHTS)
    ]
    peers = _PEERS if coverage.side <= _PEERS_TO else ()
    _run(url, [*peers, *(definition for _, definition in indexes), *rights])
    with psycopg.connect(url, autocommit=True) as connection:
        for layer in ("stands", *RIGHTS):
            connection.execute(_TRIGGERS.format(layer=layer, able="ENABLE"))
            connection.execute("INSERT INTO tiles.changes (layer, x, y) VALUES (%s, -1, -1)", [layer])
        connection.execute("SELECT setval('register.object_id', %s)", [count * 2])
        connection.execute("VACUUM ANALYZE")


def main() -> None:
    """Throw the forests away."""
    place = Cluster.of_home(HOME)
    place.stop()
    shutil.rmtree(place.data, ignore_errors=True)
    shutil.rmtree(HOME, ignore_errors=True)


if __name__ == "__main__":
    main()
