"""The object of the register that a case is about, and the objects of a party that one could be about."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.errors import ObjectGoneError
from cases.service_definition import ServiceDefinition
from geo.batch import Ask, answered
from geo.layers import layer


def _columns(name: str) -> str:
    return ", ".join(("id", "version", *(p.name for p in layer(name).properties)))


async def read(
    connection: AsyncConnection, layer_name: str, identity: int, day: date
) -> dict[str, Any] | None:
    """The object as it holds on a day and the caller may see it; None where he sees none."""
    return await answered(connection, asked(layer_name, identity, day))


def asked(layer_name: str, identity: int, day: date) -> Ask[dict[str, Any] | None]:
    """The same, to be sent with others."""
    values = {"id": identity, "day": day}
    return Ask(_standing(layer(layer_name).name), values, lambda rows: dict(rows[0]) if rows else None)


@cache
def _standing(name: str) -> TextClause:
    """One statement a layer, written once."""
    return text(
        f"SELECT {_columns(name)} FROM gate.{name} WHERE id = :id AND sys_to = 'infinity'"
        " AND valid_from <= :day AND valid_to > :day ORDER BY valid_from DESC LIMIT 1"
    )


async def held(connection: AsyncConnection, layer_name: str, inn: str, day: date) -> Sequence[RowMapping]:
    """Objects of a layer that a party holds on a day, the newest first."""
    name = layer(layer_name).name
    statement = text(
        f"SELECT {_columns(name)}, ST_XMin(geom) AS west, ST_YMin(geom) AS south, ST_XMax(geom) AS east,"
        f" ST_YMax(geom) AS north FROM gate.{name} WHERE holder_inn = :inn AND sys_to = 'infinity'"
        " AND valid_from <= :day AND valid_to > :day ORDER BY id DESC LIMIT 500"
    )
    return (await connection.execute(statement, {"inn": inn, "day": day})).mappings().all()


async def chosen(
    connection: AsyncConnection, service: ServiceDefinition, identity: int, inn: str, day: date
) -> dict[str, Any]:
    """The object chosen for a case of this service; ObjectGoneError where it is not there or not the party's."""
    if service.subject is None:
        raise ObjectGoneError(
            "This service is about no object.", "Leave the object out.", field="subject", value=str(identity)
        )
    found = await read(connection, service.subject.layer, identity, day)
    if found is None or (service.applicant.holds and found.get("holder_inn") != inn):
        raise ObjectGoneError(
            f"{service.subject.title.en} {identity} is not held by the applicant.",
            "Choose one of your own.",
            field="subject",
            value=str(identity),
        )
    return found
