"""Signatures as they are kept: rows that are never changed, with everything that their verification relied on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import journal
from accounts.action import Action as Did
from accounts.journal import Entry
from cases.desk import Actor
from cases.record import Case
from cases.signatures.errors import UnknownSignatureError
from geo.batch import Ask, answered

_COLUMNS = "id, case_id, document_id, level, signed_sha256, form, verdict, own, signer, signed_at, relied_on, role, made_by, made_at"
_OF_CASE = text(f"SELECT {_COLUMNS} FROM cases.signatures WHERE case_id = :case ORDER BY id")
_ADD = text(
    "INSERT INTO cases.signatures (case_id, document_id, level, signed_sha256, form, bytes, verdict, own, signer,"
    " signed_at, relied_on, role) VALUES (:case, :document, :level, :sha256, :form, :bytes, :verdict, :own,"
    " CAST(:signer AS jsonb), :signed_at, CAST(:relied_on AS jsonb), '') RETURNING id"
)
_BYTES = text("SELECT bytes FROM cases.signatures WHERE case_id = :case AND id = :id AND bytes IS NOT NULL")

Level = Literal["code", "qualified"]


@dataclass(frozen=True)
class Signature:
    """One signature; ``own`` where the signer is the party of the case (or somebody of the office for its papers)."""

    id: int
    case_id: int
    document_id: int | None
    level: Level
    signed_sha256: str
    form: str
    verdict: str
    own: bool
    signer: dict[str, Any]
    signed_at: datetime | None
    relied_on: dict[str, Any]
    role: str
    made_by: int | None
    made_at: datetime

    def holds(self, sha256: str) -> bool:
        """Whether it signs these bytes, was found valid, and is the applicant's own."""
        return (
            self.signed_sha256 == sha256 and self.verdict == "valid" and self.own and self.role == "applicant"
        )


@dataclass(frozen=True)
class New:
    """A signature that was verified and is to be kept."""

    level: Level
    sha256: str
    form: Literal["code", "cms", "cades"]
    verdict: Literal["valid", "cannot_tell"] = "valid"
    own: bool = True
    document: int | None = None
    data: bytes | None = None
    signer: Mapping[str, Any] = field(default_factory=dict)
    signed_at: datetime | None = None
    relied_on: Mapping[str, Any] = field(default_factory=dict)


async def of_case(connection: AsyncConnection, case: int) -> Sequence[Signature]:
    """Signatures of a case that the caller may see, oldest first."""
    return await answered(connection, asked(case))


def asked(case: int) -> Ask[Sequence[Signature]]:
    """The same, to be sent with others."""
    return Ask(_OF_CASE, {"case": case}, lambda rows: [Signature(**row) for row in rows])


async def bytes_of(connection: AsyncConnection, case: int, identity: int) -> bytes:
    """The bytes of a detached signature; UnknownSignatureError where there are none."""
    found = (await connection.execute(_BYTES, {"case": case, "id": identity})).scalar_one_or_none()
    if found is None:
        raise UnknownSignatureError(
            f"There is no signature file {identity}.",
            "A signature by code has none.",
            field="signature",
            value=str(identity),
        )
    return bytes(found)


async def add(connection: AsyncConnection, actor: Actor, case: Case, new: New) -> int:
    """Keep a signature and enter it into the journal; returns its id."""
    values = {
        "case": case.id,
        "document": new.document,
        "level": new.level,
        "sha256": new.sha256,
        "form": new.form,
        "bytes": new.data,
        "verdict": new.verdict,
        "own": new.own,
        "signer": json.dumps(dict(new.signer), ensure_ascii=False, default=str),
        "signed_at": new.signed_at,
        "relied_on": json.dumps(dict(new.relied_on), ensure_ascii=False, default=str),
    }
    identity: int = (await connection.execute(_ADD, values)).scalar_one()
    entry = Entry(
        Did.sign,
        account=actor.caller.account,
        subject="cases.signatures",
        object=identity,
        region=case.region,
        inn=case.party_inn,
        details={"case": case.id, "level": new.level, "sha256": new.sha256, "verdict": new.verdict},
    )
    await journal.record(connection, entry)
    return identity
