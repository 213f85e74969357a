"""The server's own interface (RSGI): public tiles are answered at once, everything else goes on as ASGI.

A bare RSGI handler answers a third more requests than an ASGI one (docs/decisions/0063-tiles-before-asgi.md).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Protocol, cast

from granian._granian import RSGIProtocolClosed as ProtocolClosed

from api import errors
from api.loop import own_task
from tiles.cache import Tile
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
        self._watch = _Watch()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the application before the first request."""
        loop.run_until_complete(self._life.begin())

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End it after the last."""
        loop.run_until_complete(self._life.end())

    def __rsgi__(self, request: Request, wire: Any) -> Awaitable[None]:
        """Answer one request; called in granian's thread, so nothing but a remembered tile is touched here."""
        path, headers = request.path, request.headers
        if not (
            path.startswith("/tiles/")
            and path.endswith(".mvt")
            and request.method == "GET"
            and "cookie" not in headers
            and "authorization" not in headers
        ):
            return self._other(request, wire)
        text = request.query_string
        tile = self._tiles.remembered(path, text)
        if tile is None:
            return self._tile(request, wire, path, text)
        _say(wire, tile, headers)
        return _NOTHING

    async def _other(self, request: Request, wire: Any) -> None:
        await own_task()
        await Bridge(request, wire).run(self._app)

    async def _tile(self, request: Request, wire: Any, path: str, text: str) -> None:
        await own_task()
        watched = self._watch.begin(wire)
        try:
            tile = await self._tiles.tile(path, text)
        except Exception as err:
            status, body = errors.document_of(err, path)
            kind = ("content-type", errors.PROBLEM)
            wire.response_bytes(status, [kind, ("access-control-allow-origin", "*")], body)
            return
        finally:
            self._watch.end(watched)
        if tile is None:
            await Bridge(request, wire).run(self._app)
        else:
            _say(wire, tile, request.headers)


def _say(wire: Any, tile: Tile, headers: Any) -> None:
    tags, accepted = headers.get("if-none-match", ""), headers.get("accept-encoding", "")
    wire.response_bytes(*answer(tile, tags, accepted, private=False))


class _Nothing:
    """What there is to wait for when all is said."""

    def __await__(self) -> Iterator[None]:
        return _NEVER


_NEVER: Iterator[None] = iter(())
_NOTHING = cast("Awaitable[None]", _Nothing())


class _Watch:
    """Cancels the tasks whose clients go away while the work takes long; one timer for all of them."""

    def __init__(self) -> None:
        self._begun: dict[asyncio.Task[Any], tuple[float, Any]] = {}
        self._watchers: dict[asyncio.Task[Any], asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, wire: Any) -> asyncio.Task[Any]:
        """Look after the current task, which is at work for a client."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("nothing is at work")
        self._begun[task] = loop.time(), wire
        if self._timer is None:
            self._timer = loop.call_later(PATIENCE, self._look, loop)
        return task

    def end(self, task: asyncio.Task[Any]) -> None:
        """It is done."""
        self._begun.pop(task, None)
        watcher = self._watchers.pop(task, None)
        if watcher:
            watcher.cancel()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Those that take long get a watcher each; in the order in which they began."""
        while self._begun:
            task, (begun, wire) = next(iter(self._begun.items()))
            wait = begun + PATIENCE - loop.time()
            if wait > 0:
                self._timer = loop.call_later(wait, self._look, loop)
                return
            del self._begun[task]
            self._watchers[task] = loop.create_task(self._gone(wire, task))
        self._timer = None

    @staticmethod
    async def _gone(wire: Any, task: asyncio.Task[Any]) -> None:
        await wire.client_disconnect()
        task.cancel()


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
