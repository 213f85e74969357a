"""Messages: one row a recipient and event, written in the transaction of the event, read in the cabinet."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases import wording
from cases.lifecycle import Action, Role
from cases.record import Case
from cases.service_definition import ServiceDefinition
from geo.batch import Ask, answered
from geo.jobs import enqueue

POST = "cases.post"
CALL = "cases.call"
# The channel of the database on which accounts with news are named.
CHANNEL = "messages"
Shelf = Literal["new", "done", "archive", "all"]
_TELL = text(
    "SELECT letters, calls FROM cases.tell(:case, NULL, :topic, :kind, CAST(:sides AS jsonb), CAST(:call AS jsonb))"
)
# Of the newest event of a case, whose number and instant are the database's.
_TELL_EVENT = text(
    "SELECT t.letters, t.calls FROM (SELECT id, at FROM cases.events WHERE case_id = :case ORDER BY seq DESC LIMIT 1) e,"
    " LATERAL cases.tell(:case, e.id, :topic, :kind, CAST(:sides AS jsonb),"
    " jsonb_set(CAST(:call AS jsonb), '{data,state_since}', to_jsonb(e.at))) t"
)
_COLUMNS = "m.id, m.seq, m.case_id, c.number, m.side, m.kind, m.topic, m.title, m.body, m.about, m.at, m.read_at, m.archived_at, d.document_id, d.token"
# The decision that the event of a message made.
_FROM = (
    " FROM cases.messages m LEFT JOIN cases.cases c ON c.id = m.case_id LEFT JOIN cases.events e ON e.id = m.event"
    " LEFT JOIN cases.decisions d ON d.case_id = m.case_id"
    " AND d.document_id = CAST(e.data -> 'decision' ->> 'document' AS bigint) WHERE m.account = (SELECT access.account())"
)
_SHELVES: Mapping[str, str] = {
    "new": " AND m.read_at IS NULL AND m.archived_at IS NULL",
    "done": " AND m.read_at IS NOT NULL AND m.archived_at IS NULL",
    "archive": " AND m.archived_at IS NOT NULL",
    "all": " AND m.archived_at IS NULL",
}
_SINCE = text(f"SELECT {_COLUMNS}{_FROM} AND m.seq > :seq ORDER BY m.seq LIMIT 100")
_STANDING = text(
    "SELECT (SELECT count(*) FROM cases.messages WHERE account = (SELECT access.account())"
    " AND read_at IS NULL AND archived_at IS NULL),"
    " coalesce((SELECT last_seq FROM cases.mailboxes WHERE account = (SELECT access.account())), 0)"
)
_MARK = {
    "receipt": "read_at = coalesce(read_at, clock_timestamp())",
    "archive": "read_at = coalesce(read_at, clock_timestamp()), archived_at = clock_timestamp()",
    "restore": "archived_at = NULL",
}


@dataclass(frozen=True)
class Told:
    """What to tell: the words for each side, and what systems of the party are called with."""

    topic: Literal["event", "thread", "reminder"]
    sides: Mapping[str, Mapping[str, Any]]
    type: str
    facts: Mapping[str, Any]
    kind: Literal["operative", "final"] = "operative"


@dataclass(frozen=True)
class Wanted:
    """Which messages: those of a shelf, of a kind, a page before a number."""

    shelf: Shelf = "all"
    kind: str = ""
    before: int = 0
    limit: int = 50


@dataclass(frozen=True)
class Leaving:
    """What leaves the house: how many letters and how many calls were put down."""

    letters: int
    calls: int


async def tell(connection: AsyncConnection, case: Case, told: Told) -> None:
    """Put messages, letters and calls down in this transaction; the worker sends what leaves the house."""
    await send(connection, await answered(connection, _asked(_TELL, case, told)))


def _asked(statement: TextClause, case: Case, told: Told) -> Ask[Leaving]:
    call = {
        "type": told.type,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "data": {
            "case": case.id,
            "number": case.number,
            "service": case.service,
            "party_inn": case.party_inn,
            "region": case.region,
            **told.facts,
        },
    }
    values = {
        "case": case.id,
        "topic": told.topic,
        "kind": told.kind,
        "sides": json.dumps(told.sides, ensure_ascii=False),
        "call": json.dumps(call, ensure_ascii=False, default=str),
    }
    return Ask(statement, values, lambda rows: Leaving(**rows[0]))


async def send(connection: AsyncConnection, leaving: Leaving) -> None:
    """Have the worker send what was put down, once this transaction is committed."""
    # Without a queueing lock: two transactions that tell something at once must not wait for one another.
    if leaving.letters:
        await enqueue(connection, POST, {})
    if leaving.calls:
        await enqueue(connection, CALL, {})


def of_event(
    service: ServiceDefinition, case: Case, *, action: Action, reason: str, due: Mapping[str, date]
) -> Ask[Leaving] | None:
    """Tell of the newest event, once the case stands where it led and the terms are ``due`` by their owners; to be sent
    after it. Nobody is told of a draft that was thrown away."""
    if case.number is None:
        return None
    subject = wording.Subject(service, case.state, case.number, case.party_name or case.party_inn)
    # Whoever sends an application gets its number in a letter too; of other things that he did he needs no news.
    quiet = action != Action.submit
    # The clock's reason is in the sentence already.
    said = "" if action == Action.lapse else reason
    sides: dict[str, Any] = {
        side: {**words, "quiet": quiet} for side, words in wording.event(subject, action, said, due).items()
    }
    told = Told(
        "event",
        sides,
        f"case.{action}",
        {"action": action, "state": case.state, "reason": reason},
        kind="final" if action in wording.FINAL else "operative",
    )
    return _asked(_TELL_EVENT, case, told)


async def page(connection: AsyncConnection, wanted: Wanted) -> Sequence[RowMapping]:
    """Messages of the caller, newest first."""
    condition = _SHELVES[wanted.shelf]
    values: dict[str, Any] = {"limit": wanted.limit}
    if wanted.kind:
        condition += " AND m.kind = :kind"
        values["kind"] = wanted.kind
    if wanted.before:
        condition += " AND m.seq < :before"
        values["before"] = wanted.before
    statement = text(f"SELECT {_COLUMNS}{_FROM}{condition} ORDER BY m.seq DESC LIMIT :limit")
    return (await connection.execute(statement, values)).mappings().all()


async def since(connection: AsyncConnection, seq: int) -> Sequence[RowMapping]:
    """Messages of the caller after one of his numbers, oldest first, a hundred at most."""
    return (await connection.execute(_SINCE, {"seq": seq})).mappings().all()


async def standing(connection: AsyncConnection) -> tuple[int, int]:
    """How many messages of the caller are new, and the number of his last one."""
    unread, last = (await connection.execute(_STANDING)).one()
    return unread, last


async def mark(
    connection: AsyncConnection, what: Literal["receipt", "archive", "restore"], numbers: Sequence[int] | None
) -> int:
    """Confirm the receipt of messages (F-26), put them away or take them back; None: all. How many changed."""
    statement = (
        f"UPDATE cases.messages SET {_MARK[what]} WHERE account = (SELECT access.account())"
        " AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY (CAST(:ids AS bigint[])))"
        " AND "
        + {
            "receipt": "read_at IS NULL",
            "archive": "archived_at IS NULL",
            "restore": "archived_at IS NOT NULL",
        }[what]
    )
    ids = None if numbers is None else list(numbers)
    return (await connection.execute(text(statement), {"ids": ids})).rowcount


def href(message: Mapping[str, Any] | RowMapping) -> str:
    """Where a message leads."""
    if message["case_id"] is None:
        about = message["about"]
        return f"/map?object={about['layer']}:{about['object']}" if "object" in about else "/cabinet/calendar"
    base = "/cabinet/cases" if message["side"] == Role.applicant else "/office/cases"
    return f"{base}/{message['case_id']}"


def proofs(message: Mapping[str, Any] | RowMapping) -> dict[str, str] | None:
    """Where the paper of the decision lies of which a message tells, and the public page that proves it; None for others."""
    if message["document_id"] is None:
        return None
    paper = f"{href(message)}/documents/{message['document_id']}"
    return {"paper": paper, "verify": f"/verify/{message['token']}"}


def shown(message: Mapping[str, Any] | RowMapping) -> dict[str, Any]:
    """A message as machines and the open page get it."""
    return {
        "id": message["id"],
        "seq": message["seq"],
        "kind": message["kind"],
        "topic": message["topic"],
        "case": message["case_id"],
        "number": message["number"],
        "title": message["title"],
        "text": message["body"],
        "at": message["at"],
        "status": "done" if message["read_at"] else "new",
        "read_at": message["read_at"],
        "archived_at": message["archived_at"],
        "href": href(message),
        "decision": proofs(message),
    }
