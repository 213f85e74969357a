"""GeoJSON features of objects: the database writes them, the interfaces add what they know."""

from typing import Any

import orjson
from sqlalchemy import RowMapping


def feature(row: RowMapping, **more: Any) -> bytes:
    """A GeoJSON feature with further members; a page and a single answer show the same bytes of an object."""
    text: str = row["feature"]
    return text[:-1].encode() + b"," + orjson.dumps(more)[1:] if more else text.encode()
