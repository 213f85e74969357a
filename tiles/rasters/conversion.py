"""From a file somebody has to a COG of the catalogue: checked, converted, proved, named by its digest."""

import hashlib
import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import rasterio
from pyproj import Geod
from rasterio.errors import CRSError, RasterioError
from rasterio.io import DatasetReader
from rasterio.warp import transform_bounds
from rio_cogeo.cogeo import cog_translate, cog_validate
from rio_cogeo.profiles import cog_profiles

from geo.rasters.errors import RasterFileError
from geo.sentence import Sentence

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
# Those whose files name no other file to read; what comes from outside must be one of them.
ALONE = frozenset({"GTiff", "JP2OpenJPEG"})
# Pixels of one band above which a file is refused: a gigapixel scene of 10 m covers a whole region.
MOST_PIXELS = 40_000 * 40_000
# Bytes of all pixels above which it is refused: what a small file swells to must fit on the disk, twice over.
MOST_BYTES = 24 << 30
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


def driver(path: Path, name: str, *, alone: bool = False) -> str:
    """The GDAL driver that the first bytes of a file name; ``alone``: of those whose files lead to no others."""
    with path.open("rb") as stream:
        start = stream.read(16)
    for mark, found in FORMATS.items():
        if start.startswith(mark) and (found in ALONE or not alone):
            return found
    raise RasterFileError(
        Sentence("%(file)s: it cannot be read as a raster.", file=name),
        Sentence("Give a GeoTIFF or JPEG 2000 file that opens in QGIS."),
        field="file",
        value=name,
    )


def _resolution(source: DatasetReader, box: tuple[float, float, float, float]) -> float:
    """Side of a pixel at the middle of the raster, by the diagonal of the box on the ellipsoid of WGS 84."""
    west, south, east, north = box
    middle = (south + north) / 2
    _, _, across = Geod(ellps="WGS84").inv(west, middle, east, middle)
    return float(across) / int(source.width)


def _box(name: str, source: DatasetReader) -> tuple[float, float, float, float]:
    if source.crs is None or source.transform.is_identity:
        raise RasterFileError(
            Sentence("%(file)s: it says neither its coordinate system nor its place.", file=name),
            Sentence(
                "Give it both in QGIS (Raster, Projections, Assign Projection) or with gdal_translate -a_srs EPSG:… -a_ullr …, and add it again."
            ),
            field="file",
            value=name,
        )
    box = transform_bounds(source.crs, "EPSG:4326", *source.bounds)
    west, south, east, north = box
    if not all(math.isfinite(side) for side in box) or not (
        -180 <= west < east <= 180 and -90 <= south < north <= 90
    ):
        raise RasterFileError(
            Sentence(
                "%(file)s: its place %(place)s is not on the earth.",
                file=name,
                place=", ".join(f"{side:.3f}" for side in box),
            ),
            Sentence("Correct its coordinate system or its corner coordinates."),
            field="file",
            value=name,
        )
    return west, south, east, north


def _unreadable(name: str, err: Exception) -> RasterFileError:
    return RasterFileError(
        Sentence(
            "%(file)s: it cannot be read to its end; it is damaged or not whole (%(what)s).",
            file=name,
            what=str(err)[:120],
        ),
        Sentence("Ask for the file anew, or send it again."),
        field="file",
        value=name,
    )


def _check(name: str, source: DatasetReader) -> None:
    """RasterFileError where there is nothing to show, or more than the machine is to be troubled with."""
    if source.count == 0:
        raise RasterFileError(
            Sentence("%(file)s: it has no bands.", file=name),
            Sentence("Choose one of its sub-datasets."),
            field="file",
            value=name,
        )
    if any("complex" in kind or "cint" in kind for kind in source.dtypes):
        raise RasterFileError(
            Sentence("%(file)s: its values are complex numbers, which no map can show.", file=name),
            Sentence("Give the amplitude as a band of plain numbers."),
            field="file",
            value=name,
        )
    if source.width * source.height > MOST_PIXELS or unpacked(source) > MOST_BYTES:
        raise RasterFileError(
            Sentence(
                "%(file)s: %(width)s × %(height)s pixels in %(bands)s band(s) are too many.",
                file=name,
                width=source.width,
                height=source.height,
                bands=source.count,
            ),
            Sentence("Cut it into sheets of one collection."),
            field="file",
            value=name,
        )


def unpacked(source: DatasetReader) -> int:
    """Bytes of all pixels: what a small file may swell to."""
    return int(source.width * source.height * sum(np.dtype(kind).itemsize for kind in source.dtypes))


def check_room(found: Facts, folder: Path, name: str) -> None:
    """RasterFileError where the disk could not hold the conversion: pixels as they are, their overviews, the COG."""
    pixels = found.width * found.height * sum(np.dtype(band["type"]).itemsize for band in found.bands)
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < 3 * pixels:
        raise RasterFileError(
            Sentence("%(file)s: the disk of the server has no room for it.", file=name),
            Sentence("Tell the administrator; nothing was changed."),
            field="file",
            value=name,
        )


def facts(path: Path, called: str = "") -> Facts:
    """What a file holds; RasterFileError where it is no raster, has no place, or is too large.

    ``called`` is what people call the file, else its own name.
    """
    name = called or path.name
    try:
        with rasterio.open(path, driver=driver(path, name)) as source:
            _check(name, source)
            box = _box(name, source)
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
    except (RasterioError, CRSError) as err:
        raise _unreadable(name, err) from err


def digest(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def convert(path: Path, folder: Path, progress: TextIO, called: str = "") -> tuple[str, int]:
    """Write the COG of a checked file into ``folder``; its SHA-256 and size in bytes.

    Pixels are not changed: compression is lossless, the grid and the coordinate system stay.  A killed conversion
    leaves a temporary folder that nothing refers to.
    """
    name = called or path.name
    folder.mkdir(parents=True, exist_ok=True)
    profile = cog_profiles.get("deflate")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as made:
        target = Path(made) / "raster.tif"
        try:
            with rasterio.open(path, driver=driver(path, name)) as source:
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
            raise _unreadable(name, err) from err
        valid, faults, _ = cog_validate(str(target))
        if not valid:
            raise RasterFileError(
                Sentence(
                    "%(file)s: the COG made of it is not valid (%(what)s).", file=name, what="; ".join(faults)
                ),
                Sentence("Report this file to us."),
                field="file",
                value=name,
            )
        digested = digest(target)
        size = target.stat().st_size
        target.replace(folder / f"{digested}.tif")
    return digested, size
