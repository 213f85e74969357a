"""Tallies: how many objects a caller sees, and where they lie; remembered until the layer changes.

A tally reads every object, so it is given up where that takes long: the register is served without it. ``None`` says that
nobody counted, never that there is nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.layers import Layer, all_layers
from geo.moment import ALWAYS, Moment
from geo.objects import Bbox, Query, at_moment, conditions, gate
from geo.remembered import Remembered, TooLongError, in_time

_remembered = Remembered()
# An extent that holds nothing.
NOWHERE: tuple[()] = ()


async def count(connection: AsyncConnection, layer: Layer, query: Query) -> int | None:
    """Number of objects of a query; None where counting takes too long."""
    number = func.count() if query.moment.one_day else func.count(gate(layer.name).c.id.distinct())
    counted = select(number).select_from(gate(layer.name)).where(conditions(layer, query))

    async def work() -> int:
        return int((await in_time(connection, counted))[0])

    try:
        return int(await _remembered.get(connection, layer.name, _question(connection, query, counted), work))
    except TooLongError:
        return None


async def counts(
    connection: AsyncConnection, names: Iterable[str], moment: Moment
) -> Mapping[str, int | None]:
    """Number of objects of layers at a moment; None where counting takes too long."""
    return {name: await count(connection, all_layers()[name], Query(moment=moment)) for name in names}


async def extent(connection: AsyncConnection, layer: Layer) -> Bbox | tuple[()] | None:
    """West, south, east, north of the layer, degrees; `NOWHERE` where it is empty, None where measuring takes too long."""
    table = gate(layer.name)
    box = func.ST_Extent(table.c.geom.cast(Geometry)).label("box")
    inner = select(box).where(at_moment(table, ALWAYS)).subquery()
    sides = (side(inner.c.box) for side in (func.ST_XMin, func.ST_YMin, func.ST_XMax, func.ST_YMax))
    statement = select(*sides)

    async def work() -> Bbox | tuple[()]:
        west, south, east, north = await in_time(connection, statement)
        return NOWHERE if west is None else (west, south, east, north)

    try:
        found: Bbox | tuple[()] = await _remembered.get(connection, layer.name, ("extent",), work)
    except TooLongError:
        return None
    return found


def _question(connection: AsyncConnection, query: Query, counted: Select[Any]) -> tuple[object, ...]:
    """All that a count depends on. Only a filter is known by its SQL: writing that takes longer than the rest of a count
    that is remembered."""
    if query.where:
        compiled = counted.compile(dialect=connection.dialect)
        return "count", str(compiled), sorted(compiled.params.items())
    equal, between = sorted(query.equal.items()), sorted(query.between.items())
    return "count", query.boxes, query.moment, equal, between
