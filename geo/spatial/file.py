"""The polygon of an uploaded file: GeoJSON, GeoPackage or a zipped Shapefile, in whatever system the file states."""

import io
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from geo.errors import CrsError, GeometryError
from geo.reference import DEGREES, Reference
from geo.spatial import shape
from geo.spatial.shape import MOST, Shape

_SQLITE = b"SQLite format 3\x00"
_ZIP = b"PK\x03\x04"
_SHP = b"\x00\x00\x27\x0a"
# What a Shapefile may consist of.  Nothing else is opened: GDAL reads formats that lead to other files.
_PARTS = frozenset({".shp", ".shx", ".dbf", ".prj", ".cpg", ".qix", ".qpj", ".sbn", ".sbx", ".xml"})
_UNPACKED = 256 << 20


def _refuse(message: str, remedy: str) -> GeometryError:
    return GeometryError(message, remedy, field="file")


def read(body: bytes) -> Shape:
    """The polygon of a file's bytes; GeometryError or CrsError says what is wrong with it."""
    if body.startswith(_SQLITE):
        return _polygons(body, ".gpkg")
    if body.startswith(_ZIP):
        return _polygons(_shapefile(body), ".zip")
    return shape.read(body, DEGREES)


def _shapefile(body: bytes) -> bytes:
    """The archive with the parts of its one Shapefile alone."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
        parts = [entry for entry in archive.infolist() if not entry.is_dir()]
        shapes = [e for e in parts if PurePosixPath(e.filename).suffix.lower() == ".shp"]
        if len(shapes) != 1:
            raise _refuse(
                f"The archive holds {len(shapes)} Shapefiles.", "Pack one: its .shp, .shx, .dbf and .prj."
            )
        if sum(e.file_size for e in parts) > _UNPACKED:
            raise _refuse(
                f"The archive unpacks to more than {_UNPACKED >> 20} MiB.", "Pack only what is asked about."
            )
        stem = PurePosixPath(shapes[0].filename).stem
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as clean:
            for entry in parts:
                path = PurePosixPath(entry.filename)
                if path.stem == stem and path.suffix.lower() in _PARTS:
                    clean.writestr(f"shape{path.suffix.lower()}", archive.read(entry))
        if not archive.read(shapes[0]).startswith(_SHP):
            raise _refuse("The .shp in the archive is no Shapefile.", "Pack the files as the GIS wrote them.")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        raise _refuse(
            "The archive cannot be unpacked.", "Pack it anew as a plain zip without a password."
        ) from None
    return packed.getvalue()


def _polygons(body: bytes, ending: str) -> Shape:
    """The polygons of the first layer that has any."""
    from pyogrio import errors

    with tempfile.NamedTemporaryFile(suffix=ending) as kept:
        kept.write(body)
        kept.flush()
        try:
            stated, found = _geometries(Path(kept.name))
        except (
            errors.DataSourceError,
            errors.DataLayerError,
            errors.FeatureError,
        ):
            raise _refuse("The file cannot be read.", "Save it anew as GeoPackage or GeoJSON.") from None
    parts = [g for g in shapely.from_wkb(found) if g is not None and not g.is_empty]
    return shape.whole(parts, _reference(stated))


def _geometries(path: Path) -> tuple[str | None, Any]:
    """The system that the file states, and its polygons as WKB."""
    # A start must not wait for what only uploads need.
    import pyogrio

    layers = [name for name, kind in pyogrio.list_layers(path) if kind and "Polygon" in kind]
    if not layers:
        raise _refuse("The file holds no layer of polygons.", "Save the polygon as a layer of polygons.")
    if pyogrio.read_info(path, layer=layers[0])["features"] > MOST:
        raise _refuse("The file holds too many objects.", "Save only the polygon that is asked about.")
    about, _, found, _ = pyogrio.raw.read(path, layer=layers[0], columns=[], force_2d=True)
    return about["crs"], found


def _reference(stated: str | None) -> Reference:
    if not stated:
        raise CrsError(
            "The file does not say in which coordinate system it is.",
            "Save it with its system (a .prj beside a Shapefile), or as GeoJSON in WGS 84.",
            field="file",
        )
    try:
        crs = CRS.from_user_input(stated)
    except CRSError:
        raise CrsError(
            "The coordinate system of the file is unknown.",
            "Save it in a system with an EPSG number.",
            field="file",
        ) from None
    code = crs.to_epsg()
    return Reference(crs.name, f"EPSG:{code}" if code else crs.to_wkt())
