"""What outsiders need to check the journal: published roots, and the script that checks an excerpt."""

from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Response

from accounts import roots
from api.params import CallerDep, DatabaseDep, known_only

router = APIRouter(prefix="/api/v1/journal", tags=["journal"])


@router.get("/roots", dependencies=[known_only()])
async def published(database: DatabaseDep, caller: CallerDep) -> dict[str, Any]:
    """The newest roots, newest first; keep copies of them."""
    async with database.transaction(caller) as connection:
        found = await roots.newest(connection)
    return {"roots": [{k: v for k, v in root.document().items() if k != "strands"} for root in found]}


@router.get("/roots/{name}", dependencies=[known_only()])
async def one(name: str, database: DatabaseDep, caller: CallerDep) -> dict[str, Any]:
    """One root, as its file has it."""
    async with database.transaction(caller) as connection:
        return (await roots.named(connection, name)).document()


@router.get("/verifier", dependencies=[known_only()])
async def verifier() -> Response:
    """The script that checks an excerpt with Python's standard library alone."""
    script = files("accounts").joinpath("verify_excerpt.py").read_text("utf-8")
    disposition = {"content-disposition": 'attachment; filename="verify_excerpt.py"'}
    return Response(script, media_type="text/x-python; charset=utf-8", headers=disposition)
