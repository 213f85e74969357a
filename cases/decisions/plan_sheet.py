"""The sheet with the plan: drawing, legend and the coordinates of the corners in the system of the evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
from sqlalchemy.ext.asyncio import AsyncConnection

from cases import ground as grounds
from cases.decisions import plan, surroundings
from cases.decisions.surroundings import Ground, Neighbour
from cases.record import Case
from geo.crs import WGS84, reproject
from geo.layers import layer

MOST_POINTS = 400
_DEGREES = ("EPSG:4326", "OGC:CRS84", WGS84)


@dataclass(frozen=True)
class Place:
    """Where a case lies: its ground, what is beside it, the system in which its boundary was given."""

    own: Ground
    beside: Sequence[Neighbour]
    system: str
    definition: str = ""


async def gathered(connection: AsyncConnection, case: Case, day: date) -> Place | None:
    """Everything that the plan needs from the database; None for a case without a place."""
    own = await surroundings.ground_of(connection, case, day)
    if own is None:
        return None
    beside = await surroundings.neighbours(connection, case, plan.frame(own.shape).box(), day)
    if own.crs in _DEGREES:
        return Place(own, beside, "WGS 84, градусы")
    system = (await grounds.catalogue(connection)).resolve(own.crs)
    return Place(own, beside, system.title, system.definition)


def content(place: Place, name: str) -> dict[str, Any]:
    """What the template needs of the plan. Pure computing: call it in a thread."""
    shape = place.own.shape
    frame = plan.frame(shape)
    corners = _corners(shape)
    listed = corners[:MOST_POINTS]
    legend = ", ".join(_small(layer(n).title["ru"]) for n in dict.fromkeys(b.layer for b in place.beside))
    metres, more = f"{frame.metres:g}".replace(".", ","), len(corners) - len(listed)
    return {
        "map": plan.draw(frame, shape, place.beside, listed if shape.geom_type != "Point" else ()),
        "plan": {
            "name": name,
            "scale": f"{frame.scale:,}".replace(",", "\u202f"),
            "legend": f"В 1 мм — {metres} м. Красным показано то, о чём решение."
            + (f" Рядом: {legend}." if legend else ""),
            "crs": place.system,
        },
        "points": _listed(listed, place.definition),
        "head": ["№", "X (север), м", "Y (восток), м"] if place.definition else ["№", "Широта", "Долгота"],
        "more": f"Ещё точек: {more}. Они есть в границе дела." if more > 0 else "",
    }


def _small(title: str) -> str:
    """A title within a sentence: abbreviations keep their capitals."""
    return title[:1].lower() + title[1:]


def nothing() -> dict[str, Any]:
    """The same for a case without a place."""
    return {"map": "", "plan": {}, "points": [], "head": [], "more": ""}


def _corners(shape: Any) -> list[tuple[float, float]]:
    """Corners in the order of their rings, outer ones first; a ring's last point, which is its first, is left out."""
    if shape.geom_type == "Point":
        return [(shape.x, shape.y)]
    found: list[tuple[float, float]] = []
    for part in shapely.get_parts(shape):
        for ring in (part.exterior, *part.interiors):
            found += [(float(x), float(y)) for x, y in shapely.get_coordinates(ring)[:-1]]
    return found


def _listed(corners: Sequence[tuple[float, float]], definition: str) -> list[list[Any]]:
    if not definition:
        return [[n, plan.dms(y, 2), plan.dms(x, 2)] for n, (x, y) in enumerate(corners, 1)]
    there = reproject(np.array([shapely.MultiPoint(corners)], dtype=object), WGS84, definition)[0]
    return [
        [n, f"{y:.2f}".replace(".", ","), f"{x:.2f}".replace(".", ",")]
        for n, (x, y) in enumerate(shapely.get_coordinates(there), 1)
    ]
