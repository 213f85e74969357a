"""Documents of a case as pages: read one, take one away, share one with the applicant."""

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from cases import record, signing
from cases.documents import reading, shelf
from cases.record import case_id
from web import case_view
from web.visitor import DatabaseDep, Number, OriginDep

router = APIRouter(prefix="/{room}/cases/{case}")
Room = Literal["cabinet", "office"]


@router.get("/documents/{document}")
async def read(
    *,
    request: Request,
    room: Room,
    case: str,
    document: Number,
    database: DatabaseDep,
    origin: OriginDep,
    download: bool = False,
) -> Response:
    """A document in the browser, or as a file."""
    found = await reading.read(
        database,
        case_view.desk_of(request),
        case_view.actor_of(request),
        case_id(case),
        document=document,
        download=download,
        address=origin.address,
    )
    return StreamingResponse(found.chunks, headers=dict(found.headers), media_type=found.media)


@router.get("/sheet")
async def sheet(request: Request, room: Room, case: str, database: DatabaseDep) -> Response:
    """The exact bytes that are submitted, as a file to sign."""
    actor = case_view.actor_of(request)
    async with database.transaction(actor.caller) as connection:
        found = await record.load(connection, case_id(case))
        data = await signing.sheet_of(connection, found)
    headers = {
        "content-disposition": f'attachment; filename="case-{found.id}.json"',
        "cache-control": "no-store",
    }
    return Response(data, headers=headers, media_type="application/octet-stream")


@router.post("/documents/{document}/remove")
async def remove(request: Request, room: Room, case: str, document: Number) -> Response:
    """Take a document with its versions from the case."""
    actor = case_view.actor_of(request)
    async with case_view.writer_of(request).transaction(actor.caller) as connection:
        found = await record.load(connection, case_id(case), lock=True)
        await shelf.remove(connection, actor, found, await shelf.one(connection, found.id, document))
    return RedirectResponse(f"/{room}/cases/{found.id}#documents", 303)


@router.post("/documents/{document}/share")
async def share(request: Request, room: Room, case: str, document: Number) -> Response:
    """Let the applicant read a paper of the office."""
    actor = case_view.actor_of(request)
    async with case_view.writer_of(request).transaction(actor.caller) as connection:
        found = await record.load(connection, case_id(case), lock=True)
        await shelf.share(connection, actor, found, await shelf.one(connection, found.id, document))
    return RedirectResponse(f"/{room}/cases/{found.id}#documents", 303)
