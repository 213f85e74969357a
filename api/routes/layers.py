"""The catalogue of layers: what the viewer, a legend or a client of one's own needs to draw and to ask."""

from typing import Any

import orjson
from fastapi import APIRouter, Response

from api.params import CallerDep, DatabaseDep, LayerDep, TodayDep, known_only
from geo import catalogue
from geo import labels as places
from geo.dictionaries import dictionary
from geo.layers import GROUPS, Layer, Property, all_layers

router = APIRouter(prefix="/api/v1", tags=["layers"])


def property_document(target: Property) -> dict[str, Any]:
    """A property with its titles, unit and the labels of its codes."""
    document: dict[str, Any] = {"name": target.name, "type": target.type, "title": dict(target.title)}
    if target.unit:
        document["unit"] = target.unit
    if target.dictionary:
        document["labels"] = dictionary(target.dictionary)
    return document


def layer_document(target: Layer, count: int | None) -> dict[str, Any]:
    """A layer with everything that the registry says of it."""
    return {
        "name": target.name,
        "title": target.title,
        "one": target.one,
        "group": target.group,
        "geometry": target.geometry,
        "count": count,
        "zoom": target.zoom,
        "shown": target.shown,
        "title_of": target.title_of,
        "subtitle_of": target.subtitle_of,
        "filters": target.filters,
        "tile": target.tile,
        "style": target.style,
        "properties": [property_document(p) for p in target.properties],
    }


@router.get("/layers", dependencies=[known_only()])
async def layers(database: DatabaseDep, caller: CallerDep, today: TodayDep) -> dict[str, Any]:
    """Layers that the caller may know of, their groups, and the box in which the map begins."""
    async with database.transaction(caller) as connection:
        found = await catalogue.entries(connection, today)
        box = await catalogue.home_box(connection, found)
    return {
        "groups": {name: dict(title) for name, title in GROUPS.items()},
        "bbox": box,
        # Answers of spatial questions name every layer, the hidden ones as not checked.
        "titles": {name: dict(target.title) for name, target in all_layers().items()},
        "layers": [layer_document(entry.layer, entry.count) for entry in found],
    }


@router.get("/layers/{layer}/labels", dependencies=[known_only()])
async def labels(layer: LayerDep, database: DatabaseDep, caller: CallerDep) -> Response:
    """One point in each object, largest first, with what tiles carry: where a label stands."""
    async with database.transaction(caller) as connection:
        found = await places.labels(connection, layer)
    features = [
        {
            "type": "Feature",
            "id": row["id"],
            "geometry": orjson.Fragment(row["geometry"]),
            "properties": {name: row[name] for name in layer.tile},
        }
        for row in found
    ]
    document = {"type": "FeatureCollection", "features": features}
    return Response(orjson.dumps(document), media_type="application/geo+json")
