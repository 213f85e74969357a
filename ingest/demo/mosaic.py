"""From labelled cells to polygons that share their borders vertex by vertex, with curves where nature draws them."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from ingest.demo.lattice import Flags, Floats, Ints, Lattice, absorbed, patches

Geometries = NDArray[np.object_]
SMOOTHINGS = 7


@dataclass(frozen=True)
class _Edges:
    """Directed cell edges with ``label`` on their left; vertices are numbered row by row."""

    start: Ints
    end: Ints
    label: Ints


def _without_crossings(labels: Ints) -> Ints:
    """Labels in which no label meets itself only across a corner: such a polygon would touch itself."""
    labels = labels.copy()
    for _ in range(20):
        a, b = labels[:-1, :-1], labels[:-1, 1:]
        c, d = labels[1:, :-1], labels[1:, 1:]
        falling = (a == d) & (a != b) & (a != c) & (a >= 0)
        rising = (b == c) & (b != a) & (b != d) & (b >= 0)
        if not falling.any() and not rising.any():
            break
        i, j = np.nonzero(falling)
        labels[i, j + 1] = labels[i, j]
        i, j = np.nonzero(rising & ~falling)
        labels[i, j] = labels[i, j + 1]
    return labels


def _edges(labels: Ints) -> _Edges:
    rows, columns = labels.shape
    padded = np.full((rows + 2, columns + 2), -1, dtype=np.int64)
    padded[1:-1, 1:-1] = labels
    width = columns + 1
    corner = np.arange(rows)[:, None] * width + np.arange(columns)[None, :]
    sides = (
        (padded[:-2, 1:-1], corner, corner + 1),
        (padded[1:-1, 2:], corner + 1, corner + width + 1),
        (padded[2:, 1:-1], corner + width + 1, corner + width),
        (padded[1:-1, :-2], corner + width, corner),
    )
    starts, ends, owners = [], [], []
    for other, start, end in sides:
        border = (labels != other) & (labels >= 0)
        starts.append(start[border])
        ends.append(end[border])
        owners.append(labels[border])
    return _Edges(np.concatenate(starts), np.concatenate(ends), np.concatenate(owners))


def _positions(edges: _Edges, lattice: Lattice, fixed: Flags, curve: "Curve") -> tuple[Ints, Floats]:
    """Vertices in use and where they come to lie: free ones are drawn to the middle of their neighbours."""
    used, at = np.unique(np.concatenate((edges.start, edges.end)), return_inverse=True)
    half = len(edges.start)
    a, b = at[:half], at[half:]
    width = lattice.columns + 1
    place = np.column_stack(((used % width), (used // width))).astype(float)
    low, high = np.minimum(a, b), np.maximum(a, b)
    pairs = np.unique(low * len(used) + high)
    low, high = pairs // len(used), pairs % len(used)
    degree = np.bincount(low, minlength=len(used)) + np.bincount(high, minlength=len(used))
    held = fixed.ravel()[used]
    for _ in range(SMOOTHINGS):
        mean = np.column_stack(
            [
                np.bincount(low, place[high, k], len(used)) + np.bincount(high, place[low, k], len(used))
                for k in range(2)
            ]
        )
        drawn = 0.5 * place + 0.5 * mean / degree[:, None]
        place = np.where(held[:, None], place, drawn)
    points = np.array([lattice.west, lattice.south]) + place * lattice.cell
    return used, np.round(curve.bend(points), 2)


@dataclass(frozen=True)
class Curve:
    """A gentle bend of the whole plane, so that rides do not all run along one ruler."""

    amplitude: float = 0.0
    wavelength: float = 45_000.0

    def bend(self, points: Floats) -> Floats:
        """Points where the bend puts them."""
        if not self.amplitude:
            return points
        phase = 2 * np.pi * points / self.wavelength
        dx = np.sin(phase[:, 1] + 0.6) + 0.5 * np.sin(0.7 * phase[:, 0] + 1.9)
        dy = np.sin(0.9 * phase[:, 0] + 2.2) + 0.5 * np.sin(0.6 * phase[:, 1])
        return points + self.amplitude * np.column_stack((dx, dy))


def _rings(edges: _Edges, vertices: int) -> tuple[Ints, Ints]:
    """Edges in the order of their rings, and the first position of each ring."""
    key = edges.label * vertices + edges.start
    order = np.argsort(key, kind="stable")
    following = order[np.searchsorted(key[order], edges.label * vertices + edges.end)].tolist()
    seen = [False] * len(following)
    sequence: list[int] = []
    firsts: list[int] = []
    for first in order.tolist():
        if seen[first]:
            continue
        firsts.append(len(sequence))
        edge = first
        while not seen[edge]:
            seen[edge] = True
            sequence.append(edge)
            edge = following[edge]
    return np.array(sequence, dtype=np.int64), np.array(firsts, dtype=np.int64)


def _polygons(edges: _Edges, used: Ints, points: Floats, count: int, vertices: int) -> Geometries:
    sequence, firsts = _rings(edges, vertices)
    coordinates = points[np.searchsorted(used, edges.start[sequence])]
    lengths = np.diff(np.append(firsts, len(sequence)))
    ring = np.repeat(np.arange(len(firsts)), lengths)
    rings = shapely.linearrings(coordinates, indices=ring)
    owner = edges.label[sequence[firsts]]
    x, y = coordinates[:, 0], coordinates[:, 1]
    ends = np.append(firsts[1:], len(sequence)) - 1
    nx, ny = np.roll(x, -1), np.roll(y, -1)
    nx[ends], ny[ends] = x[firsts], y[firsts]
    middle = x.mean()
    area = np.add.reduceat((x - middle) * ny - (nx - middle) * y, firsts)
    # A patch is connected, so it has one ring that runs anticlockwise; all others are its holes.
    order = np.lexsort((np.arange(len(owner)), area < 0, owner))
    return _assembled(rings[order], owner[order], count)


def _assembled(rings: Geometries, owner: Ints, count: int) -> Geometries:
    result = np.full(count, None, dtype=object)
    owners, first, number = np.unique(owner, return_index=True, return_counts=True)
    simple = number == 1
    result[owners[simple]] = shapely.polygons(rings[first[simple]])
    for who, start, n in zip(owners[~simple], first[~simple], number[~simple], strict=True):
        result[who] = shapely.polygons(rings[start], holes=list(rings[start + 1 : start + n]))
    return result


def polygons(
    labels: Ints,
    lattice: Lattice,
    straight: Ints | None = None,
    *,
    curve: Curve | None = None,
    tolerance: float = 0,
) -> tuple[Ints, Geometries]:
    """Labels as they came to be drawn, and a polygon for each patch of them: an exact coverage, every polygon valid.

    A border between two different values of ``straight`` (both not −1) stays where the lattice has it.
    ``tolerance`` (metres) thins out the vertices, the same for both sides of a border.
    """
    for _ in range(2):
        labels = absorbed(_without_crossings(labels), 6, straight)
    labels = patches(_without_crossings(labels))
    fixed = (
        _fixed(straight, labels.shape)
        if straight is not None
        else np.zeros((lattice.rows + 1, lattice.columns + 1), bool)
    )
    edges = _edges(labels)
    vertices = (lattice.rows + 1) * (lattice.columns + 1)
    count = int(labels.max()) + 1
    for _ in range(6):
        used, points = _positions(edges, lattice, fixed, curve or Curve())
        found = _polygons(edges, used, points, count, vertices)
        if tolerance:
            found = shapely.coverage_simplify(found, tolerance)
        bad = np.flatnonzero(~np.asarray(shapely.is_valid(found)))
        if not len(bad):
            return labels, found
        corners = np.isin(edges.label, bad)
        fixed = fixed.copy()
        fixed.ravel()[edges.start[corners]] = True
    raise ArithmeticError("The smoothing of a coverage does not settle.")


def _fixed(straight: Ints, shape: tuple[int, int]) -> Flags:
    """Vertices of borders that are straight by nature: rides, and whatever ends on them."""
    rows, columns = shape
    fixed = np.zeros((rows + 1, columns + 1), dtype=bool)
    across = (straight[:, 1:] != straight[:, :-1]) & (straight[:, 1:] >= 0) & (straight[:, :-1] >= 0)
    i, j = np.nonzero(across)
    fixed[i, j + 1] = fixed[i + 1, j + 1] = True
    along = (straight[1:] != straight[:-1]) & (straight[1:] >= 0) & (straight[:-1] >= 0)
    i, j = np.nonzero(along)
    fixed[i + 1, j] = fixed[i + 1, j + 1] = True
    return fixed
