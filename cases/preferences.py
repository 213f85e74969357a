"""Preferences: what each person is told by letter, at once or once a day, what by short message, and where else to."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import codes
from accounts.action import Action
from accounts.errors import CodeError
from accounts.journal import Entry, record
from geo.errors import ParameterError

# What can be chosen apart: decisions, other events, the thread, reminders.
TOPICS = ("final", "event", "thread", "reminder")
WAYS = ("at_once", "digest", "off")
Way = Literal["at_once", "digest", "off"]
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")
_READ = text(
    "SELECT mail, sms, digest_hour, forward_to FROM cases.preferences WHERE account = (SELECT access.account())"
)
_KEEP = text(
    "INSERT INTO cases.preferences (account, mail, sms, digest_hour)"
    " VALUES ((SELECT access.account()), CAST(:mail AS jsonb), :sms, :hour)"
    " ON CONFLICT (account) DO UPDATE SET mail = EXCLUDED.mail, sms = EXCLUDED.sms, digest_hour = EXCLUDED.digest_hour"
)
_FORWARD = text(
    "INSERT INTO cases.preferences (account, forward_to) VALUES ((SELECT access.account()), :address)"
    " ON CONFLICT (account) DO UPDATE SET forward_to = EXCLUDED.forward_to"
)


@dataclass(frozen=True)
class Preferences:
    """The choices of a person; what he never chose comes by letter at once."""

    mail: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(TOPICS, "at_once"))
    sms: tuple[str, ...] = ()
    digest_hour: int = 9
    forward_to: str | None = None


async def read(connection: AsyncConnection) -> Preferences:
    """The choices of the caller."""
    row = (await connection.execute(_READ)).first()
    if row is None:
        return Preferences()
    return Preferences(
        {t: row.mail.get(t, "at_once") for t in TOPICS}, tuple(row.sms), row.digest_hour, row.forward_to
    )


def _known(name: str, values: Collection[str], choices: Collection[str]) -> None:
    for value in values:
        if value not in choices:
            raise ParameterError(
                f"“{value[:30]}” is no {name}.",
                f"Choose of: {', '.join(choices)}.",
                field=name,
                value=value[:30],
            )


async def keep(
    connection: AsyncConnection, *, mail: Mapping[str, str], sms: Collection[str], digest_hour: int
) -> Preferences:
    """Keep choices; ParameterError names the first that is none. What is not named comes at once."""
    _known("topic", mail, TOPICS)
    _known("way", mail.values(), WAYS)
    _known("topic", sms, TOPICS)
    if not 0 <= digest_hour <= 23:
        raise ParameterError(
            f"{digest_hour} is no hour.", "Choose 0 to 23.", field="digest_hour", value=str(digest_hour)
        )
    chosen = [t for t in TOPICS if t in sms]
    await connection.execute(_KEEP, {"mail": json.dumps(dict(mail)), "sms": chosen, "hour": digest_hour})
    return await read(connection)


async def ask_forwarding(connection: AsyncConnection, account: int, address: str) -> None:
    """Have a code sent to another address; ParameterError where it cannot be one."""
    address = address.strip()
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise ParameterError(
            f"{address[:60]} is no e-mail address.",
            "Write name@host.ru.",
            field="address",
            value=address[:60],
        )
    await codes.ask(connection, "forward", account=account, carries=address)


async def confirm_forwarding(connection: AsyncConnection, account: int, code: str) -> CodeError | None:
    """Forward from now on to the address that the code was sent to; a wrong try is returned, for it must commit."""
    try:
        address = await codes.take(connection, account, "forward", code)
    except CodeError as err:
        return err
    await _forward(connection, account, address)
    return None


async def end_forwarding(connection: AsyncConnection, account: int) -> None:
    """Forward no longer."""
    await _forward(connection, account, None)


async def _forward(connection: AsyncConnection, account: int, address: str | None) -> None:
    await connection.execute(_FORWARD, {"address": address})
    details: dict[str, Any] = {"forward_to": address}
    entry = Entry(
        Action.setting_changed,
        account=account,
        concerned=account,
        subject="preferences",
        object=account,
        details=details,
    )
    await record(connection, entry)
