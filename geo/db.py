"""The database: two ways in (psycopg for COPY and hot SQL, SQLAlchemy for the rest), each query with its caller."""

import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from geo.access import IDENTIFY, Caller
from geo.batch import order, together
from geo.settings import Settings

_IDENTIFY = text(IDENTIFY.replace("%(", ":").replace(")s", ""))


def _still_there(connection: Any, *_: object) -> None:
    """Throw the pool's connections away where the server has hung up: an idle connection has nothing to read but that.

    To ask the server instead costs every request a question and an answer.
    """
    watched = select.poll()
    watched.register(connection.driver_connection.fileno(), select.POLLIN)
    if watched.poll(0):
        raise InvalidatePoolError("the server has closed the connection")


class Database:
    """Connections of one server process; both pools log in as the serving role."""

    def __init__(self, settings: Settings, *, role: str = "app") -> None:
        url = settings.url_for(role)
        # Who writes holds locks for which the next one waits: few connections, which keep their plans and are never
        # closed between two turns, are quicker through a crowd than many, and leave the database's time to readers.
        writes = role == "registrar"
        size = max(2, settings.pool_size // 2) if writes else settings.pool_size
        # What is written is found by keys: its statements are planned once a connection, not anew at each of the first ten
        # calls (planning all rules of a service takes ten times as long as asking them).
        self._plans = "force_generic_plan" if writes else "auto"
        self._timeout = f"{settings.statement_timeout_ms}"
        self.engine: AsyncEngine = create_async_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            pool_size=size,
            max_overflow=0 if writes else size,
            connect_args={"prepare_threshold": 0} if writes else {},
            # Who reads and gets no connection is told so soon; who writes waits for his turn behind those before him, as
            # long as he would for a lock.
            pool_timeout=10 if role == "app" else settings.statement_timeout_ms / 1000,
        )
        event.listen(self.engine.sync_engine, "connect", self._limit)
        event.listen(self.engine.sync_engine, "checkout", _still_there)
        self.pool: AsyncConnectionPool[psycopg.AsyncConnection[TupleRow]] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=size,
            open=False,
            timeout=10,
            kwargs={"autocommit": True, "prepare_threshold": 0},
            configure=self._configure,
        )

    async def _configure(self, connection: psycopg.AsyncConnection[TupleRow]) -> None:
        await connection.execute("SELECT set_config('statement_timeout', %s, false)", [self._timeout])

    def _limit(self, connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, false), set_config('plan_cache_mode', %s, false)",
            [self._timeout, self._plans],
        )
        cursor.close()
        connection.commit()

    async def open(self) -> None:
        """Open the pools; nothing is connected before, so that a server starts without its database."""
        await self.pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        await self.pool.close()
        await self.engine.dispose()

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator[AsyncConnection]:
        """One transaction in which the database knows who asks; it commits at the end, rolls back on an error."""
        async with self.engine.begin() as connection:
            if not caller.anonymous:
                await together(connection, order(_IDENTIFY, caller.settings()))
            yield connection

    @asynccontextmanager
    async def raw(self, caller: Caller) -> AsyncIterator[psycopg.AsyncConnection[TupleRow]]:
        """A psycopg connection in one transaction with the caller's identity; for hot SQL."""
        async with self.pool.connection() as connection, connection.transaction():
            if not caller.anonymous:
                await connection.execute(IDENTIFY, caller.settings())
            yield connection
