"""Everything that GDAL reads as a file, in Arrow batches: flat memory whatever the size.

GDAL also opens documents that point at other files and at servers (VRT, WFS …); those are refused.
"""

import re
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from ingest.batch import Batch
from ingest.encoding import decide
from ingest.errors import RefusedError
from ingest.readers import giant, xml
from ingest.source import Source

BATCH_ROWS = 16_384
# The line of a MapInfo header that GDAL believes.
_CHARSET = {
    ".tab": re.compile(rb"(!charset\s+)([\w-]+)", re.IGNORECASE),
    ".mif": re.compile(rb'(^\s*charset\s+")([\w-]+)', re.IGNORECASE | re.MULTILINE),
}
_FILES_ONLY = frozenset(
    [
        "GPKG",
        "ESRI Shapefile",
        "MapInfo File",
        "GeoJSON",
        "GeoJSONSeq",
        "ESRIJSON",
        "TopoJSON",
        "JSONFG",
        "KML",
        "LIBKML",
        "DXF",
        "FlatGeobuf",
        "GML",
        "SXF",
        "SQLite",
        "OpenFileGDB",
        "GPX",
        "DGN",
        "MBTiles",
        "MVT",
        "PMTiles",
        "JML",
        "MapML",
        "AVCE00",
        "AVCBin",
        "OGR_GMT",
        "S57",
        "VFK",
        "GeoRSS",
        "Selafin",
        "WAsP",
    ]
)
_ERRORS = (DataSourceError, DataLayerError, UnicodeDecodeError, RuntimeError)


class VectorReader:
    """GeoPackage, Shapefile, MapInfo, GeoJSON, KML, DXF, FlatGeobuf, GML, SXF and the other file formats of GDAL."""

    name: ClassVar[str] = "vector"

    def recognises(self, source: Source) -> bool:
        """Whether GDAL opens it; asked last, after the formats with a reader of their own."""
        try:
            return bool(self.layers(source))
        except RefusedError:
            if source.path.suffix.lower() in (".shp", ".dbf", ".shx"):
                raise
            return False

    def layers(self, source: Source) -> list[str]:
        """Names of the layers; RefusedError where GDAL finds none, or opens more than a file."""
        _check_content(source)
        try:
            with _quiet(), _whole(source) as path:
                names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
                driver = (
                    pyogrio.read_info(path, layer=names[0], **_options(source))["driver"] if names else ""
                )
        except _ERRORS as err:
            raise _not_gis(source, err) from err
        if driver and driver not in _FILES_ONLY:
            raise _not_gis(source, ValueError(f"{driver} is not taken from files"))
        return names

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Arrow batches of one layer."""
        name = _one_layer(self.layers(source), layer, source)
        encoding, why = _encoding(source)
        first = 1
        try:
            with (
                _quiet() as told,
                _whole(source) as path,
                _opened(path, name, _options(source)) as (meta, reader),
            ):
                geometry_name = meta["geometry_name"] or "wkb_geometry"
                crs = meta["crs"] or ""
                for arrow in reader:
                    frame = arrow.to_pandas()
                    blobs = frame.pop(geometry_name) if geometry_name in frame.columns else None
                    if blobs is not None:
                        giant.refuse_blobs(source, blobs.to_numpy(dtype=object))
                    rows = np.arange(first, first + len(frame), dtype=np.int64)
                    first += len(frame)
                    notes = (f"encoding: {encoding + ', ' if encoding else ''}{why}", *_told(told))
                    yield Batch(frame.reset_index(drop=True), _shapes(blobs, len(frame)), rows, crs, notes)
        except _ERRORS as err:
            raise RefusedError(
                f"{source.name} breaks off or is damaged after row {first - 1} ({_first_line(err)}).",
                "Ask its sender for the whole file; nothing was changed.",
                field="file",
                value=source.name,
            ) from err


def _opened(path: str, layer: str, options: dict[str, Any]) -> Any:
    return pyogrio.open_arrow(path, layer=layer, batch_size=BATCH_ROWS, use_pyarrow=True, **options)


def _shapes(blobs: Any, count: int) -> Any:
    if blobs is None:
        return np.full(count, None, dtype=object)
    return np.asarray(shapely.from_wkb(blobs.to_numpy(dtype=object), on_invalid="ignore"), dtype=object)


@contextmanager
def _quiet() -> Iterator[list[warnings.WarningMessage]]:
    """GDAL's warnings are gathered for the report instead of being printed or raised."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        yield told


def _told(told: list[warnings.WarningMessage]) -> list[str]:
    return sorted({f"GDAL: {str(w.message)[:200]}" for w in told if issubclass(w.category, RuntimeWarning)})[
        :5
    ]


def _not_gis(source: Source, err: Exception) -> RefusedError:
    return RefusedError(
        f"{source.name} is no GIS file that Mezha reads ({_first_line(err)}).",
        "Send GeoPackage, Shapefile, MapInfo, GeoJSON, KML, GML, DXF or FlatGeobuf.",
        field="file",
        value=source.name,
    )


def _check_content(source: Source) -> None:
    head = source.head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if head.startswith((b"<OGRVRT", b"<OGRWFS", b"<GDAL_WMS", b"<VRTDataset", b"<WFS_")) or (
        b"gdal_streamed_alg" in head[:2000]
    ):
        raise _not_gis(source, ValueError("it only points at other sources"))
    if head.startswith(b"<"):
        xml.refuse_doctype(source)
    if source.path.suffix.lower() in (".shp", ".shx", ".dbf"):
        _check_shapefile(source)
    if source.head.startswith(b"SQLite format 3\x00"):
        _check_sqlite(source)


def _sibling(path: Path, suffix: str) -> Path | None:
    return next((p for s in (suffix, suffix.upper()) if (p := path.with_suffix(s)).exists()), None)


def _check_shapefile(source: Source) -> None:
    """A Shapefile is a family: say which member is missing or cut off."""
    path = source.path
    shp = path if path.suffix.lower() == ".shp" else _sibling(path, ".shp")
    if shp is None:
        raise RefusedError(
            f"{source.name} is a part of a Shapefile; the part with the geometry, {path.stem}.shp, is not beside it.",
            "Send .shp, .shx, .dbf and .prj together, best as one zip.",
            field="file",
            value=source.name,
        )
    with shp.open("rb") as stream:
        head = stream.read(100)
    declared = int.from_bytes(head[24:28], "big") * 2
    size = shp.stat().st_size
    if len(head) < 100 or head[:4] != b"\x00\x00\x27\x0a" or declared > size:
        raise RefusedError(
            f"{shp.name} is cut off: it declares {declared} bytes and has {size}.",
            "Ask its sender for the whole file; nothing was changed.",
            field="file",
            value=shp.name,
        )
    if index := _sibling(shp, ".shx"):
        giant.refuse_index(source, index)
    if _sibling(shp, ".dbf") is None:
        raise RefusedError(
            f"{shp.stem}.dbf with the attributes is not beside {shp.name}.",
            "Send .shp, .shx, .dbf and .prj together, best as one zip.",
            field="file",
            value=shp.name,
        )


def _check_sqlite(source: Source) -> None:
    """The size of a value stands before it, so that a gigantic one is refused without reading it."""
    try:
        with closing(
            sqlite3.connect(f"{source.path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as database:
            columns = database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall()
            for table, column in columns:
                quoted = [str(n).replace('"', '""') for n in (column, table)]
                query = f'SELECT max(length("{quoted[0]}")) FROM "{quoted[1]}"'
                try:
                    largest = database.execute(query).fetchone()[0] or 0
                except sqlite3.OperationalError:
                    # The catalogue of the file lists tables that are not there.
                    continue
                giant.refuse(source, int(largest))
    except sqlite3.DatabaseError:
        # No GeoPackage, or a damaged one: GDAL says what is wrong with it.
        return


@contextmanager
def _whole(source: Source) -> Iterator[str]:
    """The path that GDAL shall open; a Shapefile without an index, or a MapInfo table without a charset, is copied and gets one."""
    path = source.path
    if path.suffix.lower() in (".tab", ".mif") and not _charset(source):
        with tempfile.TemporaryDirectory(prefix="mezha-tab-") as folder:
            yield _cyrillic(path, Path(folder))
        return
    if path.suffix.lower() != ".shp" or _sibling(path, ".shx"):
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="mezha-shp-") as folder:
        for suffix in (".shp", ".dbf", ".prj", ".cpg"):
            if part := _sibling(path, suffix):
                shutil.copyfile(part, Path(folder) / f"{path.stem}{suffix}")
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": True})
        try:
            yield str(Path(folder) / f"{path.stem}.shp")
        finally:
            pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": None})


def _charset(source: Source) -> str:
    """The charset that a MapInfo header names; empty where it says nothing, or «Neutral», which is the same."""
    named = _CHARSET[source.path.suffix.lower()].search(source.head[:2000])
    said = named[2].decode("ascii", "replace") if named else ""
    return "" if said.lower() == "neutral" else said


def _cyrillic(path: Path, folder: Path) -> str:
    """A MapInfo table with its header saying cp1251, for GDAL believes the header alone; its path in ``folder``."""
    for suffix in (".dat", ".map", ".id", ".ind", ".mid"):
        if part := _sibling(path, suffix):
            (folder / f"{path.stem}{suffix}").symlink_to(part.resolve())
    copy = folder / f"{path.stem}{path.suffix.lower()}"
    with path.open("rb") as stream, copy.open("wb") as out:
        head = stream.read(2000)
        head = _CHARSET[copy.suffix].sub(rb"\1WindowsCyrillic", head, count=1)
        if not _CHARSET[copy.suffix].search(head):
            line = b"!charset WindowsCyrillic" if copy.suffix == ".tab" else b'Charset "WindowsCyrillic"'
            head = re.sub(rb"(version \d+)", rb"\1\n" + line, head, count=1, flags=re.IGNORECASE)
        out.write(head)
        shutil.copyfileobj(stream, out)
    return str(copy)


def _first_line(err: Exception) -> str:
    return (str(err).strip().splitlines() or [type(err).__name__])[0][:200]


def _one_layer(names: list[str], wanted: str | None, source: Source) -> str:
    if wanted is not None:
        if wanted not in names:
            raise RefusedError(
                f"{source.name} has no layer “{wanted}”.",
                f"It has: {', '.join(names[:20])}.",
                field="layer",
                value=wanted,
            )
        return wanted
    if len(names) != 1:
        raise RefusedError(
            f"{source.name} holds {len(names)} layers: {', '.join(names[:20])}.",
            "Name one in the profile as source_layer, or send one layer a file.",
            field="layer",
            value=", ".join(names[:20]),
        )
    return names[0]


def _options(source: Source) -> dict[str, Any]:
    encoding, _ = _encoding(source)
    return {"encoding": encoding} if encoding else {}


def _encoding(source: Source) -> tuple[str | None, str]:
    """Encoding to force and the evidence; None where the format or a side file says it (DOMAIN §10)."""
    suffix = source.path.suffix.lower()
    if suffix in (".shp", ".dbf"):
        if cpg := _sibling(source.path, ".cpg"):
            return None, f"the .cpg file says {cpg.read_text('latin-1').strip()[:40]}"
        dbf = _sibling(source.path, ".dbf")
        with dbf.open("rb") if dbf else source.path.open("rb") as stream:
            found = decide(stream.read(1 << 20)[32:].replace(b"\x00", b" "))
        return found.name, f"no .cpg file; {found.evidence}"
    if suffix in (".tab", ".mif"):
        if named := _charset(source):
            return None, f"the MapInfo header names the charset {named}"
        return None, "the MapInfo header names no charset; cp1251 as such tables are written"
    return None, "as the format wants it"
