"""Generalising a coverage: neighbours keep their common border, small plots join the class around them, nothing is lost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import GEOSException

from tiles.bands import Band

# Below ten units of a tile, snapping to its grid would make neighbours overlap (docs/decisions/0062-overviews.md).
TOLERANCE = 10
# A plot narrower than this many units (three pixels) takes the class that prevails around it.
TINY = 24
# A chunk that takes more vertices is drawn twice as coarse, and once more: a tile shows four chunks.
MOST_VERTICES = 6_000
COARSER = (1, 2, 4)
Class = tuple[str | None, ...]


@dataclass(frozen=True)
class Piece:
    """All plots of one class in a chunk: their area as one shape, their number, and the sum of their areas in m²."""

    kind: Class
    count: int
    area_m2: float
    shape: shapely.Geometry


def generalise(pieces: Sequence[Piece], band: Band) -> list[Piece]:
    """Merge by class and simplify what lies in one chunk; borders of the chunk stay as they are.

    Shapes are polygonal, metres of web mercator. What overlaps is merged too, but not simplified together.
    """
    if not pieces:
        return []
    parts, owner = shapely.get_parts(np.array([p.shape for p in pieces], dtype=object), return_index=True)
    kinds = sorted({p.kind for p in pieces}, key=repr)
    number = {kind: n for n, kind in enumerate(kinds)}
    own = np.array([number[p.kind] for p in pieces])
    for coarser in COARSER:
        drawn = _prevailing(parts, own[owner], coarser * band.unit, len(kinds))
        held, shapes = _drawn(parts, drawn, coarser * band.unit, len(kinds))
        if len(shapely.get_coordinates(shapes)) <= MOST_VERTICES:
            break
    # A class that is drawn nowhere any more is counted with the one that took most of its parts.
    counted = [
        n if n in held else int(np.bincount(drawn[own[owner] == n]).argmax()) for n in range(len(kinds))
    ]
    counts, areas = [0] * len(kinds), [0.0] * len(kinds)
    for piece, n in zip(pieces, own, strict=True):
        counts[counted[n]] += piece.count
        areas[counted[n]] += piece.area_m2
    return [Piece(kinds[n], counts[n], areas[n], shape) for n, shape in zip(held, shapes, strict=True)]


def _drawn(
    parts: NDArray[np.object_], drawn: NDArray[np.int_], unit: float, kinds: int
) -> tuple[list[int], NDArray[np.object_]]:
    """Classes that have a shape, and their shapes; ``unit`` of a tile in metres."""
    invalid = ~shapely.is_empty(shapely.coverage_invalid_edges(parts))
    merged = [_merge(parts[(drawn == n) & ~invalid], parts[(drawn == n) & invalid]) for n in range(kinds)]
    held = [n for n, shape in enumerate(merged) if not shape.is_empty]
    shapes = np.array([merged[n] for n in held], dtype=object)
    return held, shapely.coverage_simplify(shapes, TOLERANCE * unit, simplify_boundary=False)


def _prevailing(
    parts: NDArray[np.object_], kind: NDArray[np.int_], unit: float, kinds: int
) -> NDArray[np.int_]:
    """Class in which each part is drawn: its own, or where it is tiny the one with most area around it."""
    area = shapely.area(parts)
    tiny = area < (TINY * unit) ** 2
    if not tiny.any():
        return kind
    size = 2 * TINY * unit
    middle = shapely.get_coordinates(shapely.centroid(parts))
    _, place = np.unique(np.floor(middle / size).astype(np.int64), axis=0, return_inverse=True)
    place = place.reshape(-1)
    total = np.zeros((place.max() + 1, kinds))
    np.add.at(total, (place, kind), area)
    return np.where(tiny, total.argmax(axis=1)[place], kind)


def _merge(good: NDArray[np.object_], bad: NDArray[np.object_]) -> shapely.Geometry:
    """One multipolygon; parts that share borders exactly are joined eight times quicker than others."""
    try:
        joined = shapely.coverage_union_all(good)
    except GEOSException:
        joined = shapely.union_all(good)
    if len(bad):
        joined = shapely.union_all(np.array([joined, *bad], dtype=object))
    polygons = [p for p in shapely.get_parts(joined) if p.geom_type == "Polygon"]
    return shapely.multipolygons(polygons) if polygons else shapely.MultiPolygon()
