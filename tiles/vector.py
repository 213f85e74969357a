"""Vector tiles: the statement that makes one, straight from the gates of its layers."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from geo.layers import Layer, layer
from geo.moment import Moment
from tiles.bands import BUFFER, DEEPEST, EXTENT, classes_of, overviewed
from tiles.filtered import Filter, condition_of

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
    filter: Filter | None = None

    def drawn(self) -> tuple[str, ...]:
        """Its layers that are drawn at this zoom."""
        return tuple(n for n in self.layers if layer(n).zoom[0] <= self.z <= layer(n).zoom[1])

    def from_overviews(self) -> tuple[str, ...]:
        """Its layers that overviews may draw: one day of today's knowledge, at a low zoom."""
        moment = self.moment
        if (
            self.z > DEEPEST
            or self.filter
            or moment.as_of is not None
            or not moment.first
            or moment.first != moment.last
        ):
            return ()
        return tuple(name for name in self.drawn() if overviewed(layer(name)))

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


@dataclass(frozen=True)
class Cover:
    """How overviews cover a tile of a layer: chunks of the zoom's band, chunks of the finest band, and cells that are
    drawn from the register; each is column × 1024 + row. ``rank`` is the layer's."""

    layer: str
    band: int
    rank: int
    coarse: tuple[int, ...]
    fine: tuple[int, ...]
    dirty: tuple[int, ...]

    def values(self) -> tuple[Any, ...]:
        """Values of the parameters of its part of the statement."""
        return (list(self.coarse), list(self.fine), list(self.dirty), self.band, self.rank)


@lru_cache(maxsize=1024)
def statement(
    layers: tuple[str, ...],
    with_past: bool,
    properties: tuple[str, ...] | None = None,
    covered: tuple[str, ...] = (),
    filters: tuple[str, ...] = (),
) -> str:
    """SQL of a tile. One `ST_AsMVT` a layer, concatenated: that is how the format joins layers.

    Sub-selects are computed once a statement, so that a generic plan costs no planning; and the geometry stands in no
    WHERE, else it would be computed twice (`ST_AsMVT` leaves out a row without one). Layers that are ``covered`` by
    overviews have five parameters each (`Cover.values`), from $6 on; ``filters`` are SQL of one condition a layer,
    with parameters of their own.
    """
    if not layers:
        return "SELECT ''::bytea"
    parts = [
        _covered_statement(layer(name), properties, 6 + 5 * covered.index(name))
        if name in covered
        else _layer_statement(layer(name), with_past, properties, filters[n] if filters else "")
        for n, name in enumerate(layers)
    ]
    return parts[0] if len(parts) == 1 else "SELECT " + " || ".join(f"({p})" for p in parts)


@lru_cache(maxsize=256)
def grouped(layers: tuple[str, ...], properties: tuple[str, ...] | None = None) -> str:
    """SQL of many tiles at once: $1 zooms, $2 columns, $3 rows, $4 first and $5 last valid day; number of the tile,
    counted from 1, and its bytes. Their places are computed once a tile: ``OFFSET 0`` keeps them apart."""
    one = statement(layers, False, properties).replace(_TILE, "e.tile").replace(_BOX, "e.box")
    tile, box = (
        text.replace("$1::int", "q.z").replace("$2::int", "q.x").replace("$3::int", "q.y")
        for text in (_TILE, _BOX)
    )
    return (
        f"SELECT q.n, ({one}) FROM unnest($1::int[], $2::int[], $3::int[]) WITH ORDINALITY q(z, x, y, n)"
        f" CROSS JOIN LATERAL (SELECT {tile} AS tile, {box} AS box OFFSET 0) e"
    )


def _fields(target: Layer, properties: tuple[str, ...] | None) -> str:
    return ", ".join(["id", *(f'"{name}"' for name in fields_of(target, properties))])


def filtered(query: TileQuery, layers: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """SQL of the query's filter for each layer, and the values of all of them."""
    if not query.filter:
        return (), ()
    sql: list[str] = []
    values: list[Any] = []
    first = len(query.values()) + 1
    for name in layers:
        condition = condition_of(name, query.filter)
        sql.append(f" AND ({condition.at(first + len(values))})")
        values.extend(condition.values)
    return tuple(sql), tuple(values)


def _layer_statement(
    target: Layer, with_past: bool, properties: tuple[str, ...] | None, only: str = ""
) -> str:
    fields = _fields(target, properties)
    shape = f"ST_AsMVTGeom(geom_3857, {_TILE}, {EXTENT}, {BUFFER}, true) AS geom"
    known = (
        f"SELECT {fields}, {shape} FROM gate.{target.name}"
        f" WHERE sys_to = 'infinity' AND geom_3857 && {_BOX} AND {_VALID}{only}"
    )
    if with_past:
        known = (
            f"{known} AND sys_from <= $6 UNION ALL SELECT {fields}, {shape} FROM gate.{target.name}"
            f" WHERE sys_to < 'infinity' AND sys_to > $6 AND sys_from <= $6 AND geom_3857 && {_BOX} AND {_VALID}{only}"
        )
    return f"SELECT ST_AsMVT(t, '{target.name}', {EXTENT}, 'geom', 'id') FROM ({known}) t"


def _covered_statement(target: Layer, properties: tuple[str, ...] | None, at: int) -> str:
    coarse, fine, dirty, band, rank = (f"${n}" for n in range(at, at + 5))
    shape = f"ST_AsMVTGeom(%s, {_TILE}, {EXTENT}, {BUFFER}, true) AS geom"
    merged = ", ".join(["NULL::bigint AS id", *(_merged(target, n) for n in fields_of(target, properties))])
    # OFFSET 0: chunk by chunk from the index, whatever the planner believes of the table.  Of the chunks around the tile
    # only its buffer is needed: cut off first, they cost a third less.
    overviews = " UNION ALL ".join(
        f"SELECT {merged}, o.count, {shape % f'ST_ClipByBox2D(o.geom, {_BOX}::box2d)'} FROM unnest({chunks}::int[]) c CROSS JOIN LATERAL ("
        f"SELECT * FROM tiles.overviews o WHERE o.layer = '{target.name}' AND o.band = {number}"
        f" AND o.x = c / 1024 AND o.y = c % 1024 AND o.geom && {_BOX} OFFSET 0) o"
        for chunks, number in ((coarse, f"{band}::int"), (fine, "9"))
    )
    live = (
        f"SELECT {_fields(target, properties)}, %s AS count, {shape} FROM %s"
        f" WHERE sys_to = 'infinity' AND geom_3857 && %s AND {_VALID} AND visibility"
    )
    gate = f"gate.{target.name}"
    middle = (
        "(tiles.cell((ST_XMin(geom_3857) + ST_XMax(geom_3857)) / 2) * 1024"
        " + tiles.cell(-(ST_YMin(geom_3857) + ST_YMax(geom_3857)) / 2) = c)::int"
    )
    cells = (
        f"unnest({dirty}::int[]) c CROSS JOIN LATERAL (SELECT ST_TileEnvelope(10, c / 1024, c % 1024) AS square OFFSET 0)"
        f" s JOIN {gate} ON geom_3857 && square"
    )
    changed = live % (middle, "ST_ClipByBox2D(geom_3857, square::box2d)", cells, _BOX)
    narrow = live % ("1", "geom_3857", gate, _BOX)
    return (
        f"SELECT ST_AsMVT(t, '{target.name}', {EXTENT}, 'geom', 'id') FROM ({overviews}"
        f" UNION ALL {changed} <= {rank}::int UNION ALL {narrow} > 0 AND visibility > {rank}::int) t"
    )


_SQL_TYPES = {"text": "text", "integer": "integer", "number": "double precision", "date": "date"}


def _merged(target: Layer, name: str) -> str:
    """A column of an overview: that of the class, the summed area, else nothing."""
    if name == "area_m2":
        return "o.area_m2"
    if name in classes_of(target):
        return f"o.class ->> '{name}' AS \"{name}\""
    return f'NULL::{_SQL_TYPES[target.property_named(name).type]} AS "{name}"'
