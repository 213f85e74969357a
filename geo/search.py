"""Search by number, cadastral number, holder or place, over every layer that the caller sees."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.layers import Layer, all_layers
from geo.moment import ALWAYS
from geo.objects import Bbox, at_moment, gate

LONGEST_TEXT = 100


@dataclass(frozen=True)
class Hit:
    """Something found: its layer, identity, the text that names it and its box in degrees."""

    layer: str
    id: int
    title: str
    subtitle: str
    bbox: Bbox | None


def _statement(layer: Layer, pattern: str, limit: int) -> Select[tuple[object, ...]]:
    table = gate(layer.name)
    title = func.coalesce(*(table.c[name] for name in layer.title_of), "")
    subtitle = func.coalesce(*(table.c[name] for name in layer.subtitle_of), "")
    matches = or_(*(table.c[name].ilike(pattern, escape="\\") for name in layer.search))
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
        .where(at_moment(table, ALWAYS), matches)
        .order_by(func.length(title), title)
        .limit(limit)
    )


async def search(connection: AsyncConnection, text: str, *, limit: int = 12) -> Sequence[Hit]:
    """Hits for a text of at least two characters, the best few of each layer; shorter texts find nothing."""
    wanted = " ".join(text.replace("\x00", " ").split())[:LONGEST_TEXT]
    if len(wanted) < 2:
        return []
    pattern = "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    parts = [
        _statement(layer, pattern, 5).subquery().select() for layer in all_layers().values() if layer.search
    ]
    rows = (await connection.execute(union_all(*parts).limit(60))).all()
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
