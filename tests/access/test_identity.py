"""A pooled connection never carries one caller into the next call, however the call before ended."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geo.access import ANONYMOUS, Caller
from geo.db import Database
from geo.settings import Settings

SOMEBODY = Caller(account=81, rank=3, regions=("54",), inns=("7707083893",), objects=(1, 2))
WHO = "SELECT access.account(), access.rank(), access.regions(), access.inns(), access.objects()"
NOBODY = (None, 0, [], [], [])


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """Pools of one connection, so that the next call gets the connection of the call before."""
    made = Database(settings.model_copy(update={"pool_size": 1, "statement_timeout_ms": 300}))
    await made.open()
    yield made
    await made.close()


async def fault(database: Database, way: str, how: str, owner: psycopg.Connection[Any]) -> None:
    """Let a call of somebody end badly."""
    opened: Any = database.transaction(SOMEBODY) if way == "transaction" else database.raw(SOMEBODY)
    async with opened as connection:

        async def run(statement: str) -> Any:
            return await connection.execute(text(statement) if way == "transaction" else statement)

        who = await run(WHO)
        row = who.one() if way == "transaction" else await who.fetchone()
        assert row[0] == SOMEBODY.account
        if how == "exception":
            raise ZeroDivisionError
        if how == "sql error":
            await run("SELECT 1 / 0")
        if how == "timeout":
            await run("SELECT pg_sleep(5)")
        if how == "cancel":
            await asyncio.wait_for(run("SELECT pg_sleep(5)"), 0.05)
        if how == "crash":
            found = await run("SELECT pg_backend_pid()")
            (pid,) = found.one() if way == "transaction" else await found.fetchone()
            owner.execute("SELECT pg_terminate_backend(%s)", [pid])
            await run("SELECT 1")


async def test_a_connection_that_the_server_closed_is_not_used_again(
    database: Database, owner: psycopg.Connection[Any]
) -> None:
    async with database.transaction(ANONYMOUS) as connection:
        (pid,) = (await connection.execute(text("SELECT pg_backend_pid()"))).one()
    owner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    async with database.transaction(ANONYMOUS) as connection:
        (other,) = (await connection.execute(text("SELECT pg_backend_pid()"))).one()
        (limit,) = (await connection.execute(text("SHOW statement_timeout"))).one()
    assert other != pid
    assert limit == "300ms"


@pytest.mark.requirement("R-18")
@pytest.mark.parametrize("way", ["transaction", "raw"])
@pytest.mark.parametrize("how", ["commit", "exception", "sql error", "timeout", "cancel", "crash"])
async def test_the_next_call_is_nobodys(
    database: Database, owner: psycopg.Connection[Any], way: str, how: str
) -> None:
    if how == "commit":
        await fault(database, way, how, owner)
    else:
        with pytest.raises((ZeroDivisionError, DBAPIError, psycopg.Error, TimeoutError)):
            await fault(database, way, how, owner)
    async with database.transaction(ANONYMOUS) as connection:
        assert tuple((await connection.execute(text(WHO))).one()) == NOBODY
    async with database.raw(ANONYMOUS) as raw:
        assert tuple(await (await raw.execute(WHO)).fetchone() or ()) == NOBODY


@pytest.mark.parametrize(
    "value", ["54'; SET mezha.rank = 3; --", '54","70', "54}", "\\", '"', "54\n70", "{70}"]
)
async def test_a_name_with_sql_in_it_opens_nothing(database: Database, value: str) -> None:
    async with database.transaction(
        Caller(account=82, rank=1, regions=(value,), inns=(value,))
    ) as connection:
        row = (await connection.execute(text(WHO))).one()
    assert (row[1], row[2], row[3]) == (1, [value], [value])
