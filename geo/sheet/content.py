"""What a sheet shows: the objects of its layers that lie in the frame, as the caller sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from sqlalchemy import ColumnElement, func
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import filters
from geo.errors import ParameterError
from geo.layers import Layer
from geo.moment import Moment
from geo.objects import Query, chosen, gate
from geo.reference import DEGREES
from geo.sheet.frame import Frame

# More objects than this make a sheet that nobody can read and that takes too long to draw.
MOST = 30_000


@dataclass(frozen=True)
class Content:
    """Objects of one layer: their columns for symbol and label, and their shapes on the paper in millimetres."""

    layer: Layer
    rows: Sequence[Mapping[str, Any]]
    shapes: Any


def _columns(target: Layer) -> list[ColumnElement[Any]]:
    table = gate(target.name)
    style = target.style
    names = {p.name for p in target.properties}
    wanted = {
        style.fill_by,
        style.depth_by,
        "area_m2",
        *(n for n in names if f"{{{n}}}" in style.label),
    } & names
    return [table.c.id, *(table.c[n] for n in sorted(wanted)), func.ST_AsBinary(table.c.geom).label("shape")]


async def load(
    connection: AsyncConnection,
    target: Layer,
    frame: Frame,
    moment: Moment,
    *,
    filter_text: str = "",
    room: int = MOST,
) -> Content:
    """Objects of a layer that meet the frame; ParameterError where there are more than ``room``."""
    where = (
        filters.condition(target, gate(target.name), filter_text, language="cql2-text", reference=DEGREES)
        if filter_text
        else None
    )
    query = Query(boxes=(frame.box(),), moment=moment, where=() if where is None else (where,))
    rows = (
        (await connection.execute(chosen(target, query, _columns(target), limit=room + 1))).mappings().all()
    )
    if len(rows) > room:
        raise ParameterError(
            f"The sheet would show more than {MOST} objects.",
            "Choose a larger scale, a smaller paper or fewer layers.",
            field="layers",
        )
    return _placed(target, rows, frame)


def _placed(target: Layer, rows: Sequence[Mapping[str, Any]], frame: Frame) -> Content:
    """On the paper: cut a little outside of the frame, freed of bends too small to print."""
    area = frame.paper.map
    shapes = frame.to_paper(shapely.from_wkb([bytes(row["shape"]) for row in rows]))
    shapes = shapely.clip_by_rect(shapes, area.left - 3, area.top - 3, area.right + 3, area.bottom + 3)
    shapes = shapely.simplify(shapes, 0.03)
    kept = [i for i, shape in enumerate(shapes) if not shape.is_empty]
    return Content(target, [rows[i] for i in kept], shapes[kept])
