"""Tables of a register: a page of objects sorted by a column, with the values that people filter by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, RowMapping, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import search, tally
from geo.errors import ParameterError
from geo.layers import Layer
from geo.moment import Moment
from geo.objects import Query, check_value, conditions, gate, planned_anew, selected

PAGE = 50
# Past this page nobody reads on: he filters. It bounds what an offset costs.
LAST_PAGE = 200


@dataclass(frozen=True)
class Listing:
    """Which table: of one day; text in the columns that the search looks into, equal values, ranges, order, page from 1."""

    moment: Moment
    text: str = ""
    equal: Mapping[str, str] = field(default_factory=dict)
    between: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    sort: str = ""
    page: int = 1


@dataclass(frozen=True)
class Rows:
    """A page of a table, and how many objects there are in all; None where nobody counted so many."""

    rows: Sequence[RowMapping]
    matched: int | None
    page: int

    @property
    def first(self) -> int:
        """Number of the first row shown, 0 where there is none."""
        return (self.page - 1) * PAGE + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return (self.page - 1) * PAGE + len(self.rows)

    @property
    def more(self) -> bool:
        """Whether a next page may be asked for."""
        left = len(self.rows) == PAGE if self.matched is None else self.last < self.matched
        return left and self.page < LAST_PAGE


def _order(layer: Layer, sort: str) -> list[ColumnElement[object]]:
    table = gate(layer.name)
    name = sort.removeprefix("-")
    if not name:
        return [table.c.id]
    if name not in {p.name for p in layer.properties}:
        raise ParameterError(
            f"{layer.name} cannot be sorted by “{name[:40]}”.",
            f"Columns are: {', '.join(p.name for p in layer.properties)}.",
            field="sort",
            value=sort[:40],
        )
    column = table.c[name]
    return [column.desc().nulls_last() if sort.startswith("-") else column.asc().nulls_last(), table.c.id]


async def _contains(
    connection: AsyncConnection, layer: Layer, text: str, moment: Moment
) -> tuple[ColumnElement[bool], ...]:
    wanted = " ".join(text.split())[: search.LONGEST_TEXT]
    if not wanted:
        return ()
    table, columns = gate(layer.name), layer.search or layer.title_of
    contains = or_(*(table.c[name].ilike(search.pattern_of(wanted), escape="\\") for name in columns))
    # The index knows what the register knows now.
    known = await search.narrowed(connection, layer, wanted) if moment.as_of is None else ()
    return (*known, contains)


async def listing(connection: AsyncConnection, layer: Layer, wanted: Listing) -> Rows:
    """The rows of one page; ParameterError where a value, a column or the page cannot be."""
    if not 1 <= wanted.page <= LAST_PAGE:
        raise ParameterError(
            f"Page {wanted.page} is outside 1…{LAST_PAGE}.",
            "Filter the table to come closer to what you look for.",
            field="page",
            value=str(wanted.page)[:20],
        )
    for name, value in wanted.equal.items():
        check_value(layer, name, value)
    for name, ends in wanted.between.items():
        for value in filter(None, ends):
            check_value(layer, name, value)
    query = Query(
        moment=wanted.moment,
        equal=wanted.equal,
        between=wanted.between,
        where=await _contains(connection, layer, wanted.text, wanted.moment),
    )
    await planned_anew(connection, query)
    statement = (
        select(*selected(layer, geometry=False))
        .where(conditions(layer, query))
        .order_by(*_order(layer, wanted.sort))
        .limit(PAGE)
        .offset((wanted.page - 1) * PAGE)
    )
    rows = (await connection.execute(statement)).mappings().all()
    return Rows(rows, await tally.count(connection, layer, query), wanted.page)
