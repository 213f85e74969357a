"""Query parameters, parsed once: layer, boxes, moment, paging, format, unknown names."""

import math
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from geo import layers
from geo.access import ANONYMOUS, Caller
from geo.db import Database
from geo.errors import ParameterError
from geo.layers import Layer
from geo.moment import ALWAYS, Moment, parse
from geo.objects import Bbox
from geo.settings import Settings


def caller_of(request: Request) -> Caller:
    """Who asks, as the composition root established it."""
    caller: Caller = request.scope.get("state", {}).get("caller", ANONYMOUS)
    return caller


def database_of(request: Request) -> Database:
    """The database of this process."""
    database: Database = request.app.state.database
    return database


def settings_of(request: Request) -> Settings:
    """The settings of this process."""
    settings: Settings = request.app.state.settings
    return settings


CallerDep = Annotated[Caller, Depends(caller_of)]
DatabaseDep = Annotated[Database, Depends(database_of)]
SettingsDep = Annotated[Settings, Depends(settings_of)]


def base_url(request: Request) -> str:
    """Address under which the client reached the server, without a slash at the end."""
    settings = settings_of(request)
    return (settings.base_url or str(request.base_url)).rstrip("/")


BaseUrl = Annotated[str, Depends(base_url)]


def known_only(*names: str) -> Any:
    """Dependency that refuses parameters which the operation does not know, as OGC API demands."""

    def check(request: Request) -> None:
        unknown = [name for name in request.query_params if name not in names]
        if unknown:
            raise ParameterError(
                f"The parameter “{unknown[0][:40]}” is unknown.",
                f"Known here: {', '.join(names) or 'none'}.",
                field=unknown[0][:40],
                value=request.query_params[unknown[0]][:40],
            )

    return Depends(check)


def numbers(text: str, field: str) -> list[float]:
    """Finite numbers of a comma-separated list."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = [math.nan]
    if not all(map(math.isfinite, values)):
        raise ParameterError(
            f"{field}={text[:60]} is no list of numbers.",
            "Write numbers separated by commas.",
            field=field,
            value=text[:60],
        )
    return values


def finite(text: str, field: str, bounds: tuple[float, float]) -> float:
    """One finite number between bounds."""
    value = numbers(text, field)
    if len(value) != 1 or not bounds[0] <= value[0] <= bounds[1]:
        raise ParameterError(
            f"{field}={text[:40]} is not between {bounds[0]:g} and {bounds[1]:g}.",
            f"Give one number from {bounds[0]:g} to {bounds[1]:g}.",
            field=field,
            value=text[:40],
        )
    return value[0]


def boxes_of(bbox: str | None) -> tuple[Bbox, ...]:
    """Boxes of a ``bbox`` of 4 or 6 numbers in degrees; two boxes where it crosses the antimeridian."""
    if bbox is None:
        return ()
    values = numbers(bbox, "bbox")
    if len(values) == 6:
        values = [values[0], values[1], values[3], values[4]]
    if len(values) != 4:
        raise ParameterError(
            f"bbox has {len(values)} numbers.", "Write west,south,east,north.", field="bbox", value=bbox[:60]
        )
    west, south, east, north = values
    if south > north or not (-90 <= south <= 90 and -90 <= north <= 90):
        raise ParameterError(
            f"bbox={bbox[:60]} is reversed or outside the globe.",
            "Write west,south,east,north in degrees.",
            field="bbox",
            value=bbox[:60],
        )
    if not (-180 <= west <= 180 and -180 <= east <= 180):
        raise ParameterError(
            f"bbox={bbox[:60]} is outside the globe.",
            "Longitudes run from -180 to 180.",
            field="bbox",
            value=bbox[:60],
        )
    if west > east:
        return ((west, south, 180.0, north), (-180.0, south, east, north))
    return ((west, south, east, north),)


def limit_of(limit: str | None, settings: Settings) -> int:
    """Page size: clamped from above, refused below one."""
    if limit is None:
        return 10
    try:
        wanted = int(limit)
    except ValueError:
        wanted = 0
    if wanted < 1:
        raise ParameterError(
            f"limit={limit[:20]} is no page size.",
            f"Choose 1…{settings.items_max_limit}.",
            field="limit",
            value=limit[:20],
        )
    return min(wanted, settings.items_max_limit)


def layer_of(layer: str) -> Layer:
    """The layer of the path."""
    return layers.layer(layer)


LayerDep = Annotated[Layer, Depends(layer_of)]


def moment_of(
    datetime: Annotated[
        str | None, Query(description="Valid time: a date, or first/last with .. for open")
    ] = None,
    as_of: Annotated[str | None, Query(description="System time: what the register knew then")] = None,
) -> Moment:
    """Moment of ``datetime`` and ``as_of``; all valid days, as known now, by default."""
    return parse(datetime, as_of, ALWAYS)


MomentDep = Annotated[Moment, Depends(moment_of)]
