"""Deadlines in working days; pure, over a calendar that somebody else has read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

# Days off that the calendar table does not name.
_WEEKEND = (5, 6)
_HORIZON_DAYS = 3660


@dataclass(frozen=True)
class WorkingCalendar:
    """Days that differ from the plain week: True is worked (a moved Saturday), False is off (a holiday)."""

    days: Mapping[date, bool]

    def is_working(self, day: date) -> bool:
        """Whether the office works on that day."""
        return self.days.get(day, day.weekday() not in _WEEKEND)

    def after(self, start: date, working_days: int) -> date:
        """The last day of a term of so many working days that begins on the day after ``start``."""
        if working_days < 1:
            return start
        day = start
        for _ in range(_HORIZON_DAYS):
            day += timedelta(days=1)
            working_days -= self.is_working(day)
            if not working_days:
                return day
        raise ValueError(f"no {working_days} working days within ten years after {start}")

    def between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and with ``end``; negative when the end lies before."""
        if end < start:
            return -self.between(end, start)
        return sum(self.is_working(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


@dataclass(frozen=True)
class Term:
    """A running or paused term: due on a day, or so many working days left."""

    due_on: date | None
    left: int | None = None

    @property
    def paused(self) -> bool:
        """Whether the clock stands."""
        return self.due_on is None


def begun(calendar: WorkingCalendar, today: date, working_days: int) -> Term:
    """A term that begins today: the day itself does not count."""
    return Term(calendar.after(today, working_days))


def paused(calendar: WorkingCalendar, term: Term, today: date) -> Term:
    """The term with its clock stopped; what was left stays left, a term already missed keeps its debt."""
    if term.due_on is None:
        return term
    return Term(None, calendar.between(today, term.due_on))


def resumed(calendar: WorkingCalendar, term: Term, today: date) -> Term:
    """The term with its clock running again from today."""
    if term.due_on is not None:
        return term
    left = term.left or 0
    if left >= 1:
        return Term(calendar.after(today, left))
    return Term(today + timedelta(days=min(left, 0)))


def reminder_days(calendar: WorkingCalendar, due_on: date, before: tuple[int, ...]) -> list[date]:
    """The working days on which somebody is reminded: so many working days before the last day."""
    found = []
    for wanted in before:
        day, left = due_on, wanted
        while left > 0:
            day -= timedelta(days=1)
            left -= calendar.is_working(day)
        found.append(day)
    return found
