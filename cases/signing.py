"""Signing a case: the bytes that are signed, and each way to sign them, within the transaction of the caller."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.errors import CodeError
from cases import record, sheet
from cases.desk import Actor, Desk
from cases.documents import shelf, store
from cases.errors import NotAllowedError
from cases.lifecycle import Role
from cases.record import Case
from cases.signatures import by_code, kept, verifier
from cases.signatures.errors import LevelError, SignatureRefusedError, SignedOtherwiseError
from cases.signatures.reasons import told
from cases.signatures.verifier import Verdict
from geo.db import Database

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


async def upload(
    database: Database, desk: Desk, actor: Actor, case_id: int, *, data: bytes, document: int | None = None
) -> int:
    """Keep a detached signature of the case as it stands, or of a document; returns its id.

    It is verified before it is kept, while no connection is held. SignatureRefusedError says why it is not valid; one
    of which nobody can tell is kept as such, and does not count.
    """
    async with database.transaction(actor.caller) as connection:
        content, case = await _signable(connection, desk, actor, case_id, document)
    verdict = await _verdict(desk, data, content)
    if verdict.verdict == "invalid":
        raise SignatureRefusedError(
            verdict.en, field="signature", value=verdict.reason, reason=verdict.reason, ru=verdict.ru
        )
    new = _new(actor, case, verdict, sheet.hashed(content), document)
    async with database.transaction(actor.caller) as connection:
        again, case = await _signable(connection, desk, actor, case_id, document)
        if again != content:
            raise SignedOtherwiseError(
                "The case was changed while its signature was verified.",
                "Download what is to be signed again.",
                field="signature",
            )
        return await kept.add(connection, actor, case, new)


async def _signable(
    connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, document: int | None
) -> tuple[bytes, Case]:
    """The exact bytes that are to be signed; the case is locked."""
    if document is None:
        case, _ = await _own(connection, actor, case_id)
        service = await record.definition_of(connection, desk, case)
        if service.signature == "none":
            raise LevelError(f"{service.title.en} needs no signature.", "Send it.", field="signature")
        return await sheet_of(connection, case), case
    case = await record.load(connection, case_id, lock=True)
    role = shelf.check_open(case, actor.role_in(case.party_inn, case.region))
    paper = await shelf.one(connection, case.id, document)
    if paper.side != role:
        raise NotAllowedError("Only those who attached it sign it.", "Ask them.", field="document")
    return await store.whole(store.store_of(desk.installation), paper.sha256), case


async def _verdict(desk: Desk, data: bytes, content: bytes) -> Verdict:
    path = await asyncio.to_thread(store.incoming, desk.installation)
    try:
        await asyncio.to_thread(path.write_bytes, content)
        return await asyncio.to_thread(verifier.verify, desk.installation, data, path)
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


def _new(actor: Actor, case: Case, verdict: Verdict, sha256: str, document: int | None) -> kept.New:
    """The row of a signature; SignatureRefusedError where its certificate is of another party."""
    found = verdict.certificate
    inns = found.inns if found else ()
    applicant = actor.role_in(case.party_inn, case.region) == Role.applicant
    words: dict[str, str] = {}
    if applicant and inns and case.party_inn not in inns:
        words = told("other-signer", inn=", ".join(inns), party=case.party_inn)
        raise SignatureRefusedError(
            words["en"], field="signature", value=inns[0], reason="other-signer", ru=words["ru"]
        )
    own = not applicant or case.party_inn in inns
    if not own and verdict.verdict == "valid":
        words = told("no-inn")
    return kept.New(
        "qualified",
        sha256,
        verdict.form,
        verdict="valid" if verdict.verdict == "valid" else "cannot_tell",
        own=own,
        document=document,
        data=verdict.der,
        signer=found.shown() if found else {},
        signed_at=verdict.signed_at,
        relied_on={**verdict.relied_on, **words},
    )
