"""Zip archives: checked before a byte is unpacked, then each file inside is read by its own format's reader."""

import fnmatch
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import ClassVar

from ingest.batch import Batch, Reader
from ingest.errors import RefusedError
from ingest.source import Source

MAX_BYTES = 4 << 30
MAX_MEMBERS = 10_000
# A zip of plain text rarely packs better than 1 : 100; a bomb packs 1 : 1000 and more.
MAX_RATIO = 200
RATIO_MATTERS_FROM = 64 << 20
_DATA = (".shp", ".tab", ".mif", ".gpkg", ".geojson", ".json", ".kml", ".kmz", ".gml", ".xml", ".dxf", ".fgb")
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".parquet", ".geoparquet", ".sxf", ".zip")
# Formats that are zips themselves are no archives of files.
_OWN = ("[content_types].xml", "mimetype", "doc.kml")


def refuse(source: Source, what: str, remedy: str) -> RefusedError:
    """The refusal of an archive that is not safe or not sound."""
    return RefusedError(f"{source.name} {what}", remedy, field="file", value=source.name)


def members(source: Source) -> list[zipfile.ZipInfo]:
    """Files of a zip; RefusedError where it is damaged, leads outside, holds links or is a bomb."""
    try:
        with zipfile.ZipFile(source.path) as archive:
            found = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as err:
        raise refuse(
            source, f"is a damaged zip archive ({err}).", "Ask its sender for the file again."
        ) from err
    if len(found) > MAX_MEMBERS:
        raise refuse(
            source,
            f"holds {len(found)} files; {MAX_MEMBERS} are allowed.",
            "Send the registry files only.",
        )
    for info in found:
        _check(source, info)
    total = sum(info.file_size for info in found)
    if total > MAX_BYTES or (total > RATIO_MATTERS_FROM and total > MAX_RATIO * max(source.size, 1)):
        raise refuse(
            source,
            f"would unpack to {total / 2**20:.0f} MB from {source.size / 2**20:.2f} MB: a zip bomb.",
            "Send the registry files unpacked or packed anew.",
        )
    return found


def _check(source: Source, info: zipfile.ZipInfo) -> None:
    name = info.filename.replace("\\", "/")
    if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name.split("/")[0]:
        raise refuse(source, f"holds a file that leads outside: {name[:80]}.", "Pack the folder anew.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise refuse(source, f"holds a link: {name[:80]}.", "Pack the file itself, not a link to it.")
    if info.flag_bits & 1:
        raise refuse(source, f"is locked by a password: {name[:80]}.", "Send it without a password.")


def packed_table(source: Source) -> bool:
    """Whether the zip is itself one document: XLSX, ODS or KMZ."""
    names = {info.filename.lower() for info in members(source)}
    return any(name in names for name in _OWN)


@contextmanager
def unpacked(source: Source) -> Iterator[Path]:
    """A temporary folder with the files of the archive; written sizes are watched, whatever the headers say."""
    with tempfile.TemporaryDirectory(prefix="mezha-zip-") as folder:
        left = MAX_BYTES
        with zipfile.ZipFile(source.path) as archive:
            for info in members(source):
                target = Path(folder) / _name(info)
                target.parent.mkdir(parents=True, exist_ok=True)
                left -= _extract(source, archive, info, target, left)
        yield Path(folder)


def _name(info: zipfile.ZipInfo) -> str:
    """The name as packed; old Windows packers write cp866 without saying so."""
    name = info.filename
    if not info.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("cp866")
        except UnicodeError:
            name = info.filename
    return name.replace("\\", "/")


def _extract(source: Source, archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, left: int) -> int:
    written = 0
    try:
        with archive.open(info) as stream, target.open("wb") as out:
            while chunk := stream.read(1 << 20):
                written += len(chunk)
                if written > min(info.file_size, left):
                    raise refuse(source, "unpacks to more than it declares: a zip bomb.", "Pack it anew.")
                out.write(chunk)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError) as err:
        raise refuse(
            source, f"breaks off in {info.filename[:80]} ({err}).", "Ask for the file again."
        ) from err
    return written


@dataclass(frozen=True)
class ArchiveReader:
    """Every registry file inside a zip; ``layer`` may be a file's name, a pattern such as ``*``, or a layer of the only file."""

    choose: Callable[[Source], Reader]
    name: ClassVar[str] = "archive"

    def recognises(self, source: Source) -> bool:
        """Whether it is a zip of files, and not a document that is packed as a zip."""
        return source.zipped and not packed_table(source)

    def layers(self, source: Source) -> list[str]:
        """Names of the registry files inside."""
        return [_name(info) for info in members(source) if _is_data(_name(info))]

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Rows of the files that ``layer`` names; they are numbered through all files."""
        names = self.layers(source)
        if not names:
            raise refuse(source, "holds no registry file.", "Pack the registry file with its side files.")
        chosen = [n for n in names if layer and fnmatch.fnmatch(n, layer)]
        inner = None
        if not chosen:
            if len(names) != 1:
                raise refuse(
                    source,
                    f"holds {len(names)} layers: {', '.join(names[:20])}.",
                    "Name one in the profile as source_layer (a pattern such as * takes all), or send one layer a file.",
                )
            chosen, inner = names, layer
        with unpacked(source) as folder:
            offset = 0
            for name in chosen:
                last = offset
                path = folder / name
                part = replace(Source.open(path), largest=source.largest)
                for batch in self.choose(part).batches(part, inner):
                    last = max(last, offset + int(batch.rows.max(initial=0)))
                    yield replace(
                        batch,
                        rows=batch.rows + offset,
                        notes=(f"archive: {name}", *batch.notes),
                        problems=tuple(replace(p, row=p.row + offset) for p in batch.problems),
                    )
                offset = last


def _is_data(name: str) -> bool:
    path = PurePosixPath(name.lower())
    if any(part.startswith(("__macosx", ".")) for part in path.parts):
        return False
    return path.suffix in _DATA or path.suffix in _TABLES or path.suffix == ""
