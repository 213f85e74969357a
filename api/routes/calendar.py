"""The calendar: terms of cases and ends of rights, as JSON and as a feed that calendars subscribe to."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.params import BaseUrl, DatabaseDep, SettingsDep, known_only
from api.routes.cases import ActorDep, DeskDep
from cases import agenda
from geo.errors import ParameterError

router = APIRouter(prefix="/api/v1/calendar", tags=["messages"])
LONGEST = timedelta(days=1100)


@router.get("", dependencies=[known_only("first", "last")])
async def listed(
    actor: ActorDep,
    desk: DeskDep,
    database: DatabaseDep,
    first: Annotated[date | None, Query(description="Today by default")] = None,
    last: Annotated[date | None, Query(description="A year later by default")] = None,
) -> dict[str, Any]:
    """What falls due between two days, earliest first."""
    begin = first or desk.today()
    end = last or begin + timedelta(days=365)
    if not begin <= end <= begin + LONGEST:
        raise ParameterError(
            f"From {begin} to {end} is no span.",
            f"Choose up to {LONGEST.days} days.",
            field="last",
            value=str(end),
        )
    async with database.transaction(actor.caller) as connection:
        found = await agenda.entries(connection, desk, actor, begin, end)
    return {"entries": [agenda.shown(e) for e in found]}


@router.get("/{secret}.ics", dependencies=[known_only("lang")], response_class=Response)
async def feed(
    *,
    secret: str,
    desk: DeskDep,
    database: DatabaseDep,
    settings: SettingsDep,
    base: BaseUrl,
    lang: Annotated[str, Query(pattern="^(ru|en)$")] = "",
) -> Response:
    """The calendar of whoever made this secret address; it opens nothing else and can be revoked."""
    file = await agenda.feed(database, desk, secret, locale=lang or settings.locale, base=base)
    headers = {"cache-control": "private, max-age=300", "content-disposition": 'inline; filename="mezha.ics"'}
    return Response(file, media_type="text/calendar; charset=utf-8", headers=headers)
