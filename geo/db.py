"""The database: two ways in (psycopg for COPY and hot SQL, SQLAlchemy for the rest), each query with its caller."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from geo.access import IDENTIFY, Caller
from geo.settings import Settings

# One statement tells who asks and how long it may take: every request pays for it.
_IDENTIFY = text(
    IDENTIFY.replace("%(", ":").replace(")s", "") + ", set_config('statement_timeout', :timeout, true)"
)


class Database:
    """Connections of one server process; both pools log in as the serving role."""

    def __init__(self, settings: Settings, *, role: str = "app") -> None:
        url = settings.url_for(role)
        self._timeout = f"{settings.statement_timeout_ms}"
        self.engine: AsyncEngine = create_async_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            pool_size=settings.pool_size,
            max_overflow=settings.pool_size,
            pool_pre_ping=True,
            # Who reads and gets no connection is told so soon; who writes waits for his turn behind those before him, as
            # long as he would for a lock.
            pool_timeout=10 if role == "app" else settings.statement_timeout_ms / 1000,
        )
        self.pool: AsyncConnectionPool[psycopg.AsyncConnection[TupleRow]] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=settings.pool_size,
            open=False,
            timeout=10,
            kwargs={"autocommit": True, "prepare_threshold": 0},
            configure=self._configure,
        )

    async def _configure(self, connection: psycopg.AsyncConnection[TupleRow]) -> None:
        await connection.execute("SELECT set_config('statement_timeout', %s, false)", [self._timeout])

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
            await connection.execute(_IDENTIFY, caller.settings() | {"timeout": self._timeout})
            yield connection

    @asynccontextmanager
    async def raw(self, caller: Caller) -> AsyncIterator[psycopg.AsyncConnection[TupleRow]]:
        """A psycopg connection in one transaction with the caller's identity; for hot SQL."""
        async with self.pool.connection() as connection, connection.transaction():
            if not caller.anonymous:
                await connection.execute(IDENTIFY, caller.settings())
            yield connection
