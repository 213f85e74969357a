"""Plans: the present and the past each by their own index, filters by the spatial one, whoever asks."""

import re
from typing import Any

import psycopg
import pytest
from sqlalchemy import ARRAY, BigInteger, any_, cast, func, select
from sqlalchemy.dialects import postgresql

from geo import filters, objects, search
from geo.access import ANONYMOUS, IDENTIFY, Caller
from geo.layers import layer
from geo.moment import ALWAYS, Moment, parse
from geo.objects import Query
from geo.settings import Settings

STANDS = layer("stands")
THEN = "2021-01-01T00:00:00Z"
TODAY = Moment.today("UTC")


@pytest.fixture(scope="module")
def forest(settings: Settings) -> Settings:
    """Twenty thousand stands now and as many versions of them in the past."""
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        c.execute(
            "INSERT INTO register.stands (id, number, key, region, digest, geom, sys_from, sys_to) SELECT i, 'n', 'plan:' || i, '54',"
            " gen_random_uuid(), ST_Multi(ST_MakeEnvelope(80 + i % 200 * 0.01, 50 + i / 200 * 0.01, 80.009 + i % 200 * 0.01, 50.009 + i / 200 * 0.01, 4326)),"
            " v.f, v.t FROM generate_series(1, 20000) i, (VALUES ('2020-01-01'::timestamptz, '2022-01-01'::timestamptz), ('2022-01-01', 'infinity')) v (f, t)"
        )
        c.execute("ANALYZE register.stands")
    return settings


def plan(settings: Settings, statement: Any, caller: Caller = ANONYMOUS) -> str:
    text = str(
        statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    )
    with psycopg.connect(settings.app_database_url) as app:
        app.execute(IDENTIFY, caller.settings())
        return "\n".join(line for (line,) in app.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {text}"))


def page(
    where: str = "", as_of: str | None = None, box: tuple[float, ...] | None = None, moment: Moment = TODAY
) -> Any:
    table = objects.gate("stands")
    found = (filters.condition(STANDS, table, where),) if where else ()
    boxes = ((box[0], box[1], box[2], box[3]),) if box else ()
    query = Query(boxes=boxes, moment=parse(None, as_of, moment), where=found, limit=100, after=500)
    return objects.chosen(STANDS, query, [table.c.id, objects.feature_text(STANDS)], limit=101)


@pytest.mark.parametrize(
    "caller", [ANONYMOUS, Caller(account=1, rank=1, regions=("54",))], ids=["anonymous", "staff"]
)
@pytest.mark.parametrize("as_of", [None, THEN])
@pytest.mark.parametrize("moment", [TODAY, ALWAYS], ids=["today", "always"])
def test_a_page_walks_its_index_and_reads_no_more_than_the_page(
    forest: Settings, caller: Caller, as_of: str | None, moment: Moment
) -> None:
    shown = plan(forest, page(as_of=as_of, moment=moment), caller)
    assert "Seq Scan" not in shown, shown
    assert ("ix_stands_past_id" if as_of else "ix_stands_current_id") in shown
    # The states of an object are put in order by groups of 32 rows.
    most = 102 if moment.one_day else 102 + 32
    assert max(int(n) for n in re.findall(r"\(actual rows=(\d+)", shown)) <= most, shown


@pytest.mark.parametrize("as_of", [None, THEN])
def test_a_box_uses_the_spatial_index_of_its_time(forest: Settings, as_of: str | None) -> None:
    shown = plan(forest, page(as_of=as_of, box=(80.5, 50.3, 80.55, 50.35)))
    assert ("ix_stands_past_geom" if as_of else "ix_stands_current_geom") in shown, shown
    assert "Seq Scan" not in shown


@pytest.mark.parametrize("as_of", [None, THEN])
@pytest.mark.parametrize(
    "where", ["S_INTERSECTS(geometry, BBOX(80.5, 50.3, 80.55, 50.35))",
              "S_WITHIN(geometry, POLYGON((80.5 50.3,80.6 50.3,80.6 50.4,80.5 50.3))) AND number = 'n'"],
)  # fmt: skip
def test_a_filter_uses_the_spatial_index(forest: Settings, where: str, as_of: str | None) -> None:
    shown = plan(forest, page(where, as_of=as_of))
    assert ("ix_stands_past_geom" if as_of else "ix_stands_current_geom") in shown, shown


@pytest.mark.parametrize("as_of", [None, THEN])
def test_one_object_is_a_range_look_up(forest: Settings, as_of: str | None) -> None:
    table = objects.gate("stands")
    statement = (
        select(table.c.version)
        .where(objects.at_moment(table, parse(None, as_of, ALWAYS)), table.c.id == 777)
        .order_by(table.c.valid_from.desc())
        .limit(1)
    )
    shown = plan(forest, statement)
    assert ("ix_stands_past_id" if as_of else "ix_stands_current_id") in shown, shown
    assert "Seq Scan" not in shown
    assert "(actual rows=1 " in shown.splitlines()[0]


@pytest.mark.parametrize("as_of", [None, THEN])
def test_a_count_in_a_box_uses_the_index(forest: Settings, as_of: str | None) -> None:
    from sqlalchemy import func

    table = objects.gate("stands")
    query = Query(boxes=((80.5, 50.3, 80.55, 50.35),), moment=parse(None, as_of, TODAY))
    shown = plan(forest, select(func.count()).select_from(table).where(objects.conditions(STANDS, query)))
    assert "Seq Scan" not in shown, shown


def test_a_part_of_a_word_is_searched_in_the_index(settings: Settings) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO register.municipalities (name, key, region, digest)"
            " SELECT md5(i::text), 'search:' || i, '54', md5(i::text)::uuid FROM generate_series(1, 5000) i"
        )
        search.fill(settings.url_for("registrar"))
        owner.execute("VACUUM ANALYZE register.municipalities, search.words")
        words = "EXPLAIN SELECT version FROM search.words WHERE words ILIKE '%0c1e%'"
        assert "ix_words" in "\n".join(line for (line,) in owner.execute(words))
    few = select(func.search.few("%0c1e%", "municipalities")).scalar_subquery()
    table = objects.gate("municipalities")
    shown = plan(settings, select(table.c.id).where(table.c.version == any_(cast(few, ARRAY(BigInteger)))))
    # The layer itself is read by the versions that the index named.
    assert "pk_municipalities" in shown, shown


@pytest.mark.parametrize("known", ["1990-01-01T00:00:00Z", THEN])
def test_what_a_layer_held_at_a_moment_is_known_without_reading_it(forest: Settings, known: str) -> None:
    with psycopg.connect(forest.app_database_url) as app:
        app.execute(IDENTIFY, ANONYMOUS.settings())
        asked = f"SELECT loaded FROM spatial.layer_states('{known}') WHERE layer = 'stands'"
        app.execute(asked)
        shown = "\n".join(line for (line,) in app.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {asked}"))
        assert app.execute(asked).fetchone() == (known == THEN,)
        size = app.execute("SELECT pg_relation_size('register.stands') / 8192").fetchone()
    read = sum(int(n) for n in re.findall(r"shared (?:hit=\d+ )?read=(\d+)|shared hit=(\d+)", shown)[0] if n)
    assert size and read < size[0] / 3, shown


@pytest.mark.parametrize(
    ("caller", "rank", "most"),
    [
        (ANONYMOUS, 2, 10),
        (ANONYMOUS, 0, 2500),
        (Caller(account=1, rank=1, regions=("54",)), 2, 2500),
    ],
    ids=["hidden", "open", "his region"],
)
def test_of_a_layer_that_is_hidden_nothing_is_read_to_say_so(
    forest: Settings, caller: Caller, rank: int, most: int
) -> None:
    with psycopg.connect(forest.database_url) as owner:
        owner.execute("UPDATE access.layers SET rank = %s WHERE name = 'stands'", (rank,))
        owner.execute("SET LOCAL ROLE mezha_app")
        owner.execute(IDENTIFY, caller.settings())
        [(newest,)] = owner.execute(
            "SELECT newest FROM spatial.layer_states(NULL) WHERE layer = 'stands'"
        ).fetchall()
        [(read,)] = owner.execute(
            "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relid = 'register.stands'::regclass"
        ).fetchall()
        owner.rollback()
    assert (newest is None) == (most == 10)
    assert read <= most
