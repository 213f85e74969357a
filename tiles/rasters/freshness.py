"""Freshness: pictures of rasters are kept by browsers and asked about each time, for access may end at any moment."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo.rasters.catalogue import Item

_KEY = "raster"


class UnchangedError(Exception):
    """The client has what it asks for."""


def check(scope: Scope, item: Item) -> None:
    """Note the entity tag of an answer drawn from ``item``; UnchangedError where the client has that."""
    # The address says how the pixels are drawn, the digest which they are.
    tag = f'"{item.sha256[:20]}"'
    scope["state"][_KEY] = tag, item.rank == 0
    known = Headers(scope=scope).get("if-none-match", "")
    if tag in (one.strip().removeprefix("W/") for one in known.split(",")):
        raise UnchangedError


class Freshness:
    """Adds the headers of what `check` noted to answers that succeeded, 304 among them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def with_headers(message: Message) -> None:
            noted = scope.get("state", {}).get(_KEY)
            if noted and message["type"] == "http.response.start" and message["status"] in (200, 304):
                tag, public = noted
                headers = MutableHeaders(scope=message)
                headers["etag"] = tag
                headers["cache-control"] = f"{'public' if public else 'private'}, no-cache"
                headers.setdefault("vary", "accept-encoding, cookie, authorization")
            await send(message)

        await self.app(scope, receive, with_headers)
