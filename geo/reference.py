"""Coordinate systems as the interfaces name them: by OGC URI, with the axis order that the URI promises."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import shapely
from pyproj import CRS
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.crs import WGS84, Catalogue, Definition, transformer
from geo.errors import CrsError

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CRS84H = "http://www.opengis.net/def/crs/OGC/0/CRS84h"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_LOCAL = "urn:ogc:def:crs:MEZHA::"
_URI = re.compile(
    r"(?:\[?epsg:|urn:ogc:def:crs:epsg:[\d.]*:|https?://www\.opengis\.net/def/crs/epsg/[\d.]+/)(\d{4,6})\]?",
    re.IGNORECASE,
)
# Longest piece of an edge that is carried to another system as one straight line, as a share of its length.
_PIECES = 32


@lru_cache(maxsize=512)
def _geographic(definition: str) -> bool:
    return bool(CRS.from_user_input(definition).is_geographic)


@dataclass(frozen=True)
class Reference:
    """A coordinate system of a request: ``uri`` names it, ``definition`` is what PROJ reads, ``srid`` its number in the
    database.

    ``swapped`` tells that its coordinates come and go northing (latitude) first, as EPSG defines the axes.
    """

    uri: str
    definition: str
    swapped: bool = False
    srid: int | None = None

    @property
    def degrees(self) -> bool:
        """Whether it is the storage's own system, whatever its axis order."""
        return self.definition == WGS84

    @property
    def digits(self) -> int:
        """Decimals that show a centimetre."""
        return 7 if _geographic(self.definition) else 3

    def to_degrees(self, shape: Any) -> Any:
        """A geometry of the request in longitude–latitude; CrsError where it lies outside its system."""
        if self.swapped:
            shape = shapely.transform(shape, lambda xy: xy[:, ::-1])
        if not self.degrees:
            bounds = shape.bounds
            longest = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
            if longest > 0 and len(shapely.get_coordinates(shape)) < 1000:
                shape = shapely.segmentize(shape, longest / _PIECES)
            carry = transformer(self.definition, WGS84)
            shape = shapely.transform(shape, lambda xy: np.column_stack(carry.transform(xy[:, 0], xy[:, 1])))
        west, south, east, north = shape.bounds
        if not (-180.0001 <= west <= east <= 180.0001 and -90.0001 <= south <= north <= 90.0001):
            raise CrsError(
                f"The coordinates lie outside {self.uri.rsplit('/', 1)[-1]} or outside the globe.",
                "Check the coordinate system and the order of the axes: EPSG:4326 is latitude first.",
                field="crs",
                value=self.uri[-60:],
            )
        return shape


DEGREES = Reference(CRS84, WGS84)
LATITUDE_FIRST = Reference(f"{_EPSG}4326", WGS84, swapped=True)
MERCATOR = Reference(f"{_EPSG}3857", "EPSG:3857", srid=3857)
ALWAYS_KNOWN = (DEGREES, LATITUDE_FIRST, MERCATOR)


def _northing_first(crs: CRS) -> bool:
    return bool(crs.axis_info) and crs.axis_info[0].direction.lower() in ("north", "south")


def local_uri(code: str) -> str:
    """Name of a system that this installation defines, in the syntax of OGC 09-048.

    It is the same under whatever address the server is reached: readers compare it letter by letter.
    """
    return f"{_LOCAL}{quote(code.replace('/', '.'), safe='')}"


class References:
    """The systems that the interfaces of an installation speak."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._by_path = {d.code.replace("/", "."): d for d in catalogue.definitions}

    @classmethod
    async def naming(cls, connection: AsyncConnection, *names: str | None) -> "References":
        """Enough of them to resolve these names: most requests name none, or one that needs no look-up."""
        simple = cls(Catalogue(()))
        wanted = [name for name in names if name]
        if all(any(name == known.uri for known in ALWAYS_KNOWN) for name in wanted):
            return simple
        return await cls.load(connection)

    @classmethod
    async def load(cls, connection: AsyncConnection) -> "References":
        """The systems that the administrator keeps active: the office's own before the long run of zones."""
        rows = await connection.execute(
            text(
                "SELECT code, title, definition, kind, source, spellings, srid FROM register.crs_definitions"
                " WHERE active ORDER BY starts_with(code, 'EPSG:'), code"
            )
        )
        return cls(
            Catalogue([Definition(r[0], r[1], r[2], r[3], r[4], tuple(r[5]), srid=r[6]) for r in rows])
        )

    def definition(self, code: str) -> Definition | None:
        """The system of that code, as its address writes it."""
        return self._by_path.get(code)

    def uris(self) -> list[str]:
        """Every system that ``crs`` may name, the default first."""
        known = [r.uri for r in ALWAYS_KNOWN]
        for d in self._catalogue.definitions:
            number = re.fullmatch(r"EPSG:(\d+)", d.code)
            uri = f"{_EPSG}{number[1]}" if number else local_uri(d.code)
            if uri not in known:
                known.append(uri)
        return known

    def resolve(self, name: str, field: str) -> Reference:
        """The system of a URI (also ``EPSG:3857`` or a urn); CrsError for one that is not listed."""
        if name.startswith("[") and name.endswith("]"):
            name = name[1:-1]
        if name in (CRS84, CRS84H, "CRS84", "OGC:CRS84", "urn:ogc:def:crs:OGC:1.3:CRS84"):
            return DEGREES
        number = _URI.fullmatch(name.strip())
        if number:
            return self._numbered(int(number[1]), name, field)
        code = re.fullmatch(rf"(?:{_LOCAL}|https?://.*/ogc/crs/)(.+)", name)
        local = self._by_path.get(unquote(code[1])) if code else None
        if local is None:
            raise _unknown(name, field)
        return Reference(name, local.definition, srid=local.srid)

    def _numbered(self, number: int, name: str, field: str) -> Reference:
        for known in ALWAYS_KNOWN:
            if known.uri == f"{_EPSG}{number}":
                return known
        found = self._by_path.get(f"EPSG:{number}")
        if found is None:
            raise _unknown(name, field)
        return Reference(f"{_EPSG}{number}", found.definition, _northing_first(found.crs), found.srid)


def _unknown(name: str, field: str) -> CrsError:
    return CrsError(
        f"The coordinate system “{name[:80]}” is unknown here.",
        "The list `crs` of /ogc/collections names those that are known.",
        field=field,
        value=name[:80],
    )


def envelope(reference: Reference, numbers: Sequence[float]) -> Any:
    """The box of a ``bbox`` in ``reference`` as a polygon in degrees; its edges follow the other system's lines."""
    a, b, c, d = numbers
    box = shapely.box(min(a, c), min(b, d), max(a, c), max(b, d))
    if box.is_empty or box.area == 0:
        box = shapely.Point(a, b)
    return reference.to_degrees(box)
