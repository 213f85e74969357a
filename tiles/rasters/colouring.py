"""Colouring: the colour tables of our own, and hills in the light of the sun at the scale of the map."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rio_tiler.colormap import ColorMaps, cmap
from rio_tiler.models import ImageData
from titiler.core.algorithm import Algorithms
from titiler.core.algorithm import algorithms as usual
from titiler.core.algorithm.base import BaseAlgorithm

from geo.ramps import Ramp, ramps

# Metres of ground in a degree of latitude.
_DEGREE = 111_195.0


def table(ramp: Ramp) -> dict[int, tuple[int, int, int, int]]:
    """256 colours straight between the stops of a ramp."""
    stops = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in ramp.stops], dtype="float64")
    places = np.linspace(0, len(stops) - 1, 256)
    parts = [np.rint(np.interp(places, range(len(stops)), stops[:, i])).astype(int) for i in range(3)]
    return {n: (int(r), int(g), int(b), 255) for n, (r, g, b) in enumerate(zip(*parts, strict=True))}


def _bounds(image: ImageData) -> tuple[float, float, float, float]:
    if image.bounds is None:
        raise ValueError("the picture has no place")
    left, bottom, right, top = image.bounds
    return left, bottom, right, top


def _ground(image: ImageData) -> float:
    """Metres on the ground across a pixel of an image, at its middle."""
    left, bottom, right, top = _bounds(image)
    across = (right - left) / image.width
    if image.crs is not None and image.crs.is_geographic:
        return float(across * _DEGREE * np.cos(np.deg2rad((bottom + top) / 2)))
    if image.crs is not None and image.crs.to_epsg() == 3857:
        return float(across / np.cosh((bottom + top) / 2 / 6_378_137.0))
    return float(across)


class Shade(BaseAlgorithm):
    """Hills lit from the north-west; where pixels are wide, heights are exaggerated so that the land still shows."""

    title: str = "Shade"
    description: str = "Hills in the light of the sun, at the true scale of heights near by"
    azimuth: float = Field(315, ge=0, le=360, description="Where the light comes from, degrees from north")
    altitude: float = Field(45, ge=5, le=90, description="Height of the light above the horizon, degrees")
    buffer: int = Field(
        3, ge=1, le=16, description="Pixels around the tile, so that tiles meet without a seam"
    )
    input_nbands: int = 1
    output_nbands: int = 1
    output_dtype: str = "uint8"

    def __call__(self, img: ImageData) -> ImageData:
        """Light of each pixel, 0 to 255; what has no height has no light."""
        ground = _ground(img)
        heights = img.array[0].astype("float64")
        known = ~np.ma.getmaskarray(heights)
        filled = np.asarray(heights.filled(np.nan))
        light = self._light(filled, ground, max(1.0, (ground / 30) ** 0.5))
        inner = slice(self.buffer, -self.buffer)
        data = np.ma.MaskedArray(light[inner, inner], mask=~known[inner, inner])
        left, bottom, right, top = _bounds(img)
        dx, dy = (right - left) / img.width * self.buffer, (top - bottom) / img.height * self.buffer
        return ImageData(
            data[np.newaxis].astype(self.output_dtype),
            assets=img.assets,
            crs=img.crs,
            bounds=(left + dx, bottom + dy, right - dx, top - dy),
            band_descriptions=["shade"],
        )

    def _light(self, heights: NDArray[Any], ground: float, exaggeration: float) -> NDArray[Any]:
        # Beside what has no height there is no slope either: an edge of the raster is no cliff.
        south, east = (np.nan_to_num(slope) for slope in np.gradient(heights * exaggeration, ground))
        sun, up = np.deg2rad(self.azimuth), np.deg2rad(self.altitude)
        towards = np.sin(sun) * np.cos(up), np.cos(sun) * np.cos(up), np.sin(up)
        cosine = (-east * towards[0] + south * towards[1] + towards[2]) / np.sqrt(east**2 + south**2 + 1)
        return np.asarray(np.rint(255 * np.clip(0.15 + 0.85 * cosine, 0, 1)))


COLOURS: ColorMaps = cmap.register({name: table(ramp) for name, ramp in ramps().items() if ramp.own})
ALGORITHMS: Algorithms = usual.register({"shade": Shade})  # type: ignore[dict-item]  # it takes classes
