"""Sessions: opened at log-in, renewed by use, under a new secret at every step, listed and ended."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.action import Action
from accounts.consent import EDITION
from accounts.journal import Entry, record
from accounts.models import Session
from accounts.origin import Origin
from accounts.person import Person, person_of
from accounts.secret import digest, new_secret
from geo.settings import Settings

_OPEN = text("SELECT accounts.open_session(:who, :digest, CAST(:details AS jsonb))")
_SESSION = text("SELECT accounts.session(:digest)")
_AWAITS = text("SELECT accounts.awaits(:who, :method, :strong, :days, :edition)")
_RENEW = text("SELECT accounts.renew_session(:old, :new, :stage, :strong)")
_CLOSE = text("SELECT accounts.close_session(:digest)")
_PROVIDED = text("SELECT accounts.close_provided(:provider, :subject, :sid)")


@dataclass(frozen=True)
class Entrance:
    """How somebody came in: the method (password, passkey, oidc, esia, certificate), and the provider's names for it."""

    account: int
    method: str
    strong: bool = False
    provider: str | None = None
    subject: str | None = None
    provider_sid: str | None = None


@dataclass(frozen=True)
class Ticket:
    """A session that was opened or renewed: the secret of its cookie, and what it waits for (full: nothing)."""

    secret: str
    stage: str


async def _awaits(
    connection: AsyncConnection, account: int | None, method: str, *, strong: bool, settings: Settings
) -> str:
    values = {
        "who": account,
        "method": method,
        "strong": strong,
        "days": settings.password_days,
        "edition": EDITION,
    }
    return str((await connection.execute(_AWAITS, values)).scalar_one())


async def enter(
    connection: AsyncConnection, entrance: Entrance, origin: Origin, settings: Settings
) -> Ticket:
    """Open a session for somebody who proved who he is."""
    stage = await _awaits(
        connection, entrance.account, entrance.method, strong=entrance.strong, settings=settings
    )
    secret = new_secret()
    details = {
        "stage": stage,
        "method": entrance.method,
        "strong": entrance.strong,
        "device": origin.device,
        "address": origin.address,
        "provider": entrance.provider,
        "subject": entrance.subject,
        "provider_sid": entrance.provider_sid,
        "idle": settings.session_idle_minutes * 60,
        "life": settings.session_hours * 3600,
    }
    values = {"who": entrance.account, "digest": digest(secret), "details": json.dumps(details)}
    number = (await connection.execute(_OPEN, values)).scalar_one()
    await record(
        connection,
        Entry(
            Action.log_in,
            account=entrance.account,
            concerned=entrance.account,
            subject="session",
            object=number,
            address=origin.address,
            details={"method": entrance.method, "device": origin.device},
        ),
    )
    return Ticket(secret, stage)


async def proceed(
    connection: AsyncConnection, secret: str, person: Person, settings: Settings, *, strong: bool = False
) -> Ticket:
    """The next stage of a log-in, under a new secret; the old one is worth nothing afterwards."""
    strong = strong or person.strong
    stage = await _awaits(connection, person.account, person.method, strong=strong, settings=settings)
    fresh = new_secret()
    values = {"old": digest(secret), "new": digest(fresh), "stage": stage, "strong": strong}
    await connection.execute(_RENEW, values)
    return Ticket(fresh, stage)


async def recognise(connection: Any, secret: str) -> Person | str:
    """The person of a session's secret, or why there is none: unknown, expired, revoked, blocked.

    ``connection`` is psycopg's: this is the hot path of every request.
    """
    row = await (await connection.execute("SELECT accounts.session(%s)", [digest(secret)])).fetchone()
    document: dict[str, Any] = row[0]
    return str(document["refused"]) if "refused" in document else person_of(document)


async def leave(connection: AsyncConnection, secret: str, person: Person | None, origin: Origin) -> None:
    """Log out."""
    await connection.execute(_CLOSE, {"digest": digest(secret)})
    if person:
        await record(
            connection,
            Entry(
                Action.log_out,
                account=person.account,
                concerned=person.account,
                subject="session",
                object=person.session,
                address=origin.address,
            ),
        )


async def live(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Sessions of the caller that are not over, newest use first."""
    columns = [
        getattr(Session, name)
        for name in ("id", "device", "address", "method", "created_at", "seen_at", "expires_at")
    ]
    statement = (
        select(*columns)
        .where(
            Session.revoked_at.is_(None),
            Session.expires_at > text("now()"),
            Session.seen_at + text("make_interval(secs => idle)") > text("now()"),
        )
        .order_by(Session.seen_at.desc())
    )
    return (await connection.execute(statement)).mappings().all()


async def revoke(
    connection: AsyncConnection, person: Person, number: int | None, *, keep: int | None = None
) -> int:
    """End one session of the caller, or all but ``keep``; row-level security keeps others' out of reach."""
    statement = update(Session).where(Session.revoked_at.is_(None)).values(revoked_at=text("now()"))
    statement = statement.where(Session.id == number) if number is not None else statement
    statement = statement.where(Session.id != keep) if keep is not None else statement
    ended = (await connection.execute(statement.returning(Session.id))).scalars().all()
    for session in ended:
        await record(
            connection,
            Entry(
                Action.session_ended,
                account=person.account,
                concerned=person.account,
                subject="session",
                object=session,
            ),
        )
    return len(ended)


async def end_provided(
    connection: AsyncConnection, provider: str, *, subject: str | None, sid: str | None
) -> int:
    """Back-channel log-out: end what a provider opened; the number of sessions ended."""
    values = {"provider": provider, "subject": subject, "sid": sid}
    return int((await connection.execute(_PROVIDED, values)).scalar_one())
