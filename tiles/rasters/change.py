"""Change between two rasters of one place: where the values fell or rose, as polygons, and which are explained.

A polygon is explained where declared cutting areas of the time between cover half of it; whoever may not see every
cutting area is told ``not_checked``, never ``not_explained``.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import rasterio
from numpy.typing import NDArray
from psycopg.rows import TupleRow
from pyproj import Geod
from rasterio import features
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_geom
from shapely.geometry import shape
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.rasters.catalogue import Item
from geo.rasters.errors import RasterFileError
from geo.session import sql_of

# Pixels of the newer raster that are compared in memory at once: 100 million are about 1.3 GB.
MOST_PIXELS = 100_000_000
_GEOD = Geod(ellps="WGS84")
_MATCHED = text(sql_of("tiles", "changes"))


@dataclass(frozen=True)
class Change:
    """A polygon in degrees within which values differ; ``mean`` is the mean of after less before."""

    polygon: dict[str, Any]
    mean: float
    area_m2: float


def _difference(before: Path, after: Path) -> tuple[np.ma.MaskedArray[Any, Any], Any, Any]:
    """After less before on the newer grid, masked where either has no value; its transform and system."""
    with rasterio.open(after) as newer, rasterio.open(before) as older:
        if newer.width * newer.height > MOST_PIXELS:
            raise RasterFileError(
                f"{newer.width} × {newer.height} pixels are too many to compare at once.",
                "Cut the rasters into sheets.",
            )
        grid = {"crs": newer.crs, "transform": newer.transform, "width": newer.width, "height": newer.height}
        with WarpedVRT(older, **grid, resampling=rasterio.enums.Resampling.bilinear) as fitted:
            values = np.ma.asarray(newer.read(1, masked=True, out_dtype="float32"))
            return values - fitted.read(1, masked=True, out_dtype="float32"), newer.transform, newer.crs


def find(before: Path, after: Path, threshold: float, least_m2: float) -> list[Change]:
    """Polygons of at least ``least_m2`` m² in which the first band fell or rose by ``threshold`` or more."""
    try:
        difference, transform, crs = _difference(before, after)
    except RasterioError as err:
        raise RasterFileError(
            f"The rasters cannot be compared: {str(err)[:120]}.", "Compare two of one place."
        ) from err
    filled = difference.filled(0)
    sign = np.where(filled <= -threshold, 1, np.where(filled >= threshold, 2, 0)).astype("uint8")
    shapes = [
        outline for outline, _ in features.shapes(sign, mask=sign > 0, connectivity=8, transform=transform)
    ]
    if not shapes:
        return []
    means = _means(shapes, filled, transform)
    degrees = [transform_geom(crs, "EPSG:4326", outline, precision=7) for outline in shapes]
    areas = [abs(_GEOD.geometry_area_perimeter(shape(outline))[0]) for outline in degrees]
    return [
        Change(outline, float(mean), area)
        for outline, mean, area in zip(degrees, means, areas, strict=True)
        if area >= least_m2
    ]


def _means(shapes: list[dict[str, Any]], values: NDArray[Any], transform: Any) -> NDArray[Any]:
    """Mean of the values within each shape."""
    numbers = features.rasterize(
        ((outline, n) for n, outline in enumerate(shapes, start=1)),
        out_shape=values.shape,
        transform=transform,
        dtype="int32",
    ).ravel()
    sums = np.bincount(numbers, weights=values.ravel(), minlength=len(shapes) + 1)
    return np.asarray(sums[1:] / np.maximum(np.bincount(numbers, minlength=len(shapes) + 1)[1:], 1))


def keep(
    connection: psycopg.Connection[TupleRow], before: str, after: str, found: list[Change], threshold: float
) -> None:
    """Put the changes of a pair in the place of those found before."""
    connection.execute("DELETE FROM rasters.changes WHERE before = %s AND after = %s", [before, after])
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO rasters.changes (before, after, threshold, mean, area_m2, geom)"
            " VALUES (%s, %s, %s, %s, %s, ST_GeomFromGeoJSON(%s))",
            [(before, after, threshold, c.mean, c.area_m2, json.dumps(c.polygon)) for c in found],
        )


async def matched(connection: AsyncConnection, before: Item, after: Item) -> list[dict[str, Any]]:
    """GeoJSON features of a pair's changes, the largest 1,000, each with its answer and the cutting areas that explain it."""
    values = {"before": before.name, "after": after.name, "first": before.taken, "last": after.taken}
    return [
        {
            "type": "Feature",
            "id": row["id"],
            "geometry": row["geometry"],
            "properties": {
                "mean": row["mean"],
                "area_m2": row["area_m2"],
                "answer": row["answer"],
                "covered_share": row["covered_share"],
                "cutting_areas": row["cutting_areas"],
            },
        }
        for row in (await connection.execute(_MATCHED, values)).mappings()
    ]
