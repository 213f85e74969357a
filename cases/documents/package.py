"""Inside of archives and office files: no password, no macros, no bomb."""

import zipfile
from pathlib import Path
from typing import Any

from cases.documents.fault import FaultyFileError
from cases.file_format import Format

MOST_ENTRIES = 10_000
MOST_BYTES = 256 << 20
_CHUNK = 1 << 20
_MACROS = (
    "vbaproject.bin",
    "vbadata.xml",
    "/macrosheets/",
    "/activex/",
    "/embeddings/oleobject",
    "customui/",
)
_PROGRAMS = (
    ".exe",
    ".dll",
    ".com",
    ".scr",
    ".bat",
    ".cmd",
    ".ps1",
    ".vbs",
    ".js",
    ".jar",
    ".msi",
    ".lnk",
    ".hta",
)


def facts(path: Path, found: Format) -> dict[str, Any]:
    """Number of entries of a sound package; FaultyFileError otherwise."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES or sum(e.file_size for e in entries) > MOST_BYTES:
                raise FaultyFileError("bomb")
            if any(e.flag_bits & 1 for e in entries):
                raise FaultyFileError("encrypted")
            _harmless([e.filename for e in entries], found)
            _inflate(archive, entries)
            if found == Format.odt:
                _open_document(archive)
            if found in (Format.docx, Format.xlsx) and b"macroEnabled" in archive.read("[Content_Types].xml"):
                raise FaultyFileError("macros")
            return {"entries": len(entries)}
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, KeyError, UnicodeError) as err:
        raise FaultyFileError("damaged") from err


def _harmless(names: list[str], found: Format) -> None:
    for name in names:
        low = "/" + name.lower()
        if found != Format.zip and any(mark in low for mark in _MACROS):
            raise FaultyFileError("macros")
        if found == Format.odt and low.startswith(("/basic/", "/scripts/")):
            raise FaultyFileError("macros")
        if low.endswith(_PROGRAMS):
            raise FaultyFileError("macros")
        if ".." in Path(name).parts or name.startswith(("/", "\\")):
            raise FaultyFileError("damaged")


def _inflate(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Read every entry once and throw it away: the sizes that an archive states may lie."""
    left = MOST_BYTES
    for entry in entries:
        with archive.open(entry) as stream:
            while part := stream.read(_CHUNK):
                left -= len(part)
                if left < 0:
                    raise FaultyFileError("bomb")


def _open_document(archive: zipfile.ZipFile) -> None:
    manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in archive.namelist() else b""
    if b"encryption-data" in manifest:
        raise FaultyFileError("encrypted")
