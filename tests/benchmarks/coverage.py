"""A forest of any size: stands that share jittered borders, 24 vertices each, loaded as the register has them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray

SPECIES = ("pine", "spruce", "fir", "larch", "birch", "aspen", "siberian_pine", "willow")
AGES = ("young", "middle", "ripening", "mature", "overmature")
STEP = (0.0116, 0.0066)  # of one stand, degrees: about 53 ha at 55° north
SEGMENTS = 6  # a side of a stand


@dataclass(frozen=True)
class Coverage:
    """``side`` × ``side`` stands from the south-west corner ``west``, ``south``; the same seed, the same forest."""

    side: int
    west: float = 80.0
    south: float = 53.0
    seed: int = 6

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        return (
            self.west,
            self.south,
            self.west + self.side * STEP[0],
            self.south + self.side * STEP[1],
        )

    def polygons(self) -> Iterator[NDArray[np.object_]]:
        """Rows of stands from the south; neighbours share every vertex of their border."""
        random = np.random.default_rng(self.seed)
        n = self.side
        corner = np.stack(np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0)), axis=-1)
        corner[1:-1, 1:-1] += random.uniform(-0.2, 0.2, (n - 1, n - 1, 2))
        along = self._line(random, corner[:, :-1], corner[:, 1:])
        up = self._line(random, corner[:-1], corner[1:])
        for row in range(n):
            sides = (along[row], up[row, 1:], along[row + 1][:, ::-1], up[row, :-1, ::-1])
            ring = np.concatenate([side[:, :-1] for side in sides], axis=1)
            ring = np.concatenate([ring, ring[:, :1]], axis=1)
            ring = ring * STEP + (self.west, self.south)
            yield shapely.multipolygons(shapely.polygons(ring)[:, None].tolist())

    @staticmethod
    def _line(
        random: np.random.Generator, start: NDArray[np.float64], end: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Sides of the stands; the points between the corners are jittered."""
        share = np.linspace(0, 1, SEGMENTS + 1)
        points = start[..., None, :] + (end - start)[..., None, :] * share[:, None]
        points[..., 1:-1, :] += random.uniform(-0.03, 0.03, (*points.shape[:-2], SEGMENTS - 1, 2))
        return points

    def copy(
        self, connection: psycopg.Connection[tuple[object, ...]], first: int, last: int, *, number: int = 1
    ) -> None:
        """Copy the rows ``first`` … ``last`` - 1 of the forest into ``register.stands``; the first stand has the id
        ``number``."""
        columns = "id, key, region, number, quarter, species, age_group, land_kind, area_m2, digest, geom"
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY register.stands ({columns}) FROM STDIN") as copy,
        ):
            for row, shapes in enumerate(self.polygons()):
                if first <= row < last:
                    wkb = shapely.to_wkb(shapely.set_srid(shapes, 4326), hex=True, include_srid=True)
                    copy.write(
                        "".join(
                            self._line_of(row, column, number, geometry)
                            for column, geometry in enumerate(wkb)
                        )
                    )

    def _line_of(self, row: int, column: int, number: int, geometry: str) -> str:
        n = row * self.side + column
        patch = (row // 9 * 31 + column // 7 * 17 + self.seed) % 97
        return (
            f"{n + number}\tstand:{n}\t54\t{n % 60 + 1}\t{n // 60}\t{SPECIES[patch % 8]}\t{AGES[(patch // 8 + n % 2) % 5]}"
            f"\tforest\t{530_000 + n % 1000}\t{n:032x}\t{geometry}\n"
        )
