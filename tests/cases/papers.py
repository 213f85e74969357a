"""Files to attach: sound ones of every format, and the wicked ones."""

import io
import zipfile
import zlib

import pikepdf
from PIL import Image

CONTENT_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{}</Types>'
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def pdf(*, pages: int = 1, note: str = "", **save: object) -> bytes:
    """A PDF with empty A4 pages."""
    made, out = pikepdf.new(), io.BytesIO()
    for _ in range(pages):
        made.add_blank_page(page_size=(595, 842))
    made.docinfo["/Title"] = note or "Mezha"
    made.save(out, **save)  # type: ignore[arg-type]
    return out.getvalue()


def encrypted_pdf() -> bytes:
    """A PDF that asks for a password."""
    return pdf(encryption=pikepdf.Encryption(owner="o", user="u"))


def scan_pdf(dpi: int) -> bytes:
    """A PDF whose page is a scan of that resolution."""
    out = io.BytesIO()
    Image.new("L", (round(8.27 * dpi), round(11.69 * dpi)), 200).save(out, "PDF", resolution=dpi)
    return out.getvalue()


def running_pdf() -> bytes:
    """A PDF that runs a script when it is opened."""
    made, out = pikepdf.new(), io.BytesIO()
    made.add_blank_page()
    made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
    made.save(out)
    return out.getvalue()


def pdf_bomb(megabytes: int = 280) -> bytes:
    """A small PDF whose page swells to that many megabytes."""
    made, out = pikepdf.new(), io.BytesIO()
    page = made.add_blank_page()
    engine, parts = zlib.compressobj(9), []
    parts.extend(engine.compress(b" " * (1 << 20)) for _ in range(megabytes))
    body = b"".join([*parts, engine.flush()])
    page.obj.Contents = made.make_stream(b"")
    page.obj.Contents.write(body, filter=pikepdf.Name.FlateDecode)
    made.save(out, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)
    return out.getvalue()


def picture(form: str = "JPEG", dpi: int | None = 300, size: tuple[int, int] = (600, 400)) -> bytes:
    """A picture that says its resolution."""
    out = io.BytesIO()
    more = {"dpi": (dpi, dpi)} if dpi else {}
    Image.new("RGB", size, "white").save(out, form, **more)
    return out.getvalue()


def package(entries: dict[str, bytes]) -> bytes:
    """A ZIP archive of these entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def docx(**more: bytes) -> bytes:
    """An office text; further entries by name."""
    known = {"[Content_Types].xml": CONTENT_TYPES.format("").encode(), "word/document.xml": b"<w/>"}
    return package(known | {k.replace("__", "/").replace("_bin", ".bin"): v for k, v in more.items()})


def sealed_docx() -> bytes:
    """An office text with a password: the container of the old formats."""
    return OLE + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 500
