"""Printed maps: which papers and scales there are, and the sheet itself as a PDF."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from accounts import journal
from api.params import AddressDep, CallerDep, DatabaseDep, SettingsDep, finite, known_only
from api.routes.spatial import NamesDep, TermsDep
from geo import layers
from geo.errors import ParameterError
from geo.sheet import document, fonts
from geo.sheet.frame import Frame
from geo.sheet.paper import PAPERS, SCALES, checked_scale, paper_named
from geo.sheet.words import Words

router = APIRouter(prefix="/api/v1/sheets", tags=["printed maps"])
# A sheet takes a core for a second or two: more at once would only make each other slow.
_turn = asyncio.Semaphore(2)


@router.get("", dependencies=[known_only()])
async def papers() -> dict[str, Any]:
    """Papers with the size of their map in millimetres, and the scales."""
    return {
        "papers": {
            name: {"title": dict(p.title), "width": p.map.width, "height": p.map.height}
            for name, p in PAPERS.items()
        },
        "scales": SCALES,
    }


def _filters(given: list[str]) -> dict[str, str]:
    """Filters as ``LAYER: CQL2``."""
    found: dict[str, str] = {}
    for entry in given:
        name, colon, condition = entry.partition(":")
        if not colon:
            raise ParameterError(
                "A filter names no layer.", "Write filter=LAYER: CQL2 text.", field="filter", value=entry[:40]
            )
        found[layers.layer(name.strip()).name] = condition.strip()
    return found


@router.get(
    "/map.pdf",
    dependencies=[
        known_only("lon", "lat", "scale", "paper", "layers", "filter", "title", "lang", "datetime", "as_of")
    ],
)
async def sheet(
    *,
    request: Request,
    database: DatabaseDep,
    caller: CallerDep,
    settings: SettingsDep,
    terms: TermsDep,
    names: NamesDep,
    address: AddressDep,
    lon: Annotated[str, Query(description="Longitude of the centre, degrees")],
    lat: Annotated[str, Query(description="Latitude of the centre, degrees")],
    scale: Annotated[int, Query(description="Denominator of the scale")] = 50_000,
    paper: Annotated[str, Query(description="Name of a paper")] = "a4-landscape",
    conditions: Annotated[
        list[str] | None,
        Query(alias="filter", description="LAYER: CQL2 text; as often as layers are filtered"),
    ] = None,
    title: Annotated[str, Query(max_length=120)] = "",
    lang: Annotated[Literal["ru", "en"], Query()] = "ru",
) -> Response:
    """A map at a true scale, with grid, legend and corner coordinates."""
    order = document.Order(
        Frame(
            finite(lon, "lon", (-180, 180)),
            finite(lat, "lat", (-80, 84)),
            checked_scale(scale),
            paper_named(paper),
        ),
        [layers.layer(name) for name in names],
        terms.moment,
        Words(lang),
        datetime.now(ZoneInfo(settings.time_zone)),
        "".join(c for c in title if c.isprintable()),
        _filters(conditions or []),
    )
    async with _turn:
        async with database.transaction(caller) as connection:
            shown = await document.contents(connection, order)
            details = {"format": "pdf", "query": request.url.query[:500]}
            for content in shown:
                await journal.downloaded(
                    connection, caller=caller, subject=content.layer.name, details=details, address=address
                )
        folder = await asyncio.to_thread(fonts.prepared, request.app.state.fonts, settings.home)
        made = await document.printed(order, shown, folder)
    name = f'attachment; filename="mezha-1-{scale}.pdf"'
    return Response(made, media_type="application/pdf", headers={"content-disposition": name})
