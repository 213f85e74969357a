"""The formats that Mezha reads, asked in order: those with a reader of their own first, GDAL last."""

from collections.abc import Callable

from ingest.batch import Reader
from ingest.errors import RefusedError
from ingest.profile import ReadRule
from ingest.readers import xml
from ingest.readers.archive import ArchiveReader
from ingest.readers.calendar import CalendarReader
from ingest.readers.corners import CornersReader
from ingest.readers.dictionary import DictionaryReader
from ingest.readers.forest_property import ForestPropertyReader
from ingest.readers.geojson import GeojsonReader
from ingest.readers.licence_register import LicenceRegisterReader
from ingest.readers.parquet import ParquetReader
from ingest.readers.rosreestr import RosreestrReader
from ingest.readers.table import TableReader
from ingest.readers.taxation import TaxationReader
from ingest.readers.vector import VectorReader
from ingest.readers.zonymozno import ZonyMoznoReader
from ingest.source import Source

# Content decides, so the narrow formats come before the wide ones; GDAL tries what nobody else knew.
_MAKERS: tuple[Callable[[ReadRule], Reader], ...] = (
    lambda _: RosreestrReader(),
    lambda _: ZonyMoznoReader(),
    lambda _: ForestPropertyReader(),
    lambda _: CalendarReader(),
    lambda _: DictionaryReader(),
    lambda _: ParquetReader(),
    lambda _: TaxationReader(),
    lambda _: GeojsonReader(),
    LicenceRegisterReader,
    CornersReader,
    TableReader,
    lambda _: VectorReader(),
)
NAMES = ("archive", *(make(ReadRule()).name for make in _MAKERS))
FORMATS = (
    "GeoPackage, Shapefile, MapInfo, GeoJSON, KML, GML, DXF, FlatGeobuf, GeoParquet, SXF, CSV, XLSX, ODS, "
    "Rosreestr XML, or a zip of these"
)


def reader_for(source: Source, name: str | None = None, rule: ReadRule | None = None) -> Reader:
    """The reader that recognises the bytes, or the one of that name; RefusedError where none does.

    A zip of files is unpacked whichever reader is named: the name is for the file inside.
    """
    rule = rule or ReadRule()
    archive = ArchiveReader(lambda part: reader_for(part, name, rule))
    if archive.recognises(source):
        return archive
    if source.head.startswith(b"SQLite format 3\x00"):
        # Whatever reader a register needs, its rejected rows come back as a GeoPackage.
        return VectorReader()
    if source.zipped and source.path.suffix.lower() != ".kmz":
        name = name or ("table" if TableReader(rule).recognises(source) else None)
    for make in _MAKERS:
        reader = make(rule)
        if reader.name == name or (name is None and reader.recognises(source)):
            return reader
    if name is not None:
        raise RefusedError(
            f"There is no reader “{name}”.",
            f"The readers are: {', '.join(NAMES)}.",
            field="reader",
            value=name,
        )
    root = xml.root_of(source.head)
    raise RefusedError(
        f"{source.name} is no file that Mezha reads"
        + (f": its root element is “{root}”, which is no register." if root else "."),
        f"Send {FORMATS}.",
        field="file",
        value=source.name,
    )
