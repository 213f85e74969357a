"""Limits on tries: counted in the database, so that every process sees them."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.errors import TooManyTriesError
from geo.settings import Settings

_COUNT = text("SELECT locked, last FROM accounts.count_try(:key, :tries, :minutes)")
_FORGIVE = text("SELECT accounts.forgive(:key, :whole)")


async def count(connection: AsyncConnection, key: str, tries: int, settings: Settings) -> bool:
    """Count one try of a key and say whether it is the last before the lock; TooManyTriesError where it is locked.

    A try that succeeds is taken back by `forgive`.
    """
    minutes = settings.login_lock_minutes
    row = (await connection.execute(_COUNT, {"key": key, "tries": tries, "minutes": minutes})).one()
    if row.locked is not None:
        raise TooManyTriesError("Too many tries.", f"Wait {minutes} minutes.", until=row.locked)
    return bool(row.last)


async def forgive(connection: AsyncConnection, key: str, *, whole: bool = False) -> None:
    """Take back a try, or all of them."""
    await connection.execute(_FORGIVE, {"key": key, "whole": whole})
