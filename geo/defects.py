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
Flags = NDArray[np.bool_]
# Number of the geometry, kind, x, y.
Found = tuple[int, str, float, float]
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
class _Segments:
    """Segments of the rings of some geometries: ``row`` numbers geometries, ``ring`` rings, ``place`` segments in a ring."""

    start: Floats
    end: Floats
    row: Ints
    ring: Ints
    place: Ints
    # Segments of the ring that a segment belongs to.
    length: Ints


@dataclass(frozen=True)
class _Parts:
    """Polygons of some geometries, their shells and holes as polygons, each with the number of what it belongs to."""

    parts: Geometries
    row: Ints
    shells: Geometries
    holes: Geometries
    part_of_hole: Ints


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
    found += _explained(geometries, broken)
    return sorted(found, key=lambda d: d.row)


def _endless(geometries: Geometries) -> list[Defect]:
    """Rows with a coordinate that is no finite number; bounds alone do not show a NaN in the middle of a ring."""
    if np.isfinite(shapely.get_coordinates(geometries)).all():
        return []
    xy, owner = shapely.get_coordinates(geometries, return_index=True)
    bad = np.flatnonzero(~np.isfinite(xy).all(axis=1))
    rows, first = np.unique(owner[bad], return_index=True)
    places = xy[bad[first]]
    return [Defect(int(r), "not-finite", float(x), float(y)) for r, (x, y) in zip(rows, places, strict=True)]


def _explained(geometries: Geometries, broken: Ints) -> list[Defect]:
    """Every crossing, touch and misplaced ring of the invalid geometries; GEOS's reason is always among them."""
    shapes = geometries[broken]
    found = [
        {_place_of(told): told}
        for told in map(_told, broken.tolist(), np.atleast_1d(shapely.is_valid_reason(shapes)).tolist())
    ]
    size = np.asarray(shapely.get_num_coordinates(shapes))
    polygons = np.isin(shapely.get_type_id(shapes), (3, 6))
    for some in _bunches(np.flatnonzero(polygons & (size <= MAX_SEGMENTS)), size):
        for row, kind, x, y in (*_crossings(shapes[some]), *_misplaced(shapes[some])):
            defect = Defect(int(broken[some[row]]), kind, float(x), float(y))
            found[some[row]].setdefault(_place_of(defect), defect)
    return [d for row in found for d in list(row.values())[:MAX_PER_ROW]]


def _bunches(rows: Ints, size: Ints) -> list[Ints]:
    """Rows in bunches of so many coordinates that memory stays small."""
    if not len(rows):
        return []
    bunch = np.cumsum(size[rows]) // MAX_SEGMENTS
    return np.split(rows, np.flatnonzero(np.diff(bunch)) + 1)


def _told(row: int, reason: str) -> Defect:
    kind, _, place = reason.partition("[")
    x, _, y = place.rstrip("]").partition(" ")
    return Defect(row, kind.strip().lower().replace(" ", "-"), float(x or "nan"), float(y or "nan"))


def _place_of(defect: Defect) -> tuple[str, float, float]:
    return (defect.kind, round(defect.x, 9), round(defect.y, 9))


def _segments(shapes: Geometries) -> _Segments:
    parts, row = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, owner = shapely.get_coordinates(rings, return_index=True)
    same = owner[1:] == owner[:-1]
    start, end, ring = xy[:-1][same], xy[1:][same], owner[1:][same]
    # Repeated points make segments without length, which touch everything.
    real = (start != end).any(axis=1)
    start, end, ring = start[real], end[real], ring[real]
    lengths = np.bincount(ring, minlength=len(rings))
    place = np.arange(len(ring)) - (np.cumsum(lengths) - lengths)[ring]
    return _Segments(start, end, row[part[ring]], ring, place, lengths[ring])


def _pairs(bounds: Floats, group: Ints) -> tuple[Ints, Ints]:
    """Ordered pairs of different boxes of one group that may meet; each group is searched in a place of its own."""
    if not len(bounds):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    lows = np.full(int(group.max()) + 1, np.inf)
    highs = -lows
    np.minimum.at(lows, group, bounds[:, 0])
    np.maximum.at(highs, group, bounds[:, 2])
    widths = np.where(np.isfinite(lows), highs - lows, 0.0) * 1.01 + 1e-9
    shift = np.cumsum(widths) - widths - np.where(np.isfinite(lows), lows, 0.0)
    # Moving a box costs digits; what is lost is added around it, and whoever asks looks exactly.
    pad = (np.abs(bounds).max() + widths.sum()) * 1e-15
    left, right = bounds[:, 0] + shift[group] - pad, bounds[:, 2] + shift[group] + pad
    boxes = np.asarray(shapely.box(left, bounds[:, 1] - pad, right, bounds[:, 3] + pad))
    first, second = shapely.STRtree(boxes).query(boxes)
    apart = (first != second) & (group[first] == group[second])
    return first[apart], second[apart]


def _crossings(shapes: Geometries) -> Iterator[Found]:
    """Places where segments meet that must not: inside a ring anywhere, between rings wherever they cross or run together."""
    all_of = _segments(shapes)
    low, high = np.minimum(all_of.start, all_of.end), np.maximum(all_of.start, all_of.end)
    first, second = _pairs(np.hstack((low, high)), all_of.row)
    first, second, adjacent = _suspects(all_of, first, second)
    lines = [
        np.asarray(shapely.linestrings(np.stack((all_of.start[i], all_of.end[i]), axis=1)))
        for i in (first, second)
    ]
    hit = np.flatnonzero(shapely.intersects(*lines))
    first, second, adjacent = first[hit], second[hit], adjacent[hit]
    meets = np.asarray(shapely.intersection(lines[0][hit], lines[1][hit]))
    along = np.asarray(shapely.get_type_id(meets)) != 0
    points = shapely.get_coordinates(_first_points(meets))
    at_end = [
        (all_of.start[i] == points).all(axis=1) | (all_of.end[i] == points).all(axis=1)
        for i in (first, second)
    ]
    same = all_of.ring[first] == all_of.ring[second]
    touch = at_end[0] & at_end[1] & ~along
    # Neighbours share their common end; only where they run back along each other is that a defect.
    keep = np.where(adjacent, along, same | along | ~(at_end[0] | at_end[1]))
    for i in np.flatnonzero(keep):
        kind = "ring-self-intersection" if touch[i] and same[i] else "self-intersection"
        yield int(all_of.row[first[i]]), kind, points[i][0], points[i][1]


def _suspects(all_of: _Segments, first: Ints, second: Ints) -> tuple[Ints, Ints, Flags]:
    """Pairs worth an exact look, in order, and which of them are neighbours; neighbours only where they turn back."""
    ordered = first < second
    first, second = first[ordered], second[ordered]
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    gap = all_of.place[second] - all_of.place[first]
    same = all_of.ring[first] == all_of.ring[second]
    adjacent = same & ((gap == 1) | (gap == all_of.length[first] - 1))
    one, other = (all_of.end[i] - all_of.start[i] for i in (first, second))
    size = np.hypot(*one.T) * np.hypot(*other.T)
    turn = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
    back = ((one * other).sum(axis=1) < 0) & (turn <= 1e-6 * size)
    worth = ~adjacent | back
    return first[worth], second[worth], adjacent[worth]


def _first_points(meets: Geometries) -> Geometries:
    """The meeting point of two segments, or the first point where they run together."""
    lines = np.asarray(shapely.get_type_id(meets)) == 1
    result = np.array(meets, dtype=object)
    if lines.any():
        result[lines] = shapely.get_point(result[lines], 0)
    return result


def _parts_of(shapes: Geometries) -> _Parts:
    parts, row = shapely.get_parts(shapes, return_index=True)
    full = ~np.asarray(shapely.is_empty(parts))
    parts, row = parts[full], row[full]
    rings, part = shapely.get_rings(parts, return_index=True)
    inner = np.concatenate(([False], part[1:] == part[:-1]))[: len(rings)]
    return _Parts(
        parts,
        row,
        np.asarray(shapely.polygons(rings[~inner])),
        np.asarray(shapely.polygons(rings[inner])),
        part[inner],
    )


def _misplaced(shapes: Geometries) -> Iterator[Found]:
    """Holes outside their shell or inside another hole, parts inside parts."""
    of = _parts_of(shapes)
    inside = _lies_in(of.holes, of.shells[of.part_of_hole])
    for lost in np.flatnonzero(~inside):
        yield int(of.row[of.part_of_hole[lost]]), "hole-lies-outside-shell", *_corner(of.holes[lost])
    hole, other = _pairs(np.asarray(shapely.bounds(of.holes)), of.part_of_hole)
    for held in np.unique(hole[_lies_in(of.holes[hole], of.holes[other])]):
        yield int(of.row[of.part_of_hole[held]]), "holes-are-nested", *_corner(of.holes[held])
    shell, part = _pairs(np.asarray(shapely.bounds(of.shells)), of.row)
    sound = np.asarray(shapely.is_valid(of.shells[shell]) & shapely.is_valid(of.parts[part]))
    shell, part = shell[sound], part[sound]
    for nested in np.unique(
        shell[np.asarray(shapely.contains(of.parts[part], of.shells[shell]), dtype=bool)]
    ):
        yield int(of.row[nested]), "nested-shells", *_corner(of.shells[nested])


def _corner(polygon: shapely.Polygon) -> tuple[float, float]:
    x, y = shapely.get_coordinates(polygon)[0]
    return float(x), float(y)


def _lies_in(inner: Geometries, outer: Geometries) -> Flags:
    """Whether each ring lies in the other one of its pair, by its points: the rings themselves may be broken."""
    if not len(inner):
        return np.zeros(0, dtype=bool)
    distinct, which = _distinct(outer)
    ruined = ~np.asarray(shapely.is_valid(distinct))
    distinct[ruined] = shapely.make_valid(distinct[ruined])
    shapely.prepare(distinct)
    xy, owner = shapely.get_coordinates(inner, return_index=True)
    covered = np.asarray(shapely.intersects_xy(distinct[which[owner]], xy[:, 0], xy[:, 1]))
    share = np.bincount(owner, weights=covered, minlength=len(inner)) / np.bincount(
        owner, minlength=len(inner)
    )
    return np.asarray(share > 0.5)


def _distinct(shapes: Geometries) -> tuple[Geometries, Ints]:
    """The different objects of an array, and which of them each place holds."""
    _, first, which = np.unique([id(s) for s in shapes], return_index=True, return_inverse=True)
    return shapes[first], which
