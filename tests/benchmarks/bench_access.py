"""Access: tiles and pages of 1,000,000 objects through the policies, against the same SQL without them.

Half of the objects lie in each of two regions, a tenth is narrowed to staff, and one holder has 100 of them; the layer
stands once as restricted and once as published. Both sides run one after the other for every question; the quickest
of the runs counts, so that a busy machine falls out. MEZHA_BENCH_SIDE makes it another number than a million.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from morecantile import tms
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

from geo import objects
from geo.access import ANONYMOUS, IDENTIFY, Caller, publish_statement
from geo.cluster import Cluster
from geo.layers import Access, layer
from geo.migration import migrate
from geo.moment import ALWAYS, Moment
from geo.objects import Query
from tests.benchmarks.ground import sides
from tests.benchmarks.row import Row
from tiles.vector import TileQuery, statement

LAYER = "licences"
STEP = 0.004  # of an object, degrees
WEST, SOUTH = 80.0, 52.0
HOLDER = "7707083893"
CALLERS: Mapping[str, Caller] = {
    "administrator": Caller(account=1, rank=int(Access.sealed)),
    "anonymous": ANONYMOUS,
    "owner of 100": Caller(account=2, rank=1, inns=(HOLDER,)),
    "inspector": Caller(account=3, rank=1, regions=("54",)),
}
QUESTIONS = 40
RUNS = 5
FILL = f"""
INSERT INTO register.{LAYER} (number, key, region, visibility, holder_inn, digest, geom)
SELECT n::text, 'bench:' || n, CASE WHEN x < {{side}} / 2 THEN '54' ELSE '70' END,
       CASE WHEN n % 10 = 3 THEN 2 ELSE 0 END, CASE WHEN n % ({{side}} * {{side}} / 100) = 5 THEN '{HOLDER}'
       ELSE '5406000002' END, md5(n::text)::uuid,
       ST_Multi(ST_Segmentize(ST_MakeEnvelope(w, s, w + {STEP * 0.9}, s + {STEP * 0.9}, 4326), {STEP / 6}))
FROM (SELECT y * {{side}} + x AS n, x, {WEST} + x * {STEP} AS w, {SOUTH} + y * {STEP} AS s
      FROM generate_series({{first}}, {{past}} - 1) y, generate_series(0, {{side}} - 1) x) grid
"""
Statement = tuple[str, Any]


def together(url: str, statements: list[str]) -> None:
    """Run statements two at a time, each on a connection of its own."""

    def one(text: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET maintenance_work_mem = '512MB'")
            connection.execute(text)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, statements))


def load(url: str, side: int) -> None:
    """Fill the layer; its indexes come after the rows, and nothing is noted for tiles and conflicts."""
    table = f"register.{LAYER}"
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'register' AND tablename = %s"
            " AND indexname LIKE 'ix%%'",
            [LAYER],
        ).fetchall()
        for name, _ in found:
            connection.execute(f"DROP INDEX register.{name}")
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        halves = ((0, side // 2), (side // 2, side))
        together(url, [FILL.format(side=side, first=first, past=past) for first, past in halves])
        together(url, [definition for _, definition in found])
        connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        connection.execute(f"VACUUM ANALYZE {table}")


def tiles(zoom: int, side: int) -> list[Statement]:
    """Statements of tiles, as they are served."""
    chance, grid, today = random.Random(7), tms.get("WebMercatorQuad"), Moment.today("Asia/Novosibirsk")
    made = []
    for _ in range(QUESTIONS):
        lon, lat = (base + chance.uniform(0.1, 0.9) * side * STEP for base in (WEST, SOUTH))
        tile = grid.tile(lon, lat, zoom)
        query = TileQuery((LAYER,), tile.z, tile.x, tile.y, today)
        made.append((statement((LAYER,), False, whole=query.whole()), query.values()))
    return made


async def pages(url: str, side: int) -> list[Statement]:
    """Statements of pages of 100 objects in boxes, as SQLAlchemy sends them; the count is remembered and not asked."""
    chance, made, target = random.Random(8), list[Statement](), layer(LAYER)
    engine = create_async_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))

    def note(_: Any, __: Any, sql: str, values: Any, *___: Any) -> None:
        made.append((sql, values))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    async with engine.connect() as connection:
        for _ in range(QUESTIONS):
            west, south = (base + chance.uniform(0.1, 0.9) * side * STEP for base in (WEST, SOUTH))
            query = Query(boxes=((west, south, west + 0.1, south + 0.06),), moment=ALWAYS, limit=100)
            columns = [objects.gate(LAYER).c.id, objects.feature_text(target)]
            await connection.execute(objects.chosen(target, query, columns, limit=query.limit + 1))
    await engine.dispose()
    return [s for s in made if "gate." in s[0]]


def quickest(connection: psycopg.Connection[Any], found: Statement) -> float:
    """Seconds of one run."""
    sql, values = found
    cursor = psycopg.RawCursor(connection) if isinstance(values, tuple) else connection.cursor()
    with cursor:
        begin = time.perf_counter()
        cursor.execute(sql, values, prepare=True)
        cursor.fetchall()
        return time.perf_counter() - begin


def compare(served: psycopg.Connection[Any], bare: psycopg.Connection[Any], found: list[Statement]) -> Any:
    """Questions a second with the policies and without."""
    with_them = without = 0.0
    for sql, values in found:
        naked = (sql.replace("gate.", "register."), values)
        pairs = [(quickest(served, (sql, values)), quickest(bare, naked)) for _ in range(RUNS)]
        with_them += min(p[0] for p in pairs)
        without += min(p[1] for p in pairs)
    return len(found) / with_them, len(found) / without


def measure(cluster: Cluster, side: int, publish: frozenset[str]) -> list[Row]:
    """Rows of the layer as it stands."""
    kinds = {f"tile z{zoom}": tiles(zoom, side) for zoom in (11, 13)}
    kinds["page of 100"] = asyncio.run(pages(cluster.url("bench", "mezha_app"), side))
    standing, made = "published" if publish else "restricted", []
    with psycopg.connect(cluster.url("bench"), autocommit=True) as bare:
        bare.execute(publish_statement(publish))
        for who, caller in CALLERS.items():
            with psycopg.connect(cluster.url("bench", "mezha_app")) as served:
                served.execute(IDENTIFY, caller.settings())
                for kind, found in kinds.items():
                    ours, plain = compare(served, bare, found)
                    what = f"{side * side:,} {standing} objects, {kind}, {who}"
                    made.append(Row(what, f"{ours:,.0f}/s", f"without {plain:,.0f}/s", ours / plain, "≥ 0.8"))
    return made


def rows() -> list[Row]:
    """Measure on a throw-away cluster."""
    cluster, (_, side) = Cluster.temporary(), sides()
    cluster.start()
    try:
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET max_wal_size = '16GB'")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE bench")
        migrate(cluster.url("bench"), frozenset())
        with psycopg.connect(cluster.url("bench"), autocommit=True) as connection:
            connection.execute("ALTER ROLE mezha_app LOGIN")
        load(cluster.url("bench"), side)
        return [row for publish in ((), (LAYER,)) for row in measure(cluster, side, frozenset(publish))]
    finally:
        cluster.destroy()
