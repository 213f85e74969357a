"""Small tiles in groups: one statement for all that wait.  docs/decisions/0065-small-tiles-in-groups.md"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from tiles.connections import Connections
from tiles.vector import grouped

# From this zoom on a tile costs little more than asking for it.
BATCH_FROM = 12
# Those of z14 and deeper; of the dearer ones above, fewer wait for each other.
MOST = 8
MOST_WHOLE = 4
# Groups under way at a time in a process; while one is, the next one gathers, and begins when it is full.
AT_ONCE = 2
Place = tuple[int, int, int]


class Question(NamedTuple):
    """What tiles must have in common to be made by one statement; valid days ``first`` … ``last``; ``whole`` as in
    `TileQuery.whole`."""

    layers: tuple[str, ...]
    properties: tuple[str, ...] | None
    first: date
    last: date
    whole: bool

    @property
    def most(self) -> int:
        """So many at a time."""
        return MOST_WHOLE if self.whole else MOST


@dataclass
class _Line:
    """Tiles that wait, and the groups under way."""

    waiting: deque[tuple[Place, asyncio.Future[bytes]]] = field(default_factory=deque)
    groups: set[asyncio.Task[None]] = field(default_factory=set)


class Batches:
    """Public tiles of one process, grouped."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._lines: dict[Question, _Line] = {}

    def body(self, question: Question, place: Place) -> asyncio.Future[bytes]:
        """The tile at zoom, column, row, when it is made."""
        loop = asyncio.get_running_loop()
        line = self._lines.get(question)
        if line is None:
            line = self._lines[question] = _Line()
        promise: asyncio.Future[bytes] = loop.create_future()
        line.waiting.append((place, promise))
        full = len(line.waiting) >= question.most
        if not line.groups or (full and len(line.groups) < AT_ONCE):
            task = loop.create_task(self._serve(question, line))
            line.groups.add(task)
            task.add_done_callback(line.groups.discard)
        return promise

    async def _serve(self, question: Question, line: _Line) -> None:
        while line.waiting:
            group: list[tuple[Place, asyncio.Future[bytes]]] = []
            while line.waiting and len(group) < question.most:
                place, promise = line.waiting.popleft()
                if not promise.done():
                    group.append((place, promise))
            if group:
                await self._make(question, group)
        if len(line.groups) <= 1:
            self._lines.pop(question, None)

    async def _make(self, question: Question, group: list[tuple[Place, asyncio.Future[bytes]]]) -> None:
        columns = [list(numbers) for numbers in zip(*(place for place, _ in group), strict=True)]
        sql = grouped(question.layers, question.properties, whole=question.whole)
        try:
            rows = await self._connections.rows(sql, *columns, question.first, question.last)
        except Exception as err:
            if len(group) > 1:
                # The fault may be that of one tile alone.
                for one in group:
                    await self._make(question, [one])
            elif not group[0][1].done():
                group[0][1].set_exception(err)
            return
        for number, body in rows:
            promise = group[number - 1][1]
            if not promise.done():
                promise.set_result(body or b"")
