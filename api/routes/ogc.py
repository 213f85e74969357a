"""OGC API: landing page, definition, conformance, collections, schemas, tilesets, coordinate systems."""

from typing import Any

import morecantile
import orjson
from fastapi import APIRouter, Request, Response
from pyproj import CRS

from api import collection as collections_of
from api.links import OPENAPI, SCHEMA, here, link
from api.openapi import definition
from api.params import BaseUrl, CallerDep, DatabaseDep, LayerDep, SettingsDep, known_only
from api.representation import Representation, html, negotiated
from geo import objects
from geo.access import Caller
from geo.db import Database
from geo.errors import UnknownObjectError
from geo.layers import Layer, all_layers
from geo.reference import References

router = APIRouter(prefix="/ogc", tags=["OGC API"])
KINDS = {"json": "application/json", "html": "text/html"}
_SPEC = "http://www.opengis.net/spec/"
CONFORMANCE = tuple(
    f"{_SPEC}{part}/conf/{name}"
    for part, names in {
        "ogcapi-common-1/1.0": ("core", "landing-page", "json", "html", "oas30"),
        "ogcapi-common-2/1.0": ("collections",),
        "ogcapi-features-1/1.0": ("core", "oas30", "html", "geojson"),
        "ogcapi-features-2/1.0": ("crs",),
        "ogcapi-features-3/1.0": (
            "queryables",
            "queryables-query-parameters",
            "filter",
            "features-filter",
        ),
        "ogcapi-features-5/1.0": ("schemas", "core-roles-features"),
        "cql2/1.0": (
            "cql2-text",
            "cql2-json",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "basic-spatial-functions",
            "basic-spatial-functions-plus",
            "spatial-functions",
            "property-property",
        ),
        "ogcapi-tiles-1/1.0": ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt"),
    }.items()
    for name in names
)


def answer(
    request: Request, document: dict[str, Any], title: str, *, kind: str = "application/json"
) -> Response:
    """The document as JSON or as a page, by Accept or ``f``."""
    if negotiated(request) is Representation.html:
        return html(request, title, document)
    return Response(orjson.dumps(document), media_type=kind)


def _own(request: Request, base: str, kind: str = "application/json") -> list[dict[str, str]]:
    return here(request, base, KINDS | {"json": kind}, negotiated(request).value)


@router.get("", dependencies=[known_only("f")])
async def landing(request: Request, base: BaseUrl) -> Response:
    """Landing page: where everything is."""
    ogc = f"{base}/ogc"
    document = {
        "title": "Mezha",
        "description": "Registers of plots and deposits: features and tiles",
        "links": [
            *_own(request, base),
            link("service-desc", f"{ogc}/api", OPENAPI, "API definition"),
            link("service-doc", f"{ogc}/api?f=html", "text/html", "API documentation"),
            link("conformance", f"{ogc}/conformance", "application/json", "Conformance classes"),
            link("data", f"{ogc}/collections", "application/json", "Collections"),
            link(
                "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes",
                f"{ogc}/tileMatrixSets",
                "application/json",
                "Tile matrix sets",
            ),
        ],
    }
    return answer(request, document, "OGC API")


@router.get("/api", dependencies=[known_only("f")])
async def api_definition(
    request: Request, base: BaseUrl, database: DatabaseDep, caller: CallerDep, settings: SettingsDep
) -> Response:
    """The OpenAPI 3.0 definition of this OGC API."""
    layers = await visible_layers(database, caller)
    return answer(request, definition(base, layers, settings), "API definition", kind=OPENAPI)


@router.get("/conformance", dependencies=[known_only("f")])
async def conformance(request: Request, base: BaseUrl) -> Response:
    """Conformance classes."""
    document = {"links": _own(request, base), "conformsTo": list(CONFORMANCE)}
    return answer(request, document, "Conformance")


async def visible_layers(database: Database, caller: Caller) -> list[Layer]:
    """Layers that the caller may know of: published to his rank, or holding something of his."""
    async with database.transaction(caller) as connection:
        names = await objects.visible_names(connection)
    return [layer for name, layer in all_layers().items() if name in names]


async def _references(database: Database, caller: Caller) -> References:
    async with database.transaction(caller) as connection:
        return await References.load(connection)


@router.get("/collections", dependencies=[known_only("f")])
async def collections(request: Request, base: BaseUrl, database: DatabaseDep, caller: CallerDep) -> Response:
    """Collections in which the caller may see something by the layer's own access."""
    visible = await visible_layers(database, caller)
    references = await _references(database, caller)
    document = {
        "links": _own(request, base),
        "crs": references.uris(base),
        "collections": [await collections_of.described(layer, base, database, caller) for layer in visible],
    }
    return answer(request, document, "Collections")


@router.get("/collections/{layer}", dependencies=[known_only("f")])
async def collection(
    request: Request, layer: LayerDep, base: BaseUrl, database: DatabaseDep, caller: CallerDep
) -> Response:
    """One collection."""
    document = await collections_of.described(layer, base, database, caller)
    references = await _references(database, caller)
    return answer(request, document | {"crs": references.uris(base)}, layer.title["en"])


@router.get("/collections/{layer}/queryables", dependencies=[known_only("f")])
async def queryables(request: Request, layer: LayerDep, base: BaseUrl) -> Response:
    """What filters and parameters may ask of a feature."""
    document = collections_of.schema(layer, f"{base}{request.url.path}", queryable=True)
    return answer(request, document, f"{layer.title['en']}: queryables", kind=SCHEMA)


@router.get("/collections/{layer}/schema", dependencies=[known_only("f")])
async def schema(request: Request, layer: LayerDep, base: BaseUrl) -> Response:
    """Properties of a feature."""
    document = collections_of.schema(layer, f"{base}{request.url.path}", queryable=False)
    return answer(request, document, f"{layer.title['en']}: schema", kind=SCHEMA)


@router.get("/collections/{layer}/tiles", dependencies=[known_only("f")])
async def tilesets(request: Request, layer: LayerDep, base: BaseUrl) -> Response:
    """Tilesets of a collection: one."""
    found = collections_of.tileset(layer, base)
    short = {k: found[k] for k in ("title", "dataType", "crs", "tileMatrixSetURI", "links")}
    return answer(request, {"links": _own(request, base), "tilesets": [short]}, "Tilesets")


@router.get("/collections/{layer}/tiles/WebMercatorQuad", dependencies=[known_only("f")])
async def tileset(request: Request, layer: LayerDep, base: BaseUrl) -> Response:
    """The tileset; its tiles are served by the tile handler."""
    return answer(request, collections_of.tileset(layer, base), "Tileset")


@router.get("/tileMatrixSets", dependencies=[known_only("f")])
async def tile_matrix_sets(request: Request, base: BaseUrl) -> Response:
    """Tile grids: one."""
    address = f"{base}/ogc/tileMatrixSets/WebMercatorQuad"
    grid = {
        "id": "WebMercatorQuad",
        "title": "Google Maps Compatible for the World",
        "uri": "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad",
        "links": [link("self", address, "application/json", "WebMercatorQuad")],
    }
    return answer(request, {"links": _own(request, base), "tileMatrixSets": [grid]}, "Tile matrix sets")


@router.get("/tileMatrixSets/WebMercatorQuad", dependencies=[known_only("f")])
async def tile_matrix_set(request: Request) -> Response:
    """The grid of web maps."""
    grid = morecantile.tms.get("WebMercatorQuad").model_dump_json(exclude_none=True, by_alias=True)
    return answer(request, orjson.loads(grid), "WebMercatorQuad")


@router.get("/crs/{code}", dependencies=[known_only("f")])
async def coordinate_system(
    request: Request, code: str, database: DatabaseDep, caller: CallerDep
) -> Response:
    """A local coordinate system that this installation defines, as PROJJSON."""
    found = (await _references(database, caller)).definition(code)
    if found is None:
        raise UnknownObjectError(
            f"There is no coordinate system “{code[:40]}”.",
            "The list `crs` of /ogc/collections names those that are known.",
            field="crs",
            value=code[:40],
        )
    document = CRS.from_user_input(found.definition).to_json_dict()
    return answer(request, document | {"name": found.title}, found.title, kind="application/projjson+json")
