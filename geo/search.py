"""Search by number, cadastral number, holder or place, over every layer that the caller sees.

What the index of words does not hold yet is read from the register itself: nobody waits for the worker that fills it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    column,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.layers import Layer, all_layers
from geo.moment import ALWAYS
from geo.objects import Bbox, at_moment, gate
from geo.session import connect

FILL, SWEEP = "search.fill", "search.sweep"
LONGEST_TEXT = 100
# Shorter texts have no three letters that an index could look up.
INDEXED_TEXT = 3
# Versions that are filled in by one transaction.
PORTION = 5_000


@dataclass(frozen=True)
class Hit:
    """Something found: its layer, identity, the text that names it and its box in degrees."""

    layer: str
    id: int
    title: str
    subtitle: str
    bbox: Bbox | None


def pattern_of(text: str) -> str:
    """Pattern of ILIKE (escape: backslash) for texts that contain this one."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def found_in(layer: Layer, text: str) -> ColumnElement[bool]:
    """Condition that holds for every current object of a layer with the text in a column that the search looks into.

    It holds for few others: it spares reading the layer, and decides nothing.
    """
    words = func.search.found(pattern_of(text), literal(layer.name, Text)).table_valued("layer", "version")
    return gate(layer.name).c.version.in_(select(words.c.version))


def _found(pattern: str) -> CTE:
    words = func.search.found(pattern).table_valued(column("layer"), column("version"))
    return select(words.c.layer, words.c.version).cte("found")


def _statement(layer: Layer, pattern: str, limit: int, found: CTE) -> Select[tuple[object, ...]]:
    table = gate(layer.name)
    title = func.coalesce(*(table.c[name] for name in layer.title_of), "")
    subtitle = func.coalesce(*(table.c[name] for name in layer.subtitle_of), "")
    matches = or_(*(table.c[name].ilike(pattern, escape="\\") for name in layer.search))
    candidates = select(found.c.version).where(found.c.layer == literal(layer.name))
    return (
        select(
            literal(layer.name).label("layer"),
            table.c.id,
            title.label("title"),
            subtitle.label("subtitle"),
            func.ST_XMin(table.c.geom),
            func.ST_YMin(table.c.geom),
            func.ST_XMax(table.c.geom),
            func.ST_YMax(table.c.geom),
        )
        .where(at_moment(table, ALWAYS), table.c.version.in_(candidates), matches)
        .order_by(func.length(title), title)
        .limit(limit)
    )


def statement_of(text: str) -> CompoundSelect[Any]:
    """The best few objects of each layer whose texts contain this one, most of them 60."""
    pattern = pattern_of(text)
    found = _found(pattern)
    parts = [_statement(each, pattern, 5, found) for each in all_layers().values() if each.search]
    return union_all(*(part.subquery().select() for part in parts)).limit(60)


async def search(connection: AsyncConnection, text: str, *, limit: int = 12) -> Sequence[Hit]:
    """Hits for a text of at least two characters, the best few of each layer; shorter texts find nothing."""
    wanted = " ".join(text.replace("\x00", " ").split())[:LONGEST_TEXT]
    if len(wanted) < 2:
        return []
    rows = (await connection.execute(statement_of(wanted))).all()
    hits = [
        Hit(
            r[0], r[1], r[2], r[3] if r[3] != r[2] else "", None if r[4] is None else (r[4], r[5], r[6], r[7])
        )
        for r in rows
    ]
    lowered = wanted.lower()
    order = sorted(hits, key=lambda h: (not h.title.lower().startswith(lowered), len(h.title)))
    # Found in several of its states, an object is one hit all the same.
    best: dict[tuple[str, int], Hit] = {}
    for hit in order:
        best.setdefault((hit.layer, hit.id), hit)
    return list(best.values())[:limit]


def fill(url: str) -> int:
    """Fill the index of words with what waits for it, as the writing role; returns the number of portions.

    Each portion is a transaction: a worker that dies leaves the rest waiting, and searched.
    """
    portions = 0
    with connect(url, autocommit=True) as connection:
        while connection.execute("SELECT EXISTS (SELECT FROM search.pending)").fetchone() == (True,):
            connection.execute("SELECT search.fill(%s)", [PORTION])
            portions += 1
        if portions:
            connection.execute("SELECT search.settle()")
    return portions


def sweep(url: str) -> None:
    """Take closed versions out of the index of words, as the writing role."""
    with connect(url) as connection:
        connection.execute("SELECT search.sweep()")
