"""Versions of the cells that tiles lie on: what decides whether a remembered tile is still true.

A copy of ``tiles.changes`` in every process, never older than `BOUND` when it is asked: a notification or a look
every `PERIOD` renews it in the background, and who finds it older looks himself before he answers.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from typing import Any

from tiles.bands import cells_of
from tiles.connections import LOST, Connection, Connections

PERIOD = 0.25
BOUND = 0.8
# Without a request for so long a process stops looking, and begins again with the next one.
IDLE = 60.0

_WHOLE = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text, pg_postmaster_start_time()::text || current_database(),
  array_agg(layer), array_agg(x), array_agg(y), array_agg(weight), array_agg(seen)
FROM (
  SELECT layer, x, y, weight, seen::text FROM tiles.changes
  WHERE NOT merged AND seen >= pg_snapshot_xmin(pg_current_snapshot())
  UNION ALL
  SELECT layer, x, y, sum(weight)::bigint, '' FROM tiles.changes
  WHERE merged OR seen < pg_snapshot_xmin(pg_current_snapshot()) GROUP BY layer, x, y
) c
"""
_SINCE = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text, pg_postmaster_start_time()::text || current_database(),
  array_agg(layer), array_agg(x), array_agg(y), array_agg(weight), array_agg(seen::text)
FROM tiles.changes WHERE NOT merged AND seen >= $1::text::xid8
"""


class Versions:
    """``serial`` changes whenever a version may have; ``identity`` is that of the running database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._connection: Connection | None = None
        self._cells: dict[str, dict[tuple[int, int], int]] = defaultdict(lambda: defaultdict(int))
        self._recent: dict[int, int] = {}
        self._horizon = ""
        self._looked = 0.0
        self._used = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._hint = asyncio.Event()
        self.serial = 0
        self.identity = ""

    def fresh(self) -> bool:
        """Whether the copy is young enough to answer from."""
        self._used = now = time.monotonic()
        return now - self._looked < BOUND

    async def renew(self) -> None:
        """Look now, together with whoever else wants to; the copy is fresh afterwards."""
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        while not self.fresh():
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            await asyncio.shield(self._looking)

    def of(self, layers: tuple[str, ...], z: int, x: int, y: int) -> int:
        """Version of a tile: the sum over its layers and over the cells that it and its buffer touch."""
        west, north, east, south = cells_of(z, x, y)
        total = 0
        for name in layers:
            cells = self._cells.get(name)
            if not cells:
                continue
            total += cells.get((-1, -1), 0)
            if (east - west + 1) * (south - north + 1) < len(cells):
                total += sum(
                    cells.get((column, row), 0)
                    for column in range(west, east + 1)
                    for row in range(north, south + 1)
                )
            else:
                total += sum(v for (c, r), v in cells.items() if west <= c <= east and north <= r <= south)
        return total

    def close(self) -> None:
        """Stop looking."""
        for task in (self._watching, self._looking):
            if task is not None:
                task.cancel()
        if self._connection is not None:
            self._connection.wire.terminate()

    async def _look(self) -> None:
        begun = time.monotonic()
        try:
            row = await self._read(begun)
        except LOST:
            # The connection died since the last look; a new one tells whether the database lives.
            row = await self._read(begun)
        self._take(row)
        self._looked = begun

    async def _read(self, begun: float) -> Any:
        try:
            if self._connection is None or self._connection.wire.is_closed():
                self._connection = await self._connections.connect()
                await self._connection.wire.add_listener("tiles", self._hear)
                self._horizon = ""
            # What nobody looked at for long may have been merged meanwhile.
            if self._horizon and begun - self._looked < IDLE:
                return await self._connection.row(_SINCE, self._horizon)
            row = await self._connection.row(_WHOLE)
        except BaseException:
            if self._connection is not None:
                self._connection.wire.terminate()
                self._connection = None
            raise
        self._cells.clear()
        self._recent.clear()
        self._horizon = ""
        return row

    def _take(self, row: Any) -> None:
        horizon, identity, *columns = row
        changed = identity != self.identity or not self._horizon
        for layer, x, y, weight, seen in zip(*(c or () for c in columns), strict=True):
            if weight in self._recent and seen:
                continue
            self._cells[layer][(x, y)] += weight
            changed = True
            if seen:
                self._recent[weight] = int(seen)
        self._recent = {w: s for w, s in self._recent.items() if s >= int(horizon)}
        self._horizon, self.identity = horizon, identity
        self.serial += changed

    def _hear(self, *_: object) -> None:
        self._hint.set()

    async def _watch(self) -> None:
        while time.monotonic() - self._used < IDLE:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hint.wait(), PERIOD)
            self._hint.clear()
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            # An outage shows to who asks: he looks himself and is told.
            with contextlib.suppress(Exception):
                await asyncio.shield(self._looking)
