"""Connections of the tile path: binary protocol, prepared statements, generic plans, one round trip a tile.

docs/decisions/0060-tile-connections.md says why they are asyncpg's and not the house's own pool.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from geo.access import Caller
from geo.errors import DatabaseMissingError
from geo.settings import Settings
from tiles.errors import SlowTileError

_IDENTIFY = (
    "SELECT set_config('mezha.account', $1, true), set_config('mezha.rank', $2, true),"
    " set_config('mezha.regions', $3, true), set_config('mezha.inns', $4, true),"
    " set_config('mezha.objects', $5, true)"
)
# A statement that is prepared once a connection; a filter makes many, so the oldest go.
_STATEMENTS = 256


# What a connection says whose server went away: before, in, or after a statement.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ConnectionError,
)


class Connection:
    """One connection and its prepared statements."""

    def __init__(self, wire: asyncpg.Connection) -> None:
        self.wire = wire
        self._prepared: dict[str, Any] = {}
        self._named = 0

    async def value(self, statement: str, *values: Any) -> Any:
        """First column of the first row."""
        return await (await self._statement(statement)).fetchval(*values)

    async def row(self, statement: str, *values: Any) -> Any:
        """The first row."""
        return await (await self._statement(statement)).fetchrow(*values)

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        """All rows."""
        found: list[Any] = await (await self._statement(statement)).fetch(*values)
        return found

    async def _statement(self, statement: str) -> Any:
        prepared = self._prepared.get(statement)
        if prepared is None:
            if len(self._prepared) >= _STATEMENTS:
                self._prepared.pop(next(iter(self._prepared)))
            # Without a name asyncpg parses and plans anew each time, which costs more than a small tile.
            self._named += 1
            prepared = await self.wire.prepare(statement, name=f"tile_{self._named}")
            self._prepared[statement] = prepared
        return prepared


class Connections:
    """A fixed number of connections, opened when first needed; one that failed is thrown away."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.url_for("app")
        self._settings = {
            "plan_cache_mode": "force_generic_plan",
            "statement_timeout": str(settings.statement_timeout_ms),
            "application_name": "mezha tiles",
            "jit": "off",
            # ST_IsValid tells of every shape that it finds broken.
            "client_min_messages": "error",
            # To start a helper costs more than a tile.
            "max_parallel_workers_per_gather": "0",
        }
        self._free: deque[Connection] = deque()
        self._retiring: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(settings.tile_pool_size)

    async def connect(self) -> Connection:
        """A connection beside the pool, which the caller closes."""
        try:
            wire = await asyncpg.connect(
                self._url, server_settings=self._settings, statement_cache_size=0, timeout=10
            )
        except (OSError, asyncpg.PostgresError, TimeoutError) as err:
            raise DatabaseMissingError(
                "The database does not answer.", "Try again in a minute; /healthz tells when it is back."
            ) from err
        return Connection(wire)

    async def value(self, caller: Caller, statement: str, *values: Any) -> Any:
        """First column of the first row, as the caller sees it."""
        row = await self.row(caller, statement, *values)
        return row[0] if row else None

    async def row(self, caller: Caller, statement: str, *values: Any) -> Any:
        """The first row, as the caller sees it.

        Who is anonymous is what every connection says by default: one round trip. A caller costs a transaction that
        carries his identity.
        """
        if caller.anonymous:
            return await self._tried(lambda connection: connection.row(statement, *values))
        return await self._tried(lambda connection: self._as_caller(connection, caller, statement, values))

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        """All rows, as who is not logged in sees them."""
        found: list[Any] = await self._tried(lambda connection: connection.rows(statement, *values))
        return found

    async def _tried(self, work: Callable[[Connection], Awaitable[Any]]) -> Any:
        for last in (False, True):
            try:
                return await self._done(work)
            except asyncpg.QueryCanceledError as err:
                raise SlowTileError(
                    "The tile would take too long.", "Zoom in or ask for fewer layers."
                ) from err
            except LOST as err:
                # The database was restarted: what is in the pool is dead, one new connection is worth a try.
                self.drop()
                if last:
                    raise DatabaseMissingError(
                        "The database does not answer.",
                        "Try again in a minute; /healthz tells when it is back.",
                    ) from err
        raise AssertionError

    async def _done(self, work: Callable[[Connection], Awaitable[Any]]) -> Any:
        async with self._places:
            connection = self._free.pop() if self._free else await self.connect()
            try:
                found = await work(connection)
            except asyncio.CancelledError:
                self._retire(connection)
                raise
            except BaseException:
                # Whatever state it is in, nobody shall inherit it.
                connection.wire.terminate()
                raise
            self._free.append(connection)
            return found

    def _retire(self, connection: Connection) -> None:
        """Who asked went away: the statement is cancelled, then the connection closed."""

        async def close() -> None:
            try:
                await connection.wire.close(timeout=5)
            except (TimeoutError, *LOST):
                connection.wire.terminate()

        task = asyncio.get_running_loop().create_task(close())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    @staticmethod
    async def _as_caller(
        connection: Connection, caller: Caller, statement: str, values: tuple[Any, ...]
    ) -> Any:
        settings = caller.settings()
        await connection.wire.execute("BEGIN READ ONLY")
        await connection.value(
            _IDENTIFY, *(settings[k] for k in ("account", "rank", "regions", "inns", "objects"))
        )
        found = await connection.row(statement, *values)
        await connection.wire.execute("COMMIT")
        return found

    def drop(self) -> None:
        """Throw away the free connections."""
        while self._free:
            self._free.pop().wire.terminate()
