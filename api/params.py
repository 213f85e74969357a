"""Query parameters, parsed once: layer, boxes, moment, paging, format, unknown names."""

from collections.abc import Callable, Collection
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from geo import layers, objects
from geo.access import ANONYMOUS, Caller
from geo.coroutine import in_place
from geo.db import Database
from geo.errors import ParameterError
from geo.identifiers import whole_number
from geo.layers import Layer
from geo.moment import ALWAYS, Moment, parse
from geo.settings import Settings
from geo.where import numbers


def at_once(dependency: Callable[..., Any]) -> Any:
    """``Depends`` for what never waits."""
    return Depends(in_place(dependency))


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


def address_of(request: Request) -> str:
    """Network address of the client, for the journal; that of the reverse proxy's client where there is one."""
    return request.client.host if request.client else ""


AddressDep = Annotated[str, at_once(address_of)]
CallerDep = Annotated[Caller, at_once(caller_of)]
DatabaseDep = Annotated[Database, at_once(database_of)]
SettingsDep = Annotated[Settings, at_once(settings_of)]


def base_url(request: Request) -> str:
    """Address under which the client reached the server, without a slash at the end."""
    settings = settings_of(request)
    return (settings.base_url or str(request.base_url)).rstrip("/")


BaseUrl = Annotated[str, at_once(base_url)]


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

    return at_once(check)


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


def equalities(request: Request, layer: Layer, known: Collection[str]) -> dict[str, str]:
    """Equality filters: parameters named like a queryable of the layer; anything else unknown is refused."""
    names = (*(p.name for p in layer.properties), *objects.OF_EVERY_OBJECT)
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in known:
            continue
        if name not in names:
            raise ParameterError(
                f"The parameter “{name[:40]}” is unknown.",
                f"Known here: {', '.join(sorted(known))} and the properties {', '.join(names)}.",
                field=name[:40],
                value=value[:40],
            )
        objects.check_value(layer, name, value)
        found[name] = value
    return found


def limit_of(limit: str | None, settings: Settings) -> int:
    """Page size: clamped from above, refused below one."""
    if limit is None:
        return 10
    wanted = whole_number(limit)
    if not wanted:
        raise ParameterError(
            f"limit={limit[:20]} is no page size.",
            f"Choose 1…{settings.items_max_limit}.",
            field="limit",
            value=limit[:20],
        )
    return min(wanted, settings.items_max_limit)


def after_of(after: str | None) -> int:
    """The id after which a page begins; none where the request names none."""
    if after is None:
        return 0
    number = whole_number(after)
    if number is None:
        raise ParameterError(
            f"after={after[:20]} is no id.",
            "Follow the link `next` of the page before.",
            field="after",
            value=after[:20],
        )
    return number


def layer_of(layer: str) -> Layer:
    """The layer of the path."""
    return layers.layer(layer)


LayerDep = Annotated[Layer, at_once(layer_of)]


def moment_of(
    datetime: Annotated[
        str | None, Query(description="Valid time: a date, or first/last with .. for open")
    ] = None,
    as_of: Annotated[str | None, Query(description="System time: what the register knew then")] = None,
) -> Moment:
    """Moment of ``datetime`` and ``as_of``; all valid days, as known now, by default."""
    return parse(datetime, as_of, ALWAYS)


MomentDep = Annotated[Moment, at_once(moment_of)]


def today_of(request: Request) -> Moment:
    """What holds today in the region."""
    return Moment.today(settings_of(request).time_zone)


TodayDep = Annotated[Moment, at_once(today_of)]
