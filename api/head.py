"""HEAD as HTTP has it: the answer to GET without its body."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


def bodiless(scope: Scope, send: Send) -> tuple[Scope, Send]:
    """The request as a GET, and a ``send`` that keeps the body back; for resources that end, not for streams."""

    async def head(message: Message) -> None:
        if message["type"] == "http.response.body":
            if message.get("more_body", False):
                return
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return {**scope, "method": "GET"}, head
