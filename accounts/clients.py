"""OAuth 2.0 clients: other systems that act for a party with credentials of their own (RFC 6749 §4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.action import Action
from accounts.errors import ClientError
from accounts.guard import count, forgive
from accounts.journal import Entry, record
from accounts.members import owned
from accounts.models import Client
from accounts.person import Person
from accounts.secret import digest, new_secret
from geo.access import ANONYMOUS
from geo.db import Database
from geo.errors import ParameterError
from geo.settings import Settings

SCOPES = ("read", "write")
_TOKEN = text(
    "SELECT * FROM accounts.client_token(:client, :secret, :digest, CAST(:asked AS text[]), :seconds)"
)


@dataclass(frozen=True)
class Credentials:
    """What is shown once when a client is made."""

    client: str
    secret: str


@dataclass(frozen=True)
class Grant:
    """An access token with its scopes and life in seconds."""

    token: str
    scopes: tuple[str, ...]
    seconds: int


async def make(
    connection: AsyncConnection, person: Person, party: int, *, name: str, scopes: Sequence[str]
) -> Credentials:
    """A client of one's party."""
    owned(person, party)
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80:
        raise ParameterError("The name is missing or too long.", "Write 1 to 80 characters.", field="label")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise ParameterError("The scopes are unknown.", f"Scopes: {', '.join(SCOPES)}.", field="scopes")
    made = Credentials(f"mezha-{new_secret()[:12]}", new_secret())
    values = {
        "client": made.client,
        "digest": digest(made.secret),
        "name": name,
        "party": party,
        "scopes": list(scopes),
        "created_by": person.account,
    }
    number = (await connection.execute(insert(Client).values(values).returning(Client.id))).scalar_one()
    await record(connection, _entry(Action.token_made, person, number, {"client": made.client}))
    return made


async def live(connection: AsyncConnection, party: int) -> Sequence[RowMapping]:
    """Clients of a party, for its owners."""
    columns = [getattr(Client, name) for name in ("id", "client", "name", "scopes", "created_at")]
    statement = select(*columns).where(Client.party == party, Client.revoked_at.is_(None)).order_by(Client.id)
    return (await connection.execute(statement)).mappings().all()


async def revoke(connection: AsyncConnection, person: Person, number: int) -> None:
    """End a client of one's party; its tokens stop with their next use."""
    statement = (
        update(Client)
        .where(Client.id == number, Client.revoked_at.is_(None))
        .values(revoked_at=text("now()"))
        .returning(Client.id)
    )
    if (await connection.execute(statement)).first():
        await record(connection, _entry(Action.token_revoked, person, number, {}))


async def grant(
    database: Database, client: str, secret: str, scope: str, *, address: str, settings: Settings
) -> Grant:
    """An access token for credentials; ClientError says invalid_client or invalid_scope in ``value``."""
    key = f"client:{address}"
    asked = scope.split() or None
    token = "mzc_" + new_secret()
    values = {
        "client": client[:100].replace("\x00", ""),
        "secret": digest(secret),
        "digest": digest(token),
        "asked": asked,
        "seconds": settings.client_token_seconds,
    }
    async with database.transaction(ANONYMOUS) as connection:
        await count(connection, key, settings.login_address_tries, settings)
        row = (await connection.execute(_TOKEN, values)).one()
        if row.outcome != "invalid_client":
            await forgive(connection, key)
    if row.outcome != "ok":
        raise ClientError(
            "The client is unknown, revoked or has another secret."
            if row.outcome == "invalid_client"
            else "The client may not have this scope.",
            "Check the credentials in the team's page.",
            value=row.outcome,
        )
    return Grant(token, tuple(row.granted), settings.client_token_seconds)


def _entry(action: Action, person: Person, number: int, details: dict[str, str]) -> Entry:
    return Entry(action, account=person.account, subject="client", object=number, details=details)
