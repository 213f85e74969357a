"""The cabinet: what needs me now, what is mine, what I can do; a case with its form, map and thread."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts.codes import DEMO_CODE
from cases import drafts, ground, queue, service, signing, subject, submission, thread
from cases.drafts import Change
from cases.errors import IncompleteError
from cases.lifecycle import Action, Role
from cases.queue import Dossier, Wanted
from cases.record import case_id
from geo.access import ANONYMOUS
from geo.errors import MezhaError
from geo.identifiers import whole_number
from web import case_view, document_view
from web.templating import locale_of, page
from web.visitor import DatabaseDep, settings_of

router = APIRouter(prefix="/cabinet")
Text = Annotated[str, Form(max_length=4000)]
HELD = ("leases", "licences", "waste_sites")


@dataclass(frozen=True)
class Sending:
    """What came with a form beside its fields: reasons given to warnings, and whether a code was asked for."""

    reasons: dict[str, str] = field(default_factory=dict)
    code_sent: bool = False


def shown(request: Request, template: str, data: dict[str, Any], status: int = 200) -> Response:
    """A page of the cabinet: never kept by caches."""
    response = page(request, f"cases/{template}.html", data, status)
    response.headers["cache-control"] = "no-store"
    return response


@router.get("")
async def cabinet(request: Request, database: DatabaseDep) -> Response:
    """Three answers: what needs me now, what is mine, what can I do."""
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    async with database.transaction(actor.caller) as connection:
        lines = await queue.lines(connection, desk, actor, Wanted(side=Role.applicant, limit=100))
        mine = {
            name: [
                row
                for inn in actor.caller.inns
                for row in await subject.held(connection, name, inn, desk.today())
            ]
            for name in HELD
        }
    data = {
        "now": [line for line in lines if line.mine_to_act],
        "lines": lines,
        "mine": mine,
        "holdings": {"inns": actor.caller.inns, "layers": [name for name, rows in mine.items() if rows]},
        "services": desk.catalogue.on(desk.today()),
    }
    return shown(request, "cabinet", data)


@router.get("/services")
async def services(request: Request) -> Response:
    """Everything that can be asked for."""
    desk = case_view.desk_of(request)
    return shown(request, "services", {"services": desk.catalogue.on(desk.today())})


@router.get("/services/{name}")
async def one_service(request: Request, name: str, database: DatabaseDep) -> Response:
    """One service: what it is, what is needed, how long it takes; begin."""
    desk = case_view.desk_of(request)
    found = desk.catalogue.service(name, desk.today())
    objects: list[Any] = []
    caller = request.scope["state"].get("caller", ANONYMOUS)
    if found.subject and caller.inns:
        async with database.transaction(caller) as connection:
            for inn in caller.inns:
                objects += await subject.held(connection, found.subject.layer, inn, desk.today())
    return shown(request, "service", {"service": found, "objects": objects, "caller": caller})


@router.post("/cases")
async def begin(request: Request, service_name: Text = "", about: Text = "") -> Response:
    """Begin a draft about an object (``INN:id``) or for a party (``INN``)."""
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    inn, _, number = about.partition(":")
    async with case_view.writer_of(request).transaction(actor.caller) as connection:
        case = await drafts.create(
            connection,
            desk,
            actor,
            service_name,
            inn=inn or next(iter(actor.caller.inns), ""),
            subject_id=whole_number(number),
        )
    return RedirectResponse(f"/cabinet/cases/{case.id}", 303)


async def dossier_of(request: Request, case: str) -> Dossier:
    """A case with everything that its page shows."""
    actor = case_view.actor_of(request)
    async with request.app.state.database.transaction(actor.caller) as connection:
        return await queue.dossier(connection, case_view.desk_of(request), actor, case_id(case))


def case_page(
    request: Request,
    dossier: Dossier,
    *,
    error: MezhaError | None = None,
    payload: dict[str, Any] | None = None,
    sending: Sending | None = None,
    status: int = 200,
) -> Response:
    """A case as its side sees it; with an error, what was typed stays and every mistake is named."""
    sending = sending or Sending()
    locale = locale_of(request)
    found = error.findings if isinstance(error, IncompleteError) and error.findings else dossier.findings
    problems = error.problems if isinstance(error, IncompleteError) else []
    named, clear = case_view.shown_findings(list(found))
    data = {
        "dossier": dossier,
        "case": dossier.case,
        "service": dossier.service,
        "applicant": dossier.role == Role.applicant,
        "editable": Action.submit in dossier.actions or Action.answer in dossier.actions,
        "sections": case_view.fields(
            dossier.service, dossier.case.payload if payload is None else payload, locale
        ),
        "spine": case_view.spine(dossier.service, dossier.case.state, dossier.role, locale),
        "findings": named,
        "clear": clear,
        "errors": case_view.mistakes(problems, error, locale),
        "error": error,
        "map": case_view.map_data(dossier, found, locale),
        "file": case_view.open_file(dossier, request),
        "due": case_view.first_due(dossier),
        "buttons": case_view.buttons(dossier),
        "base": "/cabinet/cases" if dossier.role == Role.applicant else "/office/cases",
        "shelves": document_view.shelves(dossier),
        "decisions": document_view.decisions(dossier),
        "signed": document_view.signed(dossier),
        "signed_fresh": dossier.signed,
        "reasons": sending.reasons,
        "code_sent": sending.code_sent,
        "demo_code": DEMO_CODE if settings_of(request).demo else "",
    }
    return shown(request, "case", data, status)


@router.get("/cases/{case}")
async def one(request: Request, case: str) -> Response:
    """One case: spine of states, form and map, thread."""
    return case_page(request, await dossier_of(request, case))


@router.post("/cases/{case}")
async def save(request: Request, case: str) -> Response:
    """Save the form; with ``then`` submit or answer go on. What was typed is kept even when it is refused."""
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    form = dict(await request.form())
    dossier = await dossier_of(request, case)
    payload = case_view.payload_of(form, dossier.service)
    revision = str(form.get("revision", ""))
    writer = case_view.writer_of(request)
    sending = Sending(case_view.reasons_of(form), bool(form.get("code") or "code" in form))
    try:
        async with writer.transaction(actor.caller) as connection:
            await drafts.save(
                connection,
                desk,
                actor,
                dossier.case.id,
                Change(payload=payload),
                revision=whole_number(revision),
            )
        if (then := str(form.get("then", ""))) == "code":
            return await _code_asked(request, dossier, sending)
        if then in (Action.submit, Action.answer):
            await _sent(request, dossier, Action(then), sending, str(form.get("code", "")).strip())
    except MezhaError as err:
        found = await dossier_of(request, case)
        return case_page(request, found, error=err, payload=payload, sending=sending, status=422)
    return RedirectResponse(f"/cabinet/cases/{dossier.case.id}?saved=1", 303)


async def _code_asked(request: Request, dossier: Dossier, sending: Sending) -> Response:
    """Ask for the code that signs what was just saved; the page stays as it is, with a field for the code."""
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    async with case_view.writer_of(request).transaction(actor.caller) as connection:
        await signing.ask_code(connection, desk, actor, dossier.case.id)
    sending = Sending(sending.reasons, True)
    return case_page(request, await dossier_of(request, str(dossier.case.id)), sending=sending)


async def _sent(request: Request, dossier: Dossier, action: Action, sending: Sending, code: str) -> None:
    """Sign with the code where one was typed, and send. A used-up try is committed, whatever comes of it."""
    actor, desk, writer = (
        case_view.actor_of(request),
        case_view.desk_of(request),
        case_view.writer_of(request),
    )
    if code:
        async with writer.transaction(actor.caller) as connection:
            wrong = await signing.sign_by_code(connection, desk, actor, dossier.case.id, code=code)
        if wrong:
            raise wrong
    given = service.Given(acknowledgements=sending.reasons)
    async with writer.transaction(actor.caller) as connection:
        await service.perform(connection, desk, actor, dossier.case.id, action, given=given)


@router.post("/cases/{case}/check")
async def check(request: Request, case: str) -> Response:
    """What the rules find in the draft as it is saved, for the page that is being drawn on; nothing is kept."""
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    async with case_view.writer_of(request).transaction(actor.caller) as connection:
        answer = await submission.validate(connection, desk, actor, case_id(case))
    named, clear = case_view.shown_findings(answer["findings"])
    pieces = case_view.pieces(answer["findings"], locale_of(request))
    return shown(request, "findings", {"findings": named, "clear": clear, "pieces": pieces})


@router.post("/cases/{case}/corners")
async def corners(
    request: Request,
    case: str,
    crs: Text = "",
    axes: Text = "",
    points: Annotated[str, Form(max_length=200_000)] = "",
) -> Response:
    """A boundary typed as corner points: one point a line, an empty line begins a new ring."""
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    dossier = await dossier_of(request, case)
    try:
        async with case_view.writer_of(request).transaction(actor.caller) as connection:
            table = {"crs": crs, "axes": axes, "rings": ground.rings_of(points)}
            shape = await ground.given(connection, {"typed": table})
            await drafts.save(
                connection, desk, actor, dossier.case.id, Change(shape=shape), revision=dossier.case.revision
            )
    except MezhaError as err:
        return case_page(request, dossier, error=err, status=422)
    return RedirectResponse(f"/cabinet/cases/{dossier.case.id}?saved=1#map", 303)


@router.post("/cases/{case}/thread")
async def write(request: Request, case: str, words: Annotated[str, Form(max_length=20_000)] = "") -> Response:
    """Write to the office."""
    return await written(request, case, words, "/cabinet/cases")


async def written(request: Request, case: str, words: str, base: str) -> Response:
    """Write into the thread and show the case; a refusal is shown on its page."""
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    try:
        async with case_view.writer_of(request).transaction(actor.caller) as connection:
            await thread.write(connection, desk, actor, case_id(case), words)
    except MezhaError as err:
        return case_page(request, await dossier_of(request, case), error=err, status=422)
    return RedirectResponse(f"{base}/{case}#thread", 303)


@router.post("/cases/{case}/actions/{action}")
async def act(request: Request, case: str, action: Action, reason: Text = "") -> Response:
    """Withdraw, discard, appeal."""
    return await acted(request, case, action, reason, "/cabinet/cases")


async def acted(request: Request, case: str, action: Action, reason: str, base: str) -> Response:
    """Do an action and show the case; a refusal is shown on its page."""
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    try:
        async with case_view.writer_of(request).transaction(actor.caller) as connection:
            await service.perform(
                connection, desk, actor, case_id(case), action, given=service.Given(reason=reason)
            )
    except MezhaError as err:
        return case_page(request, await dossier_of(request, case), error=err, status=409)
    return RedirectResponse(f"{base}/{case}?done={action}", 303)
