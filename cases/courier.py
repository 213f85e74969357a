"""The courier: calls the webhooks, as often as it takes, and notes every try."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
from psycopg.rows import TupleRow

from cases.desk import CLOCK
from geo.access import IDENTIFY
from geo.backoff import next_try
from geo.outward import ForbiddenAddressError, spoken
from geo.session import connect
from geo.settings import Settings

TIMEOUT_S = 10.0
LONGEST_PAUSE = timedelta(hours=2)
IN_HAND = timedelta(minutes=5)
GONE = 410
_CLAIM = (
    "UPDATE cases.deliveries d SET tries = d.tries + 1, tried_at = %(now)s, next_at = %(until)s FROM cases.webhooks w"
    " WHERE w.id = d.webhook AND d.id = (SELECT x.id FROM cases.deliveries x"
    " JOIN cases.webhooks v ON v.id = x.webhook AND v.revoked_at IS NULL"
    " WHERE x.delivered_at IS NULL AND x.given_up_at IS NULL AND x.next_at <= %(now)s AND x.webhook <> ALL (%(down)s)"
    " ORDER BY x.id LIMIT 1 FOR UPDATE OF x SKIP LOCKED)"
    " RETURNING d.id, d.webhook, d.body, d.made_at, d.tries, w.url, w.secret"
)
_NOTE = (
    "UPDATE cases.deliveries SET status = %(status)s, fault = %(fault)s, delivered_at = %(delivered)s,"
    " given_up_at = %(given_up)s, next_at = coalesce(%(later)s, next_at) WHERE id = %(id)s"
)
_END = "UPDATE cases.webhooks SET revoked_at = clock_timestamp() WHERE id = %s"


@dataclass(frozen=True)
class Call:
    """A delivery in hand."""

    id: int
    webhook: int
    body: str
    made_at: datetime
    tries: int
    url: str
    secret: str


@dataclass(frozen=True)
class Answer:
    """What came of a try: the status, or the fault."""

    status: int | None
    fault: str | None

    @property
    def taken(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


def headers(call: Call, now: datetime) -> dict[str, str]:
    """Headers of a call: its id, the time of the try and the signature of both with the body (Standard Webhooks)."""
    stamp, name = str(int(now.timestamp())), f"msg_{call.id}"
    key = base64.b64decode(call.secret.removeprefix("whsec_"))
    signed = f"{name}.{stamp}.{call.body}".encode()
    mark = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "user-agent": "Mezha",
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{mark}",
    }


def _try(settings: Settings, call: Call, now: datetime) -> Answer:
    """One try; where it leads on is a refusal, not followed."""
    try:
        with spoken(
            "POST",
            call.url,
            private=settings.webhook_private,
            timeout=TIMEOUT_S,
            headers=headers(call, now),
            content=call.body.encode(),
        ) as response:
            status = response.status_code
    except ForbiddenAddressError as err:
        return Answer(None, err.message)
    except httpx.HTTPError as err:
        return Answer(None, f"no answer ({type(err).__name__})")
    return Answer(status, None if 200 <= status < 300 else f"answers {status}")


def deliver(settings: Settings, *, now: datetime | None = None) -> int:
    """Make the calls that are due, as the worker; the number that were taken.

    A call that is not taken is made again after growing pauses for five days, by whichever worker then lives; one
    receiver that is down holds up nobody else. 410 Gone ends the webhook.
    """
    down: list[int] = []
    taken = 0
    with connect(settings.url_for("registrar"), autocommit=True) as connection:
        while True:
            instant = now or datetime.now(UTC)
            call = _claim(connection, instant, down)
            if call is None:
                return taken
            answer = _try(settings, call, instant)
            _note(connection, call, answer, instant)
            if answer.taken:
                taken += 1
            else:
                down.append(call.webhook)


def _claim(connection: psycopg.Connection[TupleRow], now: datetime, down: list[int]) -> Call | None:
    with connection.transaction():
        connection.execute(IDENTIFY, CLOCK.caller.settings())
        row = connection.execute(_CLAIM, {"now": now, "until": now + IN_HAND, "down": down}).fetchone()
    return Call(*row) if row else None


def _note(connection: psycopg.Connection[TupleRow], call: Call, answer: Answer, now: datetime) -> None:
    gone = answer.status == GONE
    later = None if answer.taken or gone else next_try(call.made_at, now, call.tries, most=LONGEST_PAUSE)
    values: dict[str, Any] = {
        "status": answer.status,
        "fault": answer.fault,
        "delivered": now if answer.taken else None,
        "given_up": now if not answer.taken and later is None else None,
        "later": later,
        "id": call.id,
    }
    with connection.transaction():
        connection.execute(IDENTIFY, CLOCK.caller.settings())
        connection.execute(_NOTE, values)
        if gone:
            connection.execute(_END, [call.webhook])
