"""Lists of cases: what is mine, what needs me now, what waits in the office; each list is one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases import boundary_file, events, ground, record, sheet, subject, terms, thread
from cases.desk import Actor, Desk
from cases.documents import shelf
from cases.documents.shelf import Document
from cases.errors import NotAllowedError
from cases.findings import of_case as findings_of
from cases.lifecycle import FINAL, Action, Role, State, actions
from cases.record import Case
from cases.service_definition import ServiceDefinition
from cases.signatures import kept, requirements
from cases.signatures.kept import Signature
from geo.errors import ParameterError
from geo.session import sql_of

_LIST = sql_of("cases", "queue")
_FILTERS = {
    "state": "c.state = ANY (:state)",
    "service": "c.service = :service",
    "since": "c.created_at >= CAST(:since AS date)",
    "until": "c.created_at < CAST(:until AS date) + 1",
    "text": "(c.number ILIKE :text OR c.party_name ILIKE :text)",
    "open": "c.state <> ALL (:final)",
    "after": "c.id < :after",
}


@dataclass(frozen=True)
class Wanted:
    """Which cases: S-20's filters (date, service, state), words of the number or party, a page after an id."""

    side: Role = Role.applicant
    state: tuple[str, ...] = ()
    service: str = ""
    since: date | None = None
    until: date | None = None
    text: str = ""
    open: bool = False
    after: int = 0
    limit: int = 50


@dataclass(frozen=True)
class Line:
    """One line of a list."""

    case: RowMapping
    label: Mapping[str, str]
    title: Mapping[str, str]
    due_on: date | None
    days_left: int | None
    mine_to_act: bool


@dataclass(frozen=True)
class Dossier:
    """A case with everything that its page shows."""

    case: Case
    service: ServiceDefinition
    role: Role
    subject: Mapping[str, Any] | None
    geometry: Mapping[str, Any] | None
    findings: Sequence[Mapping[str, Any]]
    events: Sequence[RowMapping]
    terms: Sequence[RowMapping]
    actions: tuple[Action, ...] = field(default=())
    # The newest file with a boundary, where the applicant may still send one.
    file: RowMapping | None = None
    documents: Sequence[Document] = ()
    signatures: Sequence[Signature] = ()
    signed: bool = False
    remarks: Sequence[RowMapping] = ()


def wanted_states(names: Sequence[str]) -> tuple[str, ...]:
    """States of a filter; ParameterError names the first that does not exist."""
    for name in names:
        if name not in State.__members__:
            raise ParameterError(
                f"state={name[:30]} is no state.",
                f"The states are: {', '.join(State)}.",
                field="state",
                value=name[:30],
            )
    return tuple(names)


async def lines(connection: AsyncConnection, desk: Desk, actor: Actor, wanted: Wanted) -> list[Line]:
    """Cases that the actor may see on one side, newest first; one statement whatever their number."""
    values: dict[str, Any] = {
        "state": list(wanted.state),
        "service": wanted.service,
        "since": wanted.since,
        "until": wanted.until,
        "text": f"%{wanted.text}%",
        "final": [s.value for s in FINAL],
        "after": wanted.after,
    }
    used = [name for name in _FILTERS if getattr(wanted, name)]
    side = (
        "c.party_inn = ANY ((SELECT access.inns())::text[])"
        if wanted.side == Role.applicant
        else "c.lodged_at IS NOT NULL AND c.party_inn <> ALL ((SELECT access.inns())::text[])"
    )
    condition = " AND ".join([side, *(_FILTERS[name] for name in used)])
    statement = text(_LIST.format(condition=condition))
    bound = {name: values[name] for name in used if name != "open"}
    bound |= {"final": values["final"]} if wanted.open else {}
    owner = "applicant" if wanted.side == Role.applicant else "officer"
    rows = await connection.execute(statement, bound | {"limit": wanted.limit, "owner": owner})
    return [_line(desk, row, wanted.side) for row in rows.mappings()]


def _line(desk: Desk, row: RowMapping, side: Role) -> Line:
    service = desk.catalogue.services.get((row["service"], row["service_version"]))
    state = State(row["state"])
    if service is None:
        words = {"ru": row["service"], "en": row["service"]}
        return Line(row, {"ru": state.value, "en": state.value}, words, row["due_on"], None, False)
    view = "applicant" if side == Role.applicant else "staff"
    label = {locale: service.label(state, "applicant" if view == "applicant" else "staff", locale) for locale in ("ru", "en")}  # fmt: skip
    due = row["due_on"]
    left = (due - desk.today()).days if due else None
    waiting = {
        Role.applicant: (State.draft, State.correction_asked, State.rejected),
        Role.officer: (State.submitted, State.accepted, State.in_review, State.answered, State.appealed),
        Role.inspector: (),
        Role.system: (),
    }[side]
    return Line(row, label, service.title.model_dump(), due, left, state in waiting)


async def counts(connection: AsyncConnection, wanted: Role) -> dict[str, int]:
    """Number of cases by state on one side."""
    side = (
        "party_inn = ANY ((SELECT access.inns())::text[])"
        if wanted == Role.applicant
        else "lodged_at IS NOT NULL AND party_inn <> ALL ((SELECT access.inns())::text[])"
    )
    rows = await connection.execute(
        text(f"SELECT state, count(*) FROM cases.cases WHERE {side} GROUP BY state")
    )
    return {row[0]: row[1] for row in rows}


async def dossier(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int) -> Dossier:
    """Everything about one case; at most thirteen statements."""
    case = await record.load(connection, case_id)
    service = await record.definition_of(connection, desk, case)
    role = actor.role_in(case.party_inn, case.region)
    if role is None:
        raise NotAllowedError("You are on no side of this case.", "Log in as somebody who is.", field="case")
    row = None
    if case.subject_layer and case.subject_id is not None:
        row = await subject.read(connection, case.subject_layer, case.subject_id, desk.today())
    shape = await ground.show(connection, case.geometry) if case.geometry is not None else None
    found: Sequence[Mapping[str, Any]] = ()
    if rules := desk.catalogue.rules_of(service):
        found = await findings_of(connection, rules[0], case.id, role)
    papers = await shelf.of_case(connection, case.id)
    signatures = await kept.of_case(connection, case.id)
    own = [p for p in papers if p.newest and p.side == Role.applicant]
    sha256 = sheet.digest(case, shape["sha256"] if shape else "", own)
    return Dossier(
        case,
        service,
        role,
        row,
        shape,
        found,
        await events.of_case(connection, case.id),
        await terms.of_case(connection, case.id),
        actions(case.state, role, service.actions),
        await boundary_file.last(connection, case.id)
        if boundary_file.welcome(actor, case, service)
        else None,
        papers,
        signatures,
        requirements.fulfilled(service, signatures, sha256),
        await thread.read(connection, case.id),
    )
