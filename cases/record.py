"""The record of a case: its row as the caller may see it, with the version of the service on which it rests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.catalogue import Catalogue, body_of
from cases.desk import Desk
from cases.errors import UnknownCaseError
from cases.lifecycle import State
from cases.rules import RuleSet
from cases.service_definition import ServiceDefinition
from geo.batch import Ask, Rows, answered
from geo.identifiers import whole_number

COLUMNS = (
    "id, service, service_version, service_digest, region, party_inn, party_name, created_by, created_at, saved_at,"
    " revision, payload, state, state_since, officer, number, lodged_order, lodged_at, evidence_sha256,"
    " subject_layer, subject_id, subject_version, geometry"
)
_ONE = text(f"SELECT {COLUMNS} FROM cases.cases WHERE id = :id")
_LOCKED = text(f"SELECT {COLUMNS} FROM cases.cases WHERE id = :id FOR UPDATE")
_BODY = text("SELECT body FROM cases.definitions WHERE digest = :digest")
_KEEP = text(
    "INSERT INTO cases.definitions (digest, kind, name, version, body)"
    " VALUES (:digest, :kind, :name, :version, CAST(:body AS jsonb)) ON CONFLICT (digest) DO NOTHING"
)


@dataclass(frozen=True)
class Case:
    """One case."""

    id: int
    service: str
    service_version: int
    service_digest: str
    region: str
    party_inn: str
    party_name: str
    created_by: int | None
    created_at: datetime
    saved_at: datetime
    revision: int
    payload: dict[str, Any]
    state: State
    state_since: datetime
    officer: int | None
    number: str | None
    lodged_order: int | None
    lodged_at: datetime | None
    evidence_sha256: str | None
    subject_layer: str | None
    subject_id: int | None
    subject_version: int | None
    geometry: int | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Case":
        """The case of a row."""
        return cls(**{**row, "state": State(row["state"])})

    def values(self, today: date) -> dict[str, Any]:
        """What ``$case.…`` means in a definition."""
        return {
            "number": self.number,
            "party_inn": self.party_inn,
            "party_name": self.party_name,
            "region": self.region,
            "this_year": today.year,
            "today": today.isoformat(),
        }


async def load(connection: AsyncConnection, identity: int, *, lock: bool = False) -> Case:
    """The case of that id; with ``lock`` nobody else moves it until this transaction ends.

    UnknownCaseError where the caller sees none: what he may not see does not exist.
    """
    return await answered(connection, asked(identity, lock=lock))


def asked(identity: int, *, lock: bool = False) -> Ask[Case]:
    """The same, to be sent with others."""

    def shape(rows: Rows) -> Case:
        if rows:
            return Case.of(rows[0])
        raise UnknownCaseError(
            f"There is no case {identity}.",
            "Look into your list of cases, or log in as a member of the party.",
            field="case",
            value=str(identity),
        )

    return Ask(_LOCKED if lock else _ONE, {"id": identity}, shape)


def case_id(value: str) -> int:
    """A case id from a path; UnknownCaseError where it cannot be one."""
    if (number := whole_number(value)) is not None:
        return number
    raise UnknownCaseError(
        f"“{value[:40]}” is no case.", "Case ids are whole numbers.", field="case", value=value[:40]
    )


async def keep(connection: AsyncConnection, catalogue: Catalogue, service: ServiceDefinition) -> None:
    """Keep the definitions of a service under their digests, so that a case can be understood for ever."""
    rows = [
        {
            "digest": catalogue.digest(service),
            "kind": "service",
            "name": service.id,
            "version": service.version,
            "body": json.dumps(body_of(service), ensure_ascii=False),
        }
    ]
    if found := catalogue.rules_of(service):
        rules, digest = found
        body = json.dumps(body_of(rules), ensure_ascii=False)
        rows.append(
            {"digest": digest, "kind": "rules", "name": rules.name, "version": rules.version, "body": body}
        )
    await connection.execute(_KEEP, rows)


@lru_cache(maxsize=64)
def _parsed_service(body: str) -> ServiceDefinition:
    return ServiceDefinition.model_validate_json(body)


@lru_cache(maxsize=64)
def _parsed_rules(body: str) -> RuleSet:
    return RuleSet.model_validate_json(body)


async def definition_of(connection: AsyncConnection, desk: Desk, case: Case) -> ServiceDefinition:
    """The service as it was when the case was begun, whatever its file says now."""
    key = (case.service, case.service_version)
    if desk.catalogue.digests.get(key) == case.service_digest:
        return desk.catalogue.services[key]
    body = (await connection.execute(_BODY, {"digest": case.service_digest})).scalar_one()
    return _parsed_service(json.dumps(body))


async def rules_at(connection: AsyncConnection, digest: str) -> RuleSet:
    """The rule set of a digest, as it was kept."""
    body = (await connection.execute(_BODY, {"digest": digest})).scalar_one()
    return _parsed_rules(json.dumps(body))
