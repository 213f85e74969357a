"""What a decision's map shows: the case's own ground as it was submitted, and its neighbours that anybody may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.record import Case
from geo.layers import Access, Style, layer, model_of

# From the ground up: what lies below is drawn first.
LAYERS = ("forestries", "quarters", "stands", "forest_plots", "parcels", "leases", "licences", "zones")
_MOST = 400

_OWN = text("SELECT ST_AsBinary(geom), source_crs FROM cases.geometries WHERE id = :id")


@dataclass(frozen=True)
class Ground:
    """The shape of a case in degrees, and the code of the system in which it was given."""

    shape: Any
    crs: str


@dataclass(frozen=True)
class Neighbour:
    """An object beside: clipped to the sheet, with its symbol and its name."""

    layer: str
    style: Style
    title: str
    shape: Any


async def ground_of(connection: AsyncConnection, case: Case, day: date) -> Ground | None:
    """The ground of a case: its boundary, else the place of its object; None where it has neither."""
    if case.geometry is not None:
        row = (await connection.execute(_OWN, {"id": case.geometry})).one()
        return Ground(shapely.from_wkb(row[0]), row[1])
    if case.subject_layer is None or case.subject_id is None:
        return None
    name = layer(case.subject_layer).name
    found = (
        await connection.execute(
            text(
                f"SELECT ST_AsBinary(geom) FROM gate.{name} WHERE id = :id AND sys_to = 'infinity' AND geom IS NOT NULL"
                " AND valid_from <= :day AND valid_to > :day ORDER BY valid_from DESC LIMIT 1"
            ),
            {"id": case.subject_id, "day": day},
        )
    ).scalar_one_or_none()
    return Ground(shapely.from_wkb(found), "EPSG:4326") if found is not None else None


def _part(name: str) -> str:
    """A layer's share of the statement: what is public, or the party's own, clipped to the sheet."""
    columns = {c.name for c in model_of(name).__table__.columns}
    title = next(c for c in ("number", "name") if c in columns)
    own = " OR holder_inn = :inn" if "holder_inn" in columns else ""
    return (
        f"(SELECT '{name}' AS layer, coalesce({title}, '') AS title,"
        " ST_AsBinary(ST_ClipByBox2D(geom, ST_MakeEnvelope(:west, :south, :east, :north, 4326)::box2d)) AS shape"
        f" FROM gate.{name} WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) AND sys_to = 'infinity'"
        " AND valid_from <= :day AND valid_to > :day"
        f" AND (greatest(visibility, (SELECT access.layer_rank('{name}'))) = {int(Access.public)}{own}) LIMIT {_MOST})"
    )


_NEIGHBOURS = text(" UNION ALL ".join(_part(name) for name in LAYERS))


async def neighbours(
    connection: AsyncConnection, case: Case, box: Sequence[float], day: date
) -> list[Neighbour]:
    """Objects within a box of degrees; the decision is the applicant's to show to anybody, so it shows no secrets."""
    west, south, east, north = box
    values = {"west": west, "south": south, "east": east, "north": north, "day": day, "inn": case.party_inn}
    rows = (await connection.execute(_NEIGHBOURS, values)).all()
    found = []
    for name, title, wkb in rows:
        shape = shapely.from_wkb(wkb) if wkb is not None else None
        if shape is not None and not shape.is_empty:
            found.append(Neighbour(name, layer(name).style, title, shape))
    return found
