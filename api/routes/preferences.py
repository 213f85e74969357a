"""How a person is told: by letter at once or once a day, by short message, forwarded to another address."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from api.params import DatabaseDep, known_only
from api.routes.cases import WriterDep
from api.routes.messages import ReaderDep
from api.schemas import Choosing, Forwarding, Proving
from cases import preferences

router = APIRouter(prefix="/api/v1/preferences", tags=["messages"])


@router.get("", dependencies=[known_only()])
async def read(caller: ReaderDep, database: DatabaseDep) -> dict[str, Any]:
    """My choices."""
    async with database.transaction(caller) as connection:
        return asdict(await preferences.read(connection))


@router.put("", dependencies=[known_only()])
async def keep(body: Choosing, caller: ReaderDep, writer: WriterDep) -> dict[str, Any]:
    """Choose anew; what is not named comes by letter at once."""
    async with writer.transaction(caller) as connection:
        return asdict(await preferences.keep(connection, **body.model_dump()))


@router.post("/forwarding", status_code=202, dependencies=[known_only()])
async def ask_forwarding(body: Forwarding, caller: ReaderDep, writer: WriterDep) -> dict[str, str]:
    """Have a code sent to another address; letters go there once it is entered."""
    async with writer.transaction(caller) as connection:
        await preferences.ask_forwarding(connection, caller.account or 0, body.address)
    return {"sent_to": body.address}


@router.post("/forwarding/code", dependencies=[known_only()])
async def confirm_forwarding(body: Proving, caller: ReaderDep, writer: WriterDep) -> dict[str, Any]:
    """Enter the code."""
    async with writer.transaction(caller) as connection:
        wrong = await preferences.confirm_forwarding(connection, caller.account or 0, body.code)
        chosen = await preferences.read(connection)
    if wrong is not None:
        raise wrong
    return asdict(chosen)


@router.delete("/forwarding", dependencies=[known_only()])
async def end_forwarding(caller: ReaderDep, writer: WriterDep) -> dict[str, Any]:
    """Forward no longer."""
    async with writer.transaction(caller) as connection:
        await preferences.end_forwarding(connection, caller.account or 0)
        return asdict(await preferences.read(connection))
