"""Objects of the registers as a caller may see them: pages, single objects, versions.

Everything is read through the gates (docs/access.md), so that what the caller may not see does not exist.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, lru_cache, reduce
from typing import Any

from psycopg.errors import InternalError_
from sqlalchemy import (
    Column,
    ColumnElement,
    MetaData,
    RowMapping,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.errors import CrsError, ParameterError, UnknownObjectError
from geo.identifiers import whole_number
from geo.layers import Layer, all_layers, model_of
from geo.moment import ALWAYS, Moment
from geo.reference import DEGREES, Reference

Bbox = tuple[float, float, float, float]
_metadata = MetaData()
TIMES = ("valid_from", "valid_to", "sys_from", "sys_to")
# A literal and no bound value, so that the planner sees the partial index of current versions.
_PLANNED_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")
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
    """Objects of one page: their GeoJSON features as one text, with commas between them, and how many there are in it."""

    features: str
    returned: int
    next_after: int | None


def at_moment(table: Table, moment: Moment) -> ColumnElement[bool]:
    """Condition on both times; half-open periods, closed question.

    The past is asked in two arms, so that each uses its own partial index.
    """
    conditions: list[ColumnElement[bool]] = [_known(table, moment)]
    if moment.last is not None:
        conditions.append(table.c.valid_from <= moment.last)
    if moment.first is not None:
        conditions.append(table.c.valid_to > moment.first)
    return and_(*conditions)


def _arms(table: Table, moment: Moment) -> tuple[ColumnElement[bool], ...]:
    """Conditions on system time, one a partial index: what is known now, or what was known then of now and past."""
    if moment.as_of is None:
        return (table.c.sys_to == OPEN_SYSTEM,)
    then = table.c.sys_from <= moment.as_of
    return (
        and_(table.c.sys_to == OPEN_SYSTEM, then),
        and_(table.c.sys_to < OPEN_SYSTEM, table.c.sys_to > moment.as_of, then),
    )


def _known(table: Table, moment: Moment) -> ColumnElement[bool]:
    arms = _arms(table, moment)
    return arms[0] if len(arms) == 1 else or_(*arms)


def within(layer: Layer, shape_wkb: bytes) -> ColumnElement[bool]:
    """Condition that an object meets a shape given as WKB in degrees."""
    table, shape = gate(layer.name), func.ST_GeomFromWKB(shape_wkb, 4326)
    return and_(table.c.geom.op("&&")(shape), func.ST_Intersects(table.c.geom, shape))


def conditions(layer: Layer, query: Query) -> ColumnElement[bool]:
    """The whole condition of a query but for its page."""
    return and_(at_moment(gate(layer.name), query.moment), _wanted(layer, query))


def _box(box: Bbox) -> ColumnElement[Any]:
    west, south, east, north = box
    if west < east and south < north:
        return func.ST_MakeEnvelope(*box, 4326)
    # A box without an area is a line or a point: a polygon of it would be invalid and meet nothing.
    corners = (func.ST_MakePoint(west, south), func.ST_MakePoint(east, north))
    return func.ST_SetSRID(func.ST_Envelope(func.ST_MakeLine(*corners)), 4326)


def _wanted(layer: Layer, query: Query) -> ColumnElement[bool]:
    """What a query asks of an object, whenever it was known."""
    table = gate(layer.name)
    found = list(query.where)
    if query.moment.last is not None:
        found.append(table.c.valid_from <= query.moment.last)
    if query.moment.first is not None:
        found.append(table.c.valid_to > query.moment.first)
    if query.boxes:
        shapes = [_box(box) for box in query.boxes]
        found.append(or_(*(table.c.geom.op("&&")(shape) for shape in shapes)))
        found.append(or_(*(func.ST_Intersects(table.c.geom, shape) for shape in shapes)))
    found += [table.c[name] == _typed(layer, name, value) for name, value in query.equal.items()]
    for name, (first, last) in query.between.items():
        if first is not None:
            found.append(table.c[name] >= _typed(layer, name, first))
        if last is not None:
            found.append(table.c[name] <= _typed(layer, name, last))
    return and_(true(), *found)


def chosen(
    layer: Layer, query: Query, columns: Sequence[ColumnElement[Any]], *, limit: int | None = None
) -> Select[Any]:
    """The objects of a query after its key, in the order of their ids, each once: of several states that meet it, the
    last. One arm an index, each no longer than ``limit``.

    Each column must have a name, the first is the id.
    """
    table = gate(layer.name)
    arms = [
        select(*columns).where(arm, _wanted(layer, query), table.c.id > query.after)
        for arm in _arms(table, query.moment)
    ]
    if query.moment.one_day:
        arms = [arm.order_by(table.c.id).limit(limit) for arm in arms]
        if len(arms) == 1:
            return arms[0]
        merged = union_all(*(arm.subquery().select() for arm in arms)).subquery()
        return select(*merged.c).order_by(merged.c[0]).limit(limit)
    since = table.c.valid_from.label("since")
    arms = [_last(arm.add_columns(since), table.c.id, table.c.valid_from, limit) for arm in arms]
    merged = union_all(*(arm.subquery().select() for arm in arms)).subquery()
    found = _last(merged.select(), merged.c[0], merged.c.since, limit).subquery()
    return select(*(found.c[column.name] for column in columns)).order_by(found.c[0])


def _last(
    found: Select[Any], identity: ColumnElement[Any], since: ColumnElement[Any], limit: int | None
) -> Select[Any]:
    """Of each object the state that began last. Not by DISTINCT ON, for which PostgreSQL 15 sorts all rows at once."""
    nth = func.row_number().over(partition_by=identity, order_by=since.desc()).label("nth")
    states = found.add_columns(nth).subquery()
    shown = [column for column in states.c if column.name != "nth"]
    return select(*shown).where(states.c.nth == 1).order_by(states.c[0]).limit(limit)


def _typed(layer: Layer, name: str, value: str) -> Any:
    return _converted(OF_EVERY_OBJECT.get(name) or layer.property_named(name).type, value)


def _instant(value: str) -> datetime:
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# What an object has in every layer: identity and both times.
OF_EVERY_OBJECT: Mapping[str, str] = {
    "id": "identity",
    **dict.fromkeys(("valid_from", "valid_to"), "date"),
    **dict.fromkeys(("sys_from", "sys_to"), "instant"),
}
_CONVERT: Mapping[str, Callable[[str], Any]] = {
    "identity": int,
    "integer": int,
    "number": float,
    "date": date.fromisoformat,
    "instant": _instant,
}
_LARGEST: Mapping[str, float] = {"identity": 2**63, "integer": 2**31, "number": math.inf}


def _converted(kind: str, value: str) -> Any:
    """The value as the column's type has it; ValueError where it cannot have it."""
    if "\x00" in value:
        raise ValueError("a text holds a zero character")
    found = _CONVERT.get(kind, str)(value)
    if kind in _LARGEST and not abs(found) < _LARGEST[kind]:
        raise ValueError("out of range")
    return found


def selected(layer: Layer, *, geometry: bool = True) -> list[ColumnElement[Any]]:
    """Columns of an object: identity, properties, both times, and the geometry as GeoJSON."""
    table = gate(layer.name)
    columns: list[ColumnElement[Any]] = [table.c.id, table.c.version]
    columns += [table.c[p.name] for p in layer.properties]
    for name in TIMES:
        # An open end is no date that Python knows: it is served as null.
        columns.append(case((func.isfinite(table.c[name]), table.c[name])).label(name))
    if geometry:
        columns.append(_geometry_text(layer, DEGREES).label("geometry"))
    return columns


def placed(layer: Layer, reference: Reference) -> ColumnElement[Any]:
    """The geometry in a system, easting first."""
    shape: ColumnElement[Any] = gate(layer.name).c.geom
    if reference.degrees:
        return shape
    # By number PostGIS works the transformation out once a session, by definition once a geometry.
    return func.ST_Transform(shape, reference.srid or reference.definition)


def _geometry_text(layer: Layer, reference: Reference) -> ColumnElement[Any]:
    shape = placed(layer, reference)
    if reference.swapped:
        shape = func.ST_FlipCoordinates(shape)
    return func.ST_AsGeoJSON(shape, reference.digits, 0)


@cache
def _properties_row(layer: str) -> ColumnElement[Any]:
    """The properties of a feature as JSON, written by the database: names come from the registry alone."""
    # Readers such as GDAL guess a type from the first features: a whole number of a decimal column says so.
    decimal = (
        'CASE WHEN "{0}" = floor("{0}") AND abs("{0}") < 1e15 THEN "{0}"::numeric(17, 1) ELSE "{0}"::numeric END'
        ' AS "{0}"'
    )
    names = [
        decimal.format(p.name) if p.type == "number" else f'"{p.name}"'
        for p in all_layers()[layer].properties
    ]
    ends = (f"CASE WHEN isfinite({n}) THEN {n} END AS {n}" for n in TIMES)
    fields = ", ".join([*names, *ends])
    return literal_column(f"row_to_json((SELECT p FROM (SELECT {fields}) p))::text")


def feature_text(layer: Layer, reference: Reference = DEGREES) -> ColumnElement[Any]:
    """A whole GeoJSON feature as text."""
    table = gate(layer.name)
    parts: list[ColumnElement[Any]] = [
        literal_column("""'{"type":"Feature","id":'"""),
        table.c.id.cast(Text),
        literal_column("""',"geometry":'"""),
        func.coalesce(_geometry_text(layer, reference), literal_column("'null'")),
        literal_column("""',"properties":'"""),
        _properties_row(layer.name),
        literal_column("'}'"),
    ]
    # Not by concat(), which looks up how to write each of its arguments for every row: a third of a page's time.
    return reduce(lambda left, right: left.op("||")(right), parts).label("feature")


def page_statement(layer: Layer, query: Query, reference: Reference = DEGREES) -> Select[Any]:
    """A page with the first object of the next one: how many objects, the ids around the page's end, the length of the
    last feature, and all features with commas between them.

    One row: to take a thousand of them from the wire costs a server more than all else that it does for a page.
    """
    columns = [gate(layer.name).c.id, feature_text(layer, reference)]
    found = chosen(layer, query, columns, limit=query.limit + 1).subquery()
    end = query.limit
    return select(
        func.count(),
        literal_column(f"(array_agg(id))[{end}:{end + 1}]"),
        literal_column(f"(array_agg(length(feature)))[{end + 1}]"),
        func.string_agg(found.c.feature, literal_column("','")),
    ).select_from(found)


async def planned_anew(connection: AsyncConnection, query: Query) -> None:
    """Have this transaction's statements planned for their own values, where these tell how much of a layer they touch.

    A plan for any box at all reads the spatial index, and of a box around everything the whole layer, for one page.
    """
    if query.boxes or query.where or query.between:
        await connection.execute(_PLANNED_ANEW)


async def page(
    connection: AsyncConnection, layer: Layer, query: Query, reference: Reference = DEGREES
) -> Page:
    """One page of objects in the order of their ids; CrsError where one cannot be shown in ``reference``."""
    await planned_anew(connection, query)
    with showable(reference):
        count, ends, last, features = (
            await connection.execute(page_statement(layer, query, reference))
        ).one()
    more = count > query.limit
    return Page(
        features=(features or "")[: -last - 1] if more else features or "",
        returned=min(count, query.limit),
        next_after=ends[0] if more else None,
    )


@contextmanager
def showable(reference: Reference) -> Iterator[None]:
    """Turn PROJ's refusal of far coordinates into the caller's error: all it says is that an object he sees is far."""
    try:
        yield
    except DBAPIError as err:
        if not reference.degrees and isinstance(err.orig, InternalError_):
            raise CrsError(
                f"Some of these objects cannot be shown in {reference.uri.rsplit('/', 1)[-1]}.",
                "Choose a system that covers them, or a smaller bbox.",
                field="crs",
                value=reference.uri[-60:],
            ) from err
        raise


@lru_cache(maxsize=1024)
def _newest(name: str, moment: Moment, reference: Reference) -> Select[Any]:
    """The statement of `one`, made once: to write it anew takes longer than to ask it."""
    layer, table = all_layers()[name], gate(name)
    return (
        select(*selected(layer, geometry=False), feature_text(layer, reference))
        .where(at_moment(table, moment), table.c.id == bindparam("identity"))
        .order_by(
            and_(table.c.valid_from <= bindparam("today"), table.c.valid_to > bindparam("today")).desc(),
            table.c.valid_from.desc(),
        )
        .limit(1)
    )


async def one(
    connection: AsyncConnection,
    layer: Layer,
    identity: int,
    moment: Moment = ALWAYS,
    *,
    today: date | None = None,
    reference: Reference = DEGREES,
) -> RowMapping:
    """One object with the whole GeoJSON ``feature`` as text: of its states at the moment that of ``today``, else the last.

    UnknownObjectError where the caller sees none.
    """
    statement = _newest(layer.name, moment, reference)
    with showable(reference):
        row: RowMapping | None = (
            (await connection.execute(statement, {"identity": identity, "today": today or date.today()}))
            .mappings()
            .first()
        )
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
    if (number := whole_number(value)) is not None:
        return number
    raise UnknownObjectError(
        f"“{value[:40]}” is no object id.", "Object ids are whole numbers.", field="id", value=value[:40]
    )


def check_value(layer: Layer, name: str, value: str) -> None:
    """ParameterError where a value cannot be one of that property's type."""
    try:
        _typed(layer, name, value)
    except ValueError:
        kind = OF_EVERY_OBJECT.get(name) or layer.property_named(name).type
        raise ParameterError(
            f"{name}={value[:40]} is no {kind}.",
            "Numbers have a decimal point, dates look like 2024-02-28.",
            field=name,
            value=value[:40],
        ) from None


def now() -> str:
    """This instant, as OGC API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
