"""OGC API – Features: landing page, conformance, collections, items, item."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from api.feature import feature
from api.params import (
    BaseUrl,
    CallerDep,
    DatabaseDep,
    LayerDep,
    MomentDep,
    SettingsDep,
    boxes_of,
    known_only,
    limit_of,
)
from api.representation import Representation, html, negotiated
from geo import objects
from geo.access import Caller
from geo.db import Database
from geo.errors import ParameterError
from geo.layers import Layer, all_layers
from geo.objects import Query as ObjectQuery

router = APIRouter(prefix="/ogc", tags=["OGC API"])
GEOJSON = "application/geo+json"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
)


def link(rel: str, href: str, kind: str, title: str = "") -> dict[str, str]:
    """A link as OGC API writes it."""
    return {"rel": rel, "href": href, "type": kind} | ({"title": title} if title else {})


def _self(request: Request, base: str, kind: str, other: str) -> list[dict[str, str]]:
    path = f"{base}{request.url.path}"
    own, alternate = ("json", "html") if kind != "text/html" else ("html", "json")
    return [
        link("self", f"{path}?f={own}", kind, "This document"),
        link("alternate", f"{path}?f={alternate}", other, "In the other format"),
    ]


def answer(
    request: Request,
    wanted: Representation,
    document: dict[str, Any],
    title: str,
    kind: str = "application/json",
) -> Response:
    """The document as JSON or as a page, by Accept or ``f``."""
    if wanted is Representation.html:
        return html(request, title, document)
    return Response(orjson.dumps(document), media_type=kind)


@router.get("", dependencies=[known_only("f")])
async def landing(request: Request, base: BaseUrl) -> Response:
    """Landing page: where everything is."""
    ogc = f"{base}/ogc"
    document = {
        "title": "Mezha",
        "description": "Registers of plots and deposits: features and tiles",
        "links": [
            *_self(request, base, "application/json", "text/html"),
            link(
                "service-desc",
                f"{base}/api/openapi.json",
                "application/vnd.oai.openapi+json;version=3.0",
                "API definition",
            ),
            link("service-doc", f"{base}/api/docs", "text/html", "API documentation"),
            link("conformance", f"{ogc}/conformance", "application/json", "Conformance classes"),
            link("data", f"{ogc}/collections", "application/json", "Collections"),
        ],
    }
    return answer(request, negotiated(request), document, "OGC API")


@router.get("/conformance", dependencies=[known_only("f")])
async def conformance(request: Request) -> Response:
    """Conformance classes."""
    return answer(request, negotiated(request), {"conformsTo": list(CONFORMANCE)}, "Conformance")


async def collection_document(layer: Layer, base: str, database: Database, caller: Caller) -> dict[str, Any]:
    """Description of one collection."""
    async with database.transaction(caller) as connection:
        box = await objects.extent(connection, layer)
    path = f"{base}/ogc/collections/{layer.name}"
    return {
        "id": layer.name,
        "title": layer.title["en"],
        "description": layer.title["ru"],
        "itemType": "feature",
        "crs": [CRS84],
        "extent": {
            "spatial": {"bbox": [list(box or (-180, -90, 180, 90))], "crs": CRS84},
            "temporal": {
                "interval": [[None, None]],
                "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
            },
        },
        "links": [
            link("self", path, "application/json", "This collection"),
            link("alternate", f"{path}?f=html", "text/html", "This collection as a page"),
            link("items", f"{path}/items?f=json", GEOJSON, "Features"),
            link("items", f"{path}/items?f=html", "text/html", "Features as a page"),
            link(
                "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector",
                f"{path}/tiles",
                "application/json",
                "Tiles",
            ),
        ],
    }


@router.get("/collections", dependencies=[known_only("f")])
async def collections(
    request: Request, base: BaseUrl, database: DatabaseDep, caller: CallerDep, settings: SettingsDep
) -> Response:
    """Collections in which the caller may see something by the layer's own access."""
    visible = await visible_layers(database, caller)
    document = {
        "links": _self(request, base, "application/json", "text/html"),
        "collections": [await collection_document(layer, base, database, caller) for layer in visible],
    }
    return answer(request, negotiated(request), document, "Collections")


async def visible_layers(database: Database, caller: Caller) -> list[Layer]:
    """Layers that the caller may know of: published to his rank, or holding something of his."""
    async with database.transaction(caller) as connection:
        names = await objects.visible_names(connection)
    return [layer for name, layer in all_layers().items() if name in names]


@router.get("/collections/{layer}", dependencies=[known_only("f")])
async def collection(
    request: Request, layer: LayerDep, base: BaseUrl, database: DatabaseDep, caller: CallerDep
) -> Response:
    """One collection."""
    document = await collection_document(layer, base, database, caller)
    return answer(request, negotiated(request), document, layer.title["en"])


def filters_of(request: Request, layer: Layer) -> dict[str, str]:
    """Equality filters: parameters named like a property of the layer; anything else unknown is refused."""
    names = {p.name: p for p in layer.properties}
    known = {"bbox", "datetime", "as_of", "limit", "after", "f"}
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in known:
            continue
        if name not in names:
            raise ParameterError(
                f"The parameter “{name[:40]}” is unknown.",
                f"Known here: {', '.join(sorted(known))} and the properties {', '.join(names)}.",
                field=name[:40],
                value=value[:40],
            )
        objects.check_value(names[name], value)
        found[name] = value
    return found


@router.get("/collections/{layer}/items")
async def items(
    *,
    request: Request,
    layer: LayerDep,
    base: BaseUrl,
    database: DatabaseDep,
    caller: CallerDep,
    settings: SettingsDep,
    moment: MomentDep,
    bbox: Annotated[str | None, Query(description="west,south,east,north in degrees")] = None,
    limit: Annotated[str | None, Query(description="Features on a page; a greater number is clamped")] = None,
    after: Annotated[
        str | None, Query(description="Id after which the page begins; given by the next link")
    ] = None,
) -> Response:
    """A page of features."""
    query = ObjectQuery(
        boxes=boxes_of(bbox),
        moment=moment,
        equal=filters_of(request, layer),
        limit=limit_of(limit, settings),
        after=objects.identity_of(after) if after else 0,
    )
    async with database.transaction(caller) as connection:
        page = await objects.page(connection, layer, query)
    path = f"{base}{request.url.path}"
    links = [
        link("self", str(request.url), GEOJSON, "This page"),
        link("alternate", f"{path}?f=html", "text/html", "As a page"),
    ]
    if page.next_after is not None:
        parameters = request.url.include_query_params(after=page.next_after).query
        links.append(link("next", f"{path}?{parameters}", GEOJSON, "Next page"))
    document = {
        "type": "FeatureCollection",
        "numberMatched": page.matched,
        "numberReturned": len(page.rows),
        "timeStamp": objects.now(),
        "links": links,
        "features": [feature(layer, row) for row in page.rows],
    }
    return answer(request, negotiated(request), document, layer.title["en"], GEOJSON)


@router.get("/collections/{layer}/items/{identity}", dependencies=[known_only("f", "datetime", "as_of")])
async def item(
    *,
    request: Request,
    layer: LayerDep,
    identity: str,
    base: BaseUrl,
    database: DatabaseDep,
    caller: CallerDep,
    moment: MomentDep,
) -> Response:
    """One feature."""
    async with database.transaction(caller) as connection:
        row = await objects.one(connection, layer, objects.identity_of(identity), moment)
    path = f"{base}/ogc/collections/{layer.name}"
    document = feature(layer, row) | {
        "links": [
            link("self", f"{path}/items/{row['id']}", GEOJSON, "This feature"),
            link("alternate", f"{path}/items/{row['id']}?f=html", "text/html", "As a page"),
            link("collection", path, "application/json", "Its collection"),
        ]
    }
    return answer(request, negotiated(request), document, f"{layer.one['en']} {row['id']}", GEOJSON)
