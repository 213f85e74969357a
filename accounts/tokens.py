"""Personal tokens: for GIS tools that cannot show a log-in page; shown once, read-only, with an end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.action import Action
from accounts.errors import DeniedError, UnknownFeedError
from accounts.journal import Entry, record
from accounts.models import Token
from accounts.person import Person, person_of
from accounts.secret import digest, new_secret
from geo.errors import ParameterError
from geo.settings import Settings

# A prefix by which scanners of public repositories recognise a leaked token.
PREFIX = "mzh_"
LONGEST_LABEL = 80
MOST = 50
READ = "read"
# Opens the calendar feed and nothing else: its secret stands in an address.
CALENDAR = "calendar"


async def recognise(connection: Any, secret: str) -> Person | str:
    """The person or client of a token, or why there is none: unknown, expired, revoked, blocked (hot path, psycopg)."""
    row = await (await connection.execute("SELECT accounts.token(%s)", [digest(secret)])).fetchone()
    document: dict[str, Any] = row[0]
    return str(document["refused"]) if "refused" in document else person_of(document)


async def bearer_of_feed(connection: Any, secret: str) -> Person:
    """Whose calendar a secret address shows; UnknownFeedError where it is nobody's (psycopg)."""
    found = await recognise(connection, secret)
    if isinstance(found, str) or CALENDAR not in found.scopes:
        raise UnknownFeedError(
            "There is no calendar here.", "Make a new address in your cabinet, “Calendar”."
        )
    return found


async def make(
    connection: AsyncConnection,
    person: Person,
    *,
    label: str,
    days: int,
    settings: Settings,
    scope: str = READ,
) -> str:
    """A new token of the caller, as text that is shown this once."""
    label = " ".join(label.split())
    if not 1 <= len(label) <= LONGEST_LABEL:
        raise ParameterError(
            f"The name of a token has {len(label)} characters.",
            f"Write 1 to {LONGEST_LABEL}.",
            field="label",
        )
    if not 1 <= days <= settings.token_days:
        raise ParameterError(
            f"A token cannot live for {days} days.",
            f"Choose 1 to {settings.token_days}.",
            field="days",
            value=str(days),
        )
    if len(await live(connection)) >= MOST:
        raise DeniedError(f"There are {MOST} tokens already.", "Revoke those that nobody needs.")
    secret = PREFIX + new_secret()
    values = {
        "digest": digest(secret),
        "account": person.account,
        "label": label,
        "scopes": [scope],
        "expires_at": datetime.now(UTC) + timedelta(days=days),
    }
    number = (await connection.execute(insert(Token).values(values).returning(Token.id))).scalar_one()
    await record(connection, _entry(Action.token_made, person, number, {"label": label, "days": days}))
    return secret


def _entry(action: Action, person: Person, number: int, details: dict[str, Any]) -> Entry:
    return Entry(
        action,
        account=person.account,
        concerned=person.account,
        subject="token",
        object=number,
        details=details,
    )


async def live(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Tokens of the caller that still work."""
    columns = [
        getattr(Token, name) for name in ("id", "label", "scopes", "created_at", "expires_at", "used_at")
    ]
    statement = (
        select(*columns)
        .where(Token.revoked_at.is_(None), Token.expires_at > text("now()"))
        .order_by(Token.id.desc())
    )
    return (await connection.execute(statement)).mappings().all()


async def revoke(connection: AsyncConnection, person: Person, number: int) -> None:
    """End a token of the caller; nothing happens to another's."""
    statement = (
        update(Token)
        .where(Token.id == number, Token.revoked_at.is_(None))
        .values(revoked_at=text("now()"))
        .returning(Token.id)
    )
    if (await connection.execute(statement)).first():
        await record(connection, _entry(Action.token_revoked, person, number, {}))
