"""The hot path: an ASGI handler of its own for tiles, without framework, validation library or ORM."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from geo.access import ANONYMOUS, Caller
from geo.db import Database
from geo.errors import ParameterError
from geo.settings import Settings
from tiles.cache import Tile
from tiles.request import layers_of
from tiles.source import TileSource
from tiles.style import style
from tiles.tilejson import tilejson

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]

MVT = ("content-type", "application/vnd.mapbox-vector-tile")
JSON = ("content-type", "application/json")
_ALL = (
    ("vary", "accept-encoding, cookie, authorization"),
    ("access-control-allow-origin", "*"),
)
PUBLIC = (MVT, ("cache-control", "public, no-cache"), *_ALL)
PRIVATE = (MVT, ("cache-control", "private, no-cache"), *_ALL)


class TileHandler:
    """Answers ``/tiles/…``; errors are raised for the composition root to render."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._source: TileSource | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] not in ("GET", "HEAD"):
            raise ParameterError(
                f"{scope['method']} is not understood here.",
                "Use GET.",
                field="method",
                value=scope["method"],
            )
        caller: Caller = scope.get("state", {}).get("caller", ANONYMOUS)
        path: str = scope["path"]
        # Made with the first request: before, a server may wait for its database and its folder.
        source = self._source = self._source or TileSource(self._settings)
        tile = await source.tile(path, scope["query_string"].decode("latin-1"), caller)
        if tile is not None:
            await _send_tile(scope, send, tile, private=not caller.anonymous)
            return
        document = orjson.dumps(await self._document(path, scope, caller))
        await _send(scope, send, 200, document, [JSON, *(PUBLIC if caller.anonymous else PRIVATE)[1:]])

    def remembered(self, path: str, text: str) -> Tile | None:
        """What can be answered at once to who is not logged in."""
        return self._source.remembered(path, text) if self._source else None

    async def tile(self, path: str, text: str) -> Tile | None:
        """A tile for who is not logged in; None where the path is no tile's."""
        source = self._source = self._source or TileSource(self._settings)
        return await source.tile(path, text, ANONYMOUS)

    async def _document(self, path: str, scope: Scope, caller: Caller) -> dict[str, Any]:
        name = path.removeprefix("/tiles/").removesuffix(".json")
        if f"/tiles/{name}.json" != path or "/" in name:
            raise ParameterError(
                f"{path[:80]} is no tile.",
                "Tiles are at /tiles/LAYERS/Z/X/Y.mvt.",
                field="path",
                value=path[:80],
            )
        base = _base(scope, self._settings)
        if name == "style":
            return style(base, self._settings)
        return await tilejson(self._database, caller, layers_of(name), base, self._settings)


def _base(scope: Scope, settings: Settings) -> str:
    if settings.base_url:
        return settings.base_url.rstrip("/")
    host = next((v for k, v in scope["headers"] if k == b"host"), b"127.0.0.1").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}"


def answer(tile: Tile, tags: str, accepted: str, *, private: bool) -> Answer:
    """With an ETag; 304 where the client has it; compressed where he takes that and it pays."""
    headers = [("etag", tile.etag), *(PRIVATE if private else PUBLIC)]
    if tags and tile.etag in tags:
        return 304, headers, b""
    if not tile.body:
        return 204, headers, b""
    if "gzip" in accepted and tile.worth_packing():
        headers.append(("content-encoding", "gzip"))
        return 200, headers, tile.pack()
    return 200, headers, tile.body


async def _send_tile(scope: Scope, send: Send, tile: Tile, *, private: bool) -> None:
    tags = accepted = b""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            tags = value
        elif name == b"accept-encoding":
            accepted = value
    status, headers, body = answer(tile, tags.decode("latin-1"), accepted.decode("latin-1"), private=private)
    await _send(scope, send, status, body, headers)


async def _send(scope: Scope, send: Send, status: int, body: bytes, headers: Headers) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    if status == 200:
        raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
