"""TileJSON 3.0 of one or several layers, as the caller sees them."""

from typing import Any

from geo.access import Caller
from geo.db import Database
from geo.layers import Layer, layer
from geo.settings import Settings
from geo.tally import extent

_TYPES = {"integer": "Number", "number": "Number", "date": "String", "text": "String"}


def fields_of(target: Layer) -> dict[str, str]:
    """Names and types of the attributes that tiles of a layer carry, as TileJSON has them."""
    return {name: _TYPES[target.property_named(name).type] for name in target.tile}


async def tilejson(
    database: Database, caller: Caller, names: tuple[str, ...], base: str, settings: Settings
) -> dict[str, Any]:
    """The document; ``bounds`` spans only what the caller may see."""
    targets = [layer(name) for name in names]
    async with database.transaction(caller) as connection:
        boxes = [box for box in [await extent(connection, t) for t in targets] if box]
    bounds = (
        [
            min(b[0] for b in boxes),
            min(b[1] for b in boxes),
            max(b[2] for b in boxes),
            max(b[3] for b in boxes),
        ]
        if boxes
        else [-180, -85.06, 180, 85.06]
    )
    locale = settings.locale
    return {
        "tilejson": "3.0.0",
        "name": ", ".join(t.title[locale] for t in targets),
        "tiles": [f"{base}/tiles/{','.join(names)}/{{z}}/{{x}}/{{y}}.mvt"],
        "minzoom": min(t.zoom[0] for t in targets),
        "maxzoom": max(t.zoom[1] for t in targets),
        "bounds": bounds,
        "vector_layers": [
            {
                "id": t.name,
                "description": t.title[locale],
                "minzoom": t.zoom[0],
                "maxzoom": t.zoom[1],
                "fields": fields_of(t),
            }
            for t in targets
        ],
    }
