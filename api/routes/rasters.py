"""Rasters for the map: which there are, where they lie, how each is drawn; the pixels come from ``/raster``.

Apart from ``/raster``, whose libraries are loaded with the first question for pixels.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.params import CallerDep, DatabaseDep, known_only
from geo.errors import ParameterError
from geo.rasters import catalogue, drawing
from geo.rasters.catalogue import RANKS, Item
from geo.where import boxes_of

router = APIRouter(prefix="/api/v1/rasters", tags=["rasters"])
_MOST_NAMES = 20


def _names(text: str | None) -> Sequence[str]:
    names = [name for name in (text or "").split(",") if name][: _MOST_NAMES + 1]
    if len(names) > _MOST_NAMES:
        raise ParameterError(
            "Too many rasters are named.", f"Name {_MOST_NAMES} at most.", field="names", value=names[-1]
        )
    return [catalogue.check_name(name, "names") for name in names]


def raster_document(item: Item) -> dict[str, Any]:
    """A raster as the map shows it; the box in degrees, the resolution in metres on the ground."""
    tiles = f"/raster/items/{item.name}/tiles/WebMercatorQuad/{{z}}/{{x}}/{{y}}.png"
    return {
        "name": item.name,
        "title": item.title,
        "kind": item.kind,
        "taken": item.taken,
        "access": RANKS[item.rank],
        "collection": item.collection,
        "attribution": item.attribution,
        "resolution_m": item.resolution_m,
        "bbox": item.box,
        "zoom": drawing.zooms(item),
        "views": [
            {"name": view.name, "tiles": f"{tiles}?{view.query}", "legend": view.legend}
            for view in drawing.views(item)
        ],
    }


@router.get("", dependencies=[known_only("bbox", "names", "limit")])
async def rasters(
    database: DatabaseDep,
    caller: CallerDep,
    *,
    bbox: Annotated[str | None, Query(description="west,south,east,north in degrees")] = None,
    names: Annotated[
        str | None, Query(description="Names of rasters that are wanted wherever they lie")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> dict[str, Any]:
    """Rasters that the caller may see, the newest first: those of the box and those that are named, else all."""
    boxes, wanted = boxes_of(bbox), _names(names)
    async with database.transaction(caller) as connection:
        found = await catalogue.seen(connection, boxes, names=wanted, most=limit)
    return {
        "rasters": [raster_document(item) for item in found.items],
        "matched": found.matched,
        "total": found.total,
    }
