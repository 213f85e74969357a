"""A plain function as a coroutine function, for who only awaits."""

from collections.abc import Awaitable, Callable
from functools import cache, wraps
from typing import Any


@cache
def in_place(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """The same with the same signature, run where it is awaited.

    FastAPI sends a plain dependency to another thread and back, which takes longer than what never waits does there.
    """

    @wraps(function)
    async def called(*args: Any, **named: Any) -> Any:
        return function(*args, **named)

    return called
