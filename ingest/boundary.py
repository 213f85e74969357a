"""A boundary from a file: the areas that a file of any format holds, each in the coordinate system that is true of it.

Nothing is guessed: where the file does not say its system, or says one that cannot be, the reader asks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.crs import WGS84, Catalogue, Definition, declared, reproject
from geo.errors import CrsError
from geo.geometry import force_2d
from geo.sentence import Sentence
from ingest.batch import Batch, Reader
from ingest.errors import RefusedError
from ingest.placement import SWAPPED, Extent, fitting, impossible, inside, swap
from ingest.readers.archive import ArchiveReader
from ingest.readers.catalogue import FORMATS, reader_for
from ingest.source import Source

# A plot is one contour or a few; a file of a whole district is an import, not a boundary.
MOST_CONTOURS = 500
MOST_POINTS = 200_000
_LABELS = ("name", "наименование", "название", "номер", "number", "label", "id", "кадастровый номер")
_OFFERED = 12


@dataclass(frozen=True)
class Contour:
    """One area of a file: its number there (from 1), its label, and its shape in ``system``'s own coordinates."""

    number: int
    label: str
    shape: shapely.Geometry
    system: Definition


@dataclass(frozen=True)
class Boundary:
    """What a file holds: the reader that knew it, the areas, and what was decided on the way."""

    format: str
    contours: tuple[Contour, ...]
    notes: tuple[str, ...] = ()


class UnplacedError(CrsError):
    """The file does not say its coordinate system, or says one that cannot be true; ``candidates`` would fit."""

    code = "crs-question"

    def __init__(self, message: str, remedy: str, *, candidates: tuple[tuple[str, str], ...]) -> None:
        super().__init__(message, remedy, field="crs")
        self.candidates = candidates


@dataclass(frozen=True)
class Manner:
    """How to read: the system by order of the applicant, and the surroundings in which the boundary should lie."""

    catalogue: Catalogue
    crs: str = ""
    extent: Extent = (-180.0, -90.0, 180.0, 90.0)
    tell: Callable[[int], None] = lambda read: None


@dataclass
class _Found:
    shapes: list[tuple[str, shapely.Geometry]]
    crs: str
    others: int = 0


def read(path: Path, manner: Manner) -> Boundary:
    """Every area of a file. RefusedError where it holds none, too many or cannot be read; UnplacedError asks."""
    source = Source.open(path)
    reader = reader_for(source)
    notes: list[str] = []
    groups: list[_Found] = []
    count = points = read_ = 0
    for batch in _batches(reader, source):
        _refuse_bad_rows(batch)
        found = _areas(batch)
        groups.append(found)
        notes += [n for n in batch.notes if n not in notes]
        read_ += len(batch.rows)
        count += len(found.shapes)
        points += int(sum(shapely.get_num_coordinates(s) for _, s in found.shapes))
        _refuse_too_much(count, points)
        manner.tell(read_)
    if not count:
        raise _nothing(source, sum(g.others for g in groups))
    contours: list[Contour] = []
    for group in groups:
        if group.shapes:
            contours += _placed(group, manner, len(contours))
    return Boundary(reader.name, tuple(contours), tuple(notes))


def _batches(reader: Reader, source: Source) -> Iterator[Batch]:
    """Every layer; in an archive a file that is none of a boundary (a letter, a read-me) is passed over."""
    passed: list[RefusedError] = []
    read = 0
    for layer in reader.layers(source):
        try:
            for batch in reader.batches(source, layer):
                read += 1
                yield batch
        except RefusedError as err:
            if not isinstance(reader, ArchiveReader):
                raise
            passed.append(err)
    if passed and not read:
        raise passed[0]


def _refuse_bad_rows(batch: Batch) -> None:
    """A boundary of which one corner cannot be read is no boundary: the first such row is named."""
    bad = next((p for p in batch.problems if not p.warning), None)
    if bad:
        raise RefusedError(
            Sentence("Row %(row)s of the file cannot be read: %(message)s", row=bad.row, message=bad.message),
            bad.remedy,
            field="file",
            value=str(bad.value)[:60],
        )


def _refuse_too_much(count: int, points: int) -> None:
    if count > MOST_CONTOURS:
        raise RefusedError(
            Sentence("The file holds more than %(most)s areas.", most=MOST_CONTOURS),
            Sentence("Send a file with your own boundary only."),
            field="file",
            value=str(count),
        )
    if points > MOST_POINTS:
        raise RefusedError(
            Sentence("The boundary has more than %(most)s points.", most=MOST_POINTS),
            Sentence("Split it into several cases."),
            field="file",
            value=str(points),
        )


def _nothing(source: Source, others: int) -> RefusedError:
    message = (
        Sentence("The file holds no area, only %(count)s points and open lines.", count=others)
        if others
        else Sentence("The file holds no geometry.")
    )
    return RefusedError(
        message,
        Sentence(
            "Send polygons, closed lines, or a table of corner points with their numbers. Formats: %(formats)s.",
            formats=FORMATS,
        ),
        field="file",
        value=source.name,
    )


def _areas(batch: Batch) -> _Found:
    """Polygons, areas within collections, and closed lines: drawing programmes know no polygons."""
    found = _Found([], batch.crs)
    names = [c for c in batch.columns.columns if str(c).strip().lower() in _LABELS]
    for position, shape in enumerate(force_2d(batch.geometries)):
        if shape is None or shape.is_empty:
            continue
        area = _area(shape)
        if area is None:
            found.others += 1
            continue
        values = (str(batch.columns[c].iloc[position] or "").strip() for c in names)
        found.shapes.append((next((v for v in values if v and v != "nan"), "")[:80], area))
    return found


def _area(shape: Any) -> Any:
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    if shape.geom_type == "GeometryCollection":
        parts = [p for p in map(_area, shape.geoms) if p is not None]
        return shapely.MultiPolygon([q for p in parts for q in getattr(p, "geoms", [p])]) if parts else None
    if shape.geom_type == "LineString" and shape.is_closed and shapely.get_num_coordinates(shape) >= 4:
        return shapely.Polygon(shape.coords)
    if shape.geom_type == "MultiLineString" and len(shape.geoms) == 1:
        return _area(shape.geoms[0])
    return None


def _placed(group: _Found, manner: Manner, before: int) -> list[Contour]:
    shapes = np.array([s for _, s in group.shapes], dtype=object)
    system, shapes = _system(group.crs, shapes, manner)
    return [
        Contour(before + n, label, shape, system)
        for n, ((label, _), shape) in enumerate(zip(group.shapes, shapes, strict=True), 1)
    ]


def _system(said: str, shapes: NDArray[np.object_], manner: Manner) -> tuple[Definition, NDArray[np.object_]]:
    """The system of the shapes, and the shapes easting first; a question where none is known or it cannot be."""
    name = manner.crs or said
    if not name:
        raise _question(Sentence("The file does not say its coordinate system."), shapes, manner)
    if manner.crs:
        system = manner.catalogue.resolve(manner.crs.removesuffix(SWAPPED))
    else:
        system = _declared(name, shapes, manner)
    given = shapes
    shapes = swap(shapes) if manner.crs.endswith(SWAPPED) else shapes
    bounds = shapely.bounds(shapes)
    if impossible(bounds, system).any():
        raise _question(
            Sentence("The coordinates of the file cannot be in “%(system)s”.", system=system.title),
            given,
            manner,
        )
    try:
        lies = inside(shapely.bounds(reproject(shapes, system.definition, WGS84)), manner.extent)
    except CrsError as err:
        raise _question(
            Sentence("“%(system)s” cannot be placed on Earth.", system=system.title), given, manner
        ) from err
    if not lies.all() and not manner.crs:
        raise _question(
            Sentence("In “%(system)s” the boundary would lie outside the region.", system=system.title),
            given,
            manner,
        )
    return system, shapes


def _declared(name: str, shapes: NDArray[np.object_], manner: Manner) -> Definition:
    """The system that the file names; a question where the name makes no sense."""
    found = manner.catalogue.find(name)
    if found:
        return found
    try:
        meant = declared(name)
    except CrsError as err:
        raise _question(
            Sentence("The file names a coordinate system that makes no sense: “%(said)s”.", said=name[:60]),
            shapes,
            manner,
        ) from err
    return manner.catalogue.find(meant.code) or manner.catalogue.find(meant.title) or meant


def _question(message: str, shapes: NDArray[np.object_], manner: Manner) -> UnplacedError:
    """The question for the system, with those under which the boundary would lie in its surroundings."""
    found = list(fitting(shapes, manner.extent, manner.catalogue))[:_OFFERED]
    return UnplacedError(
        message,
        Sentence("Choose the system that stands in the document the file belongs to."),
        candidates=tuple((code, system.title) for system, code in found),
    )
