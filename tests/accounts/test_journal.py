"""The journal: appended in one transaction with its cause, unchangeable, read by whom it concerns."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from accounts.action import TITLES, Action
from accounts.journal import Entry, Question, enter, listed, read, record, viewed
from geo.access import ANONYMOUS, IDENTIFY, Caller
from geo.db import Database
from geo.settings import Settings
from tests.accounts.conftest import Enrolled
from tests.conftest import make_object


@pytest.fixture(scope="module")
async def database(settings: Settings) -> Any:
    made = Database(settings)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def app(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the serving role in a transaction that is rolled back."""
    with psycopg.connect(settings.app_database_url) as connection:
        yield connection
        connection.rollback()


def test_every_action_has_titles() -> None:
    assert set(TITLES) == set(Action)
    assert all(title["ru"] and title["en"] for title in TITLES.values())


async def test_an_entry_is_there_if_and_only_if_its_transaction_commits(
    database: Database, owner: psycopg.Connection[Any]
) -> None:
    count = "SELECT count(*) FROM journal.entries WHERE account = 41"
    with pytest.raises(ZeroDivisionError):
        async with database.transaction(ANONYMOUS) as connection:
            await record(connection, Entry(Action.change, account=41))
            raise ZeroDivisionError
    assert owner.execute(count).fetchone() == (0,)
    async with database.transaction(ANONYMOUS) as connection:
        await record(
            connection, Entry(Action.change, account=41, details={"было": "а\x00\x1f", "стало": None})
        )
    async with database.raw(ANONYMOUS) as raw:
        await record(raw, Entry(Action.change, account=41, region="54\x1f\x00"))
    assert owner.execute(count).fetchone() == (2,)


@pytest.mark.parametrize("role", ["mezha_app", "mezha_registrar", "mezha_owner"])
@pytest.mark.parametrize("table", ["entries", "links", "roots"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_nobody_changes_what_was_written(
    db: psycopg.Connection[Any], role: str, table: str, statement: str
) -> None:
    column = "name" if table == "roots" else "number"
    names = (sql.Identifier("journal", table), sql.Identifier(column), sql.Identifier(column))
    db.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.IntegrityConstraintViolation)):
        db.execute(sql.SQL(statement).format(*names[: statement.count("{}")]))


@pytest.mark.parametrize("role", ["mezha_app", "mezha_registrar"])
def test_the_working_roles_cannot_write_past_the_function(db: psycopg.Connection[Any], role: str) -> None:
    db.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("INSERT INTO journal.links VALUES (1, 1, '', '', '')")


@pytest.mark.requirement("C-27", "F-45", "R-17")
def test_each_reads_what_concerns_him(app: psycopg.Connection[Any]) -> None:
    enter(app, Entry(Action.log_in, account=901))
    enter(app, Entry(Action.right_given, account=902, concerned=901))
    enter(app, Entry(Action.view, account=903, subject="licences", object=1, region="54", inn="7707083893"))
    enter(app, Entry(Action.view, account=903, subject="licences", object=2, region="70", inn="5405000000"))

    def seen(caller: Caller) -> list[tuple[int, int | None]]:
        app.execute(IDENTIFY, caller.settings())
        return app.execute(
            "SELECT account, object FROM journal.entries WHERE account BETWEEN 901 AND 903 ORDER BY 1, 2"
        ).fetchall()

    assert seen(ANONYMOUS) == []
    assert seen(Caller(account=999, rank=1)) == []
    assert seen(Caller(account=901, rank=1)) == [(901, None), (902, None)]
    assert seen(Caller(account=904, rank=1, inns=("7707083893",))) == [(903, 1)]
    assert seen(Caller(account=905, rank=1, regions=("70",))) == [(903, 2)]
    assert len(seen(Caller(account=906, rank=3))) == 4


@pytest.mark.requirement("C-27", "F-45")
def test_federal_staff_read_every_region_and_nothing_that_concerns_none(
    app: psycopg.Connection[Any], owner: psycopg.Connection[Any], enrolled: Enrolled
) -> None:
    _, federal = enrolled(duty="inspector", region="*")
    enter(app, Entry(Action.log_in, account=911))
    enter(app, Entry(Action.view, account=911, subject="licences", object=1, region="54"))
    enter(app, Entry(Action.view, account=911, subject="licences", object=2, region="70"))
    app.execute(IDENTIFY, Caller(account=federal, rank=2).settings())
    seen = "SELECT object FROM journal.entries WHERE account = 911 ORDER BY 1"
    assert app.execute(seen).fetchall() == [(1,), (2,)]
    # The duty is asked of the tables: once it has ended, the next statement shows nothing.
    owner.execute("UPDATE accounts.staff SET ended_at = now() WHERE account = %s", [federal])
    assert app.execute(seen).fetchall() == []


async def test_the_address_is_for_its_owner_and_for_staff(database: Database, enrolled: Enrolled) -> None:
    async with database.transaction(ANONYMOUS) as connection:
        entry = Entry(Action.view, account=51, region="54", inn="7707083893", address="192.0.2.7")
        await record(connection, entry)
    for caller, address in (
        (Caller(account=51, rank=1), "192.0.2.7"),
        (Caller(account=52, rank=1, inns=("7707083893",)), None),
        (Caller(account=53, rank=1, regions=("54",)), "192.0.2.7"),
        (Caller(account=enrolled(duty="officer", region="*")[1], rank=2), "192.0.2.7"),
    ):
        async with database.transaction(caller) as connection:
            rows = await read(connection, Question(account=51, first=datetime.now(UTC).date()))
        assert [row["address"] for row in rows] == [address]


async def test_looking_at_what_is_restricted_leaves_an_entry(
    database: Database, owner: psycopg.Connection[Any]
) -> None:
    licence = make_object(owner, "licences", holder_inn="7707083893", region="54")
    plain, narrow = make_object(owner, "zones"), make_object(owner, "zones", visibility=2, region="70")
    administrator = Caller(account=61, rank=3)
    async with database.transaction(administrator) as connection:
        for layer, identity in (("licences", licence), ("zones", plain), ("zones", narrow)):
            await viewed(connection, administrator, layer, identity, address="192.0.2.8")
        await listed(connection, administrator, "licences", details={"returned": 1})
        await listed(connection, administrator, "zones", details={"returned": 2})
        rows = await read(connection, Question(account=61))
    found = {(r["action"], r["subject"], r["object"], r["region"], r["inn"]) for r in rows}
    assert found == {
        ("view", "licences", licence, "54", "7707083893"),
        ("view", "zones", narrow, "70", None),
        ("listed", "licences", None, None, None),
    }


def test_a_long_transaction_holds_up_no_other_writer(settings: Settings) -> None:
    with psycopg.connect(settings.app_database_url) as slow:
        enter(slow, Entry(Action.change))
        done = threading.Event()

        def write() -> None:
            for _ in range(5):
                with psycopg.connect(settings.app_database_url, options="-c lock_timeout=2s") as quick:
                    enter(quick, Entry(Action.change))
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=20)
        assert done.is_set()
        enter(slow, Entry(Action.change))
