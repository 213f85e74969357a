"""The public status of the service: what works now, and which release answers."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from geo import health
from geo.db import Database
from web.templating import page

router = APIRouter()


@router.get("/status")
async def status(request: Request) -> HTMLResponse:
    """Database, structure and release; answers while the database is away, that is what it is for."""
    database: Database = request.app.state.database
    state = await health.readiness(database)
    data = {"state": state, "now": datetime.now(UTC), "release": request.app.version}
    return page(request, "status.html", data, 200 if state.ready else 503)
