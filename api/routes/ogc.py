"""OGC API: landing page, definition, conformance, collections, schemas, coordinate systems."""

from fastapi import APIRouter, Request, Response
from pyproj import CRS

from api import collection as collections_of
from api.links import OPENAPI, SCHEMA, link
from api.openapi import definition
from api.params import BaseUrl, CallerDep, DatabaseDep, LayerDep, SettingsDep, known_only
from api.representation import answer, own_links
from api.tileset import TILESETS
from geo import objects
from geo.access import Caller
from geo.db import Database
from geo.errors import UnknownObjectError
from geo.layers import Layer, all_layers
from geo.reference import References

router = APIRouter(prefix="/ogc", tags=["OGC API"])
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
            "temporal-functions",
            "property-property",
        ),
        "ogcapi-tiles-1/1.0": (
            "core",
            "tileset",
            "tilesets-list",
            "dataset-tilesets",
            "geodata-tilesets",
            "mvt",
            "oas30",
        ),
    }.items()
    for name in names
)


@router.get("", dependencies=[known_only("f")])
async def landing(request: Request, base: BaseUrl) -> Response:
    """Landing page: where everything is."""
    ogc = f"{base}/ogc"
    document = {
        "title": "Mezha",
        "description": "Registers of plots and deposits: features and tiles",
        "links": [
            *own_links(request, base),
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
            link(TILESETS, f"{ogc}/tiles", "application/json", "Tiles of every collection"),
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
    document = {"links": own_links(request, base), "conformsTo": list(CONFORMANCE)}
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
        "links": own_links(request, base),
        "crs": references.uris(),
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
    return answer(request, document | {"crs": references.uris()}, layer.title["en"])


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
