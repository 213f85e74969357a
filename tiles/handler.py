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

MVT = b"application/vnd.mapbox-vector-tile"
JSON = b"application/json"


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
        await _send(scope, send, 200, document, _headers(JSON, private=not caller.anonymous))

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


def _headers(kind: bytes, *, private: bool) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", kind),
        (b"vary", b"accept-encoding, cookie, authorization"),
        (b"cache-control", b"private, no-cache" if private else b"public, no-cache"),
        (b"access-control-allow-origin", b"*"),
    ]


async def _send_tile(scope: Scope, send: Send, tile: Tile, *, private: bool) -> None:
    """With an ETag; 304 where the client has it; compressed where he takes that and it pays."""
    tags = accepted = b""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            tags = value
        elif name == b"accept-encoding":
            accepted = value
    headers = [(b"etag", tile.etag), *_headers(MVT, private=private)]
    if tile.etag in tags:
        await _send(scope, send, 304, b"", headers)
    elif not tile.body:
        await _send(scope, send, 204, b"", headers)
    elif b"gzip" in accepted and tile.worth_packing():
        headers.append((b"content-encoding", b"gzip"))
        await _send(scope, send, 200, tile.pack(), headers)
    else:
        await _send(scope, send, 200, tile.body, headers)


async def _send(
    scope: Scope, send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    if status == 200:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
