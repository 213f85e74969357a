"""What a polygon cuts: per object the common area in hectares and its share, geodesic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from geo.errors import MezhaError
from geo.layers import Layer, layer
from geo.spatial.shape import Shape
from geo.spatial.spot import known_versions, moment_values, title_columns
from geo.spatial.standing import Standing, Terms, standings

# More objects than this are a job: their intersections take longer than a request may.
MOST_AT_ONCE = 20_000
# Below this a common area is the rounding of a shared border.
LEAST_M2 = 0.5
_SHAPE = "ST_GeomFromWKB(%(shape)s, 4326)"


class TooBigError(MezhaError):
    """A question is too big to be answered at once: it becomes a job."""

    code = "too-big"


@dataclass(frozen=True)
class Cuts:
    """Objects that the polygon cuts, largest common area first, and each layer's standing."""

    objects: Sequence[Mapping[str, Any]]
    standings: Mapping[str, Standing]


@lru_cache(maxsize=64)
def statement(name: str, past: bool, shapes: bool = False) -> str:
    """SQL of one layer's cuts; an object that lies inside is not cut but taken whole."""
    target = layer(name)
    fields = f"'{name}' AS layer, id, version, {title_columns(target)}, geom"
    chosen = known_versions(target, fields, f"geom && {_SHAPE} AND ST_Intersects(geom, {_SHAPE})", past=past)
    if target.geometry == "POINT":
        return (
            f"SELECT layer, id, version, title, subtitle, NULL::float8 AS overlap_m2, NULL::float8 AS object_m2"
            f"{', ST_AsBinary(geom) AS geometry' if shapes else ''} FROM ({chosen}) o"
        )
    common = f"CASE WHEN ST_CoveredBy(geom, {_SHAPE}) THEN geom ELSE ST_CollectionExtract(ST_Intersection(geom, {_SHAPE}), 3) END"
    return (
        "SELECT layer, id, version, title, subtitle, ST_Area(common::geography) AS overlap_m2,"
        f" ST_Area(geom::geography) AS object_m2{', ST_AsBinary(ST_Multi(common)) AS geometry' if shapes else ''}"
        f" FROM (SELECT o.*, {common} AS common FROM ({chosen}) o OFFSET 0) c"
    )


def _count(name: str, past: bool) -> str:
    chosen = known_versions(layer(name), "1", f"geom && {_SHAPE}", past=past)
    return f"(SELECT count(*) FROM (SELECT FROM ({chosen}) o LIMIT {MOST_AT_ONCE + 1}) n)"


async def _refuse_if_too_many(
    connection: psycopg.AsyncConnection[TupleRow],
    names: Sequence[str],
    values: Mapping[str, Any],
    *,
    past: bool,
) -> None:
    total = "SELECT " + " + ".join(_count(name, past) for name in names)
    row = await (await connection.execute(total, values)).fetchone()
    if row and row[0] > MOST_AT_ONCE:
        raise TooBigError(
            f"The polygon meets more than {MOST_AT_ONCE} objects.",
            "The question becomes a job.",
            field="geometry",
        )


def _row(found: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    common, whole = found["overlap_m2"], found["object_m2"]
    plain = {k: found[k] for k in ("layer", "id", "version", "title", "subtitle")}
    return plain | {
        "overlap_ha": None if common is None else round(common / 10_000, 6),
        "share_of_object": None if not whole else min(common / whole, 1.0),
        "share_of_question": None if common is None else min(common / shape.area_m2, 1.0),
    }


async def of_layer(
    connection: psycopg.AsyncConnection[TupleRow],
    target: Layer,
    shape: Shape,
    terms: Terms,
    *,
    shapes: bool = False,
) -> list[dict[str, Any]]:
    """Cuts of one layer, with their geometry as WKB where ``shapes`` is set."""
    cursor = connection.cursor(row_factory=dict_row)
    past = terms.moment.as_of is not None
    await cursor.execute(
        statement(target.name, past, shapes), {"shape": shape.wkb} | moment_values(terms.moment)
    )
    rows = [r for r in await cursor.fetchall() if r["overlap_m2"] is None or r["overlap_m2"] > LEAST_M2]
    extra = [{"geometry": r["geometry"]} if shapes else {} for r in rows]
    return [_row(r, shape) | e for r, e in zip(rows, extra, strict=True)]


async def intersect(
    connection: psycopg.AsyncConnection[TupleRow], shape: Shape, *, names: tuple[str, ...], terms: Terms
) -> Cuts:
    """What the polygon cuts of the layers; TooBigError where that is a job."""
    values = {"shape": shape.wkb} | moment_values(terms.moment)
    await _refuse_if_too_many(connection, names, values, past=terms.moment.as_of is not None)
    rows: list[dict[str, Any]] = []
    known = dict(await standings(connection, names, terms))
    for name in names:
        found = await of_layer(connection, layer(name), shape, terms)
        known[name] = known[name].found(len(found))
        rows += found
    return Cuts(sorted(rows, key=lambda r: (-(r["overlap_ha"] or 0), r["layer"], r["id"])), known)
