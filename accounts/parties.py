"""Parties: whom people act for; numbers are checked by their control digits before anything is kept."""

import json
import re
from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.action import Action
from accounts.errors import IdentifierError
from accounts.journal import Entry, record
from accounts.models import Party
from accounts.person import Person
from geo.errors import ParameterError
from geo.identifiers import (
    inn_is_valid,
    kpp_is_valid,
    ogrn_is_valid,
    region_is_valid,
    snils_is_valid,
    whole_number,
)

KINDS = ("company", "division", "entrepreneur", "person", "state", "foreign")
_INN_LENGTH = {"company": 10, "state": 10, "entrepreneur": 12, "person": 12}
_OGRN_LENGTH = {"company": 13, "state": 13, "entrepreneur": 15}
_FOUND = text("SELECT accounts.found_party(CAST(:details AS jsonb))")


def _wrong(field: str, value: str, remedy: str) -> IdentifierError:
    return IdentifierError(f"{value[:30]} is no {field.upper()}.", remedy, field=field, value=value[:30])


def _numbers(kind: str, given: Mapping[str, str]) -> dict[str, str | None]:
    inn, kpp, ogrn = (re.sub(r"\s", "", given.get(k, "")).upper() for k in ("inn", "kpp", "ogrn"))
    snils = re.sub(r"[^0-9]", "", given.get("snils", ""))
    length = _INN_LENGTH.get(kind)
    if (inn or length) and not (inn_is_valid(inn) and len(inn) == (length or len(inn))):
        raise _wrong("inn", inn, f"It has {length or '10 or 12'} digits; check the last ones.")
    if kpp and not kpp_is_valid(kpp):
        raise _wrong("kpp", kpp, "It has nine signs, such as 773601001.")
    if ogrn and not (ogrn_is_valid(ogrn) and len(ogrn) == _OGRN_LENGTH.get(kind, len(ogrn))):
        raise _wrong("ogrn", ogrn, f"It has {_OGRN_LENGTH.get(kind, '13 or 15')} digits; check the last one.")
    if snils and not snils_is_valid(snils):
        raise _wrong("snils", given["snils"], "It has 11 digits; check the last two.")
    return {"inn": inn or None, "kpp": kpp or None, "ogrn": ogrn or None, "snils": snils or None}


def checked(given: Mapping[str, str]) -> dict[str, object]:
    """A party as it is kept; ParameterError or IdentifierError names the first wrong value (DOMAIN §1.1)."""
    kind, name, region = (given.get(k, "").strip() for k in ("kind", "name", "region"))
    if kind not in KINDS:
        raise ParameterError(
            f"There is no kind of party {kind[:30]}.",
            f"Kinds: {', '.join(KINDS)}.",
            field="kind",
            value=kind[:30],
        )
    if not 2 <= len(name) <= 400:
        raise ParameterError("The name is missing or too long.", "Write 2 to 400 characters.", field="name")
    if not region_is_valid(region):
        raise ParameterError("The region is missing.", "Write the two digits of its code.", field="region")
    parent = whole_number(given.get("parent", ""))
    if (kind == "division") != (parent is not None):
        raise ParameterError(
            "Only a division belongs to a party.", "Name the party it belongs to.", field="parent"
        )
    foreign = " ".join(given.get("foreign_number", "").split())
    if kind == "foreign" and not foreign:
        raise ParameterError(
            "A foreign company needs its number.", "Write the number of its register.", field="foreign_number"
        )
    facts: dict[str, object] = {
        "kind": kind,
        "name": " ".join(name.split()),
        "region": region,
        "parent": parent,
        "address": given.get("address", "").strip()[:500] or None,
        "country": given.get("country", "").strip().upper()[:2] or "RU",
        "foreign_number": foreign or None,
    }
    return {**facts, **_numbers(kind, given)}


async def found(connection: AsyncConnection, person: Person, given: Mapping[str, str]) -> int:
    """Register a party whose owner the caller becomes; it gives no rights until an officer has confirmed it."""
    facts = checked(given)
    if facts["parent"] is not None and not any(
        m.party == facts["parent"] and m.role == "owner" for m in person.memberships
    ):
        raise ParameterError("You do not own that party.", "Choose a party of yours.", field="parent")
    number = int((await connection.execute(_FOUND, {"details": json.dumps(facts)})).scalar_one())
    entry = Entry(
        Action.right_given,
        account=person.account,
        concerned=person.account,
        subject="party",
        object=number,
        details={"role": "owner", "inn": facts["inn"]},
    )
    await record(connection, entry)
    return number


async def own(connection: AsyncConnection, person: Person) -> Sequence[RowMapping]:
    """Parties for which the caller acts."""
    columns = [
        getattr(Party, name)
        for name in ("id", "kind", "name", "inn", "kpp", "ogrn", "region", "status", "parent")
    ]
    statement = select(*columns).where(Party.id.in_(person.parties)).order_by(Party.id)
    return (await connection.execute(statement)).mappings().all()
