"""From a file somebody has to a COG of the catalogue: checked, converted, proved, named by its digest."""

import hashlib
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import rasterio
from pyproj import Geod
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.warp import transform_bounds
from rio_cogeo.cogeo import cog_translate, cog_validate
from rio_cogeo.profiles import cog_profiles

from geo.rasters.errors import RasterFileError

# Formats that hold their own pixels, by their first bytes, never by the name of the file.  A virtual raster (VRT,
# WMS …) may lead anywhere, so none is opened.
FORMATS = {
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
    b"\0\0\0\x0cjP  ": "JP2OpenJPEG",
    b"EHFA_HEADER_TAG": "HFA",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
}
# Pixels of one band above which a file is refused: a gigapixel scene of 10 m covers a whole region.
MOST_PIXELS = 40_000 * 40_000
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Facts:
    """What a file says of itself; ``box`` in degrees, ``resolution_m`` metres on the ground at the middle."""

    crs: str
    box: tuple[float, float, float, float]
    resolution_m: float
    bands: tuple[dict[str, Any], ...]
    width: int
    height: int


def _refuse(path: Path, reason: str, cure: str) -> RasterFileError:
    return RasterFileError(f"{path.name}: {reason}.", cure, field="file", value=path.name)


def _driver(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(16)
    for mark, driver in FORMATS.items():
        if start.startswith(mark):
            return driver
    raise _refuse(
        path, "it cannot be read as a raster", "Give a GeoTIFF, JPEG 2000, ERDAS, PNG or JPEG file."
    )


def _resolution(source: DatasetReader, box: tuple[float, float, float, float]) -> float:
    """Side of a pixel at the middle of the raster, by the diagonal of the box on the ellipsoid of WGS 84."""
    west, south, east, north = box
    middle = (south + north) / 2
    _, _, across = Geod(ellps="WGS84").inv(west, middle, east, middle)
    return float(across) / int(source.width)


def _box(path: Path, source: DatasetReader) -> tuple[float, float, float, float]:
    if source.crs is None or source.transform.is_identity:
        raise _refuse(
            path,
            "it says neither its coordinate system nor its place",
            "Give it both with gdal_translate -a_srs EPSG:… -a_ullr …, and add it again.",
        )
    box = transform_bounds(source.crs, "EPSG:4326", *source.bounds)
    west, south, east, north = box
    if not all(math.isfinite(side) for side in box) or not (
        -180 <= west < east <= 180 and -90 <= south < north <= 90
    ):
        raise _refuse(
            path,
            f"its place {tuple(round(side, 3) for side in box)} is not on the earth",
            "Correct its coordinate system or its corner coordinates.",
        )
    return west, south, east, north


def facts(path: Path) -> Facts:
    """What a file holds; RasterFileError where it is no raster, has no place, or is too large."""
    try:
        with rasterio.open(path, driver=_driver(path)) as source:
            if source.count == 0:
                raise _refuse(path, "it has no bands", "Choose one of its sub-datasets.")
            if source.width * source.height > MOST_PIXELS:
                raise _refuse(
                    path,
                    f"{source.width} × {source.height} pixels are too many",
                    "Cut it into sheets of one collection.",
                )
            box = _box(path, source)
            bands = tuple(
                {
                    "type": kind,
                    "nodata": nodata,
                    "description": description,
                    "colour": colour.name,
                    "unit": unit,
                }
                for kind, nodata, description, colour, unit in zip(
                    source.dtypes,
                    source.nodatavals,
                    source.descriptions,
                    source.colorinterp,
                    source.units,
                    strict=True,
                )
            )
            return Facts(
                source.crs.to_string(), box, _resolution(source, box), bands, source.width, source.height
            )
    except RasterioError as err:
        raise _refuse(
            path, f"it cannot be read as a raster ({str(err)[:120]})", "Ask for the file anew."
        ) from err


def digest(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def convert(path: Path, folder: Path, progress: TextIO) -> tuple[str, int]:
    """Write the COG of a checked file into ``folder``; its SHA-256 and size in bytes.

    Pixels are not changed: compression is lossless, the grid and the coordinate system stay.  A killed conversion
    leaves a temporary file that nothing refers to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    profile = cog_profiles.get("deflate")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as made:
        target = Path(made) / "raster.tif"
        try:
            with rasterio.open(path, driver=_driver(path)) as source:
                cog_translate(
                    source,
                    str(target),
                    profile,
                    in_memory=False,
                    quiet=False,
                    progress_out=progress,
                    use_cog_driver=False,
                )
        except RasterioError as err:
            raise _refuse(
                path, f"its pixels cannot be read ({str(err)[:120]})", "Ask for the file anew."
            ) from err
        valid, faults, _ = cog_validate(str(target))
        if not valid:
            raise _refuse(
                path, f"the COG made of it is not valid ({'; '.join(faults)})", "Report this file to us."
            )
        name = digest(target)
        size = target.stat().st_size
        target.replace(folder / f"{name}.tif")
    return name, size
