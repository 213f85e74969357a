"""The home page: what the service is, what it holds, where to go."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from geo import catalogue
from geo.access import ANONYMOUS, Caller
from geo.db import Database
from geo.moment import Moment
from web.templating import page

router = APIRouter()


@router.get("/")
async def home(request: Request) -> HTMLResponse:
    """Counts per layer and the ways in."""
    database: Database = request.app.state.database
    caller: Caller = request.scope["state"].get("caller", ANONYMOUS)
    today = Moment.today(request.app.state.settings.time_zone)
    async with database.transaction(caller) as connection:
        entries = await catalogue.entries(connection, today)
    return page(request, "home.html", {"entries": entries})
