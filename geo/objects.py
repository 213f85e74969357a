"""Objects of the registers as a caller may see them: pages, single objects, versions, counts.

Everything is read through the gates (docs/access.md), so that what the caller may not see does not exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    Column,
    ColumnElement,
    MetaData,
    RowMapping,
    Select,
    Table,
    and_,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.errors import ParameterError, UnknownObjectError
from geo.layers import Layer, Property, all_layers, model_of
from geo.moment import ALWAYS, Moment

Bbox = tuple[float, float, float, float]
_metadata = MetaData()
# A literal and no bound value, so that the planner sees the partial index of current versions.
OPEN_SYSTEM: ColumnElement[Any] = literal_column("'infinity'::timestamptz")


@cache
def gate(name: str) -> Table:
    """The view through which a layer is served."""
    columns: list[Column[Any]] = [
        Column(c.name, c.type, primary_key=c.primary_key)
        for c in model_of(name).__table__.columns
        if c.name != "source_geom"
    ]
    return Table(name, _metadata, *columns, schema="gate")


@dataclass(frozen=True)
class Query:
    """Which objects: in the boxes (degrees), at the moment, with these values; a page is ``limit`` after id ``after``."""

    boxes: tuple[Bbox, ...] = ()
    moment: Moment = ALWAYS
    equal: Mapping[str, str] = field(default_factory=dict)
    between: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    where: tuple[ColumnElement[bool], ...] = ()
    limit: int = 10
    after: int = 0


@dataclass(frozen=True)
class Page:
    """Objects of one page: mappings with ``id``, ``version``, the layer's properties and ``geometry`` (GeoJSON text)."""

    rows: Sequence[RowMapping]
    matched: int
    next_after: int | None


def at_moment(table: Table, moment: Moment) -> ColumnElement[bool]:
    """Condition on both times; half-open periods, closed question."""
    conditions: list[ColumnElement[bool]] = []
    if moment.as_of is None:
        conditions.append(table.c.sys_to == OPEN_SYSTEM)
    else:
        conditions += [table.c.sys_from <= moment.as_of, table.c.sys_to > moment.as_of]
    if moment.last is not None:
        conditions.append(table.c.valid_from <= moment.last)
    if moment.first is not None:
        conditions.append(table.c.valid_to > moment.first)
    return and_(*conditions)


def conditions(layer: Layer, query: Query) -> ColumnElement[bool]:
    """The whole condition of a query but for its page."""
    table = gate(layer.name)
    found = [at_moment(table, query.moment), *query.where]
    if query.boxes:
        found.append(or_(*(table.c.geom.op("&&")(func.ST_MakeEnvelope(*box, 4326)) for box in query.boxes)))
        found.append(
            or_(*(func.ST_Intersects(table.c.geom, func.ST_MakeEnvelope(*box, 4326)) for box in query.boxes))
        )
    found += [table.c[name] == _typed(layer, name, value) for name, value in query.equal.items()]
    for name, (first, last) in query.between.items():
        if first is not None:
            found.append(table.c[name] >= _typed(layer, name, first))
        if last is not None:
            found.append(table.c[name] <= _typed(layer, name, last))
    return and_(true(), *found)


def _typed(layer: Layer, name: str, value: str) -> Any:
    return _converted(layer.property_named(name).type, value)


def _converted(kind: str, value: str) -> Any:
    convert: dict[str, Any] = {"integer": int, "number": float, "date": date.fromisoformat}
    return convert.get(kind, str)(value)


def selected(layer: Layer, *, geometry: bool = True) -> list[ColumnElement[Any]]:
    """Columns of an object: identity, properties, both times, and the geometry as GeoJSON."""
    table = gate(layer.name)
    columns: list[ColumnElement[Any]] = [table.c.id, table.c.version]
    columns += [table.c[p.name] for p in layer.properties]
    for name in ("valid_from", "valid_to", "sys_from", "sys_to"):
        # An open end is no date that Python knows: it is served as null.
        columns.append(case((func.isfinite(table.c[name]), table.c[name])).label(name))
    if geometry:
        columns.append(func.ST_AsGeoJSON(table.c.geom, 7).label("geometry"))
    return columns


async def page(connection: AsyncConnection, layer: Layer, query: Query) -> Page:
    """One page of objects in the order of their ids."""
    table = gate(layer.name)
    condition = conditions(layer, query)
    statement: Select[Any] = (
        select(*selected(layer))
        .where(condition, table.c.id > query.after)
        .order_by(table.c.id)
        .limit(query.limit + 1)
    )
    rows = (await connection.execute(statement)).mappings().all()
    matched = (
        await connection.execute(select(func.count()).select_from(table).where(condition))
    ).scalar_one()
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    return Page(rows, matched, rows[-1]["id"] if more and rows else None)


async def one(
    connection: AsyncConnection, layer: Layer, identity: int, moment: Moment = ALWAYS
) -> RowMapping:
    """One object, its newest slice at the moment; UnknownObjectError where the caller sees none."""
    table = gate(layer.name)
    statement = (
        select(*selected(layer))
        .where(at_moment(table, moment), table.c.id == identity)
        .order_by(table.c.valid_from.desc())
        .limit(1)
    )
    row = (await connection.execute(statement)).mappings().first()
    if row is None:
        raise UnknownObjectError(
            f"There is no object {identity} in {layer.name}.",
            "Search for it, or log in to see what is yours.",
            field="id",
            value=str(identity),
        )
    return row


async def versions(connection: AsyncConnection, layer: Layer, identity: int) -> Sequence[RowMapping]:
    """Every version of an object, newest knowledge first, without geometry."""
    table = gate(layer.name)
    statement = (
        select(*selected(layer, geometry=False), table.c.repair, table.c.run, table.c.source_crs)
        .where(table.c.id == identity)
        .order_by(table.c.sys_from.desc(), table.c.valid_from.desc())
        .limit(200)
    )
    return (await connection.execute(statement)).mappings().all()


async def counts(connection: AsyncConnection, moment: Moment = ALWAYS) -> Mapping[str, int]:
    """Number of objects that the caller sees, per layer."""
    parts = [
        select(func.count())
        .select_from(gate(name))
        .where(at_moment(gate(name), moment))
        .scalar_subquery()
        .label(name)
        for name in all_layers()
    ]
    row = (await connection.execute(select(*parts))).mappings().one()
    return dict(row)


async def extent(connection: AsyncConnection, layer: Layer) -> Bbox | None:
    """West, south, east, north of the layer as the caller sees it; None where it is empty."""
    table = gate(layer.name)
    box = func.ST_Extent(table.c.geom.cast(Geometry)).label("box")
    inner = select(box).where(at_moment(table, ALWAYS)).subquery()
    as_box = inner.c.box
    statement = select(func.ST_XMin(as_box), func.ST_YMin(as_box), func.ST_XMax(as_box), func.ST_YMax(as_box))
    row = (await connection.execute(statement)).one()
    return None if row[0] is None else (row[0], row[1], row[2], row[3])


async def visible_names(connection: AsyncConnection) -> frozenset[str]:
    """Layers that the caller may know of: open to his rank, or holding an object that he sees."""
    open_ = {
        name
        for (name,) in await connection.execute(
            text("SELECT name FROM access.layers WHERE rank <= (SELECT access.rank())")
        )
    }
    closed = [name for name in all_layers() if name not in open_]
    for name in closed:
        table = gate(name)
        row = (
            await connection.execute(
                select(literal(1)).select_from(table).where(at_moment(table, ALWAYS)).limit(1)
            )
        ).first()
        if row:
            open_.add(name)
    return frozenset(open_)


def identity_of(value: str) -> int:
    """An object id from a path or a parameter; UnknownObjectError where it cannot be one."""
    if value.isdecimal() and len(value) <= 18:
        return int(value)
    raise UnknownObjectError(
        f"“{value[:40]}” is no object id.", "Object ids are whole numbers.", field="id", value=value[:40]
    )


def check_value(target: Property, value: str) -> None:
    """ParameterError where a value cannot be one of the property's type."""
    try:
        _converted(target.type, value)
    except ValueError:
        raise ParameterError(
            f"{target.name}={value[:40]} is no {target.type}.",
            "Numbers have a decimal point, dates look like 2024-02-28.",
            field=target.name,
            value=value[:40],
        ) from None


def now() -> str:
    """This instant, as OGC API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
