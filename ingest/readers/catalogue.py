"""The formats that Mezha reads, asked in order: those with a reader of their own first, GDAL last."""

from ingest.batch import Reader
from ingest.errors import RefusedError
from ingest.readers.rosreestr import RosreestrReader
from ingest.readers.vector import VectorReader
from ingest.source import Source

READERS: tuple[Reader, ...] = (RosreestrReader(), VectorReader())


def reader_for(source: Source, name: str | None = None) -> Reader:
    """The reader that recognises the bytes, or the one of that name; RefusedError where none does."""
    for reader in READERS:
        if name == reader.name:
            return reader
        if name is None and reader.recognises(source):
            return reader
    if name is not None:
        raise RefusedError(
            f"There is no reader “{name}”.", f"The readers are: {', '.join(r.name for r in READERS)}."
        )
    raise RefusedError(
        f"{source.path.name} is no file that Mezha reads.",
        "Send GeoPackage, Shapefile, MapInfo, GeoJSON, KML, GML, DXF, FlatGeobuf or Rosreestr XML.",
        field="file",
        value=source.path.name,
    )
