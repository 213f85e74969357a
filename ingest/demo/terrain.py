"""The ground of the region: relief, rivers that run down it, lakes that stand in it, and where forest grows."""

import heapq
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from ingest.demo.lattice import (
    CELL,
    Flags,
    Floats,
    Ints,
    Lattice,
    dilated,
    distance,
    enlarged,
    noise,
    patches,
)

Geometries = NDArray[np.object_]
COARSE = 5
# Coarse cells (6.25 ha each) that drain through a point before it is a stream, and before it is a river.
STREAM, RIVER = 70, 900
# Metres of width and cells of area from which a water is no forest land.
PARTING_RIVER, PARTING_LAKE = 105, 480
SMALLEST_CLEARING = 160
FOREST_SHARE = 0.62
FULL = (96_000.0, 80_000.0)


@dataclass(frozen=True)
class Watercourse:
    """A river or stream from its source down; ``drained`` is the catchment at its mouth in coarse cells."""

    line: shapely.LineString
    drained: int

    @property
    def width(self) -> float:
        """Width at the mouth, metres."""
        return float(np.clip(1.15 * self.drained**0.5, 3, 260))


@dataclass(frozen=True)
class Terrain:
    """Fields over the fine lattice, and the waters.

    ``water`` parts the forest land: the great rivers and lakes. ``pools``, small lakes and middling rivers,
    lie within it and are stands of their own.
    """

    lattice: Lattice
    inside: Flags
    height: Floats
    moisture: Floats
    sand: Floats
    disturbance: Floats
    stream_distance: Floats
    water: Flags
    pools: Flags
    lakes: Ints
    forest: Flags
    rivers: tuple[Watercourse, ...]


def _outline(rng: np.random.Generator, lattice: Lattice) -> Flags:
    x, y = lattice.centres()
    half_x, half_y = lattice.columns * lattice.cell / 2, lattice.rows * lattice.cell / 2
    u, v = (x - lattice.west - half_x) / half_x, (y - lattice.south - half_y) / half_y
    reach = (np.abs(u) ** 2.6 + np.abs(v) ** 2.6) ** (1 / 2.6)
    wavering = 0.09 * noise(rng, lattice, half_x / 2.2) + 0.025 * noise(rng, lattice, half_x / 9)
    inside = (reach + wavering < 0.88) & (reach < 0.985)
    found = patches(inside.astype(np.int64) - 1)
    largest = found == np.bincount(found[found >= 0]).argmax()
    # What the outside cannot reach is a hole, and a region has none.
    outside = patches(largest.astype(np.int64) * -1)
    return np.asarray(outside != outside[0, 0])


def _relief(rng: np.random.Generator, lattice: Lattice) -> Floats:
    """Heights in metres: hills, a tilt to the north-west, and the valley of the main river."""
    x, y = lattice.centres()
    width, height = lattice.columns * lattice.cell, lattice.rows * lattice.cell
    u, v = (x - lattice.west) / width, (y - lattice.south) / height
    valley = np.abs(u - (0.72 - 0.42 * v + 0.09 * np.sin(5.5 * v + 0.4) + 0.03 * np.sin(13 * v)))
    relief = 22 * noise(rng, lattice, 11_000, 3) + 7 * noise(rng, lattice, 2_200, 2)
    return np.asarray(
        150 + relief * (0.35 + np.clip(valley * 3, 0, 1)) - 55 * v + 120 * np.clip(valley, 0, 0.5)
    )


def _drainage(height: Floats) -> tuple[Ints, Ints, Floats]:
    """Receiver of each cell, cells drained through it, and how deep it lies under the level at which it spills."""
    rows, columns = height.shape
    level = height.ravel().copy()
    receiver = np.full(level.size, -1, dtype=np.int64)
    done = bytearray(level.size)
    heights = level.tolist()
    queue: list[tuple[float, int]] = []
    for cell in range(level.size):
        row, column = divmod(cell, columns)
        if row in (0, rows - 1) or column in (0, columns - 1):
            queue.append((heights[cell], cell))
            done[cell] = 1
    heapq.heapify(queue)
    order: list[int] = []
    steps = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if r or c]
    while queue:
        at, cell = heapq.heappop(queue)
        order.append(cell)
        row, column = divmod(cell, columns)
        for r, c in steps:
            i, j = row + r, column + c
            if 0 <= i < rows and 0 <= j < columns and not done[i * columns + j]:
                other = i * columns + j
                done[other] = 1
                receiver[other] = cell
                # A hair of slope on filled ground keeps the flow going.
                level[other] = max(heights[other], at + 1e-4)
                heapq.heappush(queue, (float(level[other]), other))
    drained = np.ones(level.size, dtype=np.int64).tolist()
    below = receiver.tolist()
    for cell in reversed(order):
        if below[cell] >= 0:
            drained[below[cell]] += drained[cell]
    depth = level.reshape(height.shape) - height
    return receiver, np.array(drained, dtype=np.int64), depth


def _courses(receiver: Ints, drained: Ints, lattice: Lattice) -> list[tuple[list[int], int]]:
    """Streams as cells from source to mouth: at each confluence the larger one goes on."""
    stream = np.flatnonzero(drained >= STREAM)
    largest: dict[int, int] = {}
    for cell in stream[np.argsort(drained[stream], kind="stable")].tolist():
        if receiver[cell] >= 0:
            largest[int(receiver[cell])] = cell
    mouths = [c for c in stream.tolist() if receiver[c] < 0 or largest[int(receiver[c])] != c]
    courses = []
    for mouth in sorted(mouths, key=lambda c: -int(drained[c])):
        cells, cell = [mouth], mouth
        while cell in largest:
            cell = largest[cell]
            cells.append(cell)
        cells.reverse()
        if receiver[mouth] >= 0:
            cells.append(int(receiver[mouth]))
        if len(cells) >= 6:
            courses.append((cells, int(drained[mouth])))
    return courses


def _smooth(points: Floats, rounds: int) -> Floats:
    """A line rounded off by cutting its corners; its ends stay."""
    for _ in range(rounds):
        a, b = points[:-1], points[1:]
        cut = np.stack((0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b), axis=1).reshape(-1, 2)
        points = np.concatenate((points[:1], cut[1:-1], points[-1:]))
    return points


def _lines(
    rng: np.random.Generator, courses: list[tuple[list[int], int]], coarse: Lattice
) -> list[Watercourse]:
    """Watercourses as lines that meander; a displacement by place keeps confluences together."""
    shift = [260 * noise(rng, coarse, 1_700) + 420 * noise(rng, coarse, 6_000) for _ in range(2)]
    rivers = []
    for cells, drained in courses:
        rows, columns = np.divmod(np.array(cells), coarse.columns)
        points = np.column_stack(
            (
                coarse.west + (columns + 0.5) * coarse.cell + shift[0][rows, columns],
                coarse.south + (rows + 0.5) * coarse.cell + shift[1][rows, columns],
            )
        )
        inner = points.copy()
        inner[1:-1] = (points[:-2] + 2 * points[1:-1] + points[2:]) / 4
        rivers.append(Watercourse(shapely.LineString(np.round(_smooth(inner, 2), 2)), drained))
    return rivers


def _drawn(lattice: Lattice, lines: list[tuple[shapely.LineString, float]]) -> Flags:
    """Cells within half a width (metres) of lines."""
    flags = np.zeros(lattice.shape, dtype=bool)
    by_radius: dict[int, list[Floats]] = {}
    for line, width in lines:
        points = shapely.get_coordinates(shapely.segmentize(line, lattice.cell / 2))
        by_radius.setdefault(int(width / 2 // lattice.cell), []).append(points)
    for radius, groups in sorted(by_radius.items()):
        own = np.zeros(lattice.shape, dtype=bool)
        own[lattice.cells_of(np.concatenate(groups))] = True
        flags |= dilated(own, radius)
    return flags


def _lakes(depth: Floats, inside: Flags, lattice: Lattice) -> Ints:
    """Lakes where the ground lies deep under its spill level: patches of the fine lattice."""
    deep = enlarged(depth, COARSE, lattice.shape) > 4.2
    found = patches(np.where(deep & inside, 0, -1).astype(np.int64))
    size = np.bincount(found[found >= 0], minlength=1)
    keep = np.flatnonzero((size >= 60) & (size < 16_000))
    number = np.full(len(size) + 1, -1, dtype=np.int64)
    number[keep] = np.arange(len(keep))
    return np.where(found >= 0, number[found], -1)


def _forest(
    rng: np.random.Generator,
    lattice: Lattice,
    inside: Flags,
    dry: Flags,
    river_distance: Floats,
) -> Flags:
    """Where forest grows: everywhere but in the open country along the great river, whose edge is ragged."""
    open_country = (
        1.5 * np.exp(-river_distance / 75)
        + 0.62 * noise(rng, lattice, 13_000, 2)
        + 0.12 * noise(rng, lattice, 1_500, 2)
    )
    limit = np.quantile(open_country[inside], FOREST_SHARE)
    forest = inside & dry & (open_country < limit)
    clearing = patches((inside & dry & ~forest).astype(np.int64) - 1)
    forest |= (clearing >= 0) & (
        np.bincount(clearing[clearing >= 0], minlength=1)[clearing] < SMALLEST_CLEARING
    )
    found = patches(forest.astype(np.int64) - 1)
    size = np.bincount(found[found >= 0])
    return np.asarray((found >= 0) & (size[found] > 2_000))


def terrain(rng: np.random.Generator, factor: float) -> Terrain:
    """The ground of a region whose area is ``factor`` of the full one."""
    side = factor**0.5
    lattice = Lattice.around(round(FULL[0] * side, -3), round(FULL[1] * side, -3), CELL)
    coarse = Lattice(
        lattice.rows // COARSE, lattice.columns // COARSE, CELL * COARSE, lattice.west, lattice.south
    )
    inside = np.asarray(enlarged(_outline(rng, coarse).astype(float), COARSE, lattice.shape) > 0.5)
    relief = _relief(rng, coarse)
    receiver, drained, depth = _drainage(relief)
    rivers = _lines(rng, _courses(receiver, drained, coarse), coarse)
    great = sorted(rivers, key=lambda r: -r.drained)[:2]
    lakes = _lakes(depth, inside, lattice)
    wide = _drawn(lattice, [(r.line, r.width) for r in rivers if r.width >= PARTING_RIVER])
    narrow = _drawn(lattice, [(r.line, r.width) for r in rivers if 60 <= r.width < PARTING_RIVER])
    size = np.bincount(lakes[lakes >= 0], minlength=1)
    large = (lakes >= 0) & (size[np.maximum(lakes, 0)] > PARTING_LAKE)
    water = (wide | large) & inside
    pools = (narrow | (lakes >= 0)) & inside & ~water
    streams = _drawn(lattice, [(r.line, 0.0) for r in rivers]) | water | pools
    near = distance(streams, 14)
    main = (
        enlarged(distance(_drawn(coarse, [(r.line, 0.0) for r in great]), 90), COARSE, lattice.shape) * COARSE
    )
    height = enlarged(relief, COARSE, lattice.shape)
    local = height - enlarged(noise_free_mean(relief), COARSE, lattice.shape)
    moisture = -local / (local.std() or 1) + 0.8 * noise(rng, lattice, 3_000, 2) + 1.2 * np.exp(-near / 3)
    return Terrain(
        lattice=lattice,
        inside=inside,
        height=height,
        moisture=np.asarray(moisture),
        sand=noise(rng, lattice, 9_000, 3),
        disturbance=noise(rng, lattice, 5_000, 3),
        stream_distance=near * CELL,
        water=water,
        pools=pools,
        lakes=lakes,
        forest=_forest(rng, lattice, inside, ~water, main),
        rivers=tuple(rivers),
    )


def noise_free_mean(values: Floats) -> Floats:
    """A field averaged over its wider surroundings: what is left over is the local relief."""
    rows, columns = values.shape
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :])
    spectrum = np.fft.rfft2(values) * np.exp(-((frequency * 20) ** 2) * 2)
    return np.asarray(np.fft.irfft2(spectrum, s=values.shape))
