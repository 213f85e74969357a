"""The kilometre grid of a sheet: crosses of the zone of GSK-2011 (Gauss–Krüger, six degrees) in which its centre lies.

The state system of GOST 32453-2017; its axes are named as surveyors do, x to the north. Eastings carry the number of
the zone in front (14 512 km: zone 14, 12 km east of its meridian).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer

from geo.sheet.frame import Frame

# Metres between crosses.
_STEPS = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_LEAST_MM = 28
# Zones that EPSG has codes for, 20904 … 20932: from 18° to 192° of eastern longitude.
_ZONES = range(4, 33)


@dataclass(frozen=True)
class Kilometres:
    """The lines of the zone over a frame."""

    frame: Frame
    zone: int
    _carry: Transformer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the projection."""
        carry = Transformer.from_crs(4326, 20900 + self.zone, always_xy=True)
        object.__setattr__(self, "_carry", carry)

    @classmethod
    def of(cls, frame: Frame) -> "Kilometres | None":
        """Those of a frame; None where the system has no zone there."""
        zone = int((frame.lon % 360) // 6) + 1
        return cls(frame, zone) if zone in _ZONES else None

    @property
    def step(self) -> int:
        """Metres between the lines."""
        apart = (step for step in _STEPS if step * 1000 / self.frame.scale >= _LEAST_MM)
        return next(apart, _STEPS[-1])

    def _values(self) -> tuple[Sequence[int], Sequence[int]]:
        west, south, east, north = self.frame.box()
        edge = np.linspace(0, 1, 9)
        lon = np.concatenate([west + (east - west) * edge] * 2)
        lat = np.concatenate([np.full(9, south), np.full(9, north)])
        found = []
        for metres in self._carry.transform(lon, lat):
            first, last = math.ceil(min(metres) / self.step), math.floor(max(metres) / self.step)
            found.append(range(first * self.step, (last + 1) * self.step, self.step))
        return found[0], found[1]

    def _paper(self, east: ArrayLike, north: ArrayLike) -> NDArray[np.float64]:
        lon, lat = self._carry.transform(np.asarray(east), np.asarray(north), direction="INVERSE")
        places: NDArray[np.float64] = self.frame.points(np.column_stack((lon, lat)))
        return places

    def crosses(self) -> Iterator[tuple[float, float]]:
        """Where lines cross within the map, millimetres of the paper."""
        a = self.frame.paper.map
        easts, norths = self._values()
        if not easts or not norths:
            return
        every = [(e, n) for e in easts for n in norths]
        for x, y in self._paper([e for e, _ in every], [n for _, n in every]):
            if a.left + 2 < x < a.right - 2 and a.top + 2 < y < a.bottom - 2:
                yield float(x), float(y)

    def ends(self) -> Iterator[tuple[str, int, float, float]]:
        """Where lines leave the map: ``x`` (north, in metres) at the right edge, ``y`` (east) at the upper one."""
        a = self.frame.paper.map
        area = shapely.box(a.left, a.top, a.right, a.bottom)
        easts, norths = self._values()
        if not easts or not norths:
            return
        far = self.step
        across = np.linspace(easts[0] - far, easts[-1] + far, 17)
        along = np.linspace(norths[0] - far, norths[-1] + far, 17)
        for north in norths:
            line = shapely.LineString(self._paper(across, np.full(17, north)))
            places = shapely.get_coordinates(shapely.intersection(line, area))
            if len(places) and places[:, 0].max() >= a.right - 0.01:
                x, y = places[places[:, 0].argmax()]
                yield "x", north, float(x), float(y)
        for east in easts:
            line = shapely.LineString(self._paper(np.full(17, east), along))
            places = shapely.get_coordinates(shapely.intersection(line, area))
            if len(places) and places[:, 1].min() <= a.top + 0.01:
                x, y = places[places[:, 1].argmin()]
                yield "y", east, float(x), float(y)
