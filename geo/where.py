"""Where and which: a request's box and filter as conditions on a layer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import shapely
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import filters
from geo.errors import ParameterError
from geo.layers import Layer
from geo.moment import ALWAYS, Moment
from geo.objects import Bbox, Query, gate, within
from geo.reference import DEGREES, Reference, References, envelope


@dataclass(frozen=True)
class Where:
    """Box and filter as a request writes them."""

    bbox: str | None = None
    bbox_crs: str | None = None
    filter: str | None = None
    language: str = "cql2-text"
    filter_crs: str | None = None


def numbers(text: str, field: str) -> list[float]:
    """Finite numbers of a comma-separated list."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = [math.nan]
    if not all(map(math.isfinite, values)):
        raise ParameterError(
            f"{field}={text[:60]} is no list of numbers.",
            "Write numbers separated by commas.",
            field=field,
            value=text[:60],
        )
    return values


def _four(text: str) -> list[float]:
    values = numbers(text, "bbox")
    if len(values) == 6:
        values = [values[0], values[1], values[3], values[4]]
    if len(values) != 4:
        raise ParameterError(
            f"bbox has {len(values)} numbers.", "Write west,south,east,north.", field="bbox", value=text[:60]
        )
    return values


def boxes_of(bbox: str | None, reference: Reference = DEGREES) -> tuple[Bbox, ...]:
    """Boxes of a ``bbox`` of 4 or 6 numbers in degrees; two boxes where it crosses the antimeridian."""
    if bbox is None:
        return ()
    values = _four(bbox)
    west, south, east, north = (
        values if not reference.swapped else (values[1], values[0], values[3], values[2])
    )
    if south > north or not (-90 <= south <= 90 and -90 <= north <= 90):
        raise ParameterError(
            f"bbox={bbox[:60]} is reversed or outside the globe.",
            "Write west,south,east,north in degrees.",
            field="bbox",
            value=bbox[:60],
        )
    if not (-180 <= west <= 180 and -180 <= east <= 180):
        raise ParameterError(
            f"bbox={bbox[:60]} is outside the globe.",
            "Longitudes run from -180 to 180.",
            field="bbox",
            value=bbox[:60],
        )
    if west > east:
        return ((west, south, 180.0, north), (-180.0, south, east, north))
    return ((west, south, east, north),)


def boxes_and_conditions(
    layer: Layer, where: Where, references: References
) -> tuple[tuple[Bbox, ...], tuple[ColumnElement[bool], ...]]:
    """Boxes in degrees and the other conditions; ParameterError, CrsError or FilterError names what is wrong."""
    boxes: tuple[Bbox, ...] = ()
    found: list[ColumnElement[bool]] = []
    system = references.resolve(where.bbox_crs, "bbox-crs") if where.bbox_crs is not None else DEGREES
    if where.bbox is not None and system.degrees:
        boxes = boxes_of(where.bbox, system)
    elif where.bbox is not None:
        values = _four(where.bbox)
        if values[0] > values[2] or values[1] > values[3]:
            raise ParameterError(
                f"bbox={where.bbox[:60]} is reversed.",
                "Write the lower corner, then the upper one.",
                field="bbox",
                value=where.bbox[:60],
            )
        found.append(within(layer, shapely.to_wkb(envelope(system, values))))
    filter_system = (
        references.resolve(where.filter_crs, "filter-crs") if where.filter_crs is not None else DEGREES
    )
    if where.filter is not None:
        table = gate(layer.name)
        found.append(
            filters.condition(layer, table, where.filter, language=where.language, reference=filter_system)
        )
    return boxes, tuple(found)


@dataclass(frozen=True)
class Asked:
    """What a request asks of a collection: where, which, when, how much and in which system."""

    where: Where
    crs: str | None = None
    moment: Moment = ALWAYS
    equal: Mapping[str, str] = field(default_factory=dict)
    limit: int = 10
    # Whether the request left its limit to us: a page then has ten features, a file all of them.
    whole: bool = True
    after: int = 0

    @property
    def most(self) -> int | None:
        """Most features of a file."""
        return None if self.whole else self.limit

    async def query(self, connection: AsyncConnection, layer: Layer) -> tuple[Query, Reference]:
        """The query in the words of the domain, and the system of the answer."""
        where = self.where
        references = await References.naming(connection, self.crs, where.bbox_crs, where.filter_crs)
        boxes, conditions = boxes_and_conditions(layer, where, references)
        query = Query(
            boxes=boxes,
            moment=self.moment,
            equal=self.equal,
            where=conditions,
            limit=self.limit,
            after=self.after,
        )
        return query, references.resolve(self.crs, "crs") if self.crs is not None else DEGREES
