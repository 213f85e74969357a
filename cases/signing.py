"""Signing a case: the bytes that are signed, and each way to sign them, within the transaction of the caller."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.errors import CodeError
from cases import record, sheet
from cases.desk import Actor, Desk
from cases.documents import shelf
from cases.errors import NotAllowedError
from cases.lifecycle import Role
from cases.record import Case
from cases.signatures import by_code
from cases.signatures.errors import SignedOtherwiseError

_GROUND = text("SELECT sha256 FROM cases.geometries WHERE id = :id")


async def sheet_of(connection: AsyncConnection, case: Case) -> bytes:
    """The bytes of the submission as the case stands; these are signed."""
    sha256 = ""
    if case.geometry is not None:
        sha256 = (await connection.execute(_GROUND, {"id": case.geometry})).scalar_one()
    return sheet.sheet(case, sha256, await shelf.current(connection, case.id))


async def _own(connection: AsyncConnection, actor: Actor, case_id: int) -> tuple[Case, str]:
    """The applicant's case, locked, with the hash of its sheet."""
    case = await record.load(connection, case_id, lock=True)
    role = actor.role_in(case.party_inn, case.region)
    if role != Role.applicant:
        raise NotAllowedError("Only the applicant signs what he submits.", "Ask him.", field="case")
    shelf.check_open(case, role)
    return case, sheet.hashed(await sheet_of(connection, case))


async def ask_code(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int) -> None:
    """Have the code sent that signs the case as it stands."""
    case, sha256 = await _own(connection, actor, case_id)
    by_code.check_level(await record.definition_of(connection, desk, case))
    await by_code.ask(connection, actor, case, sha256)


async def sign_by_code(
    connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, *, code: str
) -> CodeError | SignedOtherwiseError | None:
    """Sign with the code of the letter; what was wrong is returned, for a used-up try must be committed."""
    case, sha256 = await _own(connection, actor, case_id)
    by_code.check_level(await record.definition_of(connection, desk, case))
    return await by_code.sign(connection, actor, case, sha256, code=code)
