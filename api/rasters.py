"""The raster server: titiler over catalogued rasters, an application of its own that is loaded when first asked.

Its libraries take a second to load, which a start must not wait for.
"""

from fastapi import FastAPI, Request
from rasterio.errors import RasterioError
from rio_tiler.errors import RioTilerError
from starlette.responses import Response

from api import errors
from geo.rasters.errors import RasterRequestError
from tiles.rasters import routes
from tiles.rasters.freshness import Freshness, UnchangedError


async def _cannot_answer(request: Request, err: Exception) -> Response:
    """What the libraries say of a band, an expression or a place that is not there."""
    known = RasterRequestError(f"The raster cannot answer that: {str(err)[:160]}.", "Look at its /info.")
    status, body = errors.document_of(known, request.url.path)
    return Response(body, status_code=status, media_type=errors.PROBLEM)


async def _unchanged(_request: Request, _err: Exception) -> Response:
    return Response(status_code=304)


def create(parent: FastAPI) -> FastAPI:
    """The application of ``/raster``; it shares the state and the error pages of its parent."""
    app = FastAPI(title="Mezha rasters", docs_url=None, redoc_url=None, openapi_url="/raster/openapi.json")
    app.state = parent.state
    app.include_router(routes.router)
    app.exception_handlers.update(parent.exception_handlers)
    for kind in (RioTilerError, RasterioError, ValueError, IndexError):
        app.add_exception_handler(kind, _cannot_answer)
    app.add_exception_handler(UnchangedError, _unchanged)
    app.add_middleware(Freshness)
    return app
