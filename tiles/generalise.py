"""Generalising a coverage: neighbours keep their common border, small plots join the class around them, nothing is lost."""

import math
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
# A chunk that takes more vertices is drawn coarser, as far as needed and at most so many times.
MOST_VERTICES = 8_000
COARSEST = 4.0
TRIES = 3
# Part of a square that its pieces may leave free and still fill it.
ALL_BUT = 1e-9
# Type number of a polygon.
POLYGON = 3
Class = tuple[str | None, ...]
Square = tuple[float, float, float, float]
Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Piece:
    """All plots of one class in a chunk: their area as one shape, their number, and the sum of their areas in m²."""

    kind: Class
    count: int
    area_m2: float
    shape: shapely.Geometry


def generalise(pieces: Sequence[Piece], band: Band, square: Square) -> list[Piece]:
    """Merge by class and simplify what lies in the square of a chunk, whose border stays as it is.

    Shapes are polygonal, metres of web mercator, cut at the square. What overlaps is merged too, but not simplified
    together.
    """
    if not pieces:
        return []
    kinds = sorted({p.kind for p in pieces}, key=repr)
    number = {kind: n for n, kind in enumerate(kinds)}
    own = np.array([number[p.kind] for p in pieces])
    plots, index = shapely.get_parts(np.array([p.shape for p in pieces], dtype=object), return_index=True)
    if not len(plots):
        return []
    parts, owner, bad, whole = _joined(plots, own[index], len(kinds))
    if band.cells:
        parts = _thinned(parts, square)
    gaps = _gaps(whole, square)
    unit, tangle = band.unit, _Parts(parts, owner, bad)
    for _ in range(TRIES):
        drawn = _prevailing(parts, owner, unit, len(kinds))
        held, shapes = tangle.drawn(drawn, gaps, unit)
        size = len(shapely.get_coordinates(shapes))
        if size <= MOST_VERTICES or unit == COARSEST * band.unit:
            break
        unit = min(COARSEST * band.unit, 1.1 * unit * math.sqrt(size / MOST_VERTICES))
    # A class that is drawn nowhere any more is counted with the one that took most of its parts; one of which nothing
    # lies in the square, with any.
    drawn_as = {
        n: n if n in held else int(np.bincount(drawn[owner == n]).argmax()) if (owner == n).any() else held[0]
        for n in range(len(kinds))
    }
    return _counted(pieces, own, drawn_as, dict(zip(held, shapes, strict=True)))


def cut(shapes: Shapes, square: Square) -> Shapes:
    """What of each polygonal shape lies in the square, None where nothing does.

    Where a border crosses that of the square its place is rounded to 1/64 m, so that neighbours on either side of each
    border, and of the square, agree on it.
    """
    west, south, east, north = square
    low_x, low_y, high_x, high_y = shapely.bounds(shapes).T
    crossing = (low_x < west) | (low_y < south) | (high_x > east) | (high_y > north)
    made = shapes.copy()
    if crossing.any():
        inside = shapely.intersection(shapes[crossing], shapely.box(*square))
        inside = shapely.transform(inside, lambda points: _on_border(points, square))
        broken = ~shapely.is_valid(inside)
        inside[broken] = shapely.make_valid(inside[broken])
        made[crossing] = [_areal(shape) for shape in inside]
    return made


def _on_border(points: NDArray[np.float64], square: Square) -> NDArray[np.float64]:
    near = [np.abs(points[:, n % 2] - side) < 1e-4 for n, side in enumerate(square)]
    moved = points.copy()
    moved[near[0] | near[2], 1] = np.rint(points[near[0] | near[2], 1] * 64) / 64
    moved[near[1] | near[3], 0] = np.rint(points[near[1] | near[3], 0] * 64) / 64
    for n, side in enumerate(square):
        moved[near[n], n % 2] = side
    return moved


def _areal(shape: shapely.Geometry) -> shapely.Geometry | None:
    """The polygons of a shape as one multipolygon; None where there are none."""
    if shape.geom_type == "Polygon":
        return None if shape.is_empty else shape
    polygons = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and not p.is_empty]
    return shapely.multipolygons(polygons) if polygons else None


def _joined(
    plots: Shapes, kind: NDArray[np.int_], kinds: int
) -> tuple[Shapes, NDArray[np.int_], NDArray[np.bool_], shapely.Geometry]:
    """Polygons without a common border within one class, the class of each, which overlap others; and all as one."""
    whole = _tidy(plots)
    invalid = np.zeros(len(plots), dtype=bool)
    if whole is None:
        invalid = ~shapely.is_empty(shapely.coverage_invalid_edges(plots))
    merged = [_merge(plots[(kind == n) & ~invalid], plots[(kind == n) & invalid]) for n in range(kinds)]
    parts, owner = shapely.get_parts(np.array(merged, dtype=object), return_index=True)
    bad = np.zeros(len(parts), dtype=bool)
    if whole is None:
        bad = ~shapely.is_empty(shapely.coverage_invalid_edges(parts))
        whole = _merge(parts[~bad], parts[bad])
    return parts, owner, bad, whole


def _tidy(plots: Shapes) -> shapely.Geometry | None:
    """All of them as one where they neither overlap nor share a border with vertices of one of them alone, else None.

    What the union of a coverage makes of others is not valid, or has another area; asking for the edges that do not fit
    (`coverage_invalid_edges`) takes four times as long.
    """
    try:
        whole = shapely.coverage_union_all(plots)
    except GEOSException:
        return None
    area = shapely.area(plots).sum()
    return whole if abs(whole.area - area) <= ALL_BUT * area and shapely.is_valid(whole) else None


def _thinned(parts: Shapes, square: Square) -> Shapes:
    """Without the vertices along the straight border of the square that are no corner.

    Only where the pieces are plots: those on the other side of the border are the same, so the same vertices go there.
    """
    if not len(parts):
        return parts
    kind, points, (rings, polygons) = shapely.to_ragged_array(parts)
    side = sum((points[:, n % 2] == value) << n for n, value in enumerate(square))
    straight = np.zeros(len(points), dtype=bool)
    straight[1:-1] = (side[:-2] & side[1:-1] & side[2:]) != 0
    first, last = rings[:-1], rings[1:] - 1
    straight[last] = False
    straight[first] = (side[last - 1] & side[first] & side[first + 1]) != 0
    rings = np.concatenate(([0], np.cumsum(~straight)))[rings]
    points = points[~straight]
    # A ring that lost its first vertex ends where it begins now.
    points[rings[1:] - 1] = points[rings[:-1]]
    made: Shapes = shapely.from_ragged_array(kind, points, (rings, polygons))
    return made


def _gaps(whole: shapely.Geometry, square: Square) -> Shapes:
    """What of the square nothing covers: with it the outer border of the plots is an inner one, simplified as such."""
    left = shapely.get_parts(shapely.difference(shapely.box(*square), whole))
    gaps: Shapes = left[(shapely.get_type_id(left) == POLYGON) & ~shapely.is_empty(left)]
    return gaps


@dataclass(frozen=True)
class _Parts:
    """Polygons of a chunk without a common border within one class: class of each, whether it overlaps others."""

    shapes: Shapes
    owner: NDArray[np.int_]
    bad: NDArray[np.bool_]

    def drawn(self, kind: NDArray[np.int_], gaps: Shapes, unit: float) -> tuple[list[int], Shapes]:
        """Each in the class ``kind``: the classes and their simplified shapes; ``unit`` of a tile in metres."""
        held = [int(n) for n in np.unique(kind)]
        shapes = [self._of(kind == n, n) for n in held]
        if len(gaps):
            shapes.append(shapely.multipolygons(gaps))
        simple = shapely.coverage_simplify(
            np.array(shapes, dtype=object), TOLERANCE * unit, simplify_boundary=False
        )
        return held, simple[: len(held)]

    def _of(self, mine: NDArray[np.bool_], kind: int) -> shapely.Geometry:
        if (self.owner[mine] == kind).all():
            return shapely.multipolygons(self.shapes[mine])
        return _merge(self.shapes[mine & ~self.bad], self.shapes[mine & self.bad])


def _prevailing(parts: Shapes, kind: NDArray[np.int_], unit: float, kinds: int) -> NDArray[np.int_]:
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


def _counted(
    pieces: Sequence[Piece],
    own: NDArray[np.int_],
    drawn_as: dict[int, int],
    shapes: dict[int, shapely.Geometry],
) -> list[Piece]:
    """The classes that are drawn, each with the plots of those that it took."""
    kinds = {int(n): piece.kind for n, piece in zip(own, pieces, strict=True)}
    counts, areas = dict.fromkeys(shapes, 0), dict.fromkeys(shapes, 0.0)
    for piece, n in zip(pieces, own, strict=True):
        counts[drawn_as[int(n)]] += piece.count
        areas[drawn_as[int(n)]] += piece.area_m2
    return [Piece(kinds[n], counts[n], areas[n], shape) for n, shape in shapes.items()]


def _merge(good: Shapes, bad: Shapes) -> shapely.Geometry:
    """One multipolygon; parts that share borders exactly are joined eight times quicker than others."""
    try:
        joined = shapely.coverage_union_all(good)
    except GEOSException:
        joined = shapely.union_all(good)
    if len(bad):
        joined = shapely.union_all(np.array([joined, *bad], dtype=object))
    if joined.geom_type in ("Polygon", "MultiPolygon"):
        return joined
    return _areal(joined) or shapely.MultiPolygon()
