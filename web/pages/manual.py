"""The documentation of the machine interfaces, to read and to try; its viewer comes from npm, nothing from elsewhere."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from web.templating import page

router = APIRouter()


@router.get("/api/docs")
async def manual(request: Request) -> HTMLResponse:
    """The operations of ``/api/openapi.json``."""
    return page(request, "manual.html", {})
