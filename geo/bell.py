"""The bell: one database connection a process listens, and wakes whoever waits for what was named."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import make_conninfo

from geo.errors import MezhaError

log = structlog.get_logger("bell")
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
# A connection that died without a word is noticed after about a minute.
KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


class TooManyWaitingError(MezhaError):
    """So many wait already that this process takes no more."""

    code = "too-many-streams"


class Bell:
    """Listens while somebody waits, connects again when the connection is lost, and then wakes everybody.

    A ring says only that there may be news: whoever is woken asks the database, as himself, what they are.
    """

    def __init__(self, url: str, channel: str, *, most: int, most_each: int = 6) -> None:
        self._url = make_conninfo(url, **KEEPALIVE)
        self._channel = channel
        self._most = most
        self._most_each = most_each
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    def admit(self, key: str) -> None:
        """TooManyWaitingError where one more would be beyond the bounds."""
        if len(self._waiting.get(key, ())) >= self._most_each:
            raise TooManyWaitingError("Too many pages of yours are open.", "Close some of them.")
        if self.waiting >= self._most:
            raise TooManyWaitingError("Too many pages are open.", "Load this one again later.")

    @contextmanager
    def waits(self, key: str) -> Iterator[asyncio.Event]:
        """An event that is set when ``key`` is named."""
        event = asyncio.Event()
        self._waiting.setdefault(key, set()).add(event)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen())
        try:
            yield event
        finally:
            self._leave(key, event)

    def _leave(self, key: str, event: asyncio.Event) -> None:
        left = self._waiting[key]
        left.discard(event)
        if not left:
            del self._waiting[key]
        if not self._waiting and self._task is not None:
            self._task.cancel()
            self._task = None

    def _ring(self, key: str | None) -> None:
        for name, events in self._waiting.items():
            if key is None or name == key:
                for event in events:
                    event.set()

    async def _listen(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            with suppress(psycopg.Error, OSError):
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=10
                ) as connection:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
                    # What was said while nobody listened.
                    self._ring(None)
                    pause = FIRST_PAUSE_S
                    async for notice in connection.notifies():
                        self._ring(notice.payload)
            log.warning("the bell is silent", channel=self._channel, again_in_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
