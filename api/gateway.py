"""The server's own interface (RSGI): public tiles are answered at once, everything else goes on as ASGI.

A bare RSGI handler answers a third more requests than an ASGI one (docs/decisions/0063-tiles-before-asgi.md).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from granian._granian import RSGIProtocolClosed as ProtocolClosed

from api import errors
from tiles.handler import Headers, Scope, TileHandler, answer

# A browser that pans away forgets its tiles: what takes longer than this is watched for that, in seconds.
PATIENCE = 0.3
_ASGI = {"version": "3.0", "spec_version": "2.3"}
App = Callable[[Scope, Any, Any], Awaitable[None]]


class Request(Protocol):
    """What RSGI tells of a request."""

    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    headers: Any


class Gateway:
    """The RSGI application over the ASGI application and its tiles."""

    def __init__(self, app: App, tiles: TileHandler) -> None:
        self._app = app
        self._tiles = tiles
        self._life = Life(app)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the application before the first request."""
        loop.run_until_complete(self._life.begin())

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End it after the last."""
        loop.run_until_complete(self._life.end())

    async def __rsgi__(self, request: Request, wire: Any) -> None:
        """Answer one request."""
        path, headers = request.path, request.headers
        if (
            path.startswith("/tiles/")
            and path.endswith(".mvt")
            and request.method == "GET"
            and "cookie" not in headers
            and "authorization" not in headers
        ):
            await self._tile(request, wire, path, headers)
        else:
            await Bridge(request, wire).run(self._app)

    async def _tile(self, request: Request, wire: Any, path: str, headers: Any) -> None:
        text = request.query_string
        tile = self._tiles.remembered(path, text)
        if tile is None:
            try:
                with _Watch(wire):
                    tile = await self._tiles.tile(path, text)
            except Exception as err:
                status, body = errors.document_of(err, path)
                kind = ("content-type", errors.PROBLEM)
                wire.response_bytes(status, [kind, ("access-control-allow-origin", "*")], body)
                return
        if tile is None:
            await Bridge(request, wire).run(self._app)
            return
        tags, accepted = headers.get("if-none-match", ""), headers.get("accept-encoding", "")
        wire.response_bytes(*answer(tile, tags, accepted, private=False))


class _Watch:
    """Cancels the task at work where the client goes away and the work takes long."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(PATIENCE, self._look, loop, asyncio.current_task())

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._watcher:
            self._watcher.cancel()

    def _look(self, loop: asyncio.AbstractEventLoop, worker: asyncio.Task[Any] | None) -> None:
        async def watch() -> None:
            await self._wire.client_disconnect()
            if worker:
                worker.cancel()

        self._watcher = loop.create_task(watch())


class Bridge:
    """One request as the ASGI application sees it."""

    def __init__(self, request: Request, wire: Any) -> None:
        self._request = request
        self._wire = wire
        self._body: AsyncIterator[bytes] | None = None
        self._read = False
        self._start: tuple[int, Headers] | None = None
        self._stream: Any = None

    async def run(self, app: App) -> None:
        """Let the application answer."""
        request = self._request
        scope: Scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": request.http_version,
            "server": _address(request.server),
            "client": _address(request.client),
            "scheme": request.scheme,
            "method": request.method,
            "root_path": "",
            "path": request.path,
            "query_string": request.query_string.encode("latin-1", "replace"),
            "headers": [(k.encode("latin-1"), v.encode()) for k, v in request.headers.items()],
            "extensions": {},
            "state": {},
        }
        await app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if not self._read:
            if self._body is None:
                self._body = aiter(self._wire)
            try:
                chunk = bytes(await anext(self._body))
            except StopAsyncIteration:
                self._read, chunk = True, b""
            return {"type": "http.request", "body": chunk, "more_body": not self._read}
        await self._wire.client_disconnect()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = (
                message["status"],
                [(k.decode("latin-1"), v.decode("latin-1")) for k, v in message["headers"]],
            )
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._start is None:
            raise RuntimeError("the body came before its status")
        try:
            if self._stream is None and not more:
                self._wire.response_bytes(*self._start, bytes(body))
                return
            if self._stream is None:
                self._stream = self._wire.response_stream(*self._start)
            if body:
                await self._stream.send_bytes(bytes(body))
        except ProtocolClosed as err:
            # As ASGI has it: who streams is told that nobody listens any more.
            raise OSError("the client went away") from err


class Life:
    """Start and end of an ASGI application (its lifespan)."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._told: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._heard: asyncio.Queue[Any] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Return when it has started; RuntimeError where it could not."""

        async def live() -> None:
            scope: Scope = {"type": "lifespan", "asgi": _ASGI, "state": {}}
            try:
                await self._app(scope, self._told.get, self._heard.put)
            except Exception as err:
                await self._heard.put({"type": "lifespan.failed", "message": repr(err)})
                raise

        self._task = asyncio.create_task(live())
        await self._tell("startup")

    async def end(self) -> None:
        """Return when it has ended."""
        await self._tell("shutdown")

    async def _tell(self, what: str) -> None:
        await self._told.put({"type": f"lifespan.{what}"})
        answer = await self._heard.get()
        if answer["type"] != f"lifespan.{what}.complete":
            raise RuntimeError(answer.get("message", f"the {what} failed"))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port) if port.isdigit() else 0
