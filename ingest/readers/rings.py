"""Rings of points made into polygons: which ring is a shell, which a hole of which."""

import math
from collections.abc import Sequence
from typing import Any

import shapely

Point = tuple[float, float]


def polygons(rings: Sequence[Sequence[Point]]) -> list[Any]:
    """Polygons of one contour: a ring inside an earlier one is its hole, any other starts a new polygon.

    A ring of fewer than three different points stays a line or a point, so that its defect is told and not hidden.
    ValueError where a coordinate is no finite number.
    """
    if not all(math.isfinite(value) for ring in rings for point in ring for value in point):
        raise ValueError("it is not a finite number")
    shells: list[tuple[Any, list[Any]]] = []
    for points in rings:
        ring = list(points) if points[0] == points[-1] else [*points, points[0]]
        if len(ring) < 4:
            shells.append((shapely.LineString(ring) if len(set(ring)) > 1 else shapely.Point(ring[0]), []))
            continue
        polygon = shapely.Polygon(ring)
        owner = next((s for s in shells if _holds(s[0], polygon, ring[0])), None)
        if owner:
            owner[1].append(ring)
        else:
            shells.append((polygon, []))
    return [shapely.Polygon(s.exterior.coords, holes) if holes else s for s, holes in shells]


def _holds(shell: Any, polygon: Any, start: Point) -> bool:
    return (
        shell.geom_type == "Polygon"
        and shell.area > polygon.area
        and bool(shell.covers(shapely.Point(start)))
    )


def joined(parts: Sequence[Any]) -> Any:
    """One geometry of the parts of a record; None where there are none."""
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    if all(p.geom_type == "Polygon" for p in parts):
        return shapely.MultiPolygon(parts)
    return shapely.GeometryCollection(parts)
