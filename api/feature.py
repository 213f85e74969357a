"""GeoJSON features of objects: what a row of a gate looks like outside."""

from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import RowMapping

from geo.layers import Layer


def properties(layer: Layer, row: RowMapping) -> dict[str, Any]:
    """Properties of a feature: the layer's own and both times in ISO form."""
    found: dict[str, Any] = {p.name: _plain(row[p.name]) for p in layer.properties}
    for name in ("valid_from", "valid_to", "sys_from", "sys_to"):
        found[name] = _plain(row[name])
    return found


def feature(layer: Layer, row: RowMapping) -> dict[str, Any]:
    """A GeoJSON feature; its id is the object's."""
    return {
        "type": "Feature",
        "id": row["id"],
        "geometry": orjson.Fragment(row["geometry"]) if row["geometry"] else None,
        "properties": properties(layer, row),
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
