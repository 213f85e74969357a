"""Passwords: strength, Argon2id, and the same work for names that do not exist."""

import asyncio
import string
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.action import Action
from accounts.errors import CredentialsError, WeakPasswordError
from accounts.journal import Entry, record
from accounts.person import Person
from accounts.secret import digest

_SET = text("SELECT accounts.set_password(:who, :hash, :temporary, :keep)")
_OWN = text("SELECT accounts.own_password()")
SHORTEST = 10
LONGEST = 200
# OWASP's second recommendation: 19 MiB, two passes; about 30 ms of one core.
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# What an unknown name is compared with, so that it takes as long as a known one.
_DUMMY = hasher.hash("nobody's password")
# Hashing is heavy on purpose; a flood of log-ins must not take every core of the process.
_room = asyncio.Semaphore(2)


def check_strength(password: str, *, near: tuple[str, ...] = ()) -> None:
    """WeakPasswordError unless there are ten characters of four kinds (R-10) and no name or address inside."""
    missing = [
        kind
        for kind, present in (
            ("a lower-case letter", any(c.islower() for c in password)),
            ("an upper-case letter", any(c.isupper() for c in password)),
            ("a digit", any(c.isdecimal() for c in password)),
            ("a sign such as ! ? % -", any(not c.isalnum() for c in password)),
        )
        if not present
    ]
    if not SHORTEST <= len(password) <= LONGEST or missing:
        raise WeakPasswordError(
            f"The password has {len(password)} characters"
            + (f" and lacks {', '.join(missing)}." if missing else "."),
            f"Choose {SHORTEST} to {LONGEST} characters with both cases, digits and special signs.",
            field="password",
        )
    if any(len(word) > 3 and word.lower() in password.lower() for word in near):
        raise WeakPasswordError(
            "The password contains your own name or address.", "Choose another one.", field="password"
        )


async def hashed(password: str) -> str:
    """The Argon2id hash of a password."""
    async with _room:
        return await asyncio.to_thread(hasher.hash, password[: LONGEST + 1])


def _fits(kept: str, password: str) -> bool:
    try:
        return hasher.verify(kept, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False


async def fits(kept: str | None, password: str) -> bool:
    """Whether a password fits a hash; without a hash the same work is done and the answer is no."""
    async with _room:
        right = await asyncio.to_thread(_fits, kept or _DUMMY, password)
    return right and kept is not None


def expired(changed_at: datetime, days: int) -> bool:
    """Whether a password is older than it may get."""
    return days > 0 and changed_at < datetime.now(UTC) - timedelta(days=days)


def temporary() -> str:
    """A strong password for somebody who must choose his own at his first entry."""
    import secrets

    letters = string.ascii_letters + string.digits
    return "Aa1-" + "".join(secrets.choice(letters) for _ in range(14))


async def change(
    connection: AsyncConnection, person: Person, password: str, *, keep: str, old: str | None = None
) -> None:
    """A new password of the caller, checked and not the old one; ends every session but that of the secret ``keep``.

    ``old`` is asked where the caller is logged in already; a step of the log-in has just checked it.
    """
    kept = (await connection.execute(_OWN)).scalar_one_or_none()
    if old is not None and not await fits(kept, old):
        raise CredentialsError(
            "The present password is wrong.", "Type the one you logged in with.", field="old"
        )
    check_strength(password, near=(person.login, person.email.partition("@")[0]))
    if await fits(kept, password):
        raise WeakPasswordError(
            "This is the password that you have now.", "Choose another one.", field="password"
        )
    values = {"who": person.account, "hash": await hashed(password), "temporary": False, "keep": digest(keep)}
    await connection.execute(_SET, values)
    await record(connection, Entry(Action.password_changed, account=person.account, concerned=person.account))
