"""The hot path: an ASGI handler of its own for tiles, without framework, validation library or ORM."""

import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from geo.access import ANONYMOUS, Caller
from geo.db import Database
from geo.errors import ParameterError
from geo.layers import layer
from geo.moment import Moment, parse
from geo.settings import Settings
from tiles.style import style
from tiles.tilejson import tilejson
from tiles.vector import TileQuery, tile

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TILE = re.compile(r"/tiles/([^/]+)/([^/]+)/([^/]+)/([^/]+)\.mvt")
_JSON = re.compile(r"/tiles/([^/]+)\.json")
MVT = b"application/vnd.mapbox-vector-tile"


def layers_of(text: str) -> tuple[str, ...]:
    """Names of a comma-separated list; UnknownLayerError names the first that there is not."""
    names = tuple(dict.fromkeys(part for part in text.split(",") if part))
    if not names:
        raise ParameterError(
            "No layer is named.", "Name one or several layers, separated by commas.", field="layers"
        )
    for name in names:
        layer(name)
    return names


def tile_address(z: str, x: str, y: str, deepest: int) -> tuple[int, int, int]:
    """Zoom, column and row of a tile; ParameterError where it lies outside the grid."""
    try:
        zoom, column, row = int(z), int(x), int(y)
    except ValueError:
        raise ParameterError(
            f"{z}/{x}/{y} is no tile.",
            "Write whole numbers: /tiles/LAYER/ZOOM/COLUMN/ROW.mvt.",
            field="tile",
            value=f"{z}/{x}/{y}"[:60],
        ) from None
    if not 0 <= zoom <= deepest:
        raise ParameterError(
            f"Zoom {zoom} is outside 0…{deepest}.",
            f"Choose a zoom from 0 to {deepest}.",
            field="z",
            value=str(zoom)[:20],
        )
    side = 1 << zoom
    if not (0 <= column < side and 0 <= row < side):
        raise ParameterError(
            f"Tile {zoom}/{column}/{row} is outside the grid.",
            f"At zoom {zoom} columns and rows run from 0 to {side - 1}.",
            field="tile",
            value=f"{zoom}/{column}/{row}"[:60],
        )
    return zoom, column, row


class TileHandler:
    """Answers ``/tiles/…``; errors are raised for the composition root to render."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] not in ("GET", "HEAD"):
            raise ParameterError(
                f"{scope['method']} is not understood here.",
                "Use GET.",
                field="method",
                value=scope["method"],
            )
        path: str = scope["path"]
        caller: Caller = scope.get("state", {}).get("caller", ANONYMOUS)
        match = _TILE.fullmatch(path)
        if match:
            body = await self._tile(match, scope, caller)
            await _answer(scope, send, body, MVT, private=not caller.anonymous)
            return
        match = _JSON.fullmatch(path)
        if not match:
            raise ParameterError(
                f"{path[:80]} is no tile.",
                "Tiles are at /tiles/LAYERS/Z/X/Y.mvt.",
                field="path",
                value=path[:80],
            )
        document = await self._document(match[1], scope, caller)
        await _answer(scope, send, orjson.dumps(document), b"application/json", private=not caller.anonymous)

    async def _tile(self, match: re.Match[str], scope: Scope, caller: Caller) -> bytes:
        names = layers_of(match[1])
        z, x, y = tile_address(match[2], match[3], match[4], self._settings.tile_max_zoom)
        query = TileQuery(names, z, x, y, self._moment(scope))
        async with self._database.raw(caller) as connection:
            return await tile(connection, query)

    def _moment(self, scope: Scope) -> Moment:
        text = scope["query_string"].decode("latin-1")
        today = Moment.today(self._settings.time_zone)
        if not text:
            return today
        given = dict(parse_qsl(text, keep_blank_values=True))
        unknown = sorted(set(given) - {"datetime", "as_of", "v"})
        if unknown:
            raise ParameterError(
                f"The parameter “{unknown[0][:40]}” is unknown.",
                "Tiles take datetime and as_of.",
                field=unknown[0][:40],
            )
        return parse(given.get("datetime"), given.get("as_of"), today)

    async def _document(self, name: str, scope: Scope, caller: Caller) -> dict[str, Any]:
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
    elif len(body) > 1000 and b"gzip" in given.get(b"accept-encoding", b""):
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers.append((b"content-encoding", b"gzip"))
    if status == 200:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
