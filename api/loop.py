"""The event loop of a server process: uvloop's, but what a request needs no waiting for is done where it arrives.

docs/decisions/0095-goals-that-the-floor-forbids.md tells what that saves.
"""

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context
from types import CoroutineType, coroutine
from typing import TypeVarTuple

import uvloop

Ts = TypeVarTuple("Ts")

# How granian names the coroutine of a request, which it hands to the loop from a thread of its own.
_ASKED = "future_watcher"


class Loop(uvloop.Loop):
    """Takes the first step of a request in the thread that brings it: an answer that is given in it wakes nobody.

    The others come to `own_task` in that step and go on in a task of the loop, as ever. If granian names its coroutine
    otherwise one day, all of them do, and only speed is lost.
    """

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Have the callback called in the loop, unless the request that it is for is answered at once."""
        work = args[0] if args else None
        if type(work) is CoroutineType and work.__name__ == _ASKED:
            try:
                work.send(None)
            except StopIteration:
                return _ANSWERED
        return super().call_soon_threadsafe(callback, *args, context=context)


class Policy(asyncio.DefaultEventLoopPolicy):
    """Makes loops of this kind."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A new one."""
        return Loop()


class _Answered(asyncio.Handle):
    """What there is left to cancel of an answered request: nothing."""

    def __init__(self) -> None:
        """No callback waits."""

    def cancel(self) -> None:
        """Nothing to do."""

    def cancelled(self) -> bool:
        """It was answered."""
        return False


_ANSWERED = _Answered()


@coroutine
def own_task() -> Generator[None, None, None]:
    """What comes after this runs in a task of the loop, whoever began."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        yield
