"""Cases: a submission with its rules over a million objects, two hundred at once, and the lists."""

import asyncio
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
import uvloop
from sqlalchemy import event

from cases import drafts, ground, queue, record, service, submission
from cases.desk import Desk
from cases.drafts import Change
from cases.evaluation import statement
from cases.lifecycle import Role
from cases.queue import Wanted
from cases.record import Case
from cases.rules import Moment
from cases.submission import Examined
from geo.cluster import Cluster
from geo.db import Database
from geo.migration import migrate
from geo.settings import Settings
from tests.benchmarks.ground import sides
from tests.benchmarks.row import Row
from tests.cases.region import APPLICANT, DECLARATION, INN, OFFICER, area_ha, box, polygon, sign
from tests.conftest import make_object

# Layer, number of objects, columns and values beside the geometry; together a million.
MILLION = (
    ("stands", 700, "number", "'1'"),
    (
        "zones",
        100,
        "number, kind, status",
        "'n', CASE WHEN i % 3 = 0 THEN 'linear' ELSE 'other' END, 'active'",
    ),
    ("cutting_areas", 100, "number, status, year, lease", "'n', 'refused', 2020, 'x' || i"),
    ("licences", 50, "number, status", "'n', 'annulled'"),
    ("leases", 50, "number", "'n'"),
)
# How many submit at once.
CROWD = 200
FILL = """
INSERT INTO register.{layer} (key, region, digest, geom, {columns})
SELECT 'bench:' || i, '54', gen_random_uuid(),
  ST_Multi(ST_MakeEnvelope(x, y, x + 0.0028, y + 0.0018, 4326)), {values}
FROM (SELECT i, 82 + (i % 1000) * 0.003 AS x, 54 + (i / 1000) * 0.002 AS y FROM generate_series(0, {rows} - 1) i) g
"""


def _settings(cluster: Cluster) -> Settings:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE bench")
    migrate(cluster.url("bench"), frozenset())
    with psycopg.connect(cluster.url("bench"), autocommit=True) as connection:
        connection.execute("ALTER ROLE mezha_app LOGIN")
        connection.execute("ALTER ROLE mezha_registrar LOGIN")
        for layer, thousands, columns, values in MILLION:
            count = thousands * sides()[1] ** 2 // 1000
            connection.execute(
                FILL.format(layer=layer, columns=columns, values=values, rows=count)  # type: ignore[arg-type]
            )
        # Only what was filled: statistics of empty tables would tell the planner that they stay empty.
        for layer, *_ in MILLION:
            connection.execute(f"ANALYZE register.{layer}")  # type: ignore[arg-type]
    return Settings(
        database_url=cluster.url("bench"),
        app_database_url=cluster.url("bench", "mezha_app"),
        registrar_database_url=cluster.url("bench", "mezha_registrar"),
        home=Path(mkdtemp()),
        region="54",
    )


async def _draft(
    writer: Database, desk: Desk, lease: int, corners: tuple[float, float, float, float]
) -> Case:
    async with writer.transaction(APPLICANT.caller) as connection:
        case = await drafts.create(
            connection, desk, APPLICANT, "forest-declaration", inn=INN, subject_id=lease
        )
        payload = DECLARATION | {"year": desk.today().year, "area_ha": area_ha(corners), "volume_m3": 1}
        change = Change(payload=payload, shape=ground.drawn(polygon(*corners)))
        saved = await drafts.save(connection, desk, APPLICANT, case.id, change, revision=case.revision)
    await sign(writer, APPLICANT, saved.id)
    return saved


async def _submit(writer: Database, desk: Desk, case: int, reasons: dict[str, str]) -> float:
    begin = time.perf_counter()
    async with writer.transaction(APPLICANT.caller) as connection:
        await service.submit(connection, desk, APPLICANT, case, acknowledgements=reasons)
    return time.perf_counter() - begin


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[18] * 1000


async def _examined(writer: Database, desk: Desk, case_id: int) -> Examined:
    """What a submission asks before it takes its place; nothing is kept."""
    async with writer.transaction(APPLICANT.caller) as connection:
        case = await record.load(connection, case_id)
        definition = desk.catalogue.service(case.service, desk.today())
        return await submission.examine(connection, desk, APPLICANT, case, definition, moment=Moment.submit)


async def _sql_alone(settings: Settings, writer: Database, desk: Desk, case: Case) -> list[float]:
    """The rules' own statement, by psycopg with nothing around it."""
    examined = await _examined(writer, desk, case.id)
    assert examined.rules
    layered = [r for r in examined.rules.rules if r.layer]
    asked, values = statement(layered, examined.question, replayed=False)
    compiled: Any = asked.compile(dialect=writer.engine.dialect)
    times = []
    with psycopg.connect(settings.url_for("registrar")) as plain:
        plain.execute("SELECT set_config('mezha.rank', '3', false)")
        for _ in range(40):
            begin = time.perf_counter()
            plain.execute(str(compiled), values).fetchall()
            times.append(time.perf_counter() - begin)
    return times


async def _measure(settings: Settings) -> list[Row]:
    desk, writer = Desk.of(settings), Database(settings, role="registrar")
    await writer.open()
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        lease = make_object(
            owner, "leases", geom=box(83, 54.5, 83.3, 54.7), holder_inn=INN, number="1", annual_volume_m3=1e6
        )
        make_object(owner, "waste_sites", geom="POINT(90 60)")
    spread = [(83.01 + n * 0.004, 54.51, 83.013 + n * 0.004, 54.513) for n in range(60)]
    cases = [await _draft(writer, desk, lease, corners) for corners in spread]
    reasons = {"adjoining": "bench", "special-forest": "bench"}
    times = [await _submit(writer, desk, case.id, reasons) for case in cases][10:]
    alone = await _sql_alone(settings, writer, desk, await _draft(writer, desk, lease, spread[0]))
    spot = (83.1, 54.6, 83.11, 54.609)
    many = [(await _draft(writer, desk, lease, spot)).id for _ in range(CROWD)]
    race, whole = await asyncio.to_thread(_race, settings, many, reasons)
    _check_race(settings, many)
    statements = await _statements(settings, desk)
    await writer.close()
    p95, own = _p95(times), _p95(alone)
    rules = len(desk.catalogue.rule_sets["forest-declaration", 1].rules)
    return [
        Row(f"Submission with {rules} rules over 1,000,000 objects, p95", f"{p95:.0f} ms", f"{own:.0f} ms, its rules' SQL alone", p95 / own, "≤ 60 ms; ≤ 1.5 × its SQL"),
        Row(f"{CROWD} submissions at once on one km², p95", f"{_p95(race):.0f} ms", f"{whole:.2f} s for all", None, "≤ 2 s"),
        Row("Statements of a list page of 200 cases", str(statements), "", None, "≤ 15"),
    ]  # fmt: skip


async def _crowd(settings: Settings, cases: list[int], reasons: dict[str, str], at: float) -> list[float]:
    """All of them at once, at an agreed instant, through the connections of one server process."""
    desk, writer = Desk.of(settings), Database(settings, role="registrar")
    size = max(2, settings.pool_size // 2)
    # A server that has worked since the morning: its connections are open, and have planned what is asked.
    await asyncio.gather(*(_examined(writer, desk, case) for case in cases[:size]))
    # As many at the door as connections: nobody's wait is given up here, however busy the machine; it is what is measured.
    turns = asyncio.Semaphore(size)

    async def one(case: int) -> float:
        async with turns:
            await _submit(writer, desk, case, reasons)
        return time.perf_counter() - began

    await asyncio.sleep(max(0.0, at - time.time()))
    began = time.perf_counter()
    done = await asyncio.gather(*map(one, cases))
    await writer.close()
    return list(done)


def _runner(document: str, cases: list[int], reasons: dict[str, str], at: float) -> list[float]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the loop of the server
        return runner.run(_crowd(Settings.model_validate_json(document), cases, reasons, at))


def _race(settings: Settings, cases: list[int], reasons: dict[str, str]) -> tuple[list[float], float]:
    """Submissions at once in as many processes as the server has: each one's seconds, and those of the whole race."""
    document, at = settings.model_dump_json(), time.time() + 15
    with ProcessPoolExecutor(settings.workers, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(_runner, document, cases[n :: settings.workers], reasons, at)
            for n in range(settings.workers)
        ]
        found = [seconds for job in jobs for seconds in job.result()]
    return found, max(found)


def _check_race(settings: Settings, cases: list[int]) -> None:
    """One order without a gap, an event each, and everybody but the first knows of those before him."""
    with psycopg.connect(settings.database_url) as owner:
        orders = owner.execute(
            "SELECT c.lodged_order, (SELECT count(*) FROM cases.events e WHERE e.case_id = c.id AND e.action = 'submit'),"
            " (SELECT jsonb_array_length(f.objects) FROM cases.findings f JOIN cases.checks k ON k.id = f.check_id"
            "  WHERE k.case_id = c.id AND f.rule = 'claimed')"
            " FROM cases.cases c WHERE c.id = ANY (%s) ORDER BY c.lodged_order",
            [cases],
        ).fetchall()
    first = orders[0][0]
    expected = [(first + n, 1, min(n, 50)) for n in range(len(cases))]
    if [tuple(o) for o in orders] != expected:
        raise RuntimeError(f"the race is lost: {orders[:5]} …")


async def _statements(settings: Settings, desk: Desk) -> int:
    """Statements that the office's list causes."""
    database = Database(settings)
    counted = []
    event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda *found: counted.append(found[2])
    )
    async with database.transaction(OFFICER.caller) as connection:
        lines = await queue.lines(connection, desk, OFFICER, Wanted(side=Role.officer, limit=200))
    assert len(lines) == 200
    await database.engine.dispose()
    return len(counted) + 1  # who asks is told beside SQLAlchemy


def rows() -> list[Row]:
    """Measure on a cluster of its own."""
    cluster = Cluster.temporary()
    cluster.start()
    try:
        return asyncio.run(_measure(_settings(cluster)))
    finally:
        cluster.destroy()
