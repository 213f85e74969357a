"""The stream of messages: server-sent events that miss nothing, resume where they broke off and end with the log-in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson

from accounts.errors import AccountsError
from cases import messages
from geo.access import Caller
from geo.bell import Bell
from geo.db import Database

HEARTBEAT_S = 15.0
# A stream ends after so many seconds by itself; the browser opens the next one where this one ended.
LIFE_S = 600.0
RETRY_MS = 3000
LONGEST_BACKLOG = 1000


def _frame(name: str, data: Any, seq: int) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, name.encode(), orjson.dumps(data, default=str))


async def frames(
    database: Database,
    caller: Caller,
    bell: Bell,
    *,
    last: int | None,
    again: Callable[[], Awaitable[Caller]],
) -> AsyncIterator[bytes]:
    """Frames of one stream: what came after ``last`` (None: from now on), then what comes.

    ``again`` recognises the caller anew at every heartbeat, so that the stream ends with his session.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + LIFE_S
    with bell.waits(str(caller.account)) as event:
        yield b"retry: %d\n\n" % RETRY_MS
        shown = -1
        while True:
            event.clear()
            news, unread, last = await _news(database, caller, last)
            for message in news:
                yield _frame("message", messages.shown(message), message["seq"])
            if news or unread != shown:
                yield _frame("unread", {"unread": unread}, last)
                shown = unread
            if loop.time() >= until:
                return
            try:
                await asyncio.wait_for(event.wait(), HEARTBEAT_S)
            except TimeoutError:
                yield b": still here\n\n"
                if not await _still(caller, again):
                    return


async def _news(database: Database, caller: Caller, last: int | None) -> tuple[list[Any], int, int]:
    """Messages after ``last``, the number of new ones, and the number from which to go on."""
    async with database.transaction(caller) as connection:
        unread, newest = await messages.standing(connection)
        # A number that was never given (the mailbox was restored from a copy) begins anew.
        if last is None or last > newest:
            return [], unread, newest
        found: list[Any] = []
        position = max(last, newest - LONGEST_BACKLOG)
        while position < newest:
            page = await messages.since(connection, position)
            if not page:
                break
            found += page
            position = page[-1]["seq"]
        return found, unread, max(position, newest)


async def _still(caller: Caller, again: Callable[[], Awaitable[Caller]]) -> bool:
    try:
        return (await again()).account == caller.account
    except AccountsError:
        return False
