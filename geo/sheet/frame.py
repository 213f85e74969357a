"""The frame: which ground lies on the paper.

A transverse Mercator on the WGS 84 ellipsoid whose meridian and origin are the centre of the map: conformal, its scale
exactly one along that meridian and at the edge of the greatest sheet (34 km off) larger by 14 millionths.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer

from geo.objects import Bbox
from geo.sheet.paper import Paper

# Minutes of arc between the lines of the grid.
_STEPS = (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)
_LEAST_MM = 32


@dataclass(frozen=True)
class Frame:
    """The map of a sheet: centre in degrees, denominator of the scale, paper."""

    lon: float
    lat: float
    scale: int
    paper: Paper
    _carry: Transformer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the projection."""
        local = f"+proj=tmerc +lat_0={self.lat} +lon_0={self.lon} +k=1 +ellps=WGS84 +units=m +type=crs"
        object.__setattr__(self, "_carry", Transformer.from_crs("EPSG:4326", local, always_xy=True))

    def to_paper(self, shape: Any) -> Any:
        """Shapes in degrees as millimetres of the paper, y downwards."""
        return shapely.transform(shape, self.points)

    def points(self, places: Any) -> Any:
        """Places in degrees (n × 2) as millimetres of the paper."""
        east, north = self._carry.transform(places[:, 0], places[:, 1])
        per_metre = 1000 / self.scale
        area = self.paper.map
        return np.column_stack(
            (
                area.left + area.width / 2 + np.asarray(east) * per_metre,
                area.top + area.height / 2 - np.asarray(north) * per_metre,
            )
        )

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Longitude and latitude of a spot of the paper."""
        area = self.paper.map
        metres = self.scale / 1000
        lon, lat = self._carry.transform(
            (x - area.left - area.width / 2) * metres,
            (area.top + area.height / 2 - y) * metres,
            direction="INVERSE",
        )
        return float(lon), float(lat)

    def corners(self) -> tuple[tuple[float, float], ...]:
        """Longitude and latitude of the corners: upper left, upper right, lower right, lower left."""
        a = self.paper.map
        return tuple(
            self.place(x, y)
            for x, y in ((a.left, a.top), (a.right, a.top), (a.right, a.bottom), (a.left, a.bottom))
        )

    def box(self) -> Bbox:
        """The box in degrees that holds the whole map; its edges are bent, so they are followed."""
        a = self.paper.map
        steps = np.linspace(0, 1, 9)
        edge = [self.place(a.left + a.width * s, y) for s in steps for y in (a.top, a.bottom)]
        edge += [self.place(x, a.top + a.height * s) for s in steps for x in (a.left, a.right)]
        lons, lats = zip(*edge, strict=True)
        return min(lons), min(lats), max(lons), max(lats)

    @property
    def zoom(self) -> float:
        """The zoom of the screen's map that shows as much; paper is finer, so a little deeper."""
        return math.log2(279_541_132 * math.cos(math.radians(self.lat)) / self.scale) + 0.7

    def _step(self, per_degree: float) -> float:
        """Degrees between lines that stand far enough apart on the paper; ``per_degree`` is metres."""
        for minutes in _STEPS:
            if per_degree * minutes / 60 / self.scale * 1000 >= _LEAST_MM:
                return minutes / 60
        return _STEPS[-1] / 60

    def grid(self) -> Iterator[tuple[str, float, Any]]:
        """Meridians (``lon``) and parallels (``lat``): axis, value in degrees, line on the paper."""
        west, south, east, north = self.box()
        for axis, first, last, per in (
            ("lon", west, east, 111_320 * math.cos(math.radians(self.lat))),
            ("lat", south, north, 111_320.0),
        ):
            step = self._step(per)
            for n in range(math.ceil(first / step), math.floor(last / step) + 1):
                value = n * step
                if axis == "lon":
                    run = np.column_stack((np.full(17, value), np.linspace(south, north, 17)))
                else:
                    run = np.column_stack((np.linspace(west, east, 17), np.full(17, value)))
                yield axis, value, shapely.LineString(self.points(run))
