"""Reminders: terms that run out and rights that end, told by the clock, each once."""

import json
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import RowMapping, text

from cases import messages, record, terms, wording
from cases.desk import CLOCK, Desk
from cases.messages import Told
from cases.record import Case
from cases.service_definition import ServiceDefinition
from cases.terms import Due
from geo.db import Database
from geo.session import sql_of
from geo.settings import Settings

# Days before the end of a licence or a lease at which its holder is told.
DISTANCES = (180, 90, 30, 7)
_DISTANCE = "(SELECT min(d) FROM unnest(CAST(:distances AS int[])) AS d WHERE d >= rights.ends_on - CAST(:first AS date))"
_ENDING = text(
    sql_of("cases", "ends_of_rights").format(
        condition="holder_inn IS NOT NULL AND NOT EXISTS (SELECT FROM cases.expiries e WHERE e.layer = rights.layer"
        f" AND e.object = rights.id AND e.ends_on = rights.ends_on AND e.days <= {_DISTANCE})"
    )
)
_NOTE = text(
    "INSERT INTO cases.expiries (layer, object, ends_on, days) VALUES (:layer, :object, :ends_on, :days)"
    " ON CONFLICT DO NOTHING RETURNING days"
)
_TELL = text(
    "SELECT cases.tell_party(:inn, CAST(:title AS jsonb), CAST(:body AS jsonb), CAST(:about AS jsonb))"
)


async def remind(settings: Settings) -> int:
    """Tell of everything that is due today, as the worker; how much was told."""
    writer = Database(settings, role="registrar")
    try:
        desk = Desk.of(settings)
        return await terms_due(writer, desk) + await rights_ending(writer, desk)
    finally:
        await writer.engine.dispose()


async def terms_due(writer: Database, desk: Desk) -> int:
    """Remind of terms, each in a transaction of its own: one that fails keeps nobody else's back."""
    told = 0
    while True:
        async with writer.transaction(CLOCK.caller) as connection:
            due = await terms.due_reminder(connection, desk.today())
            if due is None:
                return told
            # A worker that stood still past the term reminds of it no longer.
            if due.due_on >= desk.today():
                case = await record.load(connection, due.case)
                service = await record.definition_of(connection, desk, case)
                await messages.tell(connection, case, _told(case, service, due))
                told += 1


def _told(case: Case, service: ServiceDefinition, due: Due) -> Told:
    subject = wording.Subject(service, case.state, case.number or "", case.party_name or case.party_inn)
    term = next(d.title for d in service.deadlines if d.id == due.term)
    words = {**wording.reminder(subject, term, due.due_on), "quiet": False}
    facts = {"term": due.term, "owner": due.owner, "due_on": due.due_on}
    return Told("reminder", {due.owner: words}, "term.reminder", facts)


async def rights_ending(writer: Database, desk: Desk) -> int:
    """Tell holders of licences and leases that end, once at each distance."""
    today = desk.today()
    async with writer.transaction(CLOCK.caller) as connection:
        values = {
            "first": today,
            "last": today + timedelta(days=max(DISTANCES)),
            "distances": list(DISTANCES),
        }
        ending: Sequence[RowMapping] = (await connection.execute(_ENDING, values)).mappings().all()
    told = 0
    for right in ending:
        async with writer.transaction(CLOCK.caller) as connection:
            distance = min(d for d in DISTANCES if d >= (right["ends_on"] - today).days)
            note = {
                "layer": right["layer"],
                "object": right["id"],
                "ends_on": right["ends_on"],
                "days": distance,
            }
            if (await connection.execute(_NOTE, note)).first() is None:
                continue
            words = wording.ending(
                right["layer"], _name(right), right["ends_on"], (right["ends_on"] - today).days
            )
            about = {"layer": right["layer"], "object": right["id"], "ends_on": right["ends_on"].isoformat()}
            values = {
                "inn": right["holder_inn"],
                "title": json.dumps(words["title"]),
                "body": json.dumps(words["body"]),
                "about": json.dumps(about),
            }
            await connection.execute(_TELL, values)
            told += 1
    return told


def _name(right: RowMapping) -> str:
    return " · ".join(part for part in (right["number"], right["name"]) if part)
