"""A batch: statements that need nothing of one another's answers, sent to the database in one go.

Each is a statement of its own there, with its own snapshot, done in the order given; only the waiting in between is saved.
What a crowd does at once goes this way: five statements in a batch cost this process a fifth of five through SQLAlchemy.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Generic, TypeVar

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Dialect, TextClause, text
from sqlalchemy.dialects.postgresql import psycopg as flavour
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")
Rows = Sequence[Mapping[str, Any]]
_SAVE, _RELEASE = text("SAVEPOINT batch"), text("RELEASE SAVEPOINT batch")
# $1 instead of %(name)s: psycopg then need not read a statement for its parameters at each call.
_NUMBERED: Dialect = flavour.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class Ask(Generic[T]):
    """A statement with its values, and what is made of its rows once the batch was sent."""

    def __init__(self, statement: TextClause, values: Mapping[str, Any], shape: Callable[[Rows], T]) -> None:
        self._statement, self._values, self._shape = statement, values, shape
        self._rows: Rows | None = None

    @property
    def answer(self) -> T:
        """What the rows say; only after the batch was sent."""
        if self._rows is None:
            raise RuntimeError("this was not sent yet")
        return self._shape(self._rows)

    async def _send(self, driver: psycopg.AsyncConnection[Any]) -> psycopg.AsyncCursor[dict[str, Any]]:
        words, names = _numbered(self._statement)
        cursor = psycopg.AsyncRawCursor(driver, row_factory=dict_row)
        await cursor.execute(words, [self._values[name] for name in names])
        return cursor

    async def _receive(self, cursor: psycopg.AsyncCursor[dict[str, Any]]) -> None:
        # Not `description`, which makes an object a column of every statement.
        returned = cursor.pgresult is not None and cursor.pgresult.nfields > 0
        self._rows = await cursor.fetchall() if returned else ()


def order(statement: TextClause, values: Mapping[str, Any] | None = None) -> Ask[None]:
    """A statement whose answer nobody waits for."""
    return Ask(statement, values or {}, lambda rows: None)


@lru_cache(maxsize=512)
def _numbered(statement: TextClause) -> tuple[bytes, tuple[str, ...]]:
    """The statement with numbered parameters, and their names in that order."""
    compiled: Any = statement.compile(dialect=_NUMBERED)
    return str(compiled).encode(), tuple(compiled.positiontup or ())


async def together(connection: AsyncConnection, *asks: Ask[Any]) -> None:
    """Send them all; DBAPIError where one of them fails, and none after it is done."""
    if not asks:
        return
    driver = _driver(connection)
    failure: psycopg.Error | None = None
    cursors = []
    try:
        async with driver.pipeline() as pipeline:
            try:
                with _gathering(pipeline):
                    for ask in asks:
                        cursors.append(await ask._send(driver))
            except psycopg.Error as err:
                failure = err  # told when the rest has been answered: all of it, that it was not done
        if failure is None:
            for ask, cursor in zip(asks, cursors, strict=True):
                await ask._receive(cursor)
    except psycopg.Error as err:
        failure = failure or _first(err)
    if failure is not None:
        raise DBAPIError.instance(None, None, failure, psycopg.Error) from failure


def _first(err: psycopg.Error) -> psycopg.Error:
    """What went wrong first: the rest of a pipeline says only that it was not done."""
    while isinstance(err.__context__, psycopg.Error):
        err = err.__context__
    return err


@contextmanager
def _gathering(pipeline: psycopg.AsyncPipeline) -> Iterator[None]:
    """Have a pipeline send what it is given in one piece, when it is left.

    psycopg sends each statement as it comes, a system call and a turn of the loop each. Its sender is covered up meanwhile;
    were it called otherwise one day, all would go as psycopg means it, only slower.
    """
    vars(pipeline)["_communicate_gen"] = tuple
    try:
        yield
    finally:
        del vars(pipeline)["_communicate_gen"]


async def answered(connection: AsyncConnection, ask: Ask[T]) -> T:
    """Send one alone, and what its rows say."""
    await together(connection, ask)
    return ask.answer


async def attempt(connection: AsyncConnection, *asks: Ask[Any]) -> None:
    """The same, but where one fails the transaction goes on as if none had been sent; DBAPIError says so."""
    try:
        await together(connection, order(_SAVE), *asks, order(_RELEASE))
    except DBAPIError:
        # Not in a batch: psycopg forgets its prepared statements with a rollback, and must do so before it sends more.
        for words in ("ROLLBACK TO SAVEPOINT batch", "RELEASE SAVEPOINT batch"):
            await _driver(connection).execute(words)
        raise


def _driver(connection: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    """psycopg's own connection, within the transaction of SQLAlchemy's."""
    if connection.sync_connection is None:
        raise RuntimeError("the connection is not open")
    driver = connection.sync_connection.connection.driver_connection
    if not isinstance(driver, psycopg.AsyncConnection):
        raise TypeError(f"psycopg is needed here, not {type(driver).__name__}")
    return driver
