"""The agenda: what falls due when, of cases and of the rights of one's own; its reminders and its calendar feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from icalendar import Alarm, Calendar, Event
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import tokens
from cases import record, wording
from cases.desk import Actor, Desk
from cases.record import COLUMNS, Case
from cases.rules import Text
from geo.access import ANONYMOUS
from geo.db import Database
from geo.session import sql_of

_TERMS = text(
    f"SELECT d.id AS deadline, d.term, d.owner, d.due_on, {', '.join('c.' + c for c in COLUMNS.split(', '))}"
    " FROM cases.deadlines d JOIN cases.cases c ON c.id = d.case_id"
    " WHERE d.ended_at IS NULL AND d.due_on BETWEEN :first AND :last ORDER BY d.due_on, d.id LIMIT 1000"
)
_ENDS = text(sql_of("cases", "ends_of_rights").format(condition="holder_inn = ANY (CAST(:inns AS text[]))"))
Kind = Literal["term", "right"]


@dataclass(frozen=True)
class Entry:
    """One day that matters: a term of a case, or the end of a right; ``mine`` when the caller has to act."""

    kind: Kind
    on: date
    title: Text
    about: Text
    href: str
    mine: bool
    key: str


async def entries(
    connection: AsyncConnection, desk: Desk, actor: Actor, first: date, last: date
) -> list[Entry]:
    """What falls due between two days, for the caller: terms of cases that he sees, ends of what his parties hold."""
    found = []
    for row in (await connection.execute(_TERMS, {"first": first, "last": last})).mappings():
        if (entry := await _term(connection, desk, actor, row)) is not None:
            found.append(entry)
    inns = list(actor.caller.inns)
    if inns:
        rows = await connection.execute(_ENDS, {"inns": inns, "first": first, "last": last})
        found += [_right(row) for row in rows.mappings()]
    return sorted(found, key=lambda e: (e.on, not e.mine, e.key))


async def feed(database: Database, desk: Desk, secret: str, *, locale: str, base: str) -> bytes:
    """The calendar file of whoever made a secret address: a month back, two years ahead."""
    async with database.raw(ANONYMOUS) as plain:
        person = await tokens.bearer_of_feed(plain, secret)
    actor, today = Actor.of(person.caller(), person), desk.today()
    async with database.transaction(actor.caller) as connection:
        found = await entries(
            connection, desk, actor, today - timedelta(days=31), today + timedelta(days=730)
        )
    return ical(found, locale=locale, base=base, now=datetime.now(UTC))


def shown(entry: Entry) -> dict[str, Any]:
    """An entry for machines."""
    return {
        "kind": entry.kind,
        "on": entry.on,
        "title": entry.title.model_dump(),
        "about": entry.about.model_dump(),
        "href": entry.href,
        "mine": entry.mine,
    }


async def _term(connection: AsyncConnection, desk: Desk, actor: Actor, row: RowMapping) -> Entry | None:
    case = Case.of({name: row[name] for name in COLUMNS.split(", ")})
    role = actor.role_in(case.party_inn, case.region)
    service = await record.definition_of(connection, desk, case)
    term = next((d for d in service.deadlines if d.id == row["term"]), None)
    if role is None or term is None:
        return None
    base = "/cabinet/cases" if role == "applicant" else "/office/cases"
    number = case.number or str(case.id)
    about = Text(ru=f"{service.title.ru} {number}", en=f"{service.title.en} {number}")
    mine = row["owner"] == role
    return Entry(
        "term", row["due_on"], term.title, about, f"{base}/{case.id}", mine, f"term-{row['deadline']}"
    )


def _right(row: RowMapping) -> Entry:
    about = " · ".join(part for part in (row["number"], row["name"]) if part)
    return Entry(
        "right",
        row["ends_on"],
        wording.right(row["layer"]),
        Text(ru=about, en=about),
        f"/map?object={row['layer']}:{row['id']}",
        True,
        f"{row['layer']}-{row['id']}",
    )


def ical(found: Sequence[Entry], *, locale: str, base: str, now: datetime) -> bytes:
    """The entries as an iCalendar file (RFC 5545): whole days, each under a name that stays, alarmed a day before."""
    made = Calendar()
    made.add("prodid", "-//Mezha//Agenda//RU")
    made.add("version", "2.0")
    made.add("x-wr-calname", "Межа: сроки" if locale == "ru" else "Mezha: terms")
    made.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for entry in found:
        event = Event()
        event.add("uid", f"{entry.key}@mezha")
        event.add("dtstamp", now)
        event.add("dtstart", entry.on)
        event.add("dtend", entry.on + timedelta(days=1))
        event.add("summary", f"{entry.title.of(locale)}: {entry.about.of(locale)}")
        event.add("transp", "TRANSPARENT")
        if base:
            event.add("url", f"{base}{entry.href}")
        if entry.mine:
            alarm = Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", entry.title.of(locale))
            alarm.add("trigger", timedelta(hours=-15))
            event.add_component(alarm)
        made.add_component(event)
    file: Any = made.to_ical()
    return bytes(file)
