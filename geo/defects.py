"""Defects of geometries: all of them at once, each with its kind and its place, not only the first that GEOS meets.

Kinds are GEOS's own reasons in kebab case, and ``missing``, ``empty``, ``not-finite``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# A ruined geometry crosses itself at every segment; past this number the list helps nobody.
MAX_PER_ROW = 200
MAX_SEGMENTS = 400_000


@dataclass(frozen=True)
class Defect:
    """One thing wrong with one geometry, at a place in the geometry's own coordinates."""

    row: int
    kind: str
    x: float
    y: float


@dataclass(frozen=True)
class _Rings:
    """Segments of the rings of one geometry: ``ring`` numbers rings, ``part`` polygons, ``place`` segments in a ring."""

    start: Floats
    end: Floats
    ring: Ints
    part: Ints
    place: Ints
    length: Ints


def defects(geometries: Geometries) -> list[Defect]:
    """What makes each geometry unusable, with its place; empty list where all are valid."""
    missing = np.asarray(shapely.is_missing(geometries))
    empty = np.asarray(shapely.is_empty(geometries)) & ~missing
    found = [Defect(int(r), "missing", np.nan, np.nan) for r in np.flatnonzero(missing)]
    found += [Defect(int(r), "empty", np.nan, np.nan) for r in np.flatnonzero(empty)]
    endless = _endless(geometries)
    found += endless
    bad = missing | empty
    bad[[d.row for d in endless]] = True
    rest = np.flatnonzero(~bad)
    broken = rest[~np.asarray(shapely.is_valid(geometries[rest]))]
    for row, reason in zip(broken, np.atleast_1d(shapely.is_valid_reason(geometries[broken])), strict=True):
        found += _of_one(int(row), geometries[row], str(reason))
    return sorted(found, key=lambda d: d.row)


def _endless(geometries: Geometries) -> list[Defect]:
    """Rows with a coordinate that is no finite number; bounds alone do not show a NaN in the middle of a ring."""
    xy, owner = shapely.get_coordinates(geometries, return_index=True)
    bad = np.flatnonzero(~np.isfinite(xy).all(axis=1))
    if not len(bad):
        return []
    rows, first = np.unique(owner[bad], return_index=True)
    places = xy[bad[first]]
    return [Defect(int(r), "not-finite", float(x), float(y)) for r, (x, y) in zip(rows, places, strict=True)]


def _of_one(row: int, geometry: shapely.Geometry, reason: str) -> list[Defect]:
    """Every crossing, touch and misplaced ring of one invalid geometry; GEOS's reason is always among them."""
    kind, _, place = reason.partition("[")
    x, _, y = place.rstrip("]").partition(" ")
    told = Defect(row, kind.strip().lower().replace(" ", "-"), float(x or "nan"), float(y or "nan"))
    if shapely.get_num_coordinates(geometry) > MAX_SEGMENTS or geometry.geom_type not in (
        "Polygon",
        "MultiPolygon",
    ):
        return [told]
    found = {
        (d.kind, round(d.x, 9), round(d.y, 9)): d
        for d in (told, *_crossings(row, geometry), *_misplaced(row, geometry))
    }
    return list(found.values())[:MAX_PER_ROW]


def _rings(geometry: shapely.Geometry) -> _Rings:
    parts = shapely.get_parts(geometry)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, owner = shapely.get_coordinates(rings, return_index=True)
    same = owner[1:] == owner[:-1]
    start, end, ring = xy[:-1][same], xy[1:][same], owner[1:][same]
    # Repeated points make segments without length, which touch everything.
    real = (start != end).any(axis=1)
    start, end, ring = start[real], end[real], ring[real]
    lengths = np.bincount(ring, minlength=len(rings))
    place = np.arange(len(ring)) - np.concatenate(([0], np.cumsum(lengths)[:-1]))[ring]
    return _Rings(start, end, ring, part[ring], place, lengths)


def _crossings(row: int, geometry: shapely.Geometry) -> Iterator[Defect]:
    """Places where segments meet that must not: inside a ring anywhere, between rings wherever they cross or run together."""
    rings = _rings(geometry)
    lines = np.asarray(shapely.linestrings(np.stack((rings.start, rings.end), axis=1)))
    first, second = shapely.STRtree(lines).query(lines, predicate="intersects")
    ordered = first < second
    first, second = first[ordered], second[ordered]
    gap = rings.place[second] - rings.place[first]
    same = rings.ring[first] == rings.ring[second]
    adjacent = same & ((gap == 1) | (gap == rings.length[rings.ring[first]] - 1))
    meets = shapely.intersection(lines[first], lines[second])
    along = np.asarray(shapely.get_type_id(meets)) != 0
    # Neighbours share their common end; only where they run back along each other is that a defect.
    keep = np.where(adjacent, along, True)
    points = shapely.get_coordinates(_first_points(meets))
    ends = [(rings.start[first] == points).all(axis=1) | (rings.end[first] == points).all(axis=1)]
    ends.append((rings.start[second] == points).all(axis=1) | (rings.end[second] == points).all(axis=1))
    touch = ends[0] & ends[1] & ~along
    keep &= same | along | ~(ends[0] | ends[1])
    for i in np.flatnonzero(keep):
        kind = "ring-self-intersection" if touch[i] and same[i] else "self-intersection"
        yield Defect(row, kind, float(points[i][0]), float(points[i][1]))


def _first_points(meets: Geometries) -> Geometries:
    """The meeting point of two segments, or the first point where they run together."""
    lines = np.asarray(shapely.get_type_id(meets)) == 1
    result = np.array(meets, dtype=object)
    if lines.any():
        result[lines] = shapely.get_point(result[lines], 0)
    return result


def _misplaced(row: int, geometry: shapely.Geometry) -> Iterator[Defect]:
    """Holes outside their shell or inside another hole, parts inside parts."""
    parts = [p for p in shapely.get_parts(geometry) if not p.is_empty]
    shells = [shapely.Polygon(p.exterior) for p in parts]
    for part, shell in zip(parts, shells, strict=True):
        holes = [shapely.Polygon(hole) for hole in part.interiors]
        for number, hole in enumerate(holes):
            x, y = hole.exterior.coords[0]
            if not _lies_in(hole, shell):
                yield Defect(row, "hole-lies-outside-shell", x, y)
            if any(_lies_in(hole, other) for n, other in enumerate(holes) if n != number):
                yield Defect(row, "holes-are-nested", x, y)
    for number, shell in enumerate(shells):
        x, y = shell.exterior.coords[0]
        others = (p for n, p in enumerate(parts) if n != number)
        if any(p.is_valid and shell.is_valid and p.contains(shell) for p in others):
            yield Defect(row, "nested-shells", x, y)


def _lies_in(inner: shapely.Polygon, outer: shapely.Polygon) -> bool:
    """Whether a ring lies in another, by its points: the rings themselves may be broken."""
    if not _boxes_meet(outer.bounds, inner.bounds):
        return False
    points = shapely.points(shapely.get_coordinates(inner.exterior))
    whole = outer if outer.is_valid else shapely.make_valid(outer)
    return bool(shapely.covers(whole, points).mean() > 0.5)


def _boxes_meet(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]
