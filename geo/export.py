"""Objects as files: CSV text and what GDAL and Arrow write, batch by batch, so that memory stays flat."""

import asyncio
import csv
import io
import shutil
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS
from sqlalchemy import ColumnElement, Select, case, func
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.layers import Layer
from geo.objects import TIMES, Query, chosen, gate, placed, showable
from geo.reference import DEGREES, Reference

BATCH = 2_000


class Format(StrEnum):
    """Files that features can be had as."""

    csv = "csv"
    flatgeobuf = "flatgeobuf"
    geoparquet = "geoparquet"
    gpkg = "gpkg"
    shapefile = "shapefile"
    dxf = "dxf"
    kml = "kml"


@dataclass(frozen=True)
class Kind:
    """How a format is called outside: GDAL's driver, ending and media type."""

    driver: str
    ending: str
    media_type: str


KINDS: dict[Format, Kind] = {
    Format.csv: Kind("", "csv", "text/csv; charset=utf-8"),
    Format.flatgeobuf: Kind("FlatGeobuf", "fgb", "application/flatgeobuf"),
    Format.geoparquet: Kind("", "parquet", "application/vnd.apache.parquet"),
    Format.gpkg: Kind("GPKG", "gpkg", "application/geopackage+sqlite3"),
    Format.shapefile: Kind("ESRI Shapefile", "zip", "application/zip"),
    Format.dxf: Kind("DXF", "dxf", "image/vnd.dxf"),
    Format.kml: Kind("LIBKML", "kml", "application/vnd.google-earth.kml+xml"),
}
_ARROW = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "date": pa.date32()}
_SHAPES = {"MULTIPOLYGON": "MultiPolygon", "POINT": "Point"}


@dataclass(frozen=True)
class Extract:
    """What is exported: the objects of a query, in a system. Coordinates are easting first, as files have them."""

    layer: Layer
    query: Query
    reference: Reference = DEGREES

    def fields(self) -> list[tuple[str, pa.DataType]]:
        """Columns of the file, without the geometry."""
        named = [(p.name, _ARROW[p.type]) for p in self.layer.properties]
        days = [(name, pa.date32()) for name in TIMES[:2]]
        return [("id", pa.int64()), *named, *days, *((n, pa.timestamp("ms", "UTC")) for n in TIMES[2:])]

    def statement(self, shape: ColumnElement[Any], limit: int | None) -> Select[Any]:
        """The objects with their columns and the geometry as ``shape``."""
        table = gate(self.layer.name)
        columns: list[ColumnElement[Any]] = []
        for name, kind in self.fields():
            column = table.c[name]
            # An open end or an infinite date is no date that Python knows.
            finite = pa.types.is_temporal(kind)
            columns.append(case((func.isfinite(column), column)).label(name) if finite else column)
        return chosen(self.layer, self.query, [*columns, shape.label("geometry")], limit=limit)


async def _rows(
    connection: AsyncConnection, extract: Extract, shape: ColumnElement[Any], limit: int | None
) -> AsyncIterator[Sequence[Any]]:
    """Rows of the extract, some thousands at a time, through a cursor of the server."""
    with showable(extract.reference):
        result = await connection.stream(
            extract.statement(shape, limit), execution_options={"yield_per": BATCH}
        )
        async for part in result.partitions():
            yield part


async def csv_text(
    connection: AsyncConnection, extract: Extract, limit: int | None = None
) -> AsyncIterator[bytes]:
    """A CSV file with the geometry as WKT; it begins with a mark, so that spreadsheets read Cyrillic."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([*(name for name, _ in extract.fields()), "wkt"])
    yield "﻿".encode() + _taken(buffer)
    shape = func.ST_AsText(placed(extract.layer, extract.reference), extract.reference.digits)
    async for part in _rows(connection, extract, shape, limit):
        writer.writerows(part)
        yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return text


async def write(
    connection: AsyncConnection,
    extract: Extract,
    kind: Format,
    folder: Path,
    *,
    limit: int | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Path:
    """Write a file into ``folder`` and return its path; a Shapefile comes as a zip."""
    shape = func.ST_AsBinary(placed(extract.layer, extract.reference))
    source = _rows(connection, extract, shape, limit)
    schema = pa.schema([*extract.fields(), ("geometry", pa.binary())])
    loop = asyncio.get_running_loop()
    done = 0

    async def next_batch() -> pa.RecordBatch | None:
        nonlocal done
        async for part in source:
            done += len(part)
            progress(done)
            return await asyncio.to_thread(_batch, part, schema)
        return None

    def batches() -> Iterator[pa.RecordBatch]:
        while (found := asyncio.run_coroutine_threadsafe(next_batch(), loop).result()) is not None:
            yield found

    path = folder / f"{extract.layer.name}.{KINDS[kind].ending}"
    try:
        await asyncio.to_thread(_write, batches(), schema, extract, kind, path)
    finally:
        await source.aclose()  # type: ignore[attr-defined]
    return path


def _batch(rows: Sequence[Any], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(c, type=f.type) for c, f in zip(columns, schema, strict=True)], schema=schema
    )


def _write(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, extract: Extract, kind: Format, path: Path
) -> None:
    if kind is Format.geoparquet:
        _write_parquet(batches, schema, extract, path)
    elif kind is Format.shapefile:
        folder = path.parent / "shapefile"
        folder.mkdir()
        _gdal(_shortened(batches, schema), extract, kind, folder / f"{extract.layer.name}.shp")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in sorted(folder.iterdir()):
                archive.write(part, part.name)
        shutil.rmtree(folder)
    elif kind is Format.dxf:
        _gdal(_drawing(batches), extract, kind, path)
    else:
        _gdal(pa.RecordBatchReader.from_batches(schema, batches), extract, kind, path)


def _gdal(reader: pa.RecordBatchReader, extract: Extract, kind: Format, path: Path) -> None:
    options = {"SPATIAL_INDEX": "NO"} if kind is Format.flatgeobuf else {}
    if kind is Format.shapefile:
        options = {"ENCODING": "UTF-8"}
    shape = _SHAPES[extract.layer.geometry]
    # It brings geopandas and pandas along: two seconds that a server's start need not wait for.
    import pyogrio

    pyogrio.write_arrow(
        reader,
        path,
        driver=KINDS[kind].driver,
        layer=extract.layer.name,
        geometry_name="geometry",
        # A Shapefile has no multi-polygons of its own, a drawing no types at all.
        geometry_type={
            Format.shapefile: "Point" if shape == "Point" else "Polygon",
            Format.dxf: "Unknown",
        }.get(kind, shape),
        crs=CRS.from_user_input(extract.reference.definition).to_wkt(),
        **options,
    )


def _write_parquet(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, extract: Extract, path: Path
) -> None:
    """GeoParquet 1.1: WKB with the system as PROJJSON."""
    geometry = {
        "encoding": "WKB",
        "geometry_types": [_SHAPES[extract.layer.geometry]],
        "crs": CRS.from_user_input(extract.reference.definition).to_json_dict(),
    }
    if extract.reference.degrees:
        # Without a system GeoParquet means longitude and latitude in this order, which is what stands here.
        del geometry["crs"]
    about = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": geometry}}
    marked = schema.with_metadata({b"geo": orjson.dumps(about)})
    with pq.ParquetWriter(path, marked, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _shortened(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatchReader:
    """Columns as a Shapefile can have them: ten letters, no times of day."""
    names: list[str] = []
    for name in schema.names:
        short = name[:10]
        while short in names:
            short = (
                f"{short[:8]}_{len(names) % 10}"
                if f"{short[:8]}_{len(names) % 10}" not in names
                else short[:7]
            )
        names.append(short)
    names[-1] = "geometry"
    kinds = [pa.string() if pa.types.is_timestamp(f.type) else f.type for f in schema]
    changed = pa.schema(list(zip(names, kinds, strict=True)))

    def plain() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield pa.RecordBatch.from_arrays(
                [c.cast(k) for c, k in zip(batch.columns, kinds, strict=True)], schema=changed
            )

    return pa.RecordBatchReader.from_batches(changed, plain())


def _drawing(batches: Iterator[pa.RecordBatch]) -> pa.RecordBatchReader:
    """What a drawing can hold: shapes alone."""
    schema = pa.schema([("geometry", pa.binary())])

    def plain() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield pa.RecordBatch.from_arrays([batch.column(batch.num_columns - 1)], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, plain())
