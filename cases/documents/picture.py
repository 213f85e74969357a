"""Inside of pictures: they open, they are no bomb, and how fine they are."""

from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from cases.documents.fault import FaultyFileError

MOST_PIXELS = 400_000_000
# Sides of an A4 sheet in inches: a scan that does not say its resolution is taken for one.
_SHEET = (8.27, 11.69)
_FORMATS = ("JPEG", "PNG", "TIFF", "MPO")


def facts(path: Path) -> dict[str, Any]:
    """Pixels and dpi of a sound picture; FaultyFileError otherwise."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise FaultyFileError("bomb")
            stated = picture.info.get("dpi")
            pages = getattr(picture, "n_frames", 1)
            picture.verify()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as err:
        raise FaultyFileError("bomb") from err
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, KeyError, TypeError) as err:
        raise FaultyFileError("damaged") from err
    return {"width": width, "height": height, "pages": pages, "dpi": _dpi(stated, width, height)}


def _dpi(stated: Any, width: int, height: int) -> int:
    if stated and float(min(stated)) >= 2:
        return round(float(min(stated)))
    short, long = sorted((width, height))
    return round(min(short / _SHEET[0], long / _SHEET[1]))
