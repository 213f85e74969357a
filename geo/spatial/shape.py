"""The geometry of a question: read, checked with the place of each defect, carried to degrees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import shapely

from geo.errors import GeometryError
from geo.geometry import area_geodesic, defects
from geo.reference import Reference

# A question of more vertices is answered by a job, one past the second number by nobody.
MOST_AT_ONCE = 100_000
MOST = 1_000_000
_POLE = 89.999


@dataclass(frozen=True)
class Shape:
    """A valid polygon in longitude–latitude, its WKB, number of vertices and geodesic area in m²."""

    geometry: Any
    wkb: bytes
    vertices: int
    area_m2: float


def _refuse(message: str, remedy: str, value: str = "") -> GeometryError:
    return GeometryError(message, remedy, field="geometry", value=value[:60])


def _polygons(document: Any) -> list[Any]:
    """The geometries of a GeoJSON geometry, feature or collection of features."""
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        features = document.get("features")
        return [g for f in features for g in _polygons(f)] if isinstance(features, list) else []
    if isinstance(document, dict) and document.get("type") == "Feature":
        return _polygons(document.get("geometry"))
    return [document]


def read(body: bytes, reference: Reference) -> Shape:
    """The polygon of a GeoJSON text in ``reference``; GeometryError names the defect and its place."""
    try:
        parts = _polygons(orjson.loads(body))
        shapes = [shapely.force_2d(shapely.from_geojson(orjson.dumps(part))) for part in parts]
    except (orjson.JSONDecodeError, shapely.errors.ShapelyError, ValueError, TypeError, RecursionError):
        raise _refuse(
            "The geometry is no GeoJSON.", "Send a polygon, a feature or a collection of them."
        ) from None
    return whole(shapes, reference)


def whole(shapes: Sequence[Any], reference: Reference) -> Shape:
    """One sound polygon of several, carried to degrees; GeometryError names the defect and its place."""
    if not shapes or any(s is None or s.is_empty for s in shapes):
        raise _refuse("The geometry is empty.", "Send a polygon.")
    wrong = next((s for s in shapes if s.geom_type not in ("Polygon", "MultiPolygon")), None)
    if wrong is not None:
        raise _refuse(f"A {wrong.geom_type} has no area.", "Send a polygon.", wrong.geom_type)
    vertices = sum(len(shapely.get_coordinates(s)) for s in shapes)
    if vertices > MOST:
        raise _refuse(
            f"The geometry has {vertices} vertices.",
            f"At most {MOST} are taken: simplify it or ask in parts.",
        )
    for shape in shapes:
        _sound(shape, "")
    joined = shapes[0] if len(shapes) == 1 else shapely.union_all(shapes)
    return _placed(joined, reference, vertices)


def of_wkb(wkb: bytes) -> Shape:
    """The shape of a register's object."""
    return of_geometry(shapely.from_wkb(wkb))


def of_geometry(geometry: Any) -> Shape:
    """The shape of a polygon that is valid and in degrees already."""
    area = float(area_geodesic(np.array([geometry], dtype=object))[0])
    return Shape(geometry, shapely.to_wkb(geometry), len(shapely.get_coordinates(geometry)), area)


def _sound(shape: Any, after: str) -> None:
    found = defects(np.array([shape], dtype=object))
    if found:
        first = found[0]
        place = f" at {first.x:.10g}, {first.y:.10g}" if np.isfinite(first.x) else ""
        raise _refuse(
            f"The polygon is not valid{after}: {first.kind}{place}.",
            "Correct the border at this place; a ring must not cross or touch itself.",
            first.kind,
        )


def _placed(shape: Any, reference: Reference, vertices: int) -> Shape:
    carried = reference.to_degrees(shape)
    _sound(carried, " once it is carried to longitude and latitude")
    for part in shapely.get_parts(carried):
        west, south, east, north = part.bounds
        if east - west > 180 or (max(abs(south), abs(north)) > _POLE and east - west > 90):
            pole = max(abs(south), abs(north)) > _POLE
            raise _refuse(
                "The polygon encloses a pole." if pole else "The polygon crosses the antimeridian.",
                "Cut it at 180° of longitude into parts that lie on one side each (RFC 7946, 3.1.9).",
                "pole" if pole else "antimeridian",
            )
    area = float(area_geodesic(np.array([carried], dtype=object))[0])
    return Shape(carried, shapely.to_wkb(carried), vertices, area)
