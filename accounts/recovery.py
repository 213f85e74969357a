"""Recovery of a password by a code that is sent to the owner's address (C-08)."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import codes, passwords
from accounts.action import Action
from accounts.errors import CodeError
from accounts.guard import count, forgive
from accounts.journal import Entry, record
from accounts.origin import Origin
from geo.access import ANONYMOUS
from geo.db import Database
from geo.settings import Settings

_FIND = text("SELECT accounts.find(:name)")
_SET = text("SELECT accounts.set_password(:who, :hash, false, NULL)")


async def ask(connection: AsyncConnection, name: str, origin: Origin, settings: Settings) -> None:
    """Have a code sent, if the name exists; the answer is the same if it does not."""
    await count(connection, f"recover:{origin.address}", settings.login_address_tries, settings)
    await codes.ask(connection, "recover", name=name)


async def finish(
    database: Database, name: str, code: str, password: str, *, origin: Origin, settings: Settings
) -> None:
    """Set a new password with the code; every session of the account ends. CodeError tells nothing but «wrong»."""
    passwords.check_strength(password, near=(name.partition("@")[0],))
    new_hash = await passwords.hashed(password)
    failed: CodeError | None = None
    async with database.transaction(ANONYMOUS) as connection:
        await count(connection, f"recover:{origin.address}", settings.login_address_tries, settings)
        account = (await connection.execute(_FIND, {"name": name.strip()})).scalar_one_or_none()
        try:
            await codes.take(connection, account, "recover", code, vague=True)
        except CodeError as err:
            # The try is counted, so the transaction must commit.
            failed = err
        else:
            await connection.execute(_SET, {"who": account, "hash": new_hash})
            await forgive(connection, f"recover:{origin.address}")
            entry = Entry(Action.recovery, account=account, concerned=account, address=origin.address)
            await record(connection, entry)
    if failed:
        raise failed
