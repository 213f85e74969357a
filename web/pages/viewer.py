"""The map viewer: the page around the map; everything on it is fetched from tiles and interfaces."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from web.language import messages
from web.templating import locale_of, page

router = APIRouter()


@router.get("/map")
async def viewer(request: Request) -> HTMLResponse:
    """The viewer."""
    return page(request, "map.html", {"messages": messages(locale_of(request), "map")})
