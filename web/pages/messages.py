"""My messages: new, done and put away; receipt is confirmed with one button."""

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from cases import messages
from cases.messages import Shelf, Wanted
from web.templating import page
from web.visitor import CallerDep, DatabaseDep, OfficeDep, PersonDep

router = APIRouter(prefix="/cabinet/messages")
LIMIT = 50
Number = Annotated[int, Field(ge=1, lt=2**53)]


@router.get("")
async def listed(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    status: Shelf = "all",
    kind: Annotated[str, Query(pattern="^(operative|final)?$")] = "",
    before: Annotated[int, Query(ge=0, lt=2**53)] = 0,
) -> Response:
    """Messages of a shelf, newest first."""
    async with database.transaction(caller) as connection:
        found = await messages.page(connection, Wanted(status, kind, before, LIMIT))
        unread, _ = await messages.standing(connection)
    data = {
        "person": person,
        "messages": [messages.shown(m) for m in found],
        "unread": unread,
        "status": status,
        "kind": kind,
        "shelves": get_args(Shelf),
        "next_before": found[-1]["seq"] if len(found) == LIMIT else None,
    }
    response = page(request, "messages/list.html", data)
    response.headers["cache-control"] = "no-store"
    return response


@router.post("")
async def mark(
    caller: CallerDep,
    writer: OfficeDep,
    mark: Annotated[Literal["receipt", "archive", "restore"], Form()],
    message: Annotated[list[Number] | None, Form(max_length=500)] = None,
    shelf: Annotated[Shelf, Form()] = "all",
) -> Response:
    """Confirm, archive or take back the messages named, or all where none is."""
    async with writer.transaction(caller) as connection:
        await messages.mark(connection, mark, message)
    return RedirectResponse(f"/cabinet/messages?status={shelf}", 303)
