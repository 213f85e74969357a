"""The OpenAPI 3.0 definition of the OGC API: what conformance tests, QGIS and GDAL read."""

from collections.abc import Sequence
from typing import Any

from api.links import GEOJSON, MVT, SCHEMA
from geo.layers import Layer
from geo.objects import OF_EVERY_OBJECT
from geo.settings import Settings

Json = dict[str, Any]
_TYPES: dict[str, Json] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "identity": {"type": "integer"},
    "instant": {"type": "string", "format": "date-time"},
}


def _parameter(name: str, schema: Json, text: str, **more: Any) -> Json:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema, **more}


def _parameters(settings: Settings) -> Json:
    numbers = {"type": "number"}
    box = {"type": "array", "minItems": 4, "maxItems": 6, "items": numbers}
    limit = {"type": "integer", "minimum": 1, "maximum": settings.items_max_limit, "default": 10}
    text = {"type": "string"}
    exploded = {"style": "form", "explode": False}
    return {
        "f": _parameter("f", {"type": "string", "enum": ["json", "html"]}, "Format", **exploded),
        "limit": _parameter("limit", limit, "Features on a page; a greater number is clamped", **exploded),
        "bbox": _parameter(
            "bbox", box, "Box in the order of bbox-crs, longitude first by default", **exploded
        ),
        "bbox-crs": _parameter("bbox-crs", {**text, "format": "uri"}, "System of bbox", **exploded),
        "crs": _parameter("crs", {**text, "format": "uri"}, "System of the answer", **exploded),
        "datetime": _parameter("datetime", text, "Valid time: a date or an interval first/last", **exploded),
        "as_of": _parameter(
            "as_of", {**text, "format": "date-time"}, "System time: what the register knew then"
        ),
        "after": _parameter("after", {"type": "integer"}, "Id after which the page begins"),
        "filter": _parameter("filter", text, "CQL2 condition"),
        "filter-lang": _parameter(
            "filter-lang",
            {**text, "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"},
            "Its language",
        ),
        "filter-crs": _parameter("filter-crs", {**text, "format": "uri"}, "System of its geometries"),
        "featureId": {
            "name": "featureId",
            "in": "path",
            "required": True,
            "description": "Identity of a feature",
            "schema": {"type": "string"},
        },
    }


def _answer(text: str, kinds: Sequence[str]) -> Json:
    schemas: Json = {"text/html": {"schema": {"type": "string"}}}
    schemas[MVT] = {"schema": {"type": "string", "format": "binary"}}
    return {
        "description": text,
        "content": {k: schemas.get(k, {"schema": {"type": "object"}}) for k in kinds},
    }


def _operation(text: str, name: str, kinds: Sequence[str], parameters: Sequence[Json]) -> Json:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}
    return {
        "get": {
            "summary": text,
            "operationId": name,
            "parameters": list(parameters),
            "responses": {
                "200": _answer(text, kinds),
                "400": {"description": "A parameter has a value that cannot be meant", "content": problem},
                "404": {"description": "There is no such thing", "content": problem},
                "500": {"description": "A fault of the service", "content": problem},
                "503": {"description": "The database does not answer", "content": problem},
            },
        }
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}


def _paths_of(layer: Layer) -> Json:
    path, title = f"/collections/{layer.name}", layer.title["en"]
    plain, page = ("application/json", "text/html"), (GEOJSON, "text/html")
    names = (
        "bbox",
        "bbox-crs",
        "crs",
        "datetime",
        "as_of",
        "limit",
        "after",
        "filter",
        "filter-lang",
        "filter-crs",
    )
    own = [_parameter(p.name, _TYPES[p.type], p.title["en"]) for p in layer.properties]
    own += [_parameter(name, _TYPES[kind], "Of every object") for name, kind in OF_EVERY_OBJECT.items()]
    formats = {"type": "string", "enum": FORMATS}
    feature = (_ref("featureId"), _ref("crs"), _ref("datetime"), _ref("as_of"), _ref("f"))
    n = layer.name
    return {
        path: _operation(title, f"describe_{n}", plain, [_ref("f")]),
        f"{path}/queryables": _operation("What filters may ask", f"queryables_{n}", (SCHEMA,), [_ref("f")]),
        f"{path}/schema": _operation("Properties of a feature", f"schema_{n}", (SCHEMA,), [_ref("f")]),
        f"{path}/items": _operation(
            f"{title}: features",
            f"items_{n}",
            page,
            [*map(_ref, names), _parameter("f", formats, "Format; files hold every feature"), *own],
        ),
        f"{path}/items/{{featureId}}": _operation(f"{title}: one feature", f"item_{n}", page, feature),
        **_tiles_of(path, f"{n}.collection.vector"),
    }


def _tiles_of(path: str, prefix: str) -> Json:
    """The three operations of a tileset, named as OGC API – Tiles names them (table 11 of OGC 20-057)."""
    plain = ("application/json", "text/html")
    tile = [
        {"name": n, "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
        for n in ("tileMatrix", "tileRow", "tileCol")
    ]
    grid = f"{path}/tiles/WebMercatorQuad"
    return {
        f"{path}/tiles": _operation("Tilesets", f"{prefix}.getTileSetsList", plain, [_ref("f")]),
        grid: _operation("Tileset", f"{prefix}.getTileSet", plain, [_ref("f")]),
        f"{grid}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": _operation(
            "A tile", f"{prefix}.getTile", (MVT,), tile
        ),
    }


FORMATS = ["json", "html", "csv", "flatgeobuf", "geoparquet", "gpkg", "shapefile", "dxf", "kml"]


def definition(base: str, layers: Sequence[Layer], settings: Settings) -> Json:
    """The document, with the collections that the caller may know of."""
    plain = ("application/json", "text/html")
    paths: Json = {
        "/": _operation("Landing page", "landing", plain, [_ref("f")]),
        "/api": _operation("This definition", "definition", plain, [_ref("f")]),
        "/conformance": _operation("Conformance classes", "conformance", plain, [_ref("f")]),
        "/collections": _operation("Collections", "collections", plain, [_ref("f")]),
        "/tileMatrixSets": _operation("Tile grids", "grids", plain, [_ref("f")]),
        "/tileMatrixSets/WebMercatorQuad": _operation("The grid of web maps", "grid", plain, [_ref("f")]),
    }
    paths |= _tiles_of("", "dataset.vector")
    for layer in layers:
        paths |= _paths_of(layer)
    text = {"type": "string"}
    problem = {
        "type": "object",
        "properties": dict.fromkeys(("type", "title", "code", "detail", "field", "value"), text),
    }
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Mezha: OGC API",
            "version": "1.0.0",
            "description": "Features and tiles of the registers",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": f"{base}/ogc"}],
        "paths": paths,
        "components": {"parameters": _parameters(settings), "schemas": {"problem": problem}},
    }
