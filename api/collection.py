"""Documents about a layer as an OGC API collection: description, schema, queryables, tilesets."""

from math import ceil, floor
from typing import Any

from api.links import GEOJSON, SCHEMA, link
from api.tileset import TILESETS
from geo import objects, tally
from geo.access import Caller
from geo.db import Database
from geo.layers import Layer, Property
from geo.reference import CRS84

QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
DESCRIBED_BY = "describedby"
SCHEMA_REL = "http://www.opengis.net/def/rel/ogc/1.0/schema"
_TYPES: dict[str, dict[str, str]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "date": {"type": "string", "format": "date"},
}
_SHAPES = {"MULTIPOLYGON": "MultiPolygon", "POINT": "Point"}


def outward(box: objects.Bbox) -> list[float]:
    """The box in whole millionths of a degree, a hair wider: what touches it lies in it in every system."""
    west, south, east, north = box
    lower = (
        max((floor(round(v * 1e6, 3)) - 1) / 1e6, limit) for v, limit in ((west, -180.0), (south, -90.0))
    )
    upper = (min((ceil(round(v * 1e6, 3)) + 1) / 1e6, limit) for v, limit in ((east, 180.0), (north, 90.0)))
    return [*lower, *upper]


async def described(layer: Layer, base: str, database: Database, caller: Caller) -> dict[str, Any]:
    """Description of one collection."""
    async with database.transaction(caller) as connection:
        box = await tally.extent(connection, layer)
    path = f"{base}/ogc/collections/{layer.name}"
    extent = {"extent": {"spatial": {"bbox": [outward(box)], "crs": CRS84}}} if box else {}
    return {
        "id": layer.name,
        "title": layer.title["en"],
        "description": layer.title["ru"],
        "itemType": "feature",
        # The whole list stands once, in the document of all collections.
        "crs": ["#/crs"],
        "storageCrs": CRS84,
        # An empty layer has no extent, and a register has neither a first nor a last day of its own.
        **extent,
        "links": [
            link("self", f"{path}?f=json", "application/json", "This collection"),
            link("alternate", f"{path}?f=html", "text/html", "This collection as a page"),
            link("items", f"{path}/items?f=json", GEOJSON, "Features"),
            link("items", f"{path}/items?f=html", "text/html", "Features as a page"),
            link(QUERYABLES, f"{path}/queryables", SCHEMA, "What filters may ask"),
            link(SCHEMA_REL, f"{path}/schema", SCHEMA, "Properties of a feature"),
            link(DESCRIBED_BY, f"{path}/schema", SCHEMA, "Properties of a feature"),
            link(TILESETS, f"{path}/tiles", "application/json", "Tiles"),
        ],
    }


def _property(target: Property, position: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "title": target.title["en"],
        "description": target.title["ru"],
        "x-ogc-propertySeq": position,
        **_TYPES[target.type],
    }
    if target.unit:
        found["x-ogc-unit"] = target.unit
    return found


def schema(layer: Layer, address: str, *, queryable: bool) -> dict[str, Any]:
    """JSON Schema of a feature's properties, or of what a filter may ask."""
    shape = _SHAPES[layer.geometry]
    geometry = {
        "title": "Geometry",
        "x-ogc-role": "primary-geometry",
        "format": f"geometry-{shape.lower()}",
    }
    if queryable:
        # By this, not by the format that the standard came to, QGIS knows a geometry that it may filter by.
        geometry["$ref"] = f"https://geojson.org/schema/{shape}.json"
    identity = {"title": "Identity", "type": "integer", "x-ogc-role": "id"}
    times = {
        "valid_from": ("Holds from", "date"),
        "valid_to": ("Holds until", "date"),
        "sys_from": ("Known from", "date-time"),
        "sys_to": ("Known until", "date-time"),
    }
    properties: dict[str, Any] = {"id": identity, "geometry": geometry}
    properties |= {p.name: _property(p, n) for n, p in enumerate(layer.properties, 1)}
    properties |= {
        name: {"title": title, "type": "string", "format": kind} for name, (title, kind) in times.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": address,
        "type": "object",
        "title": layer.title["en"],
        "description": layer.title["ru"],
        "properties": properties,
        "additionalProperties": False,
    }
