"""Inside of a PDF: no password, no scripts, no bomb; pages, and the resolution of scans."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf

from cases.documents.fault import FaultyFileError

MOST_PAGES = 5_000
MOST_OBJECTS = 500_000
# Most that all streams together may swell to, and the most pixels of one picture.
MOST_BYTES = 256 << 20
MOST_PIXELS = 400_000_000
# A picture that covers this part of its page is the scan of it.
_SCAN = 0.5
_RUNS = frozenset({"/JavaScript", "/Launch", "/ImportData", "/Rendition", "/Movie"})
_SAME = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
Matrix = tuple[float, float, float, float, float, float]


def facts(path: Path) -> dict[str, Any]:
    """Pages and dpi of a sound PDF; FaultyFileError otherwise."""
    try:
        with pikepdf.open(path, suppress_warnings=True) as document:
            if document.is_encrypted:
                raise FaultyFileError("encrypted")
            _quiet(document)
            pages = len(document.pages)
            if not 1 <= pages <= MOST_PAGES:
                raise FaultyFileError("bomb" if pages else "damaged")
            found: dict[str, Any] = {"pages": pages}
            resolutions = [d for page in document.pages for d in _resolutions(page)]
            if resolutions:
                found["dpi"] = round(min(resolutions))
            return found
    except pikepdf.PasswordError as err:
        raise FaultyFileError("encrypted") from err
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as err:
        raise FaultyFileError("damaged") from err


def _quiet(document: pikepdf.Pdf) -> None:
    """Nothing runs and nothing swells: every object is looked at, every stream inflated in bounds and thrown away."""
    left = MOST_BYTES
    for number, thing in enumerate(document.objects):
        if number > MOST_OBJECTS:
            raise FaultyFileError("bomb")
        if isinstance(thing, pikepdf.Stream):
            left -= _swollen(thing, left)
            if left < 0:
                raise FaultyFileError("bomb")
        for found in _dictionaries(thing):
            if str(found.get("/S", "")) in _RUNS or "/JS" in found or "/XFA" in found:
                raise FaultyFileError("macros")
            if "/EF" in found:
                raise FaultyFileError("macros")


def _dictionaries(thing: Any, depth: int = 0) -> Iterator[Any]:
    """Dictionaries that are written into an object itself; those it refers to come by themselves."""
    if depth > 30:
        raise FaultyFileError("bomb")
    if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        yield thing
        values = [v for _, v in thing.items()]
    elif isinstance(thing, pikepdf.Array):
        values = list(thing)
    else:
        return
    for value in values:
        if isinstance(value, pikepdf.Dictionary | pikepdf.Array | pikepdf.Stream) and not value.is_indirect:
            yield from _dictionaries(value, depth + 1)


def _swollen(stream: Any, limit: int) -> int:
    """How many bytes a stream becomes, counted no further than ``limit`` and one."""
    if int(stream.get("/Width", 0)) * int(stream.get("/Height", 0)) > MOST_PIXELS:
        raise FaultyFileError("bomb")
    filters = stream.get("/Filter", ())
    names = [str(filters)] if isinstance(filters, pikepdf.Name) else [str(f) for f in filters]
    if not names or any(name not in ("/FlateDecode", "/Fl") for name in names):
        return int(stream.get("/Length", 0))
    if len(names) > 2:
        raise FaultyFileError("bomb")
    data = stream.read_raw_bytes()
    size = 0
    for name in reversed(names):
        last = name is names[0]
        data, size = _inflated(data, limit, keep=not last)
    return size


def _inflated(data: bytes, limit: int, *, keep: bool) -> tuple[bytes, int]:
    engine = zlib.decompressobj()
    size, parts = 0, []
    try:
        while data and not engine.eof and size <= limit:
            part = engine.decompress(data, 1 << 20)
            size += len(part)
            if keep:
                parts.append(part)
            data = engine.unconsumed_tail
            if not part:
                break
    except zlib.error:
        # A broken stream shows nothing: the viewer stops there too.
        return b"".join(parts), size
    return b"".join(parts), size


def _times(a: Matrix, b: Matrix) -> Matrix:
    return (
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    )


def _resolutions(page: Any) -> Iterator[float]:
    """Dots per inch of the scans of a page: pixels of a picture against the place that it takes."""
    pictures = {
        name: (int(image.get("/Width", 0)), int(image.get("/Height", 0)))
        for name, image in page.images.items()
    }
    if not any(w * h > 250_000 for w, h in pictures.values()):
        return
    box = [float(v) for v in page.mediabox]
    whole = abs((box[2] - box[0]) * (box[3] - box[1]))
    now, kept = _SAME, []
    for instruction in pikepdf.parse_content_stream(page, "q Q cm Do"):
        name, operands = str(instruction.operator), instruction.operands
        if name == "q":
            kept.append(now)
        elif name == "Q" and kept:
            now = kept.pop()
        elif name == "cm":
            a, b, c, d, e, f = (float(v) for v in operands)
            now = _times((a, b, c, d, e, f), now)
        elif name == "Do" and str(operands[0]) in pictures:
            width, height = pictures[str(operands[0])]
            across, up = (now[0] ** 2 + now[1] ** 2) ** 0.5, (now[2] ** 2 + now[3] ** 2) ** 0.5
            if across * up >= _SCAN * whole > 0:
                yield min(width / across, height / up) * 72
