"""The office: the queue with its terms, a case with map and findings side by side, the decision."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from accounts.errors import DeniedError
from cases import queue
from cases.lifecycle import Action, Role
from cases.queue import Wanted
from cases.record import case_id
from web import case_view
from web.pages.cabinet import acted, case_page, shown, written
from web.visitor import DatabaseDep

router = APIRouter(prefix="/office/cases")


@router.get("")
async def office(
    request: Request,
    database: DatabaseDep,
    q: Annotated[str, Query(max_length=100)] = "",
    state: str = "",
    after: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Cases of the office, those with a running term first."""
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    if not actor.staff:
        raise DeniedError("This page is for the staff of an office.", "Ask an administrator for the duty.")
    wanted = Wanted(
        side=Role.officer,
        text=q,
        state=queue.wanted_states([state] if state else ()),
        open=not state,
        after=after,
        limit=100,
    )
    async with database.transaction(actor.caller) as connection:
        lines = await queue.lines(connection, desk, actor, wanted)
        counts = await queue.counts(connection, Role.officer)
    urgent = sorted(lines, key=lambda x: (x.due_on is None, x.due_on or desk.today(), -x.case["id"]))
    last = lines[-1].case["id"] if len(lines) == wanted.limit else None
    return shown(
        request, "office", {"lines": urgent, "counts": counts, "q": q, "state": state, "next_after": last}
    )


@router.get("/{case}")
async def one(request: Request, case: str, database: DatabaseDep) -> Response:
    """One case as the office sees it."""
    actor = case_view.actor_of(request)
    async with database.transaction(actor.caller) as connection:
        found = await queue.dossier(connection, case_view.desk_of(request), actor, case_id(case))
    return case_page(request, found)


@router.post("/{case}/thread")
async def write(request: Request, case: str, words: Annotated[str, Form(max_length=20_000)] = "") -> Response:
    """Write to the applicant."""
    return await written(request, case, words, "/office/cases")


@router.post("/{case}/actions/{action}")
async def act(
    request: Request, case: str, action: Action, reason: Annotated[str, Form(max_length=4000)] = ""
) -> Response:
    """Accept, review, ask for a correction, decide."""
    return await acted(request, case, action, reason, "/office/cases")
