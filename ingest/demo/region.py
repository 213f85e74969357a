"""The region as a whole: ground, municipalities, settlements, and every register over them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ingest.demo import mosaic
from ingest.demo.forest import Forest, forest, grouped
from ingest.demo.lattice import CELL, Floats, Ints, Lattice, noise
from ingest.demo.names import CITY, MUNICIPALITIES, VILLAGES, numbered
from ingest.demo.stands import division
from ingest.demo.terrain import COARSE, Terrain, terrain

Geometries = NDArray[np.object_]


@dataclass(frozen=True)
class Settlement:
    """A town or village; ``radius`` of its built-up land in metres, ``angle`` of its streets in radians."""

    name: str
    x: float
    y: float
    radius: float
    angle: float
    municipality: int

    @property
    def point(self) -> shapely.Point:
        """Its middle."""
        return shapely.Point(self.x, self.y)


@dataclass(frozen=True)
class Region:
    """What the registers are made from; geometry lies in the working plane."""

    factor: float
    terrain: Terrain
    municipalities: pd.DataFrame
    settlements: tuple[Settlement, ...]
    forest: Forest
    outline: shapely.Geometry

    def count(self, full: int, least: int = 3) -> int:
        """How many of a kind a region of this size has."""
        return max(least, round(full * self.factor))


def _places(rng: np.random.Generator, ground: Terrain, count: int) -> Floats:
    """Dry open land near water, far enough from one another; the first is the best place for a city."""
    lattice = ground.lattice
    middle = np.array([lattice.west + lattice.columns * CELL / 2, lattice.south + lattice.rows * CELL / 2])
    rows, columns = np.nonzero(
        ground.inside
        & ~ground.water
        & ~ground.forest
        & (ground.stream_distance < 600)
        & (ground.stream_distance > 90)
    )
    points = np.column_stack((lattice.west + (columns + 0.5) * CELL, lattice.south + (rows + 0.5) * CELL))
    points = points[rng.permutation(len(points))[:4_000]]
    great = max(ground.rivers, key=lambda r: r.drained).line
    near_great = shapely.distance(shapely.points(points), great)
    first = int(np.argmin(np.hypot(*(points - middle).T) + 3 * near_great))
    chosen = [points[first]]
    gap = 0.8 * (ground.inside.sum() * CELL**2 / count) ** 0.5
    away = np.hypot(*(points - chosen[0]).T)
    while len(chosen) < count and gap > 400:
        free = np.flatnonzero(away > gap)
        if not len(free):
            gap *= 0.85
            continue
        chosen.append(points[free[0]])
        away = np.minimum(away, np.hypot(*(points - chosen[-1]).T))
    return np.array(chosen)


def _municipalities(
    rng: np.random.Generator, ground: Terrain, places: Floats
) -> tuple[pd.DataFrame, Lattice, Ints]:
    """Districts around the larger places and the city's own land, as an exact coverage."""
    fine = ground.lattice
    lattice = Lattice(fine.rows // COARSE, fine.columns // COARSE, CELL * COARSE, fine.west, fine.south)
    inside = ground.inside[COARSE // 2 :: COARSE, COARSE // 2 :: COARSE][: lattice.rows, : lattice.columns]
    rows, columns = np.nonzero(inside)
    cells = np.column_stack(
        (lattice.west + (columns + 0.5) * lattice.cell, lattice.south + (rows + 0.5) * lattice.cell)
    )
    warp = np.column_stack([(1_900 * noise(rng, lattice, 9_000, 3))[rows, columns] for _ in range(2)])
    number = min(len(MUNICIPALITIES), max(3, len(places) - 1))
    owner = grouped((cells + warp)[::7], number)
    centres = np.array([(cells + warp)[::7][owner == k].mean(axis=0) for k in range(number)])
    nearest = ((cells[:, None] + warp[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    reach = 0.042 * (inside.sum() * lattice.cell**2) ** 0.5
    nearest[np.hypot(*(cells + 0.35 * warp - places[0]).T) < reach] = number
    label = np.full(lattice.shape, -1, dtype=np.int64)
    label[rows, columns] = nearest
    from ingest.demo.lattice import absorbed

    label = absorbed(label, 260)
    drawn, shapes = mosaic.polygons(label, lattice, tolerance=110)
    city_row, city_column = lattice.cells_of(places[:1])
    city = int(drawn[city_row[0], city_column[0]])
    order = [city, *[k for k in range(len(shapes)) if k != city]]
    names = [(f"Городской округ город {CITY}", "Priozersk City", "city")] + [
        (*MUNICIPALITIES[k % len(MUNICIPALITIES)], "district") for k in range(len(shapes) - 1)
    ]
    frame = pd.DataFrame(names, columns=["name", "name_latin", "kind"])
    frame["oktmo"] = [f"97{700 + k if k == 0 else 500 + 3 * k:03d}000" for k in range(len(frame))]
    frame["geometry"] = shapes[order]
    rank = np.empty(len(shapes), dtype=np.int64)
    rank[order] = np.arange(len(shapes))
    return frame, lattice, np.where(drawn >= 0, rank[np.maximum(drawn, 0)], -1)


def _settlements(rng: np.random.Generator, places: Floats, owner: Ints) -> tuple[Settlement, ...]:
    found = []
    for k, (x, y) in enumerate(places.tolist()):
        name = CITY if k == 0 else numbered(VILLAGES, k - 1)
        radius = 2_100.0 if k == 0 else float(rng.integers(260, 620))
        found.append(Settlement(name, x, y, radius, float(rng.uniform(0, np.pi / 2)), int(owner[k])))
    return tuple(found)


def region(seed: int, factor: float = 1.0) -> Region:
    """The region of a seed; ``factor`` is the share of the full area."""
    rng = np.random.default_rng(seed)
    ground = terrain(rng, factor)
    places = _places(rng, ground, max(6, round(29 * factor)))
    municipalities, lattice, drawn = _municipalities(rng, ground, places)
    owner = np.maximum(lattice.sample(drawn, places), 0)
    woods = forest(rng, ground, division(rng, ground))
    outline = shapely.coverage_union_all(municipalities["geometry"].to_numpy())
    return Region(
        factor, ground, municipalities, _settlements(rng, places, np.asarray(owner, np.int64)), woods, outline
    )
