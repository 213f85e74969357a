"""Registration: an account of one's own, which may log in once its address is confirmed."""

import re

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import codes, passwords
from accounts.action import Action
from accounts.errors import CodeError
from accounts.guard import count, forgive
from accounts.journal import Entry, record
from accounts.origin import Origin
from accounts.person import Person
from geo.access import ANONYMOUS
from geo.db import Database
from geo.errors import ParameterError
from geo.settings import Settings

_EMAIL = re.compile(r"[^@\s<>\"',;:\\]{1,64}@[^@\s<>\"',;:\\]{1,185}\.[^@\s.]{2,63}")
_REGISTER = text("SELECT accounts.register(:login, :email, :name, :hash, :locale)")
_FIND = text("SELECT accounts.find(:name)")
_ACTIVATE = text("SELECT accounts.activate(:who)")
_EMAIL_CHANGE = text("SELECT accounts.change_email(:who, :email)")


def checked_email(email: str) -> str:
    """An e-mail address as it is kept; ParameterError where it is none."""
    cleaned = email.strip()
    if not _EMAIL.fullmatch(cleaned):
        raise ParameterError(
            f"{cleaned[:60]} is no e-mail address.", "Write name@host.", field="email", value=cleaned[:60]
        )
    return cleaned


async def register(
    database: Database, email: str, name: str, password: str, *, origin: Origin, settings: Settings
) -> None:
    """Make an account that waits for the confirmation of its address.

    Where the address is taken nothing is made and its owner gets a letter; the visitor sees no difference.
    """
    email, name = checked_email(email), " ".join(name.split())
    if not 2 <= len(name) <= 200:
        raise ParameterError("The name is missing or too long.", "Write 2 to 200 characters.", field="name")
    passwords.check_strength(password, near=(email.partition("@")[0],))
    new_hash = await passwords.hashed(password)
    async with database.transaction(ANONYMOUS) as connection:
        await count(connection, f"register:{origin.address}", settings.login_address_tries, settings)
        values = {"login": email, "email": email, "name": name, "hash": new_hash, "locale": settings.locale}
        made = (await connection.execute(_REGISTER, values)).scalar_one_or_none()
        if made:
            await record(connection, Entry(Action.account_made, concerned=made, address=origin.address))
        await codes.ask(connection, "enter", name=email)


async def again(connection: AsyncConnection, email: str, origin: Origin, settings: Settings) -> None:
    """Have the code of a registration sent again."""
    await count(connection, f"register:{origin.address}", settings.login_address_tries, settings)
    await codes.ask(connection, "enter", name=email.strip())


async def confirm(database: Database, email: str, code: str, origin: Origin, settings: Settings) -> None:
    """Confirm the address with the code; CodeError tells nothing but «wrong»."""
    failed: CodeError | None = None
    async with database.transaction(ANONYMOUS) as connection:
        await count(connection, f"register:{origin.address}", settings.login_address_tries, settings)
        account = (await connection.execute(_FIND, {"name": email.strip()})).scalar_one_or_none()
        try:
            await codes.take(connection, account, "enter", code, vague=True)
        except CodeError as err:
            failed = err
        else:
            await connection.execute(_ACTIVATE, {"who": account})
            await forgive(connection, f"register:{origin.address}")
    if failed:
        raise failed


async def ask_email(connection: AsyncConnection, person: Person, email: str) -> None:
    """Begin a change of the e-mail address: a code goes to the new one (C-47)."""
    await codes.ask(connection, "email", account=person.account, carries=checked_email(email))


async def change_email(connection: AsyncConnection, person: Person, code: str) -> CodeError | None:
    """Change the address to the one whose code this is; the error is returned, for the counted try must commit."""
    try:
        email = await codes.take(connection, person.account, "email", code)
    except CodeError as err:
        return err
    values = {"who": person.account, "email": email}
    changed = (await connection.execute(_EMAIL_CHANGE, values)).scalar_one()
    entry = Entry(
        Action.account_changed,
        account=person.account,
        concerned=person.account,
        details={"fields": ["email"]},
    )
    await record(connection, entry)
    return None if changed else CodeError("The address cannot be used.", "Choose another one.", field="email")
