"""Answers worth remembering between two changes of a layer: counts and extents of many rows.

The key holds the layer's stamp, read in the same transaction, so that nothing stale is ever given out,
and the database's name: two databases in one process may have equal stamps.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from psycopg.errors import QueryCanceled
from sqlalchemy import Executable, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

_STAMP = text(
    "SELECT spatial.stamp(:layer), current_database(),"
    " access.rank(), access.regions(), access.inns(), access.objects()"
)
# What takes longer, milliseconds, is given up, and not tried again for so many seconds: nobody shall pay for it with every
# change of a layer.
LONGEST_MS = 3_000
AGAIN = 600.0
_LIMIT = text(
    "SELECT current_setting('statement_timeout'), set_config('statement_timeout', least(nullif((extract(epoch FROM"
    " CAST(current_setting('statement_timeout') AS interval)) * 1000)::int, 0), :most)::text, true)"
)
_UNLIMIT = text("SELECT set_config('statement_timeout', :before, true)")


class TooLongError(Exception):
    """An answer was given up; whoever asked goes on without it."""


async def in_time(connection: AsyncConnection, statement: Executable) -> Any:
    """The one row of a statement; TooLongError after `LONGEST_MS`, and the transaction goes on."""
    try:
        async with connection.begin_nested():
            before = (await connection.execute(_LIMIT, {"most": LONGEST_MS})).one()[0]
            row = (await connection.execute(statement)).one()
            await connection.execute(_UNLIMIT, {"before": before})
    except DBAPIError as err:
        if isinstance(err.orig, QueryCanceled):
            raise TooLongError from err
        raise
    return row


class Remembered:
    """The last answers of one process; the least used is forgotten first."""

    def __init__(self, size: int = 2048) -> None:
        self._size = size
        self._answers: OrderedDict[bytes, Any] = OrderedDict()
        self._forgone: OrderedDict[bytes, float] = OrderedDict()

    async def get(
        self,
        connection: AsyncConnection,
        layer: str,
        question: tuple[object, ...],
        answer: Callable[[], Awaitable[Any]],
    ) -> Any:
        """The answer to a question about a layer, worked out where it is not known for the layer's present state.

        ``question`` must hold everything that the answer depends on but for the caller: whom the transaction
        serves is asked of the database itself, so that no audience can get another's answer. TooLongError where it
        was given up, now or not long ago.
        """
        stamp, *audience = (await connection.execute(_STAMP, {"layer": layer})).one()
        standing = _digest(layer, audience, question)
        key = _digest(stamp, standing)
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        if self._forgone.get(standing, 0.0) > time.monotonic():
            raise TooLongError
        try:
            found = await answer()
        except TooLongError:
            self._keep(self._forgone, standing, time.monotonic() + AGAIN)
            raise
        self._keep(self._answers, key, found)
        return found

    def _keep(self, known: OrderedDict[bytes, Any], key: bytes, what: Any) -> None:
        known[key] = what
        if len(known) > self._size:
            known.popitem(last=False)


def _digest(*parts: object) -> bytes:
    """A digest, because a question may hold a drawn geometry of many vertices."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=24).digest()
