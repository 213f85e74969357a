"""The hot path: an ASGI handler of its own for tiles, without framework, validation library or ORM."""

import gzip
import hashlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from geo.access import ANONYMOUS, Caller
from geo.db import Database
from geo.errors import ParameterError
from geo.moment import Moment
from geo.settings import Settings
from tiles.connections import Connections
from tiles.request import layers_of, query_of
from tiles.style import style
from tiles.tilejson import tilejson
from tiles.vector import TileQuery, statement

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MVT = b"application/vnd.mapbox-vector-tile"
JSON = b"application/json"
# Below this a live tile costs more to compress than to send.
GZIP_FROM = 20_000


class TileHandler:
    """Answers ``/tiles/…``; errors are raised for the composition root to render."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._connections: Connections | None = None

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
        query = query_of(
            path,
            scope["query_string"].decode("latin-1"),
            Moment.today(self._settings.time_zone),
            self._settings.tile_max_zoom,
        )
        if query:
            await _answer(scope, send, await self._tile(query, caller), MVT, private=not caller.anonymous)
            return
        document = await self._document(path, scope, caller)
        await _answer(scope, send, orjson.dumps(document), JSON, private=not caller.anonymous)

    async def _tile(self, query: TileQuery, caller: Caller) -> bytes:
        if self._connections is None:
            self._connections = Connections(self._settings)
        sql = statement(query.drawn(), query.moment.as_of is not None, query.properties)
        if not query.drawn():
            return b""
        return await self._connections.value(caller, sql, *query.values()) or b""

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


async def _answer(scope: Scope, send: Send, body: bytes, kind: bytes, *, private: bool) -> None:
    """Send with an ETag; 304 where the client has it; gzip where he takes it and it pays."""
    given = dict(scope["headers"])
    etag = b'"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"'
    headers = [
        (b"content-type", kind),
        (b"etag", etag),
        (b"vary", b"accept-encoding, cookie, authorization"),
        (b"cache-control", b"private, no-cache" if private else b"public, no-cache"),
        (b"access-control-allow-origin", b"*"),
    ]
    status = 200
    if etag in given.get(b"if-none-match", b""):
        status, body = 304, b""
    elif kind == MVT and not body:
        status = 204
    elif len(body) > GZIP_FROM and b"gzip" in given.get(b"accept-encoding", b""):
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers.append((b"content-encoding", b"gzip"))
    if status == 200:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
