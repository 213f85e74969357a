"""The calendar: what falls due this month and later, and the secret address to which a calendar can subscribe."""

import calendar as months
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from accounts import tokens
from cases import agenda
from web import case_view
from web.templating import locale_of, page
from web.visitor import CallerDep, DatabaseDep, NumberField, PersonDep, SettingsDep, base_of

router = APIRouter(prefix="/cabinet/calendar")
AHEAD = timedelta(days=400)


def _month(given: str, today: date) -> date:
    """First day of the month ``2026-11``; this month where that is none."""
    try:
        first = date.fromisoformat(f"{given}-01")
    except ValueError:
        return today.replace(day=1)
    return first if abs(first.year - today.year) <= 50 else today.replace(day=1)


async def _shown(request: Request, month: str, made: str = "", status: int = 200) -> Response:
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    today = desk.today()
    first = _month(month, today)
    weeks = months.Calendar().monthdatescalendar(first.year, first.month)
    start, end = min(weeks[0][0], today), max(weeks[-1][-1], today + AHEAD)
    async with request.app.state.database.transaction(actor.caller) as connection:
        found = await agenda.entries(connection, desk, actor, start, end)
        feeds = [t for t in await tokens.live(connection) if tokens.CALENDAR in t["scopes"]]
    by_day: dict[date, list[agenda.Entry]] = {}
    for entry in found:
        by_day.setdefault(entry.on, []).append(entry)
    data = {
        "today": today,
        "first": first,
        "weeks": weeks,
        "by_day": by_day,
        "ahead": [e for e in found if e.on >= today],
        "previous": (first - timedelta(days=1)).strftime("%Y-%m"),
        "next": (first + timedelta(days=31)).strftime("%Y-%m"),
        "feeds": feeds,
        "made": f"{base_of(request)}/api/v1/calendar/{made}.ics?lang={locale_of(request)}" if made else "",
    }
    response = page(request, "messages/calendar.html", data, status)
    response.headers["cache-control"] = "no-store"
    return response


@router.get("")
async def month_page(
    request: Request, person: PersonDep, month: Annotated[str, Query(max_length=7)] = ""
) -> Response:
    """A month as a grid, and everything ahead as a list."""
    return await _shown(request, month)


@router.post("/feed")
async def make_feed(
    request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep, settings: SettingsDep
) -> Response:
    """Make a secret address; it is shown this once."""
    async with database.transaction(caller) as connection:
        made = await tokens.make(
            connection,
            person,
            label="Календарь" if locale_of(request) == "ru" else "Calendar",
            days=settings.token_days,
            settings=settings,
            scope=tokens.CALENDAR,
        )
    return await _shown(request, "", made, 201)


@router.post("/feed/end")
async def end_feed(
    person: PersonDep, caller: CallerDep, database: DatabaseDep, feed: NumberField
) -> Response:
    """End a secret address."""
    async with database.transaction(caller) as connection:
        await tokens.revoke(connection, person, feed)
    return RedirectResponse("/cabinet/calendar", 303)
