"""Writing history: the one door by which a decision adds an object to a register or changes one.

A version is never rewritten. A change closes it and leaves two: what held until the day, and what holds from it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Table, cast, func, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.errors import MezhaError, UnknownObjectError
from geo.layers import layer, model_of

# Columns that the database gives itself.
_GIVEN = frozenset({"version", "sys_from", "sys_to", "geom_3857"})
_CLOSE = text("SELECT history.close(:layer, :versions)")


class ChangedMeanwhileError(MezhaError):
    """Another writer closed the version in between."""

    code = "changed-meanwhile"


@dataclass(frozen=True)
class Written:
    """A version that was written."""

    layer: str
    id: int
    version: int


@dataclass(frozen=True)
class Shape:
    """Geometry of a new object: WKB in degrees, its area, and the evidence in its own system."""

    wkb: bytes
    area_m2: float
    area_method: str
    source_crs: str = ""
    source: bytes | None = None


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.md5(
        json.dumps(dict(values), sort_keys=True, default=str).encode(), usedforsecurity=False
    ).hexdigest()


def _table(name: str) -> Table:
    table: Any = model_of(layer(name).name).__table__
    return table  # type: ignore[no-any-return]


async def add(
    connection: AsyncConnection,
    layer_name: str,
    values: Mapping[str, Any],
    *,
    shape: Shape | None = None,
    since: date | None = None,
) -> Written:
    """Add an object; ``values`` are its columns, ``key`` and ``region`` among them. Needs the writing role."""
    table = _table(layer_name)
    row: dict[str, Any] = dict(values)
    if since:
        row["valid_from"] = since
    if shape:
        row |= {
            "geom": func.ST_Multi(func.ST_GeomFromWKB(shape.wkb, 4326)),
            "area_m2": shape.area_m2,
            "area_method": shape.area_method,
            "source_crs": shape.source_crs or None,
            "source_geom": shape.source,
        }
    digest = _digest({**values, "shape": shape.wkb.hex() if shape else ""})
    statement = insert(table).values(**row, digest=digest).returning(table.c.id, table.c.version)
    made = (await connection.execute(statement)).one()
    return Written(layer_name, made.id, made.version)


async def change(
    connection: AsyncConnection,
    layer_name: str,
    identity: int,
    changes: Mapping[str, Any],
    *,
    since: date,
    shape: Shape | None = None,
) -> Written:
    """Change an object from a day on; what held before that day stays as it was. Needs the writing role.

    UnknownObjectError where nothing holds on that day, ChangedMeanwhileError where somebody was faster.
    """
    table = _table(layer_name)
    held = (
        await connection.execute(
            select(table.c.version, (table.c.valid_from < since).label("begun_before"), table.c.digest).where(
                table.c.id == identity,
                text("sys_to = 'infinity'"),
                table.c.valid_from <= since,
                table.c.valid_to > since,
            )
        )
    ).first()
    if held is None:
        raise UnknownObjectError(
            f"No version of {layer_name} {identity} holds on {since}.",
            "It may have ended, or been closed.",
            field="id",
            value=str(identity),
        )
    closed = (
        await connection.execute(_CLOSE, {"layer": layer_name, "versions": [held.version]})
    ).scalar_one()
    if closed != 1:
        raise ChangedMeanwhileError(
            f"{layer_name} {identity} was changed by somebody else a moment ago.",
            "Look at its new state and decide again.",
            field="id",
            value=str(identity),
        )
    # An open beginning is no date that Python knows: the database compares.
    if held.begun_before:
        await _copy(connection, table, held.version, {"valid_to": since})
    new: dict[str, Any] = {**changes, "valid_from": since}
    if shape:
        new |= {"geom": func.ST_Multi(func.ST_GeomFromWKB(shape.wkb, 4326)), "area_m2": shape.area_m2}
        new |= {"area_method": shape.area_method, "source_crs": shape.source_crs, "source_geom": shape.source}
    seed = {k: str(v) for k, v in changes.items()} | {"before": str(held.digest), "since": str(since)}
    new["digest"] = _digest(seed | {"shape": shape.wkb.hex() if shape else ""})
    version = await _copy(connection, table, held.version, new)
    return Written(layer_name, identity, version)


async def _copy(connection: AsyncConnection, table: Table, version: int, changes: Mapping[str, Any]) -> int:
    """Add a version like another one but for the changes."""
    names = [c.name for c in table.columns if c.name not in _GIVEN]
    chosen: list[Any] = []
    for name in names:
        if name not in changes:
            chosen.append(table.c[name])
            continue
        value = changes[name]
        plain = name == "geom"
        chosen.append(value if plain else cast(literal(value, table.c[name].type), table.c[name].type))
    source = select(*chosen).where(table.c.version == version)
    statement = insert(table).from_select(names, source).returning(table.c.version)
    made: int = (await connection.execute(statement)).scalar_one()
    return made
