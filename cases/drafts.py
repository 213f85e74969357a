"""Drafts: begun from what is known already, saved every few seconds, never lost and never overwritten unseen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases import form, ground, record, subject
from cases.desk import Actor, Desk
from cases.errors import NotAllowedError, OutdatedError, RevisionMissingError, WrongStateError
from cases.lifecycle import EDITABLE, Role, State
from cases.record import Case
from cases.service_definition import ServiceDefinition

_CREATE = text(
    "INSERT INTO cases.cases (service, service_version, service_digest, region, party_inn, party_name, created_by,"
    " payload, subject_layer, subject_id, subject_version) VALUES (:service, :version, :digest, :region, :inn, :name,"
    " (SELECT access.account()), CAST(:payload AS jsonb), :layer, :id, :object_version) RETURNING id"
)
_LAST = text(
    "SELECT payload FROM cases.cases WHERE service = :service AND party_inn = :inn AND lodged_at IS NOT NULL"
    " ORDER BY lodged_order DESC LIMIT 1"
)
_SAVE = text(
    "UPDATE cases.cases SET payload = CAST(:payload AS jsonb), subject_layer = :layer, subject_id = :id,"
    " subject_version = :version, geometry = :geometry, revision = revision + 1, saved_at = clock_timestamp()"
    " WHERE id = :case"
)
_AREA = text("SELECT area_m2 FROM cases.geometries WHERE id = :id")


@dataclass(frozen=True)
class Change:
    """What was typed or drawn; None leaves as it is. ``shape`` is a `ground.Given`."""

    payload: Mapping[str, Any] | None = None
    subject: int | None = None
    shape: ground.Given | None = None


def may_apply(service: ServiceDefinition, actor: Actor, inn: str) -> None:
    """NotAllowedError where this person may not begin such a case for that party."""
    if inn not in actor.caller.inns:
        raise NotAllowedError(
            f"You do not act for {inn}.",
            "Choose a party of which you are a member.",
            field="party",
            value=inn,
        )
    member = actor.member_of(inn)
    if member is None:
        return
    if member.kind not in service.applicant.kinds:
        raise NotAllowedError(
            f"{service.title.en} is not for a party of kind {member.kind}.",
            f"It is for: {', '.join(service.applicant.kinds)}.",
            field="party",
            value=member.kind,
        )
    if member.role not in service.applicant.roles:
        raise NotAllowedError(
            f"A {member.role} may not apply for {service.title.en}.",
            f"Ask somebody with the role: {', '.join(service.applicant.roles)}.",
            field="role",
            value=member.role,
        )


async def create(
    connection: AsyncConnection,
    desk: Desk,
    actor: Actor,
    service_name: str,
    *,
    inn: str,
    subject_id: int | None = None,
) -> Case:
    """Begin a case, prefilled from profile, register and last submission (C-10)."""
    service = desk.catalogue.service(service_name, desk.today())
    may_apply(service, actor, inn)
    row: dict[str, Any] = {}
    if subject_id is not None:
        row = await subject.chosen(connection, service, subject_id, inn, desk.today())
    await record.keep(connection, desk.catalogue, service)
    last = (await connection.execute(_LAST, {"service": service.id, "inn": inn})).scalar_one_or_none()
    payload = prefilled(service, desk, actor, inn=inn, row=row, last=last or {})
    values = {
        "service": service.id,
        "version": service.version,
        "digest": desk.catalogue.digest(service),
        "region": row.get("region") or desk.region,
        "inn": inn,
        "name": _party_name(actor, inn) or row.get("holder") or "",
        "payload": json.dumps(payload, ensure_ascii=False, default=str),
        "layer": service.subject.layer if row and service.subject else None,
        "id": row.get("id"),
        "object_version": row.get("version"),
    }
    identity = (await connection.execute(_CREATE, values)).scalar_one()
    case = await record.load(connection, identity)
    if row and service.ground.kind == "object":
        return await save(connection, desk, actor, case.id, Change(subject=row["id"]), revision=case.revision)
    return case


def prefilled(
    service: ServiceDefinition,
    desk: Desk,
    actor: Actor,
    *,
    inn: str,
    row: Mapping[str, Any],
    last: Mapping[str, Any],
) -> dict[str, Any]:
    """First values of the form; only such as the form would take."""
    today = desk.today()
    known: dict[str, Any] = {
        "year": today.year,
        "last_year": today.year - 1,
        "party.name": _party_name(actor, inn) or row.get("holder"),
        "party.inn": inn,
    }
    known |= {f"subject.{k}": v for k, v in row.items()} | {f"last.{k}": v for k, v in last.items()}
    typed = {
        name: str(known[ui.prefill]) if not isinstance(known[ui.prefill], int | float) else known[ui.prefill]
        for name, ui in service.form.ui.items()
        if ui.prefill and known.get(ui.prefill) is not None
    }
    found = form.normalised(service, typed)
    properties = service.form.json_schema["properties"]
    return {k: v for k, v in found.items() if service.validator.evolve(schema=properties[k]).is_valid(v)}


def _party_name(actor: Actor, inn: str) -> str:
    member = actor.member_of(inn)
    return member.name if member else ""


def check_revision(case: Case, revision: int | None) -> None:
    """OutdatedError where the change rests on an older revision than the one that is kept."""
    if revision is None:
        raise RevisionMissingError(
            "The change does not say on which revision it rests.",
            'Send If-Match with the ETag of the case, such as "3".',
            field="If-Match",
        )
    if revision != case.revision:
        raise OutdatedError(
            f"Case {case.id} was saved in between: revision {case.revision}, you hold {revision}.",
            "Load it again and repeat your change; nothing was overwritten.",
            field="revision",
            value=str(case.revision),
        )


def check_editable(actor: Actor, case: Case) -> None:
    """NotAllowedError or WrongStateError where the actor may not change what is submitted now."""
    if actor.role_in(case.party_inn, case.region) != Role.applicant:
        raise NotAllowedError(
            "Only the applicant changes what he submits.", "Ask for a correction.", field="case"
        )
    if case.state not in EDITABLE or case.state == State.submitted:
        raise WrongStateError(
            f"Case {case.number or case.id} is {case.state}: it cannot be edited now.",
            "Wait for a correction request, or use the action amend where the service has it.",
            field="state",
            value=case.state,
        )


async def save(
    connection: AsyncConnection,
    desk: Desk,
    actor: Actor,
    case_id: int,
    change: Change,
    *,
    revision: int | None,
) -> Case:
    """Keep what was typed or drawn; incomplete is fine. OutdatedError where somebody saved in between."""
    case = await record.load(connection, case_id, lock=True)
    service = await record.definition_of(connection, desk, case)
    check_editable(actor, case)
    check_revision(case, revision)
    return await write(connection, desk, service, case, change)


async def write(
    connection: AsyncConnection, desk: Desk, service: ServiceDefinition, case: Case, change: Change
) -> Case:
    """Write a change into the case that the caller holds locked."""
    payload = dict(case.payload)
    if change.payload is not None:
        payload = form.normalised(service, change.payload)
    place = {"layer": case.subject_layer, "id": case.subject_id, "version": case.subject_version}
    shape = change.shape
    if change.subject is not None and service.subject:
        row = await subject.chosen(connection, service, change.subject, case.party_inn, desk.today())
        place = {"layer": service.subject.layer, "id": row["id"], "version": row["version"]}
        case = Case(**{**vars(case), "subject_layer": place["layer"], "subject_version": place["version"]})
        if service.ground.kind == "object":
            shape = await ground.picked(connection, service.subject.layer, [row["id"]])
    geometry = case.geometry
    if shape is not None:
        if shape.way not in service.ground.ways:
            raise WrongStateError(
                f"{service.title.en} takes no boundary that is {shape.way}.",
                f"It may be: {', '.join(service.ground.ways) or 'none'}.",
                field="geometry",
                value=shape.way,
            )
        geometry = await ground.store(connection, case, service, shape)
        if area_field := next((n for n, u in service.form.ui.items() if u.prefill == "ground.area_ha"), None):
            payload.setdefault(area_field, round(shape.area_m2 / 10_000, 4))
    values = {
        "case": case.id,
        "payload": json.dumps(payload, ensure_ascii=False),
        "geometry": geometry,
        **place,
    }
    await connection.execute(_SAVE, values)
    return await record.load(connection, case.id)
