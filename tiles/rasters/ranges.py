"""Ranges: between which values the pixels of a raster lie, so that it can be drawn with nothing said."""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio

# Side of the grid, in pixels, on which a raster is measured: an overview tells it as well as all pixels do.
GRID = 1024


def measure(path: Path) -> list[dict[str, float] | None]:
    """Least and greatest value of every band, and those between which 96 % of its pixels lie (``low``, ``high``).

    In the raster's own units; None for a band without a value.
    """
    with rasterio.open(path) as source:
        share = min(1.0, GRID / max(source.width, source.height))
        size = max(1, round(source.height * share)), max(1, round(source.width * share))
        return [_range(source.read(n, masked=True, out_shape=size)) for n in source.indexes]


def _range(values: "np.ma.MaskedArray[Any, Any]") -> dict[str, float] | None:
    plain = np.asarray(values.compressed(), dtype="float64")
    plain = plain[np.isfinite(plain)]
    if not plain.size:
        return None
    low, high = np.percentile(plain, [2, 98])
    found = {"least": plain.min(), "greatest": plain.max(), "low": low, "high": high}
    return {name: float(f"{value:.7g}") for name, value in found.items()}
