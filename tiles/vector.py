"""Vector tiles: the statement that makes one, straight from the gates of its layers."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from geo.layers import Layer, layer
from geo.moment import Moment
from tiles.bands import BUFFER, DEEPEST, EXTENT, WORLD, classes_of, overviewed
from tiles.filtered import Filter, condition_of

# The same place in every statement: $1 zoom, $2 column, $3 row, $4 first and $5 last valid day, $6 system time.
_VALID = "valid_from <= $5::date AND valid_to > $4::date"
# Zooms at which an object near the tile is sent whole. Above most objects are too small to be drawn; deeper few lie near
# one tile as a whole.  docs/decisions/0095-goals-that-the-floor-forbids.md
WHOLE = range(DEEPEST + 1, 14)
# How far an object that is sent whole may reach beyond its tile, in tiles; who draws it cuts it off.
WIDE = 0.25
# Units of a tile squared: what is smaller may vanish, and `ST_AsMVTGeom` decides that.
TINY = 4
# The way of every shape: mended and cut at the buffer.
_CUT = f"ST_AsMVTGeom(geom_3857, e.tile, {EXTENT}, {BUFFER}, true)"
# The short way of one near the tile: each vertex to the nearest unit, the north above; and whether that did no harm.
_MOVED = (
    "CASE WHEN geom_3857 @ e.wide THEN ST_SnapToGrid("
    "ST_Affine(geom_3857, e.scale, 0, 0, 0, -e.scale, 0, 0, 0, 1, e.east, e.south, 0), 0, 0, 1, 1) END"
)
# As the format wants rings: with y downwards, the outer ones clockwise to the eye.
_TURNED = "ST_ForcePolygonCCW(moved)"
_WHOLE = f"ST_Area(moved) > {TINY} AND ST_IsValid(moved)"


class TileQuery(NamedTuple):
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
        return _at(self.layers, self.z)

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

    def whole(self) -> bool:
        """Whether objects near the tile are sent whole."""
        return self.z in WHOLE

    def values(self) -> tuple[Any, ...]:
        """Values of the statement's parameters."""
        first, last = self.moment.first or date.min, self.moment.last or date.max
        place = (self.z, self.x, self.y, first, last)
        return place if self.moment.as_of is None else (*place, self.moment.as_of)


@lru_cache(maxsize=1024)
def _at(names: tuple[str, ...], zoom: int) -> tuple[str, ...]:
    return tuple(n for n in names if layer(n).zoom[0] <= zoom <= layer(n).zoom[1])


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
    *,
    whole: bool = False,
) -> str:
    """SQL of a tile. One `ST_AsMVT` a layer, concatenated: that is how the format joins layers.

    The place is computed once a statement, in ``e``, so that a generic plan costs no planning; and the geometry stands
    in no WHERE, else it would be computed twice (`ST_AsMVT` leaves out a row without one). Layers that are ``covered``
    by overviews have five parameters each (`Cover.values`), from $6 on; ``filters`` are SQL of one condition a layer,
    with parameters of their own. ``whole`` sends objects near the tile as they are (`TileQuery.whole`).
    """
    drawing = _drawing(layers, with_past, properties, covered, filters, whole=whole)
    return f"SELECT {drawing} FROM {_place('$1', '$2', '$3', whole=whole)} e"


@lru_cache(maxsize=256)
def grouped(
    layers: tuple[str, ...], properties: tuple[str, ...] | None = None, *, whole: bool = False
) -> str:
    """SQL of many tiles at once: $1 zooms, $2 columns, $3 rows, $4 first and $5 last valid day; number of the tile,
    counted from 1, and its bytes."""
    return (
        f"SELECT q.n, {_drawing(layers, False, properties, whole=whole)}"
        " FROM unnest($1::int[], $2::int[], $3::int[]) WITH ORDINALITY q(z, x, y, n)"
        f" CROSS JOIN LATERAL {_place('q.z', 'q.x', 'q.y', whole=whole)} e"
    )


def _place(z: str, x: str, y: str, *, whole: bool) -> str:
    """What a statement needs to know of a tile: its square and that with the buffer; where objects are sent whole also
    the wide one, and scale and shift of web mercator to its units. ``OFFSET 0`` keeps it from being computed again."""
    place = f"{z}::int, {x}::int, {y}::int"
    middle = f"{EXTENT // 2} * 2.0::float8 ^ {z}::int"
    moving = (
        f", ST_TileEnvelope({place}, margin => {WIDE}) AS wide,"
        f" {EXTENT} * 2.0::float8 ^ {z}::int / {WORLD}::float8 AS scale,"
        f" {middle} - {EXTENT}::float8 * {x}::int AS east, {middle} - {EXTENT}::float8 * {y}::int AS south"
    )
    return (
        f"(SELECT ST_TileEnvelope({place})::box2d AS tile,"
        f" ST_TileEnvelope({place}, margin => {BUFFER / EXTENT}) AS box{moving if whole else ''} OFFSET 0)"
    )


def _drawing(
    layers: tuple[str, ...],
    with_past: bool,
    properties: tuple[str, ...] | None,
    covered: tuple[str, ...] = (),
    filters: tuple[str, ...] = (),
    *,
    whole: bool,
) -> str:
    if not layers:
        return "''::bytea"
    return " || ".join(
        f"({_covered_statement(layer(name), properties, 6 + 5 * covered.index(name))})"
        if name in covered
        else f"({_layer_statement(layer(name), with_past, properties, filters[n] if filters else '', whole)})"
        for n, name in enumerate(layers)
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
    target: Layer, with_past: bool, properties: tuple[str, ...] | None, only: str, whole: bool
) -> str:
    fields = _fields(target, properties)
    source = f"SELECT {fields}, geom_3857 FROM gate.{target.name} WHERE"
    near = f"geom_3857 && e.box AND {_VALID}{only}"
    known = f"{source} sys_to = 'infinity' AND {near}"
    if with_past:
        known = (
            f"{known} AND sys_from <= $6 UNION ALL"
            f" {source} sys_to < 'infinity' AND sys_to > $6 AND sys_from <= $6 AND {near}"
        )
    if whole and target.geometry != "POINT":
        # OFFSET 0: moved once, though it is looked at three times.
        known = f"SELECT {fields}, geom_3857, {_MOVED} AS moved FROM ({known}) k OFFSET 0"
        shape = f"CASE WHEN {_WHOLE} THEN {_TURNED} ELSE {_CUT} END"
    else:
        shape = _CUT
    rows = f"SELECT {fields}, {shape} AS geom FROM ({known}) o"
    return f"SELECT ST_AsMVT(t, '{target.name}', {EXTENT}, 'geom', 'id') FROM ({rows}) t"


def _covered_statement(target: Layer, properties: tuple[str, ...] | None, at: int) -> str:
    coarse, fine, dirty, band, rank = (f"${n}" for n in range(at, at + 5))
    shape = f"ST_AsMVTGeom(%s, e.tile, {EXTENT}, {BUFFER}, true) AS geom"
    merged = ", ".join(["NULL::bigint AS id", *(_merged(target, n) for n in fields_of(target, properties))])
    # OFFSET 0: chunk by chunk from the index, whatever the planner believes of the table.  Of the chunks around the tile
    # only its buffer is needed: cut off first, they cost a third less.
    overviews = " UNION ALL ".join(
        f"SELECT {merged}, o.count, {shape % 'ST_ClipByBox2D(o.geom, e.box::box2d)'} FROM unnest({chunks}::int[]) c CROSS JOIN LATERAL ("
        f"SELECT * FROM tiles.overviews o WHERE o.layer = '{target.name}' AND o.band = {number}"
        f" AND o.x = c / 1024 AND o.y = c % 1024 AND o.geom && e.box OFFSET 0) o"
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
    changed = live % (middle, "ST_ClipByBox2D(geom_3857, square::box2d)", cells, "e.box")
    narrow = live % ("1", "geom_3857", gate, "e.box")
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
