"""Letters: written in the transaction of their cause, sent by the worker, wiped once they are sent."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.models import Letter
from geo.errors import SettingsError
from geo.jobs import enqueue
from geo.session import connect
from geo.settings import Settings

DELIVER = "accounts.deliver"
MOST_TRIES = 5
TIMEOUT_S = 20


async def post(connection: AsyncConnection, recipient: str, subject: str, body: str) -> None:
    """Put a letter into the outbox and ask the worker to send it."""
    one_line = " ".join(subject.split())
    await connection.execute(insert(Letter).inline().values(recipient=recipient, subject=one_line, body=body))
    await enqueue(connection, DELIVER, {}, once=DELIVER)


def put(connection: psycopg.Connection[TupleRow], recipient: str, subject: str, body: str) -> None:
    """`post` for the worker, which delivers afterwards anyway."""
    connection.execute(
        "INSERT INTO accounts.outbox (recipient, subject, body) VALUES (%s, %s, %s)",
        [recipient, " ".join(subject.split()), body],
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


def _message(recipient: str, subject: str, body: str, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Date"], message["Message-ID"] = formatdate(localtime=True), make_msgid()
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message


def deliver(settings: Settings) -> int:
    """Send what waits; the number of letters sent. Without MEZHA_SMTP_URL they go on waiting.

    A letter that cannot be sent keeps its fault and is tried again, five times in all.
    """
    if not settings.smtp_url:
        return 0
    sent = 0
    with connect(settings.url_for("registrar"), autocommit=True) as connection:
        rows = connection.execute(
            "SELECT id, recipient, subject, body FROM accounts.outbox WHERE sent_at IS NULL AND tries < %s ORDER BY id",
            [MOST_TRIES],
        ).fetchall()
        for number, recipient, subject, body in rows:
            try:
                with _server(settings.smtp_url) as server:
                    server.send_message(_message(recipient, subject, body, settings.mail_from))
            except (smtplib.SMTPException, OSError) as err:
                connection.execute(
                    "UPDATE accounts.outbox SET tries = tries + 1, fault = %s WHERE id = %s",
                    [str(err)[:300], number],
                )
                continue
            connection.execute(
                "UPDATE accounts.outbox SET sent_at = now(), body = '', fault = NULL WHERE id = %s", [number]
            )
            sent += 1
    return sent
