"""GeoParquet: batches of row groups by pyarrow; the system stands in the metadata, CRS84 where it says nothing."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS

from ingest.batch import Batch
from ingest.errors import RefusedError
from ingest.readers import giant
from ingest.source import Source

BATCH_ROWS = 65_536


class ParquetReader:
    """Rows of a Parquet file; without the metadata of GeoParquet it is a table of attributes."""

    name: ClassVar[str] = "parquet"

    def recognises(self, source: Source) -> bool:
        """Whether it begins as Parquet does."""
        return source.head.startswith(b"PAR1")

    def layers(self, source: Source) -> list[str]:
        """The one table."""
        return [source.path.stem]

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Rows in the order of the file."""
        first = 1
        try:
            with pq.ParquetFile(source.path) as file:
                column, crs = geometry_of(file.schema_arrow.metadata or {}, source)
                for arrow in file.iter_batches(BATCH_ROWS):
                    frame = arrow.to_pandas()
                    blobs = frame.pop(column).to_numpy(dtype=object) if column else None
                    if blobs is not None:
                        giant.refuse_blobs(source, blobs)
                    geometries = (
                        np.asarray(shapely.from_wkb(blobs, on_invalid="ignore"), dtype=object)
                        if blobs is not None
                        else np.full(len(frame), None, dtype=object)
                    )
                    rows = np.arange(first, first + len(frame), dtype=np.int64)
                    first += len(frame)
                    yield Batch(frame.reset_index(drop=True), geometries, rows, crs)
        except (pa.ArrowException, OSError, KeyError) as err:
            raise RefusedError(
                f"{source.name} breaks off or is damaged after row {first - 1} ({str(err)[:200]}).",
                "Ask its sender for the whole file; nothing was changed.",
                field="file",
                value=source.name,
            ) from err


def geometry_of(metadata: dict[bytes, bytes], source: Source) -> tuple[str | None, str]:
    """Name of the geometry column and its system; (None, "") for a plain table."""
    raw = metadata.get(b"geo")
    if raw is None:
        return None, ""
    try:
        geo: dict[str, Any] = json.loads(raw)
        column = str(geo["primary_column"])
        said: dict[str, Any] = geo["columns"][column]
    except (ValueError, KeyError, TypeError) as err:
        raise RefusedError(
            f"The metadata of {source.name} are no GeoParquet.", "Write the file anew.", field="file"
        ) from err
    if said.get("encoding", "WKB") != "WKB":
        raise RefusedError(
            f"{source.name} keeps its geometry as “{said['encoding']}”.",
            "Write it with the encoding WKB.",
            field="file",
            value=str(said["encoding"]),
        )
    if "crs" not in said:
        return column, "OGC:CRS84"
    if said["crs"] is None:
        return column, ""
    crs = CRS.from_json_dict(said["crs"])
    authority = crs.to_authority()
    return column, ":".join(authority) if authority else crs.to_wkt()
