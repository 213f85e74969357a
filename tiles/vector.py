"""Vector tiles: the statement that makes one, straight from the gates of its layers."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from geo.layers import Layer, layer
from geo.moment import Moment

EXTENT = 4096
BUFFER = 64
WORLD = 40_075_016.685578488

# The same place in every statement: $1 zoom, $2 column, $3 row, $4 first and $5 last valid day, $6 system time.
_TILE = "(SELECT ST_TileEnvelope($1::int, $2::int, $3::int)::box2d)"
_BOX = f"(SELECT ST_TileEnvelope($1::int, $2::int, $3::int, margin => {BUFFER / EXTENT}))"
_VALID = "valid_from <= $5::date AND valid_to > $4::date"


@dataclass(frozen=True)
class TileQuery:
    """A tile of several layers at a moment; ``z``, ``x``, ``y`` are checked to lie in the grid.

    ``properties`` None are those of the layer registry; names that a layer lacks are left out of that layer.
    """

    layers: tuple[str, ...]
    z: int
    x: int
    y: int
    moment: Moment
    properties: tuple[str, ...] | None = None

    def drawn(self) -> tuple[str, ...]:
        """Its layers that are drawn at this zoom."""
        return tuple(n for n in self.layers if layer(n).zoom[0] <= self.z <= layer(n).zoom[1])

    def values(self) -> tuple[Any, ...]:
        """Values of the statement's parameters."""
        first, last = self.moment.first or date.min, self.moment.last or date.max
        place = (self.z, self.x, self.y, first, last)
        return place if self.moment.as_of is None else (*place, self.moment.as_of)


def fields_of(target: Layer, properties: tuple[str, ...] | None) -> tuple[str, ...]:
    """Columns that the tile carries of a layer beside the id."""
    if properties is None:
        return target.tile
    known = {p.name for p in target.properties}
    return tuple(name for name in properties if name in known)


@lru_cache(maxsize=1024)
def statement(layers: tuple[str, ...], with_past: bool, properties: tuple[str, ...] | None = None) -> str:
    """SQL of a tile. One `ST_AsMVT` a layer, concatenated: that is how the format joins layers.

    Sub-selects are computed once a statement, so that a generic plan costs no planning; and the geometry stands in no
    WHERE, else it would be computed twice (`ST_AsMVT` leaves out a row without one).
    """
    if not layers:
        return "SELECT ''::bytea"
    parts = [_layer_statement(layer(name), with_past, properties) for name in layers]
    return parts[0] if len(parts) == 1 else "SELECT " + " || ".join(f"({p})" for p in parts)


def _layer_statement(target: Layer, with_past: bool, properties: tuple[str, ...] | None) -> str:
    fields = ", ".join(["id", *(f'"{name}"' for name in fields_of(target, properties))])
    shape = f"ST_AsMVTGeom(geom_3857, {_TILE}, {EXTENT}, {BUFFER}, true) AS geom"
    known = (
        f"SELECT {fields}, {shape} FROM gate.{target.name}"
        f" WHERE sys_to = 'infinity' AND geom_3857 && {_BOX} AND {_VALID}"
    )
    if with_past:
        known = (
            f"{known} AND sys_from <= $6 UNION ALL SELECT {fields}, {shape} FROM gate.{target.name}"
            f" WHERE sys_to < 'infinity' AND sys_to > $6 AND sys_from <= $6 AND geom_3857 && {_BOX} AND {_VALID}"
        )
    return f"SELECT ST_AsMVT(t, '{target.name}', {EXTENT}, 'geom', 'id') FROM ({known}) t"
