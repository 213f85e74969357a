"""Cases: begun, saved, checked, submitted and moved. Everything here needs a log-in or a token.

A change names the revision on which it rests (``If-Match`` with the ETag); a repeated request with the same
``Idempotency-Key`` is answered as the first was and done once.
"""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from accounts.errors import LogInNeededError
from api.params import CallerDep, DatabaseDep, SettingsDep, at_once, known_only
from api.schemas import Acting, Beginning, Remark, Saving
from cases import drafts, ground, queue, record, requests, service, submission, thread
from cases.desk import Actor, Desk
from cases.drafts import Change
from cases.errors import OutdatedError
from cases.lifecycle import Action, Role
from cases.queue import Wanted
from cases.record import Case, case_id
from geo.db import Database

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])


def actor_of(request: Request, caller: CallerDep) -> Actor:
    """Who acts; LogInNeededError where nobody is logged in."""
    if caller.anonymous:
        raise LogInNeededError("Cases are for people who are logged in.", "Log in, or send a token.")
    return Actor.of(caller, request.scope["state"].get("person"))


def desk_of(settings: SettingsDep) -> Desk:
    """The desk of this installation."""
    return Desk.of(settings)


def writer_of(request: Request) -> Database:
    """The writing connections of this process."""
    writer: Database = request.app.state.writer
    return writer


def revision_of(if_match: Annotated[str | None, Header()] = None) -> int | None:
    """The revision of ``If-Match``; OutdatedError where it is no ETag of ours."""
    if if_match is None:
        return None
    bare = if_match.strip().removeprefix("W/").strip('"')
    if not bare.isdecimal() or len(bare) > 9:
        raise OutdatedError(
            f"If-Match {if_match[:20]} is no ETag of a case.",
            "Send the ETag that the case came with.",
            field="If-Match",
        )
    return int(bare)


ActorDep = Annotated[Actor, at_once(actor_of)]
DeskDep = Annotated[Desk, at_once(desk_of)]
WriterDep = Annotated[Database, at_once(writer_of)]
RevisionDep = Annotated[int | None, at_once(revision_of)]
KeyHeader = Annotated[
    str | None, Header(alias="Idempotency-Key", description="8–200 characters, such as a UUID")
]


def shown(case: Case) -> dict[str, Any]:
    """A case as JSON; its revision is the ETag."""
    hidden = ("service_digest", "geometry", "created_by", "officer")
    return {k: v for k, v in vars(case).items() if k not in hidden} | {"href": f"/api/v1/cases/{case.id}"}


def answered(body: dict[str, Any], status: int = 200) -> Response:
    """An answer with the ETag of its case."""
    headers = {"etag": f'"{body["revision"]}"', "cache-control": "no-store"}
    return Response(orjson.dumps(body, default=str), status, headers, "application/json")


@router.get("", dependencies=[known_only("side", "state", "service", "q", "open", "after", "limit")])
async def cases(
    actor: ActorDep,
    desk: DeskDep,
    database: DatabaseDep,
    *,
    side: Annotated[
        Role, Query(description="applicant: my own; officer: those of my office")
    ] = Role.applicant,
    state: Annotated[list[str] | None, Query(description="One or several states")] = None,
    service: Annotated[str, Query(max_length=60)] = "",
    q: Annotated[str, Query(max_length=100, description="Part of the number or the party's name")] = "",
    unfinished: Annotated[bool, Query(alias="open", description="Only cases that are not finished")] = False,
    after: Annotated[int, Query(ge=0, description="Id after which the page begins")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Cases that I may see, newest first."""
    wanted = Wanted(
        side=side,
        state=queue.wanted_states(state or ()),
        service=service,
        text=q,
        open=unfinished,
        after=after,
        limit=limit,
    )
    async with database.transaction(actor.caller) as connection:
        lines = await queue.lines(connection, desk, actor, wanted)
    found = [
        dict(x.case) | {"label": x.label, "title": x.title, "due_on": x.due_on, "days_left": x.days_left}
        for x in lines
    ]
    return {"cases": found, "next_after": found[-1]["id"] if len(found) == limit else None}


@router.post("", status_code=201, dependencies=[known_only()])
async def begin(
    body: Beginning, actor: ActorDep, desk: DeskDep, writer: WriterDep, key: KeyHeader = None
) -> Response:
    """Begin a draft, prefilled from profile, register and last submission."""
    async with writer.transaction(actor.caller) as connection:

        async def work() -> dict[str, Any]:
            case = await drafts.create(
                connection, desk, actor, body.service, inn=body.party_inn, subject_id=body.subject
            )
            return shown(case)

        done = await requests.once(connection, key, ["begin", body.model_dump()], work)
    return answered(done, 201)


@router.get("/{case}", dependencies=[known_only()])
async def one(case: str, actor: ActorDep, desk: DeskDep, database: DatabaseDep) -> Response:
    """One case with its boundary, findings, events, terms, and what can be done now."""
    async with database.transaction(actor.caller) as connection:
        found = await queue.dossier(connection, desk, actor, case_id(case))
    return answered(
        shown(found.case)
        | {
            "role": found.role,
            "label": {
                locale: found.service.label(
                    found.case.state, "applicant" if found.role == Role.applicant else "staff", locale
                )
                for locale in ("ru", "en")
            },
            "subject": found.subject,
            "boundary": found.geometry,
            "findings": list(found.findings),
            "events": [dict(e) for e in found.events],
            "terms": [dict(t) for t in found.terms],
            "actions": list(found.actions),
        }
    )


@router.put("/{case}", dependencies=[known_only()])
async def save(
    *, case: str, body: Saving, actor: ActorDep, desk: DeskDep, writer: WriterDep, revision: RevisionDep
) -> Response:
    """Save a draft: what is incomplete is kept too. 428 without If-Match, 412 where somebody saved in between."""
    async with writer.transaction(actor.caller) as connection:
        shape = await ground.given(connection, body.ground())
        change = Change(payload=body.payload, subject=body.subject, shape=shape)
        done = await drafts.save(connection, desk, actor, case_id(case), change, revision=revision)
    return answered(shown(done))


@router.post("/{case}/validate", dependencies=[known_only()])
async def validate(case: str, actor: ActorDep, desk: DeskDep, writer: WriterDep) -> dict[str, Any]:
    """Every problem of the form and every finding of the rules at once; nothing is changed."""
    async with writer.transaction(actor.caller) as connection:
        return await submission.validate(connection, desk, actor, case_id(case))


@router.get("/{case}/events", dependencies=[known_only()])
async def events_of(case: str, actor: ActorDep, desk: DeskDep, database: DatabaseDep) -> dict[str, Any]:
    """What happened to a case, oldest first."""
    async with database.transaction(actor.caller) as connection:
        found = await queue.dossier(connection, desk, actor, case_id(case))
    return {"events": [dict(e) for e in found.events]}


@router.get("/{case}/thread", dependencies=[known_only()])
async def read_thread(case: str, actor: ActorDep, database: DatabaseDep) -> dict[str, Any]:
    """What applicant and office wrote to one another, oldest first."""
    number = case_id(case)
    async with database.transaction(actor.caller) as connection:
        await record.load(connection, number)
        return {"remarks": [thread.shown(r) for r in await thread.read(connection, number)]}


@router.post("/{case}/thread", status_code=201, dependencies=[known_only()])
async def write_thread(
    *, case: str, body: Remark, actor: ActorDep, desk: DeskDep, writer: WriterDep, key: KeyHeader = None
) -> dict[str, Any]:
    """Write to the other side, which is told at once."""
    number = case_id(case)
    async with writer.transaction(actor.caller) as connection:

        async def work() -> dict[str, Any]:
            return thread.shown(await thread.write(connection, desk, actor, number, body.text))

        return await requests.once(connection, key, ["remark", number, body.text], work)


@router.post("/{case}/actions/{action}", dependencies=[known_only()])
async def act(
    *,
    case: str,
    action: Action,
    body: Acting,
    actor: ActorDep,
    desk: DeskDep,
    writer: WriterDep,
    revision: RevisionDep,
    key: KeyHeader = None,
) -> Response:
    """Move a case: submit, answer, withdraw … as the applicant; accept, review, approve … as the office."""
    number = case_id(case)
    async with writer.transaction(actor.caller) as connection:

        async def work() -> dict[str, Any]:
            given = service.Given(
                reason=body.reason,
                acknowledgements=body.acknowledgements,
                revision=revision,
                change=Change(body.payload, body.subject, await ground.given(connection, body.ground())),
            )
            return shown(await service.perform(connection, desk, actor, number, action, given=given))

        done = await requests.once(connection, key, [action, number, body.model_dump()], work)
    return answered(done)
