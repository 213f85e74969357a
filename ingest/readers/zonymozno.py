"""Messages of the exchange «Земля для стройки» (DataMessage, ZonyMozno): boundaries of zones; X is north.

The attribute CoordinateSystem cannot be believed: real files hold degrees under “EPSG:3857”. The reader passes it on
as the file says it, and the check of the pipeline refuses what cannot be true.
"""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from ingest.batch import Batch
from ingest.readers import xml
from ingest.readers.record import Record, bad_coordinate, batches_of
from ingest.readers.rings import joined, polygons
from ingest.source import Source

_ROOT = re.compile(rb"<(?:\w+:)?DataMessage[\s>]")
_PLACES = ("ZonyMoznoEntitySpatial", "SpecialZoneEntitySpatial", "EntitySpatial")


class ZonyMoznoReader:
    """Zones of a message; the coordinate system stands on their parent."""

    name: ClassVar[str] = "zonymozno"

    def recognises(self, source: Source) -> bool:
        """Whether the root element is a DataMessage."""
        return _ROOT.search(source.head[:20_000]) is not None

    def layers(self, source: Source) -> list[str]:
        """Zones only."""
        return ["zones"]

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Zones in the order of the file."""
        yield from batches_of(_records(source), ("axis order: X is north, Y is east (Rosreestr)",))


def _records(source: Source) -> Iterator[Record]:
    for element in xml.events(source, _PLACES):
        parent = element.getparent()
        system = (parent.get("CoordinateSystem") if parent is not None else None) or ""
        info = xml.find(element, f"{xml.local(element).removesuffix('EntitySpatial')}ObjectInfo")
        columns = dict(info.attrib) if info is not None else {}
        try:
            yield Record(columns, _geometry(element), system)
        except ValueError as err:
            yield Record(columns, None, system, (bad_coordinate(str(err)),))


def _geometry(element: Any) -> Any:
    parts: list[Any] = []
    for spatial in xml.descendants(element, "SpatialElement"):
        ordinates = xml.descendants(spatial, "NewOrdinate") or xml.descendants(spatial, "Ordinate")
        points = [(float(o.get("Y", "")), float(o.get("X", ""))) for o in ordinates]
        rings = _split(points)
        parts += polygons(rings) if rings else []
    return joined(parts)


def _split(points: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Rings of one element: a point that repeats the first closes a ring, and the next point opens another."""
    rings: list[list[tuple[float, float]]] = []
    current: list[tuple[float, float]] = []
    for point in points:
        current.append(point)
        if len(current) > 3 and point == current[0]:
            rings.append(current)
            current = []
    return [*rings, current] if current else rings
