"""What is here: who may do what at one place, at one time, under which paper."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from geo.layers import GROUPS, Layer, layer
from geo.moment import Moment
from geo.spatial.standing import Standing, Terms, standings

# Metres of one degree of latitude.
_DEGREE = 111_195.0
# Planning a question of twelve layers takes several times as long as answering it, and its plan is always the same.
_PLANNED_ONCE = "SET LOCAL plan_cache_mode = force_generic_plan"
# Most objects of one layer at one place; more means a heap of duplicates.
MOST = 50


@dataclass(frozen=True)
class Spot:
    """A place in degrees; ``radius`` in metres widens it, for point objects never below 25 m."""

    lon: float
    lat: float
    radius: float = 0.0

    def box(self, metres: float) -> tuple[float, float, float, float]:
        """West, south, east, north of the circle."""
        dy = metres / _DEGREE
        dx = dy / max(math.cos(math.radians(min(abs(self.lat) + dy, 89.9))), 0.001)
        return (
            max(self.lon - dx, -180.0),
            max(self.lat - dy, -90.0),
            min(self.lon + dx, 180.0),
            min(self.lat + dy, 90.0),
        )


@dataclass(frozen=True)
class Here:
    """Objects at a place, rights first and newest right first, and each layer's standing."""

    objects: Sequence[Mapping[str, Any]]
    standings: Mapping[str, Standing]


def _first(names: Sequence[str]) -> str:
    return "coalesce(" + ", ".join(f'"{name}"' for name in names) + ", '')" if names else "''"


def _column(name: str, kind: str) -> str:
    return f'"{name}"' if name else f"NULL::{kind}"


def title_columns(target: Layer) -> str:
    """SQL of ``title`` and ``subtitle`` of an object."""
    return f"{_first(target.title_of)} AS title, {_first(target.subtitle_of)} AS subtitle"


def _fields(target: Layer) -> str:
    right = target.right
    names = {p.name for p in target.properties}
    held = target.held
    return ", ".join(
        (
            f"'{target.name}' AS layer, id, version, {title_columns(target)}",
            f"{_column('status' if 'status' in names else '', 'text')} AS status",
            f"{_column('kind' if 'kind' in names else '', 'text')} AS kind",
            f"{_column('holder' if held else '', 'text')} AS holder",
            f"{_column('holder_inn' if held else '', 'text')} AS holder_inn",
            f"{_column(right.paper if right else '', 'text')} AS paper",
            f"{_column(right.begins if right else '', 'date')} AS begins",
            f"{_column(right.ends if right else '', 'date')} AS ends",
            "CASE WHEN isfinite(valid_from) THEN valid_from END AS valid_from",
            "CASE WHEN isfinite(valid_to) THEN valid_to END AS valid_to",
            "area_m2",
        )
    )


def known_versions(target: Layer, fields: str, condition: str, *, past: bool) -> str:
    """SQL of the versions that were known: today's by the partial index of today, the past by that of the past.

    Parameters first, last and (with ``past``) as_of.
    """
    when = f"{condition} AND valid_from <= %(last)s AND valid_to > %(first)s"
    current = f"SELECT {fields} FROM gate.{target.name} WHERE sys_to = 'infinity' AND {when}"
    if not past:
        return current
    return (
        f"{current} AND sys_from <= %(as_of)s UNION ALL SELECT {fields} FROM gate.{target.name}"
        f" WHERE sys_to < 'infinity' AND sys_to > %(as_of)s AND sys_from <= %(as_of)s AND {when}"
    )


def moment_values(moment: Moment) -> dict[str, Any]:
    """Parameters of `known_versions`."""
    return {
        "as_of": moment.as_of,
        "first": moment.first or date.min,
        "last": moment.last or "infinity",
    }


def _branch(target: Layer, *, past: bool) -> str:
    if target.geometry == "POINT":
        condition = (
            "geom && ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 4326)"
            " AND ST_DistanceSphere(geom, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)) <= %(near)s"
        )
    else:
        condition = (
            "geom && ST_MakeEnvelope(%(pw)s, %(ps)s, %(pe)s, %(pn)s, 4326)"
            " AND (ST_Intersects(geom, ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326))"
            " OR %(radius)s > 0 AND ST_DWithin(geom::geography,"
            " ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4326)::geography, %(radius)s))"
        )
    return f"(SELECT * FROM ({known_versions(target, _fields(target), condition, past=past)}) v LIMIT {MOST})"


@lru_cache(maxsize=512)
def statement(names: tuple[str, ...], past: bool) -> str:
    """SQL over the layers: one index scan each."""
    return " UNION ALL ".join(_branch(layer(name), past=past) for name in names)


@lru_cache(maxsize=512)
def _numbered(names: tuple[str, ...], past: bool) -> tuple[str, tuple[str, ...]]:
    """`statement` with numbers for the names of its parameters, and these in their order.

    As the server reads it: psycopg would translate so long a text anew at every question.
    """
    text = statement(names, past)
    order = tuple(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    for n, name in enumerate(order, 1):
        text = text.replace(f"%({name})s", f"${n}")
    return text, order


def right_state(target: Layer, row: Mapping[str, Any], day: date) -> dict[str, Any]:
    """Whether a right holds on the day: ``valid``, ``ended`` by its status, ``overdue`` past its last day,
    ``not_begun``, or ``undated`` where neither status nor dates say anything."""
    right = target.right
    begins, ends, status = row["begins"], row["ends"], row["status"]
    if right is None:
        state = "none"
    elif status in right.ended:
        state = "ended"
    elif (ends and ends < day) or status == "overdue":
        state = "overdue"
    elif begins and begins > day:
        state = "not_begun"
    else:
        state = "valid" if begins or ends or status else "undated"
    return {
        "state": state,
        "paper": row["paper"],
        "begins": begins and begins.isoformat(),
        "ends": ends and ends.isoformat(),
        "days_left": (ends - day).days if ends else None,
    }


def _order(row: Mapping[str, Any], groups: Sequence[str]) -> tuple[int, int, int]:
    newest = row["begins"] or row["valid_from"] or date.min
    return groups.index(layer(row["layer"]).group), -newest.toordinal(), row["id"]


def _document(row: Mapping[str, Any], day: date) -> dict[str, Any]:
    target = layer(row["layer"])
    plain = {k: v for k, v in row.items() if k not in ("begins", "ends", "paper", "valid_from", "valid_to")}
    if plain["subtitle"] == plain["title"]:
        plain["subtitle"] = ""
    return plain | {
        "group": target.group,
        "right": right_state(target, row, day),
        "valid_from": row["valid_from"] and row["valid_from"].isoformat(),
        "valid_to": row["valid_to"] and row["valid_to"].isoformat(),
    }


async def at(
    connection: psycopg.AsyncConnection[TupleRow], spot: Spot, *, names: tuple[str, ...], terms: Terms
) -> Here:
    """Everything at the spot that the caller sees."""
    near = max(spot.radius, 25.0)
    point = zip(("w", "s", "e", "n"), spot.box(near), strict=True)
    exact = zip(("pw", "ps", "pe", "pn"), spot.box(spot.radius), strict=True)
    values = {
        "lon": spot.lon,
        "lat": spot.lat,
        "radius": spot.radius,
        "near": near,
        **dict(point),
        **dict(exact),
        **moment_values(terms.moment),
    }
    cursor = psycopg.AsyncRawCursor(connection, row_factory=dict_row)
    asked, order = _numbered(names, terms.moment.as_of is not None)
    async with connection.pipeline():
        await connection.execute(_PLANNED_ONCE)
        await cursor.execute(asked, [values[name] for name in order], prepare=True)
        known = await standings(connection, names, terms)
        rows = await cursor.fetchall()
    groups = tuple(GROUPS)
    counted = {name: known[name].found(sum(r["layer"] == name for r in rows)) for name in names}
    return Here([_document(r, terms.day) for r in sorted(rows, key=lambda r: _order(r, groups))], counted)
