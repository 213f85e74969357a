"""The public proof of a decision: number, hash, state, and its place in the journal."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from cases.decisions import verification
from cases.decisions.errors import UnknownDecisionError
from geo.access import ANONYMOUS
from web.templating import page
from web.visitor import DatabaseDep

router = APIRouter(prefix="/verify")


@router.get("")
async def ask(
    request: Request, database: DatabaseDep, code: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """A field for the number; with a number, its proof."""
    return await _shown(request, database, code.strip())


@router.get("/{code}")
async def proof(request: Request, code: str, database: DatabaseDep) -> Response:
    """The proof to which the code on the paper leads."""
    return await _shown(request, database, code)


async def _shown(request: Request, database: DatabaseDep, code: str) -> Response:
    """What everybody sees is the same, whoever is logged in."""
    found, status = None, 200
    if code:
        try:
            async with database.transaction(ANONYMOUS) as connection:
                found = await verification.prove(connection, code)
        except UnknownDecisionError:
            status = 404
    return page(request, "cases/verify.html", {"proof": found, "code": code}, status)
