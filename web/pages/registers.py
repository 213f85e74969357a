"""The registers as tables: sorted, filtered, paged, and taken away as CSV."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from geo import catalogue, layers
from geo.access import ANONYMOUS, Caller
from geo.db import Database
from geo.dictionaries import dictionary
from geo.layers import GROUPS, Layer, Property
from geo.listing import Listing, listing
from geo.moment import Moment
from web.templating import locale_of, page

router = APIRouter(prefix="/registers")

# A table shows at most these many columns; the object's own page has all of them.
_WIDEST = 8
_HIDDEN = frozenset({"area_declared_m2", "area_method", "key", "holder_inn", "region"})


def columns_of(layer: Layer) -> list[Property]:
    """Columns of the table: what names the object first, then its first facts, its dates and its area."""
    named = [layer.property_named(name) for name in dict.fromkeys((*layer.title_of, *layer.subtitle_of))]
    rest = [p for p in layer.properties if p not in named and p.name not in _HIDDEN and p.name != "area_m2"]
    wanted = [p for p in rest if p.name in layer.filters] + [p for p in rest if p.name not in layer.filters]
    area = [p for p in layer.properties if p.name == "area_m2" and layer.area != "none"]
    return [*named, *wanted][: _WIDEST - len(area)] + area


def listing_of(request: Request, layer: Layer, *, text: str, sort: str, number: int) -> Listing:
    """The table that the address asks for; unknown parameters are the address bar's own affair."""
    given = request.query_params
    filters = [layer.property_named(name) for name in layer.filters]
    equal = {p.name: given[p.name] for p in filters if p.type != "date" and given.get(p.name)}
    between = {
        p.name: (given.get(f"{p.name}_from") or None, given.get(f"{p.name}_to") or None)
        for p in filters
        if p.type == "date"
    }
    return Listing(text=text, equal=equal, between=between, sort=sort, page=number, moment=_today(request))


def _today(request: Request) -> Moment:
    return Moment.today(request.app.state.settings.time_zone)


@router.get("")
async def registers(request: Request) -> HTMLResponse:
    """All registers that the visitor may know of, by group."""
    database: Database = request.app.state.database
    caller: Caller = request.scope["state"].get("caller", ANONYMOUS)
    async with database.transaction(caller) as connection:
        entries = await catalogue.entries(connection, _today(request))
    return page(request, "registers.html", {"entries": entries, "groups": GROUPS})


@router.get("/{name}")
async def register(
    request: Request,
    name: str,
    q: Annotated[str, Query(max_length=200)] = "",
    sort: Annotated[str, Query(max_length=60)] = "",
    number: Annotated[int, Query(alias="page")] = 1,
) -> HTMLResponse:
    """One register as a table."""
    layer = layers.layer(name)
    database: Database = request.app.state.database
    caller: Caller = request.scope["state"].get("caller", ANONYMOUS)
    wanted = listing_of(request, layer, text=q, sort=sort, number=number)
    async with database.transaction(caller) as connection:
        found = await listing(connection, layer, wanted)
    locale = locale_of(request)
    filters = [layer.property_named(name) for name in layer.filters]
    options = [
        (p, [(code, labels[locale]) for code, labels in dictionary(p.dictionary).items()])
        for p in filters
        if p.dictionary
    ]
    data = {
        "layer": layer,
        "columns": columns_of(layer),
        "wanted": wanted,
        "found": found,
        "options": options,
        "dates": [p for p in filters if p.type == "date"],
        "csv": f"/ogc/collections/{layer.name}/items?{urlencode({**wanted.equal, 'f': 'csv', 'limit': 10_000})}",
    }
    return page(request, "register.html", data)
