"""Log-in by password: counted before it is tried, the same work and words for known and unknown names."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import passwords, sessions
from accounts.action import Action
from accounts.errors import BlockedError, CredentialsError, LockedError, TooManyTriesError, UnconfirmedError
from accounts.journal import Entry, record
from accounts.origin import Origin
from geo.access import ANONYMOUS
from geo.db import Database
from geo.jobs import enqueue
from geo.settings import Settings

_BEGIN = text("SELECT * FROM accounts.begin_login(:given, :address, :tries, :minutes, :address_tries)")
_FORGIVE = text("SELECT accounts.forgive(:key, :whole)")
NOTICE = "accounts.notice"


@dataclass(frozen=True)
class Try:
    """What the database says before the password is looked at."""

    key: str
    account: int | None
    hash: str | None
    status: str | None
    locked: datetime | None
    last: bool | None
    cause: str | None


async def _begin(connection: AsyncConnection, given: str, origin: Origin, settings: Settings) -> Try:
    values = {
        "given": given,
        "address": origin.address,
        "tries": settings.login_tries,
        "minutes": settings.login_lock_minutes,
        "address_tries": settings.login_address_tries,
    }
    return Try(**(await connection.execute(_BEGIN, values)).mappings().one())


def _locked(until: datetime | None, settings: Settings) -> LockedError:
    return LockedError(
        f"Log-in under this name is locked for {settings.login_lock_minutes} minutes after "
        f"{settings.login_tries} failures.",
        "Wait, or recover the password.",
        until=until,
    )


def _refuse(attempt: Try, settings: Settings) -> None:
    """Raise where the key or the address is locked already."""
    if attempt.cause == "address":
        raise TooManyTriesError(
            "Too many failed log-ins from this address.",
            f"Wait {settings.login_lock_minutes} minutes.",
            until=attempt.locked,
        )
    if attempt.cause == "account":
        raise _locked(attempt.locked, settings)


async def _failed(
    connection: AsyncConnection, attempt: Try, given: str, origin: Origin, settings: Settings
) -> None:
    """Write the failure down; where it was the last, tell the owner, if there is one, through the worker."""
    action = Action.locked if attempt.last else Action.log_in_failed
    await record(
        connection,
        Entry(
            action,
            concerned=attempt.account,
            subject="account",
            address=origin.address,
            details={"method": "password", "device": origin.device},
        ),
    )
    if attempt.last:
        arguments = {
            "name": given[:200],
            "minutes": settings.login_lock_minutes,
            "tries": settings.login_tries,
            "address": origin.address,
            "device": origin.device,
        }
        await enqueue(connection, NOTICE, arguments)


async def by_password(
    database: Database, given: str, password: str, origin: Origin, settings: Settings
) -> sessions.Ticket:
    """Log in by name (or e-mail, or a confirmed INN) and password.

    The count is committed before the hash is computed, so a thousand guesses at once are still counted.
    Errors: TooManyTriesError, LockedError, CredentialsError, BlockedError, UnconfirmedError; the last two only
    to somebody who knows the password.
    """
    given = given.strip()[:200].replace("\x00", "")
    async with database.transaction(ANONYMOUS) as connection:
        attempt = await _begin(connection, given, origin, settings)
    _refuse(attempt, settings)
    right = await passwords.fits(attempt.hash, password)
    if not right or attempt.account is None:
        async with database.transaction(ANONYMOUS) as connection:
            await _failed(connection, attempt, given, origin, settings)
        if attempt.last:
            raise _locked(attempt.locked, settings)
        raise CredentialsError(
            "The name or the password is wrong.", "Check both, or recover the password.", field="password"
        )
    async with database.transaction(ANONYMOUS) as connection:
        await connection.execute(_FORGIVE, {"key": attempt.key, "whole": True})
        await connection.execute(_FORGIVE, {"key": f"address:{origin.address}", "whole": False})
        if attempt.status == "blocked":
            raise BlockedError(
                "An administrator has closed this account.", "Ask the administrator of your region."
            )
        if attempt.status == "new":
            raise UnconfirmedError(
                "The e-mail address of this account is not confirmed.",
                "Enter the code of the letter, or have it sent again.",
            )
        return await sessions.enter(
            connection, sessions.Entrance(attempt.account, "password"), origin, settings
        )
