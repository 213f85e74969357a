"""What log-ins at any provider share: the question bound to the browser, plain requests, the account at the end."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.action import Action
from accounts.errors import BlockedError, ProviderError
from accounts.journal import Entry, record
from accounts.secret import digest

TIMEOUT_S = 5.0
QUESTION_S = 600
_PUT = text("SELECT accounts.put_ticket(:digest, :purpose, CAST(:payload AS jsonb), :seconds)")
_TAKE = text("SELECT accounts.take_ticket(:digest, :purpose)")
_EXTERNAL = text("SELECT * FROM accounts.external(:issuer, :subject)")
_ADOPT = text("SELECT accounts.adopt(:issuer, :subject, CAST(:details AS jsonb))")


@dataclass(frozen=True)
class Vouched:
    """Somebody whom a provider vouches for; ``email`` only where the provider verified it."""

    issuer: str
    subject: str
    name: str
    email: str | None = None
    inn: str | None = None
    snils: str | None = None
    trusted: bool = False


async def put_question(
    connection: AsyncConnection, purpose: str, state: str, binding: str, facts: dict[str, str]
) -> None:
    """Keep what belongs to a ``state`` until the answer comes back to the same browser."""
    payload = json.dumps(facts | {"bound": digest(binding).hex()})
    values = {"digest": digest(state), "purpose": purpose, "payload": payload, "seconds": QUESTION_S}
    await connection.execute(_PUT, values)


async def take_question(
    connection: AsyncConnection, purpose: str, state: str, binding: str
) -> dict[str, str]:
    """What belongs to a ``state``, once; ProviderError where it is unknown, old, or another browser's."""
    values = {"digest": digest(state), "purpose": purpose}
    payload = (await connection.execute(_TAKE, values)).scalar_one_or_none()
    if payload is None or payload.pop("bound") != digest(binding).hex():
        raise ProviderError(
            "This answer belongs to no log-in that was begun here.", "Begin the log-in again.", field="state"
        )
    found: dict[str, str] = payload
    return found


async def fetched(method: str, url: str, **options: Any) -> dict[str, Any]:
    """JSON of a provider; ProviderError where it is down, slow, refuses or talks nonsense. Never follows redirects."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
            answer = await client.request(method, url, **options)
            document = answer.json() if answer.status_code < 300 else None
    except (httpx.HTTPError, ValueError) as err:
        raise ProviderError(
            f"The identity provider does not answer ({type(err).__name__}).", "Try again in a minute."
        ) from err
    if not isinstance(document, dict):
        raise ProviderError(
            f"The identity provider refused with {answer.status_code}.", "Begin the log-in again."
        )
    return document


async def account_of(connection: AsyncConnection, somebody: Vouched) -> int:
    """The account of somebody, made at his first entry; BlockedError where it was closed."""
    values = {"issuer": somebody.issuer, "subject": somebody.subject}
    row = (await connection.execute(_EXTERNAL, values)).one()
    if row.status == "blocked":
        raise BlockedError(
            "An administrator has closed this account.", "Ask the administrator of your region."
        )
    if row.account is not None:
        return int(row.account)
    details = {
        "name": somebody.name[:200] or "—",
        "email": somebody.email,
        "inn": somebody.inn,
        "snils": somebody.snils,
        "status": "confirmed" if somebody.trusted else "active",
    }
    made = int((await connection.execute(_ADOPT, values | {"details": json.dumps(details)})).scalar_one())
    await record(connection, Entry(Action.account_made, concerned=made, details={"issuer": somebody.issuer}))
    return made
