"""The open register of subsoil licences: corner points as free text in one cell, several contours, limits of depth."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from geo import angle
from ingest.batch import Batch
from ingest.profile import ReadRule
from ingest.readers.record import Record, bad_coordinate, batches_of
from ingest.readers.rings import joined, polygons
from ingest.readers.table import TableReader
from ingest.source import Source

_COORDINATES = re.compile(r"географические координаты.*", re.I | re.S)
_NUMBER = re.compile(r"государственный регистрационный номер", re.I)
_SYSTEM = re.compile(r"система координат\s*[-–—:]\s*(?P<name>[^№\n;]+?)\s*(?:№|\n|;|$|\s{2})", re.I)
_POINTS = re.compile(r"№\s*точки", re.I)
_LIMIT = re.compile(
    r"(?P<which>верхняя|нижняя)\s+граница\s*[-–—:]\s*(?P<text>.*?)(?=\s{2,}\S|верхняя\s+граница|нижняя\s+граница|$)",
    re.I | re.S,
)


@dataclass(frozen=True)
class Cell:
    """What a cell of coordinates says."""

    geometry: Any
    system: str
    upper: str | None
    lower: str | None


def cell(text: str) -> Cell:
    """Contours, system and depth limits of a cell; ValueError where an angle or the systems cannot be read."""
    systems = {m["name"].strip() for m in _SYSTEM.finditer(text)}
    if len(systems) > 1:
        raise ValueError(f"the contours are in different systems: {', '.join(sorted(systems))}")
    parts = _POINTS.split(text)
    # Text before the first table of points names the contour; each later part begins with one.
    rings = [ring for ring in (angle.pairs(part) for part in (parts[1:] or parts)) if ring]
    limits = {m["which"].lower(): m["text"].strip() for m in _LIMIT.finditer(text)}
    return Cell(
        joined(polygons(rings)) if rings else None,
        systems.pop() if systems else "",
        limits.get("верхняя") or None,
        limits.get("нижняя") or None,
    )


def _column(columns: list[str]) -> str | None:
    return next((c for c in columns if _COORDINATES.fullmatch(c.strip())), None)


@dataclass(frozen=True)
class LicenceRegisterReader:
    """Rows of the register, each with the polygon of its cell."""

    rule: ReadRule = field(default_factory=ReadRule)
    name: ClassVar[str] = "licence_register"

    def recognises(self, source: Source) -> bool:
        """Whether the header has the register's number and its coordinates."""
        table = TableReader(self.rule)
        if not table.recognises(source) or len(table.layers(source)) != 1:
            return False
        columns = table.sheet(source, None).columns
        return bool(_column(columns)) and any(_NUMBER.fullmatch(c.strip()) for c in columns)

    def layers(self, source: Source) -> list[str]:
        """The one table."""
        return TableReader(self.rule).layers(source)

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Rows by coordinate system; ``upper_limit`` and ``lower_limit`` are added to the columns."""
        table = TableReader(self.rule)
        notes = tuple(table.sheet(source, layer).notes)
        yield from batches_of(self._records(source, layer, table), notes)

    def _records(self, source: Source, layer: str | None, table: TableReader) -> Iterator[Record]:
        for frame, rows, sheet, bad in table.frames(source, layer):
            column = self.rule.coordinates or _column(sheet.columns)
            broken = {p.row: p for p in bad}
            for row, values in zip(rows, frame.to_dict("records"), strict=True):
                columns = {str(k): v for k, v in values.items()}
                problems = (broken[int(row)],) if int(row) in broken else ()
                text = str(columns.get(column or "") or "")
                try:
                    said = cell(text)
                except ValueError as err:
                    said, problems = Cell(None, "", None, None), (*problems, bad_coordinate(str(err), text))
                columns |= {"upper_limit": said.upper, "lower_limit": said.lower}
                yield Record(columns, said.geometry, said.system, problems, int(row))
