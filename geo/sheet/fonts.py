"""Fonts of sheets: the typeface of the pages, unpacked from its web form, so that paper and screen look alike."""

import struct
import zlib
from pathlib import Path

FAMILIES = "Golos Text, Golos Cyrl"
_WEIGHTS = ("400", "500", "700")
# The typeface comes as one file a script; the Cyrillic one gets a family name of its own, of the same length.
_PARTS = {"latin": None, "cyrillic": ("Golos Text", "Golos Cyrl")}


def unpacked(woff: bytes) -> bytes:
    """The TrueType font of a WOFF 1.0 file (https://www.w3.org/TR/WOFF/): its tables, inflated."""
    flavour, _, count = struct.unpack(">4xIIH", woff[:14])
    power = 1 << (count.bit_length() - 1)
    head = struct.pack(">IHHHH", flavour, count, power * 16, power.bit_length() - 1, (count - power) * 16)
    body = b""
    for n in range(count):
        tag, offset, packed, length, checksum = struct.unpack(">4sIIII", woff[44 + 20 * n : 64 + 20 * n])
        table = woff[offset : offset + packed]
        table = zlib.decompress(table) if packed < length else table
        head += struct.pack(">4sIII", tag, checksum, 12 + 16 * count + len(body), length)
        body += table + b"\0" * (-length % 4)
    return head + body


def prepared(source: Path, home: Path) -> Path:
    """A folder with the fonts as typst reads them; made once.  Without the source, typst's own letters serve."""
    folder = home / "fonts"
    for part, renamed in _PARTS.items():
        for weight in _WEIGHTS:
            kept = folder / f"golos-{part}-{weight}.ttf"
            found = source / f"golos-text-{part}-{weight}-normal.woff"
            if kept.exists() or not found.exists():
                continue
            folder.mkdir(parents=True, exist_ok=True)
            font = unpacked(found.read_bytes())
            if renamed:
                font = font.replace(renamed[0].encode("utf-16-be"), renamed[1].encode("utf-16-be"))
            draft = kept.with_suffix(f".{id(font)}")
            draft.write_bytes(font)
            draft.replace(kept)
    return folder
