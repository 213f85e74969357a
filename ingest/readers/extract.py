"""Rights and restrictions of an extract of one parcel: КВЗУ and КПЗУ hold them in the parcel, EGRN extracts beside it."""

import re
from typing import Any

from ingest.readers import xml
from ingest.source import Source

ROOT = re.compile(rb"<(?:\w+:)?extract_about_property\w*[\s>/]")
# Under which the rights of a new extract travel with the systems of the file.
KEY = "extract"
Element = Any


def _joined(texts: list[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(t for t in texts if t)) or None


def old(parcel: Element) -> dict[str, str | None]:
    """Holders, rights and encumbrances of an old parcel; empty where it has none, as in a cadastral plan."""
    rights, burdens = xml.descendants(parcel, "Right"), xml.descendants(parcel, "Encumbrance")
    if not rights and not burdens:
        return {}
    owners = [o for right in rights for o in xml.descendants(right, "Owner")]
    return {
        "rights": _joined([xml.text(r, "Name") or xml.text(r, "Type") for r in rights]),
        "holder": _joined([_old_owner(o) for o in owners]),
        "holder_inn": None,
        "restrictions": _joined([xml.text(b, "Name") or xml.text(b, "Type") for b in burdens]),
    }


def _old_owner(owner: Element) -> str | None:
    name = xml.text(owner, "Organization/Name") or xml.text(owner, "Governance/Name")
    person = xml.find(owner, "Person")
    parts = [xml.text(person, n) for n in ("FamilyName", "FirstName", "Patronymic")]
    return name or " ".join(p for p in parts if p) or None


def new(source: Source) -> dict[str, str | None]:
    """Holders, rights and restrictions of a new extract: there is one parcel in it, so they are its own."""
    kinds: list[str | None] = []
    holders: list[str | None] = []
    inns: list[str | None] = []
    restrictions: list[str | None] = []
    for record in xml.events(source, ("right_record", "restrict_record")):
        if xml.local(record) == "right_record":
            kinds.append(xml.text(record, "right_data/right_type/value"))
            for holder in xml.descendants(record, "right_holder"):
                holders.append(_new_holder(holder))
                inns += [e.text for e in xml.descendants(holder, "inn")]
            continue
        data = xml.find(record, "restrictions_encumbrances_data")
        kind = xml.text(data, "restriction_encumbrance_type/value")
        end = xml.text(data, "period/period_info/end_date")
        restrictions.append(f"{kind} (до {end[:10]})" if kind and end else kind)
    return {
        "rights": _joined(kinds),
        "holder": _joined(holders),
        "holder_inn": _joined(inns),
        "restrictions": _joined(restrictions),
    }


def _new_holder(holder: Element) -> str | None:
    person = next(iter(xml.descendants(holder, "individual")), None)
    if person is not None:
        return (
            " ".join(t for t in (xml.text(person, n) for n in ("surname", "name", "patronymic")) if t) or None
        )
    names = [e.text.strip() for e in xml.descendants(holder, "name") if e.text and e.text.strip()]
    return names[0] if names else None
