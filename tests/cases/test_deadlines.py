"""Terms in working days: the official calendar, pauses, reminders."""

from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.calendar import official
from cases.deadlines import Term, WorkingCalendar, begun, paused, reminder_days, resumed

DAYS = WorkingCalendar(
    {date.fromisoformat(d["date"]): d["kind"] == "working" for d in official(range(2025, 2029))}
)


def test_official_transfers_are_known() -> None:
    assert DAYS.is_working(date(2027, 2, 20))
    assert DAYS.is_working(date(2025, 11, 1))
    assert not DAYS.is_working(date(2027, 2, 22))
    assert not DAYS.is_working(date(2026, 12, 31))
    for year in (2025, 2026, 2027):
        assert DAYS.between(date(year - 1, 12, 31), date(year, 12, 31)) == 247


def test_the_database_is_seeded_and_keeps_edits(db: psycopg.Connection[Any]) -> None:
    row = db.execute("SELECT kind FROM cases.calendar_day WHERE date = '2027-02-20'").fetchone()
    assert row == ("working",)


def test_a_term_skips_holidays() -> None:
    assert DAYS.after(date(2026, 12, 28), 5) == date(2027, 1, 13)
    assert begun(DAYS, date(2026, 11, 20), 5).due_on == date(2026, 11, 27)


@given(
    start=st.dates(date(2025, 3, 1), date(2026, 12, 1)),
    length=st.integers(1, 60),
    wait=st.integers(0, 120),
    used=st.integers(0, 90),
)
def test_a_pause_costs_nothing(start: date, length: int, wait: int, used: int) -> None:
    term = begun(DAYS, start, length)
    assert term.due_on is not None
    stop = min(start + timedelta(days=used), term.due_on)
    held = paused(DAYS, term, stop)
    again = resumed(DAYS, held, stop + timedelta(days=wait))
    assert again.due_on is not None
    assert DAYS.between(start, stop) + DAYS.between(stop + timedelta(days=wait), again.due_on) == length
    assert paused(DAYS, held, stop) == held
    assert resumed(DAYS, again, stop) == again


def test_a_missed_term_stays_missed() -> None:
    held = paused(DAYS, Term(date(2026, 11, 20)), date(2026, 11, 24))
    assert held.left == -2
    assert resumed(DAYS, held, date(2026, 12, 1)).due_on == date(2026, 11, 29)


@pytest.mark.requirement("C-20", "F-17")
def test_reminders_come_on_working_days_before() -> None:
    assert reminder_days(DAYS, date(2027, 1, 12), (2, 1)) == [date(2026, 12, 30), date(2027, 1, 11)]
