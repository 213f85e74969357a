"""For whom a session acts: a person of several parties chooses one, himself alone, or all of them."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import sessions
from accounts.errors import DeniedError
from accounts.models import Member, Party
from accounts.person import Person
from accounts.secret import digest
from geo.settings import Settings

HIMSELF = 0
_ACT = text("SELECT accounts.act_for(:digest, :party)")


async def choices(connection: AsyncConnection, person: Person) -> Sequence[RowMapping]:
    """Parties for which the person may act, with his role in each."""
    statement = (
        select(Party.id, Party.name, Party.inn, Member.role)
        .join(Member, Member.party == Party.id)
        .where(Member.account == person.account, Member.ended_at.is_(None), Party.status != "closed")
        .order_by(Party.name)
    )
    return (await connection.execute(statement)).mappings().all()


async def choose(
    connection: AsyncConnection, person: Person, secret: str, party: int | None, settings: Settings
) -> sessions.Ticket:
    """Act for a party, for oneself (0) or for all (None), under a new secret; DeniedError where he is no member."""
    values = {"digest": digest(secret), "party": party}
    if not (await connection.execute(_ACT, values)).scalar_one():
        raise DeniedError("You do not act for that party.", "Choose one of yours.", field="party")
    return await sessions.proceed(connection, secret, replace(person, acting=party), settings)
