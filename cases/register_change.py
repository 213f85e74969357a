"""The one door from a decision to the registers: what an approval changes, in the transaction of the decision."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Date, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.errors import ObjectGoneError
from cases.expression import resolve
from cases.record import Case
from cases.service_definition import Effect, ServiceDefinition
from geo import history
from geo.layers import layer, model_of

_SHAPE = text(
    "SELECT ST_AsBinary(geom), area_m2, area_method, source_crs, coalesce(source_shape, ST_AsBinary(geom))"
    " FROM cases.geometries WHERE id = :id"
)


def _typed(layer_name: str, name: str, value: Any) -> Any:
    """A value as its column takes it: days come from forms as text."""
    column = model_of(layer_name).__table__.c[name]
    if isinstance(column.type, Date) and isinstance(value, str):
        return date.fromisoformat(value)
    return value


async def apply(
    connection: AsyncConnection,
    service: ServiceDefinition,
    case: Case,
    subject: Mapping[str, Any],
    since: date,
) -> list[history.Written]:
    """Write what the service says an approval changes, in force from ``since``; the case is the provenance."""
    written = []
    for effect in service.register_changes:
        name = layer(effect.layer).name
        values = {
            key: _typed(name, key, resolve(value, case.payload, subject, case.values(since)))
            for key, value in effect.values.items()
        }
        values["extra"] = {"case": case.number}
        shape = await _shape(connection, case) if effect.geometry == "ground" else None
        written.append(await _write(connection, effect, case, values, shape=shape, since=since))
    return written


async def _write(
    connection: AsyncConnection,
    effect: Effect,
    case: Case,
    values: dict[str, Any],
    *,
    shape: history.Shape | None,
    since: date,
) -> history.Written:
    if effect.change == "add":
        own = {"key": f"case:{case.number}", "region": case.region}
        return await history.add(connection, effect.layer, own | values, shape=shape, since=since)
    if case.subject_layer != effect.layer or case.subject_id is None:
        raise ObjectGoneError(
            f"Case {case.number} is about no object of {effect.layer}.",
            "Choose the object in the case.",
            field="subject",
        )
    return await history.change(connection, effect.layer, case.subject_id, values, since=since, shape=shape)


async def _shape(connection: AsyncConnection, case: Case) -> history.Shape:
    if case.geometry is None:
        raise ObjectGoneError(
            f"Case {case.number} has no boundary.", "Ask the applicant for one.", field="geometry"
        )
    row = (await connection.execute(_SHAPE, {"id": case.geometry})).one()
    return history.Shape(bytes(row[0]), row[1], row[2], row[3], bytes(row[4]))
