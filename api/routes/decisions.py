"""Decisions: the newest paper of a case, and the public proof of any."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from api.params import AddressDep, DatabaseDep, known_only
from api.routes.cases import ActorDep, DeskDep
from cases.decisions import verification
from cases.documents import reading, shelf
from cases.record import case_id
from geo.access import ANONYMOUS

router = APIRouter(prefix="/api/v1", tags=["decisions"])


@router.get("/cases/{case}/decision", dependencies=[known_only()])
async def paper(
    case: str, actor: ActorDep, desk: DeskDep, database: DatabaseDep, address: AddressDep
) -> Response:
    """The newest decision of a case: a signed PDF/A with its map."""
    async with database.transaction(actor.caller) as connection:
        document = await shelf.decision(connection, case_id(case))
    found = await reading.read(
        database, desk, actor, case_id(case), document=document.id, download=True, address=address
    )
    return StreamingResponse(found.chunks, headers=dict(found.headers), media_type=found.media)


@router.get("/decisions/{code}", dependencies=[known_only()])
async def proof(code: str, database: DatabaseDep) -> dict[str, Any]:
    """Whether a decision is genuine: by its number, or by the code of its paper. Public."""
    async with database.transaction(ANONYMOUS) as connection:
        return (await verification.prove(connection, code)).shown()
