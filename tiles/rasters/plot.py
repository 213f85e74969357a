"""What a raster shows within a plot: statistics of its pixels, weighted by the part of each that lies inside."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rio_tiler.errors import RioTilerError
from rio_tiler.io import Reader

from geo.rasters.errors import RasterRequestError

# Side of the grid, in pixels, on which a plot is measured: a larger plot is measured on an overview.
GRID = 1024


@dataclass(frozen=True)
class BandFacts:
    """Statistics of one band within a plot, in the raster's own units; ``filled`` is the share of its pixels with data."""

    band: str
    least: float
    greatest: float
    mean: float
    deviation: float
    median: float
    filled: float


def measure(path: Path, polygon: dict[str, Any]) -> list[BandFacts]:
    """Statistics of every band within a GeoJSON polygon in degrees.

    RasterRequestError where the polygon lies outside the raster, or no pixel within it has data.
    """
    outside = RasterRequestError(
        "The plot lies outside the raster, or there is no value within it.",
        "Choose another raster.",
        field="item",
    )
    try:
        with Reader(str(path)) as source:
            image = source.feature(polygon, shape_crs="EPSG:4326", max_size=GRID)
            inside = image.get_coverage_array(polygon, shape_crs="EPSG:4326")
            found = image.statistics(coverage=inside)
    except (RioTilerError, ValueError) as err:
        raise outside from err
    if not any(one.valid_percent > 0 for one in found.values()):
        raise outside
    return [
        BandFacts(name, one.min, one.max, one.mean, one.std, one.median, one.valid_percent / 100)
        for name, one in found.items()
    ]
