"""Letters: written in the transaction of their cause, sent by the worker, wiped once they are sent."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.mime.text import MIMEText
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import sms
from accounts.errors import UndeliveredError
from accounts.models import Letter
from geo.backoff import next_try
from geo.errors import SettingsError
from geo.jobs import enqueue
from geo.session import connect
from geo.settings import Settings


@dataclass(frozen=True)
class Waiting:
    """A letter or short message in hand."""

    id: int
    channel: str
    recipient: str
    subject: str
    body: str
    created_at: datetime
    tries: int


DELIVER = "accounts.deliver"
TIMEOUT_S = 20
# The longest pause between two tries of one letter, and the time for which a letter in hand is nobody else's.
LONGEST_PAUSE = timedelta(minutes=30)
IN_HAND = timedelta(minutes=5)
_CLAIM = (
    "UPDATE accounts.outbox SET tries = tries + 1, next_at = %(until)s WHERE id = (SELECT id FROM accounts.outbox"
    " WHERE sent_at IS NULL AND given_up_at IS NULL AND next_at <= %(now)s AND channel = ANY (%(channels)s)"
    " ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)"
    " RETURNING id, channel, recipient, subject, body, created_at, tries"
)
_EXPIRE = (
    "UPDATE accounts.outbox SET given_up_at = %(now)s, body = '', fault = coalesce(fault, 'expired')"
    " WHERE sent_at IS NULL AND given_up_at IS NULL AND expires_at < %(now)s"
)


async def post(connection: AsyncConnection, recipient: str, subject: str, body: str) -> None:
    """Put a letter into the outbox and ask the worker to send it."""
    one_line = " ".join(subject.split())
    await connection.execute(insert(Letter).inline().values(recipient=recipient, subject=one_line, body=body))
    await enqueue(connection, DELIVER, {}, once=DELIVER)


def put(
    connection: psycopg.Connection[TupleRow],
    recipient: str,
    subject: str,
    body: str,
    *,
    minutes: int | None = None,
) -> None:
    """`post` for the worker, which delivers afterwards anyway; a letter that is late by ``minutes`` is not sent."""
    connection.execute(
        "INSERT INTO accounts.outbox (recipient, subject, body, expires_at)"
        " VALUES (%s, %s, %s, now() + make_interval(mins => %s))",
        [recipient, " ".join(subject.split()), body, minutes],
    )


def _server(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise SettingsError(
            "MEZHA_SMTP_URL is no mail server.", "Write smtp://user:password@host:587 or smtps://host:465."
        )
    if parts.scheme == "smtps":
        made: smtplib.SMTP = smtplib.SMTP_SSL(
            parts.hostname, parts.port or 465, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    else:
        made = smtplib.SMTP(parts.hostname, parts.port or 25, timeout=TIMEOUT_S)
        made.ehlo()
        if made.has_extn("starttls"):
            made.starttls(context=ssl.create_default_context())
    if parts.username:
        made.login(unquote(parts.username), unquote(parts.password or ""))
    return made


def _message(letter: Waiting, sender: str) -> MIMEText:
    """The letter; its Message-ID is the same in every try, so that a reader's server knows a repetition."""
    # The newer EmailMessage loses spaces where it folds a long Russian subject.
    message = MIMEText(letter.body, "plain", "utf-8")
    message["From"], message["To"] = sender, letter.recipient
    message["Subject"] = Header(letter.subject, "utf-8", header_name="Subject").encode()
    message["Date"] = format_datetime(letter.created_at)
    domain = sender.rpartition("@")[2].strip("<> ") or "localhost"
    message["Message-ID"] = f"<{letter.id}.{int(letter.created_at.timestamp())}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    return message


def _send(settings: Settings, letter: Waiting) -> None:
    """Hand one letter over; UndeliveredError tells whether another try can help."""
    if letter.channel == "sms":
        sms.send(settings, letter.id, letter.recipient, letter.body)
        return
    try:
        with _server(settings.smtp_url) as server:
            server.send_message(_message(letter, settings.mail_from))
    except smtplib.SMTPRecipientsRefused as err:
        codes = [code for code, _ in err.recipients.values()]
        raise UndeliveredError(str(err)[:300], final=min(codes, default=0) >= 500) from err
    except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, OSError) as err:
        raise UndeliveredError(str(err)[:300], reachable=False) from err
    except smtplib.SMTPException as err:
        raise UndeliveredError(str(err)[:300]) from err


def deliver(settings: Settings, *, now: datetime | None = None) -> int:
    """Send what is due; the number of letters and short messages sent. Without a server they go on waiting.

    What cannot be sent keeps its fault and is tried again, for five days in all (`geo.backoff`); a server that
    does not answer is asked once a run, not once a letter.  A worker that is killed after a server took a letter
    and before this was noted sends it again, under the same Message-ID.
    """
    channels = [name for name, url in (("mail", settings.smtp_url), ("sms", settings.sms_url)) if url]
    sent = 0
    with connect(settings.url_for("registrar"), autocommit=True) as connection:
        connection.execute(_EXPIRE, {"now": now or datetime.now(UTC)})
        while channels:
            instant = now or datetime.now(UTC)
            row = connection.execute(
                _CLAIM, {"now": instant, "until": instant + IN_HAND, "channels": channels}
            ).fetchone()
            if row is None:
                break
            letter = Waiting(*row)
            try:
                _send(settings, letter)
            except UndeliveredError as err:
                _keep(connection, letter, err, instant)
                if not err.reachable:
                    channels.remove(letter.channel)
                continue
            connection.execute(
                "UPDATE accounts.outbox SET sent_at = %s, body = '', fault = NULL WHERE id = %s",
                [instant, letter.id],
            )
            sent += 1
    return sent


def _keep(
    connection: psycopg.Connection[TupleRow], letter: Waiting, err: UndeliveredError, now: datetime
) -> None:
    later = None if err.final else next_try(letter.created_at, now, letter.tries, most=LONGEST_PAUSE)
    connection.execute(
        "UPDATE accounts.outbox SET fault = %(fault)s, next_at = coalesce(%(later)s, next_at),"
        " given_up_at = CASE WHEN %(later)s::timestamptz IS NULL THEN %(now)s::timestamptz END,"
        " body = CASE WHEN %(later)s::timestamptz IS NULL THEN '' ELSE body END WHERE id = %(id)s",
        {"fault": err.message[:300], "later": later, "now": now, "id": letter.id},
    )
