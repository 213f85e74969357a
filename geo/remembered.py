"""Answers worth remembering between two changes of a layer: counts and extents of many rows.

The key holds the layer's stamp, read in the same transaction, so that nothing stale is ever given out,
and the database's name: two databases in one process may have equal stamps.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_STAMP = text(
    "SELECT spatial.stamp(:layer), current_database(),"
    " access.rank(), access.regions(), access.inns(), access.objects()"
)


class Remembered:
    """The last answers of one process; the least used is forgotten first."""

    def __init__(self, size: int = 2048) -> None:
        self._size = size
        self._answers: OrderedDict[bytes, Any] = OrderedDict()

    async def get(
        self,
        connection: AsyncConnection,
        layer: str,
        question: tuple[object, ...],
        answer: Callable[[], Awaitable[Any]],
    ) -> Any:
        """The answer to a question about a layer, worked out where it is not known for the layer's present state.

        ``question`` must hold everything that the answer depends on but for the caller: whom the transaction
        serves is asked of the database itself, so that no audience can get another's answer.
        """
        stamp = (await connection.execute(_STAMP, {"layer": layer})).one()
        # A digest, because a question may hold a drawn geometry of many vertices.
        key = hashlib.blake2b(repr((layer, tuple(stamp), question)).encode(), digest_size=24).digest()
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        found = await answer()
        self._answers[key] = found
        if len(self._answers) > self._size:
            self._answers.popitem(last=False)
        return found
