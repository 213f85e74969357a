"""What a file is, told by its first bytes and its inside; its name only has to agree.

Nothing here needs more than the standard library: the child process that looks into files imports it.
"""

import base64
import binascii
import re
import zipfile
from enum import StrEnum
from pathlib import Path

# Enough for every mark; a signature in base64 needs the first line only.
HEAD = 4096
_PEM = re.compile(rb"\s*-----BEGIN (?:PKCS7|CMS|SIGNATURE)-----\s*")
_BASE64 = re.compile(rb"\s*MI[A-Za-z0-9+/\s]{40,}")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_TEXT_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Format(StrEnum):
    """Formats that may be accepted; which ones is said by each kind of document."""

    pdf = "pdf"
    jpeg = "jpeg"
    png = "png"
    tiff = "tiff"
    docx = "docx"
    xlsx = "xlsx"
    odt = "odt"
    xml = "xml"
    zip = "zip"
    gpkg = "gpkg"
    sig = "sig"


EXTENSIONS: dict[Format, tuple[str, ...]] = {
    Format.pdf: ("pdf",),
    Format.jpeg: ("jpg", "jpeg"),
    Format.png: ("png",),
    Format.tiff: ("tif", "tiff"),
    Format.docx: ("docx",),
    Format.xlsx: ("xlsx",),
    Format.odt: ("odt",),
    Format.xml: ("xml", "gml", "kml"),
    Format.zip: ("zip",),
    Format.gpkg: ("gpkg",),
    Format.sig: ("sig", "p7s", "sgn"),
}
MEDIA: dict[Format, str] = {
    Format.pdf: "application/pdf",
    Format.jpeg: "image/jpeg",
    Format.png: "image/png",
    Format.tiff: "image/tiff",
    Format.docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Format.xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.odt: "application/vnd.oasis.opendocument.text",
    Format.xml: "application/xml",
    Format.zip: "application/zip",
    Format.gpkg: "application/geopackage+sqlite3",
    Format.sig: "application/pkcs7-signature",
}
# What a browser shows by itself and cannot be made to run; XML is shown as text.
INLINE = frozenset({Format.pdf, Format.jpeg, Format.png, Format.xml})


def of_file(path: Path) -> Format | str:
    """The format of a file, or the name of what was found instead: ``ole``, ``unknown``."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    found = _by_mark(head)
    if found == Format.zip:
        return _inside(path)
    return found


def _by_mark(head: bytes) -> Format | str:
    marks: tuple[tuple[bytes, Format | str], ...] = (
        (b"%PDF-", Format.pdf),
        (b"\xff\xd8\xff", Format.jpeg),
        (b"\x89PNG\r\n\x1a\n", Format.png),
        (b"II*\0", Format.tiff),
        (b"MM\0*", Format.tiff),
        (b"II+\0", Format.tiff),
        (b"MM\0+", Format.tiff),
        (b"PK\x03\x04", Format.zip),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    )
    for mark, found in marks:
        if head.startswith(mark):
            return found
    if head.startswith(b"SQLite format 3\0"):
        return Format.gpkg if head[68:72] in (b"GPKG", b"GP10", b"GP11") else "unknown"
    if _is_signature(head):
        return Format.sig
    return Format.xml if _is_xml(head) else "unknown"


def _is_signature(head: bytes) -> bool:
    """Whether these are the first bytes of CMS signed data: DER, or base64 with or without its frame."""
    if head[:1] == b"\x30":
        return _SIGNED_DATA in head[:32]
    body = head[found.end() :] if (found := _PEM.match(head)) else head
    if not _BASE64.match(body):
        return False
    first = b"".join(body[:200].split())[:60]
    try:
        return _SIGNED_DATA in base64.b64decode(first)
    except binascii.Error:
        return False


def _is_xml(head: bytes) -> bool:
    for mark in _TEXT_MARKS:
        head = head.removeprefix(mark)
    text = head.replace(b"\0", b"").lstrip()
    return text.startswith((b"<?xml", b"<!--")) or re.match(rb"<[A-Za-z_]", text) is not None


def _inside(path: Path) -> Format | str:
    """Which kind of package a ZIP archive is."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                with archive.open("mimetype") as stream:
                    return (
                        Format.odt if stream.read(200).strip() == MEDIA[Format.odt].encode() else Format.zip
                    )
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, UnicodeDecodeError):
        return "unknown"
    if "[Content_Types].xml" in names:
        if any(n.startswith("word/") for n in names):
            return Format.docx
        if any(n.startswith("xl/") for n in names):
            return Format.xlsx
    return Format.zip


def extension_of(name: str) -> str:
    """The extension of a name, in small letters and without its dot."""
    return Path(name).suffix.lower().removeprefix(".")
