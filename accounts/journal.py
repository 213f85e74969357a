"""The journal: who did what, written in the transaction of what it records.

The database chains every entry at once and keeps it (migration 0005); docs/decisions/0040 tells why so.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import BigInteger, RowMapping, cast, func, null, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.action import Action
from geo.access import Caller
from geo.batch import Ask, order
from geo.layers import Access
from geo.objects import gate
from geo.session import sql_of

_FIELDS = ("action", "account", "concerned", "subject", "object", "region", "inn", "address", "details")
_PLAIN = "SELECT journal.append({})".format(
    ", ".join(f"%({name})s" + ("::jsonb" if name == "details" else "") for name in _FIELDS)
)
_BOUND = text(
    "SELECT journal.append({})".format(
        ", ".join(f"CAST(:{name} AS jsonb)" if name == "details" else f":{name}" for name in _FIELDS)
    )
)
_LISTED = text(f"{_BOUND.text} WHERE access.layer_rank(CAST(:subject AS text)) >= :rank")
_READ = text(sql_of("accounts", "journal_read"))


@dataclass(frozen=True)
class Entry:
    """One thing that somebody did.

    ``account`` did it (None: nobody logged in, or the system), ``concerned`` is the account to which it was
    done, ``subject`` and ``object`` say to what (a layer or another noun, and the id in it), ``region`` and
    ``inn`` open the entry to that region's staff and that party, ``details`` is JSON of at most 16 kB.
    """

    action: Action
    account: int | None = None
    concerned: int | None = None
    subject: str = ""
    object: int | None = None
    region: str = ""
    inn: str = ""
    address: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """Values of the statement that appends it; a zero byte, which the database cannot hold, is dropped."""
        found = {name: getattr(self, name) for name in _FIELDS}
        found["action"] = self.action.value
        found["details"] = json.dumps(dict(self.details), ensure_ascii=False, default=str).replace(
            "\\u0000", ""
        )
        return {k: v.replace("\x00", "") if isinstance(v, str) else v for k, v in found.items()}


def recorded(entry: Entry) -> Ask[None]:
    """`record`, to be sent with other statements."""
    return order(_BOUND, entry.values())


async def record(connection: AsyncConnection | psycopg.AsyncConnection[TupleRow], entry: Entry) -> None:
    """Append an entry in the connection's transaction; it is there if and only if that commits."""
    if isinstance(connection, AsyncConnection):
        await connection.execute(_BOUND, entry.values())
    else:
        await connection.execute(_PLAIN, entry.values())


def enter(connection: psycopg.Connection[TupleRow], entry: Entry) -> None:
    """`record` for a plain connection: loads, commands, the worker."""
    connection.execute(_PLAIN, entry.values())


async def viewed(
    connection: AsyncConnection, caller: Caller, layer: str, identity: int, *, address: str = ""
) -> None:
    """Record that somebody looked at an object, if it is restricted by its layer or by itself."""
    if caller.anonymous:
        return  # what he sees is public
    table = gate(layer)
    inn = table.c.holder_inn if "holder_inn" in table.c else null()
    newest = (
        select(table.c.region, inn.label("inn"), table.c.visibility)
        .where(table.c.id == identity)
        .order_by(table.c.sys_from.desc())
        .limit(1)
        .subquery()
    )
    rank = func.greatest(newest.c.visibility, func.access.layer_rank(layer))
    values = (cast(caller.account, BigInteger), null(), layer, cast(identity, BigInteger))
    added = func.journal.append(
        Action.view.value, *values, newest.c.region, newest.c.inn, address, cast({}, JSONB)
    )
    await connection.execute(select(added).where(rank >= Access.restricted))


async def listed(
    connection: AsyncConnection,
    caller: Caller,
    layer: str,
    *,
    details: Mapping[str, Any],
    address: str = "",
) -> None:
    """Record that somebody read a list of a restricted layer; ``details`` says which part of it."""
    if caller.anonymous:
        return
    entry = Entry(Action.listed, account=caller.account, subject=layer, address=address, details=details)
    await connection.execute(_LISTED, entry.values() | {"rank": int(Access.restricted)})


async def downloaded(
    connection: AsyncConnection,
    caller: Caller,
    subject: str,
    *,
    details: Mapping[str, Any],
    address: str = "",
) -> None:
    """Record that somebody who is logged in took data away as a file."""
    if not caller.anonymous:
        entry = Entry(
            Action.download, account=caller.account, subject=subject, address=address, details=details
        )
        await record(connection, entry)


@dataclass(frozen=True)
class Question:
    """Which entries: of these days (local midnight of the database's zone), this action, this account; newest first."""

    first: date | None = None
    last: date | None = None
    action: Action | None = None
    account: int | None = None
    own: bool = False
    limit: int = 50
    offset: int = 0


async def read(connection: AsyncConnection, question: Question) -> Sequence[RowMapping]:
    """Entries that the caller may read, newest first; the address only of his own, or for staff."""
    values = {
        "first": question.first,
        "past": None if question.last is None else question.last + timedelta(days=1),
        "action": question.action.value if question.action else None,
        "account": question.account,
        "own": question.own,
        "limit": question.limit,
        "offset": question.offset,
    }
    return (await connection.execute(_READ, values)).mappings().all()


async def was_read(
    connection: AsyncConnection,
    caller: Caller,
    question: Question,
    *,
    address: str = "",
    taken: bool = False,
) -> None:
    """Record that somebody read the journal of others, or took an excerpt away."""
    asked = {"from": question.first, "to": question.last, "action": question.action, "of": question.account}
    details = {k: str(v) for k, v in asked.items() if v is not None} | ({"excerpt": True} if taken else {})
    entry = Entry(
        Action.journal_read, account=caller.account, subject="journal", address=address, details=details
    )
    await record(connection, entry)
