"""The composition root: one ASGI application of tiles, machine interfaces and pages."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from accounts.errors import LogInNeededError
from accounts.roots import UnknownRootError
from api import errors
from api.case_errors import CASE_STATUSES
from api.compression import Compression
from api.gateway import Gateway
from api.head import bodiless
from api.identity import Identity
from api.patience import GoneError
from api.reply import STATUSES, challenge, with_cookies
from api.routes import (
    boundaries,
    calendar,
    cases,
    changes,
    decisions,
    documents,
    health,
    items,
    journal,
    layers,
    messages,
    oauth,
    objects,
    ogc,
    preferences,
    rasters,
    services,
    sheets,
    signatures,
    spatial,
    tilesets,
    webhooks,
)
from cases.decisions import issue
from cases.messages import CHANNEL
from geo.bell import Bell, TooManyWaitingError
from geo.db import Database
from geo.errors import MezhaError, ParameterError
from geo.filters import FilterError
from geo.layers import all_layers
from geo.logs import configure as configure_logs
from geo.rasters.errors import RasterFileError, RasterRequestError, UnknownRasterError
from geo.settings import Settings
from geo.spatial.questions import TooManyQuestionsError
from ingest import reference_profile
from ingest.profile import built_in
from tiles.errors import ArchiveMissingError, SlowTileError
from tiles.handler import Receive, Scope, Send, TileHandler
from web.errors import error_page
from web.site import mount

ROUTERS = (
    health.router,
    ogc.router,
    tilesets.router,
    items.router,
    objects.router,
    layers.router,
    spatial.router,
    changes.router,
    sheets.router,
    rasters.router,
    services.router,
    cases.router,
    boundaries.router,
    messages.router,
    preferences.router,
    documents.router,
    decisions.router,
    signatures.router,
    calendar.router,
    webhooks.router,
    journal.router,
    oauth.router,
)


class NoSuchPageError(MezhaError):
    """There is nothing at this path, or not for this method."""

    code = "not-found"


errors.register({UnknownRootError: 404})
errors.register({NoSuchPageError: 404, FilterError: 400, SlowTileError: 503, ArchiveMissingError: 503})
errors.register({GoneError: 499, TooManyQuestionsError: 429})
errors.register({TooManyWaitingError: 503})
errors.register({UnknownRasterError: 404, RasterRequestError: 404, RasterFileError: 422})
errors.register(STATUSES)
errors.register(CASE_STATUSES)
_SLASHES = re.compile("/{2,}")
_OGC_TILE = re.compile(r"/ogc/(?:collections/([^/]+)/)?tiles/WebMercatorQuad/([^/]+)/([^/]+)/([^/]+)")


def _wants_page(scope: Scope) -> bool:
    path: str = scope["path"]
    accept = dict(scope["headers"]).get(b"accept", b"")
    return b"text/html" in accept and not path.startswith(("/api/", "/ogc", "/tiles/", "/raster/"))


def _path(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query and request.method == "GET" else request.url.path


def _response(request: Request, err: BaseException) -> Response:
    status, body = errors.document_of(err, request.url.path)
    if _wants_page(request.scope):
        if isinstance(err, LogInNeededError):
            return RedirectResponse(f"/login?next={quote(_path(request))}", 303)
        return error_page(request, errors.translate(err) if isinstance(err, MezhaError) else None, status)
    return Response(body, status_code=status, media_type=errors.PROBLEM, headers=challenge(err, status))


def _allowed(request: Request, err: HTTPException) -> str:
    """The methods of a resource; HEAD wherever OGC API's GET is."""
    found = [*(err.headers or {}).get("Allow", "GET").split(", "), "OPTIONS"]
    return ", ".join(found if not request.url.path.startswith("/ogc") else [*found, "HEAD"])


def _install_errors(app: FastAPI) -> None:
    @app.exception_handler(Exception)
    @app.exception_handler(MezhaError)
    async def any_error(request: Request, err: Exception) -> Response:
        return _response(request, err)

    @app.exception_handler(RequestValidationError)
    async def bad_request(request: Request, err: RequestValidationError) -> Response:
        first = err.errors()[0]
        name = str(first["loc"][-1]) if first["loc"] else ""
        return _response(
            request,
            ParameterError(
                f"{name}: {first['msg']}.",
                "Correct the value.",
                field=name,
                value=str(first.get("input", ""))[:60],
            ),
        )

    @app.exception_handler(HTTPException)
    async def no_page(request: Request, err: HTTPException) -> Response:
        if err.status_code == 405 and request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": _allowed(request, err)})
        if err.status_code in (404, 405):
            return _response(
                request,
                NoSuchPageError(f"There is nothing at {request.url.path[:100]}.", "Start at / or at /ogc."),
            )
        return _response(request, ParameterError(str(err.detail), "Correct the request."))


async def _prepare(settings: Settings) -> None:
    """What only decisions need is loaded once the server has answered its first requests, and before its first decision."""
    await asyncio.sleep(5)
    await asyncio.to_thread(issue.prepare, settings)


def _fastapi(database: Database, writer: Database, settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await database.open()
        preparing = asyncio.create_task(_prepare(settings))
        yield
        preparing.cancel()
        await database.close()
        await writer.close()

    app = FastAPI(
        title="Mezha",
        version="0.1.0",
        description="Registers of plots and deposits: features, tiles, spatial questions, cases",
        # The page of the documentation is one of the site: it loads nothing from elsewhere.
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    app.state.database = database
    app.state.writer = writer
    app.state.bell = Bell(settings.url_for("app"), CHANNEL, most=settings.streams)
    app.state.profiles = (*built_in().values(), *reference_profile.built_in().values())
    app.state.settings = settings
    for router in ROUTERS:
        app.include_router(router)
    mount(app, settings)
    _install_errors(app)
    # Without credentials: a page elsewhere sees what the public sees.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD"],
        expose_headers=["content-crs", "link"],
    )
    app.add_middleware(Compression, minimum_size=1000)
    return app


def to_ours(scope: Scope) -> None:
    """An address as OGC API writes it becomes ours.

    A slash too many means nothing; a tile (row before column) becomes the tile handler's own (column before row).
    """
    if scope["path"].startswith("/ogc"):
        scope["path"] = _SLASHES.sub("/", scope["path"]).rstrip("/")
    match = _OGC_TILE.fullmatch(scope["path"])
    if match:
        layer, z, row, column = match.groups()
        # Without a collection: all of them; what the caller may not see, or is not drawn so far out, adds nothing.
        scope["path"] = f"/tiles/{layer or ','.join(all_layers())}/{z}/{column}/{row}.mvt"
        query = [p for p in scope["query_string"].split(b"&") if p and p not in (b"f=mvt",)]
        scope["query_string"] = b"&".join(query)


class Mezha:
    """The outermost application: identity first, tiles past every framework, the rest through FastAPI."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings)
        self.writer = Database(settings, role="registrar")
        self.app = _fastapi(self.database, self.writer, settings)
        self.tiles = TileHandler(self.database, settings)
        self._identity = Identity(self.database, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, whatever goes wrong with it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            # A dictionary of its own: what one request is told must never reach another.
            scope["state"] = dict(scope.get("state") or {})
            send = with_cookies(scope, send, self.settings)
            scope["state"]["caller"] = await self._identity.caller(scope)
            asked = {**scope, "state": {}}
            scope["state"]["recognise"] = lambda: self._identity.caller(asked)
            to_ours(scope)
            if scope["path"].startswith("/tiles/"):
                await self.tiles(scope, receive, send)
                return
        except Exception as err:
            await _send_problem(err, scope, send)
            return
        if scope["method"] == "HEAD" and scope["path"].startswith("/ogc"):
            scope, send = bodiless(scope, send)
        app = self._rasters if scope["path"].startswith("/raster") else self.app
        await self._frameworks(app, scope, receive, send)

    @cached_property
    def _rasters(self) -> FastAPI:
        """Loaded with the first question about a raster: its libraries are no part of a start."""
        from api.rasters import create

        return create(self.app)

    async def _frameworks(self, app: FastAPI, scope: Scope, receive: Receive, send: Send) -> None:
        """FastAPI raises again what its handlers have answered already; only an unanswered fault is ours."""
        started = False

        async def watched(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await app(scope, receive, watched)
        except Exception as err:
            if not started:
                await _send_problem(err, scope, send)


async def _send_problem(err: BaseException, scope: Scope, send: Send) -> None:
    status, body = errors.document_of(err, scope["path"])
    headers = [
        (b"content-type", errors.PROBLEM.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"access-control-allow-origin", b"*"),
        *((k.encode(), v.encode()) for k, v in challenge(err, status).items()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def create_app() -> Mezha:
    """The application with the settings of the environment."""
    configure_logs()
    return Mezha(Settings())


def create_gateway() -> Gateway:
    """The same behind the server's own interface; granian calls this in every worker."""
    app = create_app()
    return Gateway(app, app.tiles)
