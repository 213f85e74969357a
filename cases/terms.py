"""Running terms of a case: begun, paused, resumed and ended by its moves, with reminders as rows for the worker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.deadlines import Term, WorkingCalendar, begun, paused, reminder_days, resumed
from cases.lifecycle import Action, State
from cases.service_definition import Deadline, ServiceDefinition
from geo.batch import Ask, order
from geo.session import sql_of

_OPEN = text(
    "SELECT id, term, owner, due_on, left_days FROM cases.deadlines WHERE case_id = :case AND ended_at IS NULL"
)
_BEGIN = text("SELECT cases.begin_term(:case, :term, :owner, :started_on, :due_on, CAST(:remind AS date[]))")
_SET = text("UPDATE cases.deadlines SET due_on = :due_on, left_days = :left_days WHERE id = :id")
_END = text("UPDATE cases.deadlines SET ended_at = clock_timestamp() WHERE id = :id")
_REMIND = text(
    "INSERT INTO cases.reminders (deadline, on_day) SELECT :deadline, day FROM unnest(CAST(:days AS date[])) AS d (day)"
    " ON CONFLICT DO NOTHING"
)
_OF_CASE = text(
    "SELECT term, owner, started_on, due_on, left_days, ended_at FROM cases.deadlines WHERE case_id = :case ORDER BY id"
)
_OVERDUE = text(
    "SELECT d.case_id, d.term, d.due_on FROM cases.deadlines d JOIN cases.cases c ON c.id = d.case_id"
    " WHERE d.ended_at IS NULL AND d.due_on < :today ORDER BY d.due_on, d.id LIMIT 500"
)
_DUE_REMINDER = text(sql_of("cases", "due_reminder"))


@dataclass(frozen=True)
class Due:
    """A reminder that is due: whom it concerns and until when."""

    case: int
    term: str
    owner: str
    due_on: date


@dataclass(frozen=True)
class Open:
    """A term that has not ended: due on a day, or paused with so many working days left."""

    id: int
    term: str
    owner: str
    due_on: date | None
    left_days: int | None


@dataclass(frozen=True)
class Standing:
    """What `follow` needs to know: the open terms by their names, and the calendar; they stay so while the case is locked."""

    case: int
    open: Mapping[str, Open]
    days: WorkingCalendar
    today: date


def opened(case: int) -> Ask[Mapping[str, Open]]:
    """The open terms of a case by their names."""
    return Ask(_OPEN, {"case": case}, lambda rows: {row["term"]: Open(**row) for row in rows})


@dataclass(frozen=True)
class Following:
    """What brings the terms in line: statements to send, and the nearest last day of each owner after them."""

    orders: Sequence[Ask[None]]
    due: Mapping[str, date]


def follow(service: ServiceDefinition, known: Standing, state: State) -> Following:
    """Bring the terms of a case in line with the state that it reaches."""
    days, today = known.days, known.today
    orders: list[Ask[None]] = []
    due = [(row.owner, row.due_on) for row in _untouched(service, known)]
    for definition in service.deadlines:
        running = known.open.get(definition.id)
        if running is None:
            if state in definition.starts:
                term = begun(days, today, definition.working_days)
                orders.append(_begin(known, definition, term))
                due.append((definition.owner, term.due_on))
            continue
        if state in definition.ends:
            orders.append(order(_END, {"id": running.id}))
            continue
        term = Term(running.due_on, running.left_days)
        new = (paused if state in definition.pauses else resumed)(days, term, today)
        if new != term:
            orders.append(order(_SET, {"id": running.id, "due_on": new.due_on, "left_days": new.left}))
            orders += _remind(known, definition, running.id, new)
        due.append((running.owner, new.due_on))
    nearest: dict[str, date] = {}
    for owner, day in due:
        if day is not None:
            nearest[owner] = min(day, nearest.get(owner, day))
    return Following(orders, nearest)


def _untouched(service: ServiceDefinition, known: Standing) -> list[Open]:
    """Open terms of which the service says nothing."""
    names = {definition.id for definition in service.deadlines}
    return [row for name, row in known.open.items() if name not in names]


def _begin(known: Standing, definition: Deadline, term: Term) -> Ask[None]:
    values = {
        "case": known.case,
        "term": definition.id,
        "owner": definition.owner,
        "started_on": known.today,
        "due_on": term.due_on,
        "remind": _reminders(known.days, definition, term, known.today),
    }
    return order(_BEGIN, values)


def _reminders(days: WorkingCalendar, definition: Deadline, term: Term, today: date) -> list[date]:
    """Days still to come on which somebody is reminded of a term."""
    if term.due_on is None or not definition.remind:
        return []
    return [d for d in reminder_days(days, term.due_on, definition.remind) if d > today]


def _remind(known: Standing, definition: Deadline, deadline: int, term: Term) -> list[Ask[None]]:
    wanted = _reminders(known.days, definition, term, known.today)
    return [order(_REMIND, {"deadline": deadline, "days": wanted})] if wanted else []


async def of_case(connection: AsyncConnection, case: int) -> Sequence[RowMapping]:
    """The terms of a case, running, paused and ended."""
    return (await connection.execute(_OF_CASE, {"case": case})).mappings().all()


async def due_reminder(connection: AsyncConnection, today: date) -> Due | None:
    """A term with reminders of today or before, which count as told from now on; for the worker, as the clock."""
    row = (await connection.execute(_DUE_REMINDER, {"today": today})).first()
    return Due(*row) if row else None


async def overdue(connection: AsyncConnection, today: date) -> Sequence[RowMapping]:
    """Running terms whose last day has passed."""
    return (await connection.execute(_OVERDUE, {"today": today})).mappings().all()


def lapsing(service: ServiceDefinition, term: str) -> Action | None:
    """What the clock does when a term of this service is over."""
    return next((d.lapse for d in service.deadlines if d.id == term), None)
