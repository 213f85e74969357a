"""Everything that GDAL reads as vector data, by Arrow batches."""

from collections.abc import Iterator

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from ingest.batch import Batch
from ingest.errors import RefusedError
from ingest.source import Source

BATCH_ROWS = 65_536


class VectorReader:
    """GeoPackage, Shapefile, MapInfo, GeoJSON, KML, DXF, FlatGeobuf, GML and the other formats of GDAL."""

    name = "vector"

    def recognises(self, source: Source) -> bool:
        """Whether GDAL opens it; asked last, after the formats with a reader of their own."""
        try:
            return bool(self.layers(source))
        except RefusedError:
            return False

    def layers(self, source: Source) -> list[str]:
        """Names of the layers; RefusedError where GDAL finds none."""
        try:
            return [str(name) for name in pyogrio.list_layers(_path(source))[:, 0]]
        except (DataSourceError, DataLayerError, UnicodeDecodeError) as err:
            raise RefusedError(
                f"{source.path.name} is no GIS file that Mezha reads ({_first_line(err)}).",
                "Send GeoPackage, Shapefile, MapInfo, GeoJSON, KML, GML, DXF or FlatGeobuf.",
                field="file",
                value=source.path.name,
            ) from err

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Arrow batches of one layer."""
        name = _one_layer(self.layers(source), layer, source)
        options = {"encoding": _encoding(source)} if _encoding(source) else {}
        first = 1
        try:
            with pyogrio.open_arrow(
                _path(source), layer=name, batch_size=BATCH_ROWS, use_pyarrow=True, **options
            ) as (meta, reader):
                geometry_name = meta["geometry_name"] or "wkb_geometry"
                crs = _crs_name(meta["crs"])
                for arrow in reader:
                    frame = arrow.to_pandas()
                    blobs = frame.pop(geometry_name) if geometry_name in frame.columns else None
                    geometries = (
                        shapely.from_wkb(blobs.to_numpy(dtype=object), on_invalid="ignore")
                        if blobs is not None
                        else np.full(len(frame), None, dtype=object)
                    )
                    rows = np.arange(first, first + len(frame), dtype=np.int64)
                    first += len(frame)
                    yield Batch(frame.reset_index(drop=True), np.asarray(geometries, dtype=object), rows, crs)
        except (DataSourceError, DataLayerError, UnicodeDecodeError, RuntimeError) as err:
            raise RefusedError(
                f"{source.path.name} breaks off or is damaged after row {first - 1} ({_first_line(err)}).",
                "Ask its sender for the whole file; nothing was changed.",
                field="file",
                value=source.path.name,
            ) from err


def _path(source: Source) -> str:
    return (
        f"/vsizip/{source.path}"
        if source.zipped and source.path.suffix.lower() == ".zip"
        else str(source.path)
    )


def _first_line(err: Exception) -> str:
    return (str(err).strip().splitlines() or [type(err).__name__])[0][:200]


def _one_layer(names: list[str], wanted: str | None, source: Source) -> str:
    if wanted is not None:
        if wanted not in names:
            raise RefusedError(
                f"{source.path.name} has no layer “{wanted}”.",
                f"It has: {', '.join(names[:20])}.",
                field="layer",
                value=wanted,
            )
        return wanted
    if len(names) != 1:
        raise RefusedError(
            f"{source.path.name} holds {len(names)} layers: {', '.join(names[:20])}.",
            "Name one in the profile as source_layer, or send one layer a file.",
            field="layer",
            value=", ".join(names[:20]),
        )
    return names[0]


def _encoding(source: Source) -> str | None:
    """Encoding to force: shapefiles without .cpg and MapInfo tables without a charset are cp1251 (DOMAIN §10)."""
    suffix = source.path.suffix.lower()
    if suffix == ".shp" and not any(source.path.with_suffix(s).exists() for s in (".cpg", ".CPG")):
        return "cp1251"
    if (
        suffix in (".tab", ".mif")
        and b"windowscyrillic" not in source.head[:2000].lower()
        and b"utf-8" not in source.head[:2000].lower()
    ):
        return "cp1251"
    return None


def _crs_name(crs: str | None) -> str:
    return crs or ""
