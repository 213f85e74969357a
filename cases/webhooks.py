"""Webhooks: systems of a party are called with what its people are told; signed as Standard Webhooks has it."""

import base64
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import journal
from accounts.action import Action
from accounts.journal import Entry
from cases.desk import Actor
from cases.errors import NotAllowedError, UnknownWebhookError
from cases.messages import CALL
from geo import outward
from geo.errors import ParameterError
from geo.jobs import enqueue

TOPICS = ("event", "thread", "reminder")
MOST = 20
_COLUMNS = "id, party_inn, url, topics, note, created_at"
_LIVE = text(f"SELECT {_COLUMNS} FROM cases.webhooks WHERE revoked_at IS NULL ORDER BY id")
_MAKE = text(
    "INSERT INTO cases.webhooks (party_inn, url, topics, secret, note) VALUES (:inn, :url, :topics, :secret, :note)"
    f" RETURNING {_COLUMNS}"
)
_END = text(
    "UPDATE cases.webhooks SET revoked_at = clock_timestamp() WHERE id = :id AND revoked_at IS NULL RETURNING party_inn"
)
_ONE = text(f"SELECT {_COLUMNS} FROM cases.webhooks WHERE id = :id")
_LOG = text(
    "SELECT id, type, made_at, tries, tried_at, delivered_at, given_up_at, status, fault,"
    " CASE WHEN delivered_at IS NULL AND given_up_at IS NULL THEN next_at END AS next_at"
    " FROM cases.deliveries WHERE webhook = :webhook AND (CAST(:before AS bigint) IS NULL OR id < :before)"
    " ORDER BY id DESC LIMIT :limit"
)
_AGAIN = text(
    "INSERT INTO cases.deliveries (webhook, type, body) SELECT webhook, type, body FROM cases.deliveries"
    " WHERE id = :id AND webhook = :webhook RETURNING id"
)


_TEST = text("INSERT INTO cases.deliveries (webhook, type, body) VALUES (:webhook, 'webhook.test', :body)")
_WITH_CALLS = text(
    f"SELECT {', '.join('w.' + c for c in _COLUMNS.split(', '))},"
    " coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.id DESC) FILTER (WHERE d.id IS NOT NULL), '[]') AS calls"
    " FROM cases.webhooks w LEFT JOIN LATERAL (SELECT id, type, made_at, tries, tried_at, delivered_at, given_up_at, status"
    " FROM cases.deliveries x WHERE x.webhook = w.id ORDER BY x.id DESC LIMIT 5) d ON true"
    " WHERE w.revoked_at IS NULL GROUP BY w.id ORDER BY w.id"
)


def check_address(url: str, *, private: bool) -> None:
    """ParameterError where an address may not be called: not https, unknown, or within a private network."""
    reason = "" if private or url.startswith("https://") else "only https is called"
    if len(url) > 2000:
        reason = "it is longer than 2000 characters"
    if not reason:
        try:
            outward.address_of(url, private=private)
        except outward.ForbiddenAddressError as err:
            reason = err.message
    if reason:
        raise ParameterError(
            f"{url[:80]} cannot be called: {reason}.",
            "Give an https address that the internet can reach.",
            field="url",
            value=url[:80],
        )


def _may(actor: Actor, inn: str) -> None:
    """NotAllowedError for whoever is no owner, operator or system of the party."""
    member = actor.member_of(inn)
    if inn not in actor.caller.inns or (member is not None and member.role not in ("owner", "operator")):
        raise NotAllowedError(
            f"You may not set up webhooks for {inn[:12]}.",
            "Ask an owner or operator of the party.",
            field="party_inn",
            value=inn[:12],
        )


def manageable(actor: Actor) -> list[str]:
    """Parties whose webhooks this person may set up and end."""
    roles = {m.inn: m.role for m in actor.memberships if m.inn in actor.caller.inns}
    return sorted(inn for inn, role in roles.items() if inn and role in ("owner", "operator"))


async def subscribe(
    connection: AsyncConnection, actor: Actor, *, inn: str, url: str, topics: Sequence[str], note: str
) -> dict[str, Any]:
    """A new webhook of a party, with its secret, which is shown this once; the address has been checked."""
    _may(actor, inn)
    if not topics or not set(topics) <= set(TOPICS):
        raise ParameterError("The topics are unknown.", f"Topics: {', '.join(TOPICS)}.", field="topics")
    if len([w for w in await live(connection) if w["party_inn"] == inn]) >= MOST:
        raise NotAllowedError(f"There are {MOST} webhooks already.", "End those that nobody needs.")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    values = {
        "inn": inn,
        "url": url,
        "topics": sorted(set(topics)),
        "secret": secret,
        "note": note.strip()[:200],
    }
    made = (await connection.execute(_MAKE, values)).mappings().one()
    await _record(connection, actor, Action.token_made, made["id"], inn)
    return {**made, "secret": secret}


async def live(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Webhooks of the caller's parties that are called."""
    return (await connection.execute(_LIVE)).mappings().all()


async def with_last_calls(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Webhooks of the caller's parties, each with its last five calls, in one statement."""
    found = [dict(w) for w in (await connection.execute(_WITH_CALLS)).mappings()]
    for call in (c for w in found for c in w["calls"]):
        for name in ("made_at", "tried_at", "delivered_at", "given_up_at"):
            call[name] = call[name] and datetime.fromisoformat(call[name])
    return found


async def test(connection: AsyncConnection, actor: Actor, number: int) -> None:
    """Call once with a greeting, signed and repeated like news; for whoever may set up the webhook."""
    found = await _one(connection, number)
    _may(actor, found["party_inn"])
    body = {
        "type": "webhook.test",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "data": {"webhook": number, "party_inn": found["party_inn"]},
    }
    await connection.execute(_TEST, {"webhook": number, "body": json.dumps(body)})
    await enqueue(connection, CALL, {})


async def end(connection: AsyncConnection, actor: Actor, number: int) -> None:
    """Call no longer; ending it twice changes nothing."""
    found = await _one(connection, number)
    _may(actor, found["party_inn"])
    if (await connection.execute(_END, {"id": number})).first():
        await _record(connection, actor, Action.token_revoked, number, found["party_inn"])


async def deliveries(
    connection: AsyncConnection, number: int, *, before: int | None = None, limit: int = 50
) -> Sequence[RowMapping]:
    """Calls of a webhook, newest first: how often tried, when taken, or why not."""
    await _one(connection, number)
    values = {"webhook": number, "before": before, "limit": limit}
    return (await connection.execute(_LOG, values)).mappings().all()


async def again(connection: AsyncConnection, actor: Actor, number: int, delivery: int) -> int:
    """Call once more with the same body; the number of the new delivery."""
    _may(actor, (await _one(connection, number))["party_inn"])
    made = (await connection.execute(_AGAIN, {"id": delivery, "webhook": number})).scalar()
    if made is None:
        raise _unknown(delivery)
    await enqueue(connection, CALL, {})
    return int(made)


async def _one(connection: AsyncConnection, number: int) -> RowMapping:
    row = (await connection.execute(_ONE, {"id": number})).mappings().first()
    if row is None:
        raise _unknown(number)
    return row


def _unknown(number: int) -> UnknownWebhookError:
    return UnknownWebhookError(
        f"There is no webhook or delivery {number}.",
        "Look into the list.",
        field="webhook",
        value=str(number),
    )


async def _record(connection: AsyncConnection, actor: Actor, action: Action, number: int, inn: str) -> None:
    entry = Entry(action, account=actor.caller.account, subject="webhook", object=number, inn=inn)
    await journal.record(connection, entry)
