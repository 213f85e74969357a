"""The working calendar of the region: a table, seeded from the official transfers, editable."""

import json
from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.deadlines import WorkingCalendar
from geo.batch import Ask, answered
from geo.errors import ParameterError

_READ = text(
    "SELECT date, kind = 'working' AS working FROM cases.calendar_day WHERE date BETWEEN :first AND :last"
)
_SEED = text(
    "INSERT INTO cases.calendar_day (date, kind, note) SELECT date, kind, note"
    " FROM jsonb_to_recordset(CAST(:days AS jsonb)) AS d (date date, kind text, note text)"
    " ON CONFLICT (date) DO NOTHING"
)
_SET = text(
    "INSERT INTO cases.calendar_day (date, kind, note) VALUES (:date, :kind, :note)"
    " ON CONFLICT (date) DO UPDATE SET kind = EXCLUDED.kind, note = EXCLUDED.note"
)


def official(years: Iterable[int]) -> list[dict[str, str]]:
    """Days of the Russian Federation that differ from the plain week: holidays, moved days off, worked Saturdays."""
    import holidays

    wanted = list(years)
    source = holidays.country_holidays("RU", years=wanted)
    found = []
    for year in wanted:
        day = date(year, 1, 1)
        while day.year == year:
            plain = day.weekday() < 5
            if source.is_working_day(day) != plain:
                kind = "holiday" if plain else "working"
                found.append({"date": day.isoformat(), "kind": kind, "note": source.get(day) or ""})
            day += timedelta(days=1)
    return found


async def seed(connection: AsyncConnection, years: Iterable[int]) -> None:
    """Add the official days; a day that somebody edited stays as it is."""
    await connection.execute(_SEED, {"days": json.dumps(official(years))})


async def set_day(connection: AsyncConnection, day: date, kind: str, note: str) -> None:
    """Make a day working or free; ParameterError where the kind is neither."""
    if kind not in ("working", "holiday"):
        raise ParameterError(
            f"“{kind[:20]}” is no kind of day.", "Choose working or holiday.", field="kind", value=kind[:20]
        )
    await connection.execute(_SET, {"date": day, "kind": kind, "note": note})


async def read(connection: AsyncConnection, around: date) -> WorkingCalendar:
    """The calendar two years around a day: long enough for every term that a service may set."""
    return await answered(connection, asked(around))


def asked(around: date) -> Ask[WorkingCalendar]:
    """The same, to be sent with others."""
    span = {"first": around - timedelta(days=800), "last": around + timedelta(days=1200)}
    return Ask(_READ, span, lambda rows: WorkingCalendar({row["date"]: row["working"] for row in rows}))
