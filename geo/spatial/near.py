"""What is nearest: objects of each layer by their distance from a place."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from geo.layers import layer
from geo.spatial.spot import Spot, moment_values, title_columns
from geo.spatial.standing import Standing, Terms, standings

_POINT = "ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)"
# Mercator keeps directions, so its order is nearly that of true distances: a few more candidates mend the rest.
_SPARE = 4


def _arm(name: str, condition: str) -> str:
    target = layer(name)
    return (
        f"(SELECT '{name}' AS layer, id, version, {title_columns(target)}, geom FROM gate.{name} WHERE {condition}"
        " AND valid_from <= %(last)s AND valid_to > %(first)s"
        f" ORDER BY geom_3857 <-> ST_Transform({_POINT}, 3857) LIMIT %(most)s)"
    )


@lru_cache(maxsize=256)
def statement(names: tuple[str, ...], past: bool) -> str:
    """SQL over the layers: a walk through each index outwards from the place."""
    current = "sys_to = 'infinity'" + (" AND sys_from <= %(as_of)s" if past else "")
    arms = [_arm(name, current) for name in names]
    if past:
        then = "sys_to < 'infinity' AND sys_to > %(as_of)s AND sys_from <= %(as_of)s"
        arms += [_arm(name, then) for name in names]
    return (
        f"SELECT layer, id, version, title, subtitle, ST_Distance(geom::geography, {_POINT}::geography) AS distance_m"
        f" FROM ({' UNION ALL '.join(arms)}) o"
    )


async def nearest(
    connection: psycopg.AsyncConnection[TupleRow],
    spot: Spot,
    *,
    names: tuple[str, ...],
    terms: Terms,
    limit: int,
) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Standing]]:
    """The nearest ``limit`` objects of each layer within ``spot.radius`` metres, nearest first."""
    cursor = connection.cursor(row_factory=dict_row)
    # Web maps end at 85.06°: a place beyond is asked from their edge.
    values = {"lon": spot.lon, "lat": max(min(spot.lat, 85.05), -85.05), "most": limit + _SPARE}
    await cursor.execute(
        statement(names, terms.moment.as_of is not None), values | moment_values(terms.moment), prepare=True
    )
    known = dict(await standings(connection, names, terms))
    found: list[Mapping[str, Any]] = []
    rows = sorted(await cursor.fetchall(), key=lambda r: r["distance_m"])
    for name in names:
        own = [r for r in rows if r["layer"] == name and r["distance_m"] <= spot.radius][:limit]
        known[name] = known[name].found(len(own))
        found += own
    return sorted(found, key=lambda r: (r["distance_m"], r["layer"], r["id"])), known
