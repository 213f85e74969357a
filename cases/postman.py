"""The postman: makes letters and short messages of what people are told, and puts them into the outbox, once each."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases import messages
from cases.desk import CLOCK
from geo.db import Database
from geo.session import sql_of
from geo.settings import Settings

_UNPOSTED = sql_of("cases", "unposted")
_AT_ONCE = text(_UNPOSTED.format(condition="m.mail = 'at_once' OR m.sms = 'at_once'"))
_DIGEST = text(
    _UNPOSTED.format(
        condition="m.mail = 'digest' AND m.account = ("
        "SELECT d.account FROM cases.messages d LEFT JOIN cases.preferences q ON q.account = d.account"
        " WHERE d.mail = 'digest' AND coalesce(q.digest_hour, 9) <= :hour AND coalesce(q.digest_on, '-infinity') < :today"
        " ORDER BY d.account LIMIT 1)"
    )
)
_TODAY = text("UPDATE cases.preferences SET digest_on = :today WHERE account = :account")
_PUT = text(
    "INSERT INTO accounts.outbox (channel, recipient, subject, body) VALUES (:channel, :recipient, :subject, :body)"
)
_POSTED = text(
    "UPDATE cases.messages SET mail = CASE WHEN mail = :way THEN 'posted' ELSE mail END,"
    " sms = CASE WHEN sms = :way THEN 'posted' ELSE sms END WHERE id = ANY (:ids)"
)
_OUR_NAME = {"ru": "Межа", "en": "Mezha"}
_DIGEST_TITLE = {"ru": "сообщения за день: {count}", "en": "messages of the day: {count}"}
_PROOFS = {
    "ru": {"paper": "Решение", "verify": "Проверить подлинность"},
    "en": {"paper": "The decision", "verify": "Check that it is genuine"},
}
_TAIL = {
    "ru": "Какие письма получать, вы выбираете в кабинете, «Как мне сообщать».{link}",
    "en": "Which letters you get you choose in your cabinet, “How I am told”.{link}",
}


async def post(settings: Settings, *, now: datetime | None = None) -> int:
    """Post what waits, as the worker; how many letters and short messages were put into the outbox.

    A message is marked in the transaction that puts its letter down: killed in between, it is neither lost nor
    posted twice.
    """
    writer = Database(settings, role="registrar")
    try:
        return await posted(writer, settings, now=now or datetime.now(UTC))
    finally:
        await writer.engine.dispose()


async def posted(writer: Database, settings: Settings, *, now: datetime) -> int:
    """`post` over connections that are there already."""
    count = 0
    while True:
        async with writer.transaction(CLOCK.caller) as connection:
            rows = (await connection.execute(_AT_ONCE)).mappings().all()
            for row in rows:
                count += await _letter(connection, settings, row)
            await _mark(connection, rows, "at_once")
        if not rows:
            break
    local = now.astimezone(ZoneInfo(settings.time_zone))
    while True:
        async with writer.transaction(CLOCK.caller) as connection:
            values = {"hour": local.hour, "today": local.date()}
            rows = (await connection.execute(_DIGEST, values)).mappings().all()
            if not rows:
                return count
            if unread := [row for row in rows if row["read_at"] is None]:
                count += await _digest(connection, settings, unread)
            await connection.execute(_TODAY, {"today": local.date(), "account": rows[0]["account"]})
            await _mark(connection, rows, "digest")


async def _mark(connection: AsyncConnection, rows: Sequence[RowMapping], way: str) -> None:
    # A message that waits for the digest keeps waiting when its short message has gone.
    await connection.execute(_POSTED, {"ids": [row["id"] for row in rows], "way": way})


async def _letter(connection: AsyncConnection, settings: Settings, row: RowMapping) -> int:
    locale, count = row["locale"], 0
    if row["mail"] == "at_once":
        subject = f"{_OUR_NAME[locale]} · {row['title'][locale]}"
        count += await _put(
            connection, row, subject, f"{_paragraph(settings, row)}\n\n{_tail(settings, locale)}\n"
        )
    if row["sms"] == "at_once" and row["phone"]:
        words = f"{_OUR_NAME[locale]}. {row['title'][locale]}. {row['body'][locale]}"
        values = {"channel": "sms", "recipient": row["phone"], "subject": "", "body": words}
        await connection.execute(_PUT, values)
        count += 1
    return count


async def _digest(connection: AsyncConnection, settings: Settings, rows: Sequence[RowMapping]) -> int:
    locale = rows[0]["locale"]
    subject = f"{_OUR_NAME[locale]} · {_DIGEST_TITLE[locale].format(count=len(rows))}"
    parts = [f"{row['title'][locale]}\n{_paragraph(settings, row)}" for row in rows]
    body = "\n\n".join([*parts, _tail(settings, locale)]) + "\n"
    return await _put(connection, rows[0], subject, body)


async def _put(
    connection: AsyncConnection, row: Mapping[str, Any] | RowMapping, subject: str, body: str
) -> int:
    recipients = [row["email"], *([row["forward_to"]] if row["forward_to"] else [])]
    values = [{"channel": "mail", "recipient": to, "subject": subject, "body": body} for to in recipients]
    await connection.execute(_PUT, values)
    return len(values)


def _paragraph(settings: Settings, row: RowMapping) -> str:
    lines = [str(row["body"][row["locale"]])]
    if base := settings.base_url.rstrip("/"):
        lines.append(f"{base}{messages.href(row)}")
        if found := messages.proofs(row):
            words = _PROOFS[row["locale"]]
            lines += [f"{words[name]}: {base}{path}" for name, path in found.items()]
    return "\n".join(lines)


def _tail(settings: Settings, locale: str) -> str:
    base = settings.base_url.rstrip("/")
    return _TAIL[locale].format(link=f"\n{base}/cabinet/preferences" if base else "")
