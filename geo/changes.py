"""What the registers recorded: how much on which day, and what differs between two instants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from geo.layers import layer
from geo.objects import Bbox
from geo.spatial.spot import title_columns


@dataclass(frozen=True)
class Span:
    """System times from (exclusive) to (inclusive), and the box in degrees; without a box everywhere."""

    since: datetime
    until: datetime
    box: Bbox | None = None


@dataclass(frozen=True)
class Changes:
    """Objects that differ, and how many there are altogether."""

    objects: Sequence[Mapping[str, Any]]
    matched: int


def _days_of(name: str) -> str:
    return (
        f"SELECT '{name}' AS layer, (sys_from AT TIME ZONE %(zone)s)::date AS day, count(*) AS count"
        f" FROM gate.{name} GROUP BY 2"
    )


async def days(
    connection: psycopg.AsyncConnection[TupleRow], names: Sequence[str], zone: str
) -> Sequence[tuple[str, Mapping[str, int]]]:
    """Number of versions recorded on each day of the zone, layer by layer; the days in their order."""
    statement = " UNION ALL ".join(_days_of(name) for name in names) + " ORDER BY day, layer"
    found: dict[str, dict[str, int]] = {}
    for name, day, count in await (await connection.execute(statement, {"zone": zone})).fetchall():
        found.setdefault(day.isoformat(), {})[name] = count
    return list(found.items())


@lru_cache(maxsize=256)
def _changes_of(name: str, boxed: bool) -> str:
    """Versions that began or ended in the span, one row an object; the newest state tells where it lies."""
    here = " AND geom && ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 4326)" if boxed else ""
    fields = f"id, sys_from, sys_to, geom, {title_columns(layer(name))}"
    return f"""
      SELECT '{name}' AS layer, id,
             bool_or(sys_from <= %(since)s) AS before, bool_or(sys_to > %(until)s) AS after,
             (array_agg(title ORDER BY sys_from DESC))[1] AS title,
             (array_agg(geom ORDER BY sys_from DESC))[1] AS geom, max(greatest(sys_from, CASE WHEN sys_to <= %(until)s THEN sys_to END)) AS at
      FROM (
        SELECT {fields} FROM gate.{name} WHERE sys_to = 'infinity' AND sys_from > %(since)s AND sys_from <= %(until)s{here}
        UNION ALL
        SELECT {fields} FROM gate.{name} WHERE sys_to < 'infinity' AND sys_to > %(since)s AND sys_from <= %(until)s
          AND (sys_from > %(since)s OR sys_to <= %(until)s){here}
      ) v
      GROUP BY id"""


async def changes(
    connection: psycopg.AsyncConnection[TupleRow], names: Sequence[str], span: Span, *, limit: int
) -> Changes:
    """Objects that are new, changed or gone at the end of the span, the newest change first.

    What came and went within the span is not told: neither end of it knows the object.
    """
    box = dict(zip(("w", "s", "e", "n"), span.box, strict=True)) if span.box else {}
    united = " UNION ALL ".join(_changes_of(name, span.box is not None) for name in names)
    statement = f"""
      SELECT layer, id, title, CASE WHEN NOT before THEN 'new' WHEN NOT after THEN 'gone' ELSE 'changed' END AS kind,
             at, ST_AsGeoJSON(geom, 6, 0) AS geometry, matched
      FROM (SELECT *, count(*) OVER () AS matched FROM ({united}) c WHERE before OR after ORDER BY at DESC, layer, id LIMIT %(limit)s) found
      ORDER BY at DESC, layer, id"""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(statement, {"since": span.since, "until": span.until, "limit": limit, **box})
    rows = await cursor.fetchall()
    return Changes(
        [{k: v for k, v in r.items() if k != "matched"} for r in rows], rows[0]["matched"] if rows else 0
    )
