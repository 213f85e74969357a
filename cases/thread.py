"""The thread of a case: what applicant and office write to one another; both see it, nobody else does."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import journal
from accounts.action import Action as Journalled
from accounts.journal import Entry
from cases import messages, record, wording
from cases.desk import Actor, Desk
from cases.errors import NotAllowedError, ReasonMissingError, WrongStateError
from cases.lifecycle import FINAL, Role
from cases.messages import Told

LONGEST = 4000
_READ = text("SELECT id, at, role, author, words FROM cases.remarks WHERE case_id = :case ORDER BY id")
_WRITE = text(
    "INSERT INTO cases.remarks (case_id, role, author, words) VALUES (:case, :role, :author, :words)"
    " RETURNING id, at, role, author, words"
)


async def read(connection: AsyncConnection, case: int) -> Sequence[RowMapping]:
    """Remarks of a case, oldest first; of a case that the caller does not see there are none."""
    return (await connection.execute(_READ, {"case": case})).mappings().all()


async def write(
    connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, words: str
) -> RowMapping:
    """Write to the other side, which is told in this transaction.

    NotAllowedError for whoever is on no side, WrongStateError for a draft or a finished case, ReasonMissingError
    where nothing, or too much, is said.
    """
    case = await record.load(connection, case_id)
    role = actor.role_in(case.party_inn, case.region)
    if role not in (Role.applicant, Role.officer):
        raise NotAllowedError("You are on no side of this case.", "Log in as somebody who is.", field="case")
    if case.number is None or case.state in FINAL:
        raise WrongStateError(
            f"Case {case.number or case.id} has no thread: it is {case.state}.",
            "Send the draft first; after the end write to the office by letter.",
            field="case",
            value=case.state,
        )
    words = words.replace("\r\n", "\n").replace("\x00", "").strip()
    if not 1 <= len(words) <= LONGEST:
        raise ReasonMissingError(
            f"The message has {len(words)} characters.", f"Write 1 to {LONGEST}.", field="text"
        )
    values = {"case": case.id, "role": role, "author": actor.name[:200] or role, "words": words}
    written = (await connection.execute(_WRITE, values)).mappings().one()
    service = await record.definition_of(connection, desk, case)
    subject = wording.Subject(service, case.state, case.number, case.party_name or case.party_inn)
    side = "officer" if role == Role.applicant else "applicant"
    told = Told(
        "thread",
        {side: {**wording.remark(subject, written["author"], words), "quiet": True}},
        "thread.written",
        {"remark": written["id"], "by": role, "text": words},
    )
    await messages.tell(connection, case, told)
    entry = Entry(
        Journalled.message,
        account=actor.caller.account,
        subject="cases",
        object=case.id,
        region=case.region,
        inn=case.party_inn,
        details={"remark": written["id"], "by": role},
    )
    await journal.record(connection, entry)
    return written


def shown(remark: RowMapping) -> dict[str, Any]:
    """A remark for machines; times as text, for the answer is kept under its key."""
    return {
        "id": remark["id"],
        "at": remark["at"].isoformat(),
        "role": remark["role"],
        "author": remark["author"],
        "text": remark["words"],
    }
