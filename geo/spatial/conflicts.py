"""Conflicts: pairs of objects of two layers that overlap, kept current as objects change.

The monitor (``spatial.monitor`` in the database, run by the worker) compares only versions that are new.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
import psycopg
from psycopg.rows import TupleRow, dict_row

from geo.errors import ParameterError
from geo.objects import Bbox
from geo.session import connect
from geo.spatial.standing import Outcome, Standing, Terms, standings

_PENDING = "SELECT layer, min(noted_at) FROM spatial.pending GROUP BY layer"
_KINDS = "SELECT kind, a_layer, b_layer FROM spatial.conflict_kinds ORDER BY kind"
_WHEN = "valid_from <= %(last)s AND valid_to > %(first)s AND sys_from <= {then} AND sys_to > {then}"
_PAIRS = """
SELECT kind, a_layer, a_id, a_version, a_title, a_area_m2, b_layer, b_id, b_version, b_title, b_area_m2,
       area_m2, sys_from AS known_from, ST_AsGeoJSON(geom, 7, 0) AS geometry, count(*) OVER () AS matched,
       sum(area_m2) OVER () AS total_m2
FROM gate.conflicts
WHERE kind = ANY (%(kinds)s) AND {when} AND {box}
ORDER BY area_m2 DESC, a_version, b_version
LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Overlaps:
    """Pairs with the largest overlap first, how many there are altogether, and the standing of each kind."""

    pairs: Sequence[Mapping[str, Any]]
    matched: int
    total_m2: float
    standings: Mapping[str, Standing]
    # The two layers of each kind.
    kinds: Mapping[str, tuple[str, str]]


async def _kinds(
    connection: psycopg.AsyncConnection[TupleRow], wanted: Sequence[str], names: Sequence[str]
) -> dict[str, tuple[str, str]]:
    rows = await (await connection.execute(_KINDS)).fetchall()
    known = {kind: (a, b) for kind, a, b in rows}
    unknown = next((k for k in wanted if k not in known), None)
    if unknown is not None:
        raise ParameterError(
            f"The kind of conflict “{unknown[:40]}” is unknown.",
            f"Known here: {', '.join(known)}.",
            field="kinds",
            value=unknown[:40],
        )
    chosen = {k: v for k, v in known.items() if not wanted or k in wanted}
    return {k: v for k, v in chosen.items() if set(v) <= set(names)}


async def overlaps(
    connection: psycopg.AsyncConnection[TupleRow],
    terms: Terms,
    *,
    kinds: Sequence[str] = (),
    names: Sequence[str],
    box: Bbox | None = None,
    limit: int = 100,
) -> Overlaps:
    """Conflicts at the moment that the caller sees both halves of; ``kinds`` empty means all."""
    chosen = await _kinds(connection, kinds, names)
    moment = terms.moment
    values: dict[str, Any] = {
        "kinds": list(chosen),
        "limit": limit,
        "first": moment.first or "-infinity",
        "last": moment.last or "infinity",
        "then": moment.as_of,
    }
    if box:
        values |= dict(zip(("w", "s", "e", "n"), box, strict=True))
    when = (
        _WHEN.format(then="%(then)s")
        if moment.as_of
        else _WHEN.replace("AND sys_from <= {then} AND sys_to > {then}", "AND sys_to = 'infinity'")
    )
    area = "geom && ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 4326)" if box else "true"
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(_PAIRS.format(when=when, box=area), values)
    rows = await cursor.fetchall()
    waiting: dict[str, Any] = dict(await (await connection.execute(_PENDING)).fetchall())
    known = await standings(connection, sorted({n for pair in chosen.values() for n in pair}), terms)
    return Overlaps(
        [_pair(r) for r in rows],
        rows[0]["matched"] if rows else 0,
        rows[0]["total_m2"] if rows else 0.0,
        {
            kind: _joint(kind, [known[a], known[b]], waiting).found(sum(r["kind"] == kind for r in rows))
            for kind, (a, b) in chosen.items()
        },
        chosen,
    )


def _joint(kind: str, halves: Sequence[Standing], waiting: Mapping[str, Any]) -> Standing:
    """A pair of layers is worth what its weaker half is; it is stale while a version waits to be compared."""
    order = (Outcome.not_checked, Outcome.stale, Outcome.clear)
    weaker = min(halves, key=lambda s: order.index(s.outcome))
    if weaker.outcome is Outcome.clear and any(s.layer in waiting for s in halves):
        return replace(weaker, layer=kind, outcome=Outcome.stale, reason="pending")
    return replace(weaker, layer=kind)


def _pair(row: Mapping[str, Any]) -> dict[str, Any]:
    halves = {
        side: {
            "layer": row[f"{side}_layer"],
            "id": row[f"{side}_id"],
            "version": row[f"{side}_version"],
            "title": row[f"{side}_title"],
            "share": min(row["area_m2"] / row[f"{side}_area_m2"], 1.0) if row[f"{side}_area_m2"] else None,
        }
        for side in ("a", "b")
    }
    return {
        "kind": row["kind"],
        **halves,
        "overlap_ha": round(row["area_m2"] / 10_000, 6),
        "known_from": row["known_from"].isoformat(),
        "geometry": orjson.Fragment(row["geometry"]),
    }


def settle(connection: psycopg.Connection[TupleRow], *, batch: int = 2_000) -> int:
    """Compare every waiting version, a batch a transaction; ``connection`` is the registrar's and autocommits.

    Returns the number of batches. It can be killed at any moment: what was not compared waits still.
    """
    batches = 0
    connection.execute("SELECT spatial.sweep()")
    while True:
        row = connection.execute("SELECT EXISTS (SELECT FROM spatial.pending)").fetchone()
        if row is None or not row[0]:
            return batches
        connection.execute("SELECT spatial.monitor(%s)", [batch])
        batches += 1


def settle_at(url: str) -> int:
    """`settle` over a connection of its own; ``url`` is the registrar's."""
    with connect(url, autocommit=True) as connection:
        return settle(connection)
