"""Messages of the person who is logged in: listed, confirmed, put away, and live as server-sent events."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from accounts.errors import LogInNeededError
from api.params import CallerDep, DatabaseDep, at_once, known_only
from api.routes.cases import WriterDep
from api.schemas import Marking
from api.stream import frames
from cases import messages
from cases.messages import Shelf, Wanted
from geo.access import Caller
from geo.bell import Bell
from geo.errors import ParameterError

router = APIRouter(prefix="/api/v1/messages", tags=["messages"])
LARGEST = 2**53


def reader_of(caller: CallerDep) -> Caller:
    """A person: systems of a party are told by webhooks."""
    if caller.account is None:
        raise LogInNeededError("Messages are for people who are logged in.", "Log in; systems use webhooks.")
    return caller


ReaderDep = Annotated[Caller, at_once(reader_of)]


def last_of(
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
    after: Annotated[str | None, Query(description="As Last-Event-ID, where headers cannot be set")] = None,
) -> int | None:
    """Number after which a stream goes on."""
    given = last_event_id or after
    if not given:
        return None
    if not given.isdecimal() or int(given) > LARGEST:
        raise ParameterError(
            f"Last-Event-ID {given[:20]} is no number of a message.",
            "Send the id of the last event that came, or none.",
            field="Last-Event-ID",
            value=given[:20],
        )
    return int(given)


@router.get("", dependencies=[known_only("status", "kind", "before", "limit")])
async def listed(
    *,
    caller: ReaderDep,
    database: DatabaseDep,
    status: Annotated[Shelf, Query(description="new, done, archive, or all but the archive")] = "all",
    kind: Annotated[str, Query(pattern="^(operative|final)?$")] = "",
    before: Annotated[int, Query(ge=0, lt=LARGEST, description="Number before which the page begins")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """My messages, newest first, and how many are new."""
    async with database.transaction(caller) as connection:
        found = await messages.page(connection, Wanted(status, kind, before, limit))
        unread, _ = await messages.standing(connection)
    return {
        "messages": [messages.shown(m) for m in found],
        "unread": unread,
        "next_before": found[-1]["seq"] if len(found) == limit else None,
    }


@router.post("/marks", dependencies=[known_only()])
async def mark(body: Marking, caller: ReaderDep, writer: WriterDep) -> dict[str, Any]:
    """Confirm receipt (F-26), archive, or take back from the archive; repeating it changes nothing."""
    async with writer.transaction(caller) as connection:
        changed = await messages.mark(
            connection, body.mark, None if body.messages == "all" else body.messages
        )
        unread, _ = await messages.standing(connection)
    return {"changed": changed, "unread": unread}


@router.get(
    "/stream",
    dependencies=[known_only("after")],
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def stream(
    request: Request, caller: ReaderDep, database: DatabaseDep, last: Annotated[int | None, at_once(last_of)]
) -> StreamingResponse:
    """What comes in, live: ``message`` and ``unread`` events; resumes after Last-Event-ID."""
    bell: Bell = request.app.state.bell
    again = request.scope["state"]["recognise"]
    bell.admit(str(caller.account))
    return StreamingResponse(
        frames(database, caller, bell, last=last, again=again),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
