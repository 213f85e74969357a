"""Signatures of a case: the bytes to sign, a code asked for and given, signature files."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import Response

from api.params import DatabaseDep, known_only
from api.routes.cases import ActorDep, DeskDep, WriterDep
from api.routes.documents import number_of
from cases import record, signing
from cases.record import case_id
from cases.signatures import kept, verifier
from cases.signatures.kept import Signature

router = APIRouter(prefix="/api/v1/cases/{case}", tags=["signatures"])


def shown(signature: Signature) -> dict[str, Any]:
    """A signature as JSON."""
    return {k: v for k, v in vars(signature).items() if k != "made_by"}


@router.get("/sheet", dependencies=[known_only()])
async def sheet(case: str, actor: ActorDep, database: DatabaseDep) -> Response:
    """The exact bytes that are submitted and signed: canonical JSON with the hashes of boundary and documents."""
    async with database.transaction(actor.caller) as connection:
        found = await record.load(connection, case_id(case))
        data = await signing.sheet_of(connection, found)
    headers = {
        "content-disposition": f'attachment; filename="case-{found.id}.json"',
        "cache-control": "no-store",
    }
    return Response(data, headers=headers, media_type="application/octet-stream")


@router.get("/signatures", dependencies=[known_only()])
async def signatures(case: str, actor: ActorDep, database: DatabaseDep) -> dict[str, Any]:
    """Signatures of a case with their verdicts."""
    async with database.transaction(actor.caller) as connection:
        found = await record.load(connection, case_id(case))
        return {"signatures": [shown(s) for s in await kept.of_case(connection, found.id)]}


@router.get("/signatures/{signature}", dependencies=[known_only()])
async def file(case: str, signature: str, actor: ActorDep, database: DatabaseDep) -> Response:
    """The bytes of a detached signature."""
    async with database.transaction(actor.caller) as connection:
        found = await record.load(connection, case_id(case))
        data = await kept.bytes_of(connection, found.id, number_of(signature))
    headers = {"content-disposition": f'attachment; filename="case-{found.id}.sig"'}
    return Response(data, headers=headers, media_type="application/pkcs7-signature")


@router.post("/signatures", status_code=201, dependencies=[known_only("document")])
async def upload(
    *,
    request: Request,
    case: str,
    actor: ActorDep,
    desk: DeskDep,
    writer: WriterDep,
    document: Annotated[
        int | None, Query(ge=1, description="Document that is signed; none: the case")
    ] = None,
) -> dict[str, Any]:
    """A detached signature (CMS, CAdES-BES; DER, PEM or base64) as the body: of ``/sheet``, or of a document."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > 2 * verifier.MOST_BYTES:
            break
    made = await signing.upload(writer, desk, actor, case_id(case), data=data, document=document)
    async with writer.transaction(actor.caller) as connection:
        return shown(next(s for s in await kept.of_case(connection, case_id(case)) if s.id == made))


@router.post("/signatures/code", status_code=202, dependencies=[known_only()])
async def ask(case: str, actor: ActorDep, desk: DeskDep, writer: WriterDep) -> dict[str, str]:
    """Have a code sent by e-mail that signs the case as it stands."""
    async with writer.transaction(actor.caller) as connection:
        await signing.ask_code(connection, desk, actor, case_id(case))
    return {"sent": "e-mail"}


@router.post("/signatures/confirm", status_code=201, dependencies=[known_only()])
async def confirm(
    case: str,
    code: Annotated[str, Body(embed=True, min_length=1, max_length=20)],
    actor: ActorDep,
    desk: DeskDep,
    writer: WriterDep,
) -> dict[str, Any]:
    """Sign with the code of the letter."""
    async with writer.transaction(actor.caller) as connection:
        wrong = await signing.sign_by_code(connection, desk, actor, case_id(case), code=code)
        held = await kept.of_case(connection, case_id(case))
    if wrong:
        raise wrong
    return shown(held[-1])
