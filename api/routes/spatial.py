"""Spatial questions: what lies here, what is cut, what is near, what conflicts, how much there is altogether."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from api.params import CallerDep, DatabaseDep, SettingsDep, finite, known_only
from geo import layers
from geo.errors import ParameterError
from geo.moment import Moment, parse
from geo.spatial import spot
from geo.spatial.standing import Terms

router = APIRouter(prefix="/api/v1/spatial", tags=["spatial questions"])


def terms_of(
    caller: CallerDep,
    settings: SettingsDep,
    datetime: Annotated[
        str | None, Query(description="Valid time: a date or first/last; today by default")
    ] = None,
    as_of: Annotated[str | None, Query(description="System time: what the register knew then")] = None,
) -> Terms:
    """Who asks about which moment; today in the region by default."""
    moment = parse(datetime, as_of, Moment.today(settings.time_zone))
    return Terms(caller, moment, timedelta(days=settings.stale_days), settings.region)


TermsDep = Annotated[Terms, Depends(terms_of)]


def names_of(
    layers_text: Annotated[
        str | None, Query(alias="layers", description="Layers separated by commas; all by default")
    ] = None,
) -> tuple[str, ...]:
    """The layers asked about, in the order of the registry."""
    if layers_text is None:
        return tuple(layers.all_layers())
    wanted = {layers.layer(name.strip()).name for name in layers_text.split(",") if name.strip()}
    if not wanted:
        raise ParameterError("No layer is named.", "Name layers, or leave the parameter out.", field="layers")
    return tuple(name for name in layers.all_layers() if name in wanted)


NamesDep = Annotated[tuple[str, ...], Depends(names_of)]


def moment_document(terms: Terms) -> dict[str, Any]:
    """Which moment an answer is about."""
    moment = terms.moment
    return {
        "datetime": {
            "first": moment.first and moment.first.isoformat(),
            "last": moment.last and moment.last.isoformat(),
        },
        "as_of": moment.as_of and moment.as_of.isoformat(),
    }


@router.get("/at", dependencies=[known_only("lon", "lat", "radius", "layers", "datetime", "as_of")])
async def at(
    *,
    database: DatabaseDep,
    terms: TermsDep,
    names: NamesDep,
    lon: Annotated[str, Query(description="Longitude, degrees")],
    lat: Annotated[str, Query(description="Latitude, degrees")],
    radius: Annotated[str, Query(description="Metres around the place, 0…5000")] = "0",
) -> dict[str, Any]:
    """Who may do what at this spot, under which paper: rights first, the newest right first."""
    where = spot.Spot(
        finite(lon, "lon", (-180, 180)), finite(lat, "lat", (-90, 90)), finite(radius, "radius", (0, 5000))
    )
    async with database.raw(terms.caller) as connection:
        here = await spot.at(connection, where, names=names, terms=terms)
    return {
        "place": {"lon": where.lon, "lat": where.lat, "radius": where.radius},
        **moment_document(terms),
        "layers": {name: standing.document() for name, standing in here.standings.items()},
        "objects": here.objects,
    }
