"""How much there is: number, area, stock and sums of a layer's objects, by a property or by an area."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from geo.errors import ParameterError
from geo.layers import Layer, layer
from geo.spatial.shape import Shape
from geo.spatial.spot import known_versions, moment_values
from geo.spatial.standing import Standing, Terms, standings

# Layers whose objects divide the territory: sums can be had for each of them.
AREAS = ("municipalities", "forestries", "quarters")
MOST_GROUPS = 1_000
_SHAPE = "ST_GeomFromWKB(%(shape)s, 4326)"


@dataclass(frozen=True)
class Wanted:
    """What is summed: ``by`` names a property, ``per`` a layer of areas; ``add`` numeric properties to sum."""

    layer: Layer
    by: str = ""
    per: str = ""
    add: tuple[str, ...] = ()


def _check(wanted: Wanted) -> None:
    names = {p.name: p for p in wanted.layer.properties}
    if wanted.by and wanted.by not in names:
        raise ParameterError(
            f"{wanted.layer.name} has no property “{wanted.by[:40]}”.",
            f"There are: {', '.join(names)}.",
            field="by",
            value=wanted.by[:40],
        )
    if wanted.per and wanted.per not in AREAS:
        raise ParameterError(
            f"“{wanted.per[:40]}” does not divide the territory.",
            f"There are: {', '.join(AREAS)}.",
            field="per",
            value=wanted.per[:40],
        )
    for name in wanted.add:
        if name not in names or names[name].type not in ("number", "integer"):
            raise ParameterError(
                f"“{name[:40]}” is no number of {wanted.layer.name}.",
                "Name properties that are numbers.",
                field="add",
                value=name[:40],
            )


def _statement(wanted: Wanted, *, shaped: bool, past: bool) -> str:
    target = wanted.layer
    names = {p.name for p in target.properties}
    fields = [
        "id",
        "area_m2",
        "geom",
        *(f'"{n}"' for n in {wanted.by, *wanted.add, "stock_m3_ha"} & names - {"area_m2"}),
    ]
    condition = f"geom && {_SHAPE} AND ST_Intersects(geom, {_SHAPE})" if shaped else "true"
    chosen = known_versions(target, ", ".join(fields), condition, past=past)
    # What the polygon cuts counts with the share that lies inside.
    share = "1.0::float8"
    if shaped and target.geometry != "POINT":
        share = (
            f"CASE WHEN ST_CoveredBy(geom, {_SHAPE}) THEN 1.0::float8 ELSE"
            f" ST_Area(ST_Intersection(geom, {_SHAPE})) / nullif(ST_Area(geom), 0) END"
        )
    group, join = (f'o."{wanted.by}"::text' if wanted.by else "NULL::text"), ""
    key = "NULL::bigint"
    if wanted.per:
        group, key = "w.title", "w.area_id"
        area = layer(wanted.per)
        title = ", ".join(f'"{n}"' for n in (*area.title_of, "key"))
        within = known_versions(
            area, f"id AS area_id, coalesce({title}) AS title, geom AS area_geom", "true", past=past
        )
        join = f" LEFT JOIN ({within}) w ON ST_Intersects(w.area_geom, ST_PointOnSurface(o.geom))"
    sums = "".join(f', sum(o."{n}" * o.share)::float8 AS "sum_{n}"' for n in wanted.add)
    stock = "sum(o.stock_m3_ha * o.area_m2 / 10000 * o.share)" if "stock_m3_ha" in names else "NULL::float8"
    return (
        f"SELECT {group} AS value, {key} AS area_id, count(*) AS count, (sum(o.area_m2 * o.share) / 10000)::float8 AS area_ha,"
        f" {stock} AS stock_m3{sums} FROM (SELECT v.*, {share} AS share FROM ({chosen}) v) o{join}"
        f" WHERE o.share > 1e-9 GROUP BY 1, 2 ORDER BY 4 DESC NULLS LAST, 3 DESC LIMIT {MOST_GROUPS}"
    )


async def summary(
    connection: psycopg.AsyncConnection[TupleRow], wanted: Wanted, terms: Terms, *, shape: Shape | None = None
) -> tuple[Sequence[Mapping[str, Any]], Standing]:
    """Groups, largest area first; the stock is the stands' growing stock in m³."""
    _check(wanted)
    values = moment_values(terms.moment) | ({"shape": shape.wkb} if shape else {})
    text = _statement(wanted, shaped=shape is not None, past=terms.moment.as_of is not None)
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(text, values)
    groups = await cursor.fetchall()
    known = await standings(connection, (wanted.layer.name,), terms)
    return groups, known[wanted.layer.name].found(sum(g["count"] for g in groups))


async def area_of(
    connection: psycopg.AsyncConnection[TupleRow], target: Layer, identity: int, terms: Terms
) -> bytes | None:
    """WKB of an object that the caller sees, None where he sees none."""
    text = known_versions(
        target, "ST_AsBinary(geom)", "id = %(id)s AND geom IS NOT NULL", past=terms.moment.as_of is not None
    )
    row = await (
        await connection.execute(text + " LIMIT 1", {"id": identity} | moment_values(terms.moment))
    ).fetchone()
    return bytes(row[0]) if row else None
