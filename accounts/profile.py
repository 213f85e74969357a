"""What an account says of its person, and what he may change of it himself."""

import re
from collections.abc import Mapping

from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.action import Action
from accounts.errors import IdentifierError
from accounts.journal import Entry, record
from accounts.models import Account
from accounts.person import Person
from geo.errors import ParameterError
from geo.identifiers import inn_is_valid, snils_is_valid

_FACTS = ("login", "email", "name", "phone", "inn", "snils", "birth_date", "status", "created_at")


async def own(connection: AsyncConnection, person: Person) -> RowMapping:
    """Facts of the caller's own account."""
    columns = [getattr(Account, name) for name in _FACTS]
    return (await connection.execute(select(*columns).where(Account.id == person.account))).mappings().one()


def checked(given: Mapping[str, str]) -> dict[str, str | None]:
    """Name, phone, INN and SNILS as they are kept; ParameterError or IdentifierError names the first wrong one."""
    name = " ".join(given["name"].split())
    if not 2 <= len(name) <= 200:
        raise ParameterError("The name is missing or too long.", "Write 2 to 200 characters.", field="name")
    phone = re.sub(r"[\s()-]", "", given["phone"]) or None
    if phone and not re.fullmatch(r"\+?\d{10,15}", phone):
        raise ParameterError(
            f"{given['phone'][:30]} is no phone number.",
            "Write 10 to 15 digits.",
            field="phone",
            value=given["phone"][:30],
        )
    inn = re.sub(r"\s", "", given["inn"]) or None
    if inn and not (len(inn) == 12 and inn_is_valid(inn)):
        raise IdentifierError(
            f"{inn[:20]} is no INN of a person.",
            "It has 12 digits; check the last two.",
            field="inn",
            value=inn[:20],
        )
    snils = re.sub(r"\D", "", given["snils"]) or None
    if snils and not snils_is_valid(snils):
        raise IdentifierError(
            f"{given['snils'][:20]} is no SNILS.",
            "It has 11 digits; check the last two.",
            field="snils",
            value=given["snils"][:20],
        )
    return {"name": name, "phone": phone, "inn": inn, "snils": snils}


async def edit(connection: AsyncConnection, person: Person, given: Mapping[str, str]) -> None:
    """Change name, phone, INN and SNILS. A confirmed person keeps what was confirmed: name, INN, SNILS."""
    values = checked(given)
    if person.confirmed:
        values = {"phone": values["phone"]}
    await connection.execute(update(Account).where(Account.id == person.account).values(values))
    entry = Entry(
        Action.account_changed,
        account=person.account,
        concerned=person.account,
        details={"fields": sorted(values)},
    )
    await record(connection, entry)


async def find(connection: AsyncConnection, name: str) -> int | None:
    """The account of a name or address, for those whom the policies let see it."""
    found: int | None = (
        await connection.execute(
            text(
                "SELECT id FROM accounts.accounts WHERE lower(login) = lower(:n) OR lower(email) = lower(:n)"
            ),
            {"n": name.strip()},
        )
    ).scalar_one_or_none()
    return found
