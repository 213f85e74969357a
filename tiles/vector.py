"""Vector tiles: the statement that makes one, straight from the gates of its layers."""

from dataclasses import dataclass
from functools import lru_cache

import psycopg
from psycopg.rows import TupleRow

from geo.layers import Layer, layer
from geo.moment import Moment

EXTENT = 4096
BUFFER = 64
# A pixel of a 512-px tile is 8 units; what is smaller on both sides is not drawn at low zooms.
WORLD = 40_075_016.685578488


@dataclass(frozen=True)
class TileQuery:
    """A tile of several layers at a moment; ``z``, ``x``, ``y`` are checked to lie in the grid."""

    layers: tuple[str, ...]
    z: int
    x: int
    y: int
    moment: Moment


def _columns(target: Layer) -> str:
    return ", ".join(f'"{name}"' for name in target.tile)


@lru_cache(maxsize=1024)
def statement(layers: tuple[str, ...], z: int, with_past: bool) -> str:
    """SQL of a tile; parameters x, y, z, first, last, as_of. One `ST_AsMVT` a layer, concatenated."""
    parts = [
        _layer_statement(layer(name), z, with_past)
        for name in layers
        if layer(name).zoom[0] <= z <= layer(name).zoom[1]
    ]
    return "SELECT " + (" || ".join(f"({p})" for p in parts) or "''::bytea")


def _layer_statement(target: Layer, z: int, with_past: bool) -> str:
    pixel = WORLD / 2**z / 512
    # ST_RemoveRepeatedPoints is cheap and leaves a tenth of the vertices where a tile shows thousands of objects.
    shape = (
        "geom_3857"
        if z >= 13 or target.geometry == "POINT"
        else f"ST_RemoveRepeatedPoints(geom_3857, {pixel / 2:.6g})"
    )
    when = "valid_from <= %(last)s AND valid_to > %(first)s"
    fields = f"id, {_columns(target)}"
    known = f"SELECT {fields}, geom_3857 FROM gate.{target.name} WHERE sys_to = 'infinity' AND geom_3857 && bounds.box AND {when}"
    if with_past:
        known = (
            f"{known} AND sys_from <= %(as_of)s UNION ALL SELECT {fields}, geom_3857 FROM gate.{target.name}"
            f" WHERE sys_to < 'infinity' AND sys_to > %(as_of)s AND sys_from <= %(as_of)s AND geom_3857 && bounds.box AND {when}"
        )
    return (
        f"SELECT ST_AsMVT(t, '{target.name}', {EXTENT}, 'geom', 'id') FROM ("
        f"SELECT {fields}, ST_AsMVTGeom({shape}, bounds.tile, {EXTENT}, {BUFFER}, true) AS geom"
        f" FROM (SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS tile,"
        f" ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => {BUFFER / EXTENT}) AS box) bounds,"
        f" LATERAL ({known}) o) t WHERE geom IS NOT NULL"
    )


async def tile(connection: psycopg.AsyncConnection[TupleRow], query: TileQuery) -> bytes:
    """The bytes of a tile, uncompressed; b"" where nothing lies there."""
    moment = query.moment
    cursor = await connection.execute(
        statement(query.layers, query.z, moment.as_of is not None),
        {
            "x": query.x,
            "y": query.y,
            "z": query.z,
            "as_of": moment.as_of,
            "first": moment.first or "-infinity",
            "last": moment.last or "infinity",
        },
        prepare=True,
        binary=True,
    )
    row = await cursor.fetchone()
    return bytes(row[0]) if row and row[0] else b""
