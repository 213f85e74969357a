"""Search by number, cadastral number, holder or place, over every layer that the caller sees.

What the index of words does not hold yet is read from the register itself: nobody waits for the worker that fills it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.layers import Layer, all_layers
from geo.objects import Bbox, gate
from geo.session import connect

FILL, SWEEP = "search.fill", "search.sweep"
LONGEST_TEXT = 100
# Shorter texts have no three letters that an index could look up.
INDEXED_TEXT = 3
# Versions that are filled in by one transaction.
PORTION = 5_000
_PLACES = {name: place for place, name in enumerate(all_layers())}
BEST = text("SELECT * FROM search.best(:pattern, 5)")


@dataclass(frozen=True)
class Hit:
    """Something found: its layer, identity, the text that names it and its box in degrees."""

    layer: str
    id: int
    title: str
    subtitle: str
    bbox: Bbox | None


def pattern_of(wanted: str) -> str:
    """Pattern of ILIKE (escape: backslash) for texts that contain this one."""
    return "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


async def narrowed(connection: AsyncConnection, layer: Layer, wanted: str) -> tuple[ColumnElement[bool], ...]:
    """Condition that holds for every current object of a layer with the text in a column that the search looks into.

    It spares reading the layer and decides nothing; none where the text is too short or too frequent for that.
    """
    if not layer.search or len(wanted) < INDEXED_TEXT:
        return ()
    few = select(func.search.few(pattern_of(wanted), layer.name))
    if (await connection.execute(few)).scalar_one() is None:
        return ()
    return (gate(layer.name).c.version == any_(cast(few.scalar_subquery(), ARRAY(BigInteger))),)


async def search(connection: AsyncConnection, words: str, *, limit: int = 12) -> Sequence[Hit]:
    """Hits for a text of at least two characters, the best few of each layer; shorter texts find nothing."""
    wanted = " ".join(words.replace("\x00", " ").split())[:LONGEST_TEXT]
    if len(wanted) < 2:
        return []
    rows = (await connection.execute(BEST, {"pattern": pattern_of(wanted)})).all()
    hits = [
        Hit(
            r[0], r[1], r[2], r[3] if r[3] != r[2] else "", None if r[4] is None else (r[4], r[5], r[6], r[7])
        )
        for r in sorted(rows, key=lambda r: _PLACES[r[0]])
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
