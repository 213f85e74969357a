"""Documents of a case: attached as raw bytes, listed, read, shared, removed."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from api.params import AddressDep, DatabaseDep, known_only
from api.routes.cases import ActorDep, DeskDep, WriterDep
from cases import record
from cases.documents import intake, reading, shelf
from cases.documents.shelf import Document, Offer
from cases.record import case_id
from geo.errors import ParameterError
from geo.identifiers import whole_number

router = APIRouter(prefix="/api/v1/cases/{case}/documents", tags=["documents"])


def shown(document: Document) -> dict[str, Any]:
    """A document as JSON."""
    href = f"/api/v1/cases/{document.case_id}/documents/{document.id}"
    return {k: v for k, v in vars(document).items() if k != "made_by"} | {"href": href}


def number_of(value: str) -> int:
    """The id of a document or signature from a path."""
    if (number := whole_number(value)) is not None:
        return number
    raise ParameterError(
        f"“{value[:40]}” is no id.", "Ids are whole numbers.", field="document", value=value[:40]
    )


@router.get("", dependencies=[known_only()])
async def documents(case: str, actor: ActorDep, database: DatabaseDep) -> dict[str, Any]:
    """Documents of a case that I may see, every version."""
    async with database.transaction(actor.caller) as connection:
        found = await record.load(connection, case_id(case))
        return {"documents": [shown(d) for d in await shelf.of_case(connection, found.id)]}


@router.post("", status_code=201, dependencies=[known_only("kind", "name", "dated", "replaces", "shared")])
async def attach(
    *,
    request: Request,
    case: str,
    actor: ActorDep,
    desk: DeskDep,
    writer: WriterDep,
    kind: Annotated[str, Query(max_length=60, description="Kind of document of the service")],
    name: Annotated[str, Query(min_length=1, max_length=300, description="Name of the file")],
    dated: Annotated[date | None, Query(description="Date of the paper")] = None,
    replaces: Annotated[
        int | None, Query(ge=1, description="Document of which this is a new version")
    ] = None,
    shared: Annotated[bool, Query(description="Whether the applicant may read a paper of the office")] = True,
) -> dict[str, Any]:
    """Attach a file: its bytes are the body of the request, as they are."""
    offer = Offer(kind, name, dated, replaces, shared)
    return shown(await intake.take(writer, desk, actor, case_id(case), offer=offer, chunks=request.stream()))


@router.get("/{document}", dependencies=[known_only("download")])
async def read(
    *,
    case: str,
    document: str,
    actor: ActorDep,
    desk: DeskDep,
    database: DatabaseDep,
    address: AddressDep,
    download: bool = True,
) -> Response:
    """The bytes of a document, as they were handed in."""
    found = await reading.read(
        database, desk, actor, case_id(case), document=number_of(document), download=download, address=address
    )
    return StreamingResponse(found.chunks, headers=dict(found.headers), media_type=found.media)


@router.post("/{document}/share", dependencies=[known_only()])
async def share(case: str, document: str, actor: ActorDep, writer: WriterDep) -> dict[str, Any]:
    """Let the applicant read a paper of the office."""
    async with writer.transaction(actor.caller) as connection:
        found = await record.load(connection, case_id(case), lock=True)
        paper = await shelf.one(connection, found.id, number_of(document))
        await shelf.share(connection, actor, found, paper)
        return shown(await shelf.one(connection, found.id, paper.id))


@router.delete("/{document}", status_code=204, dependencies=[known_only()])
async def remove(case: str, document: str, actor: ActorDep, writer: WriterDep) -> Response:
    """Take a document with all its versions from the case, while that is open."""
    async with writer.transaction(actor.caller) as connection:
        found = await record.load(connection, case_id(case), lock=True)
        await shelf.remove(
            connection, actor, found, await shelf.one(connection, found.id, number_of(document))
        )
    return Response(status_code=204)
