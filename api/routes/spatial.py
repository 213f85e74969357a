"""Spatial questions: what lies here, what is cut, what is near, what conflicts, how much there is altogether."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import orjson
import shapely
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from accounts import journal
from api.params import AddressDep, BaseUrl, CallerDep, DatabaseDep, SettingsDep, at_once, finite, known_only
from api.patience import while_connected
from geo import layers, objects
from geo.db import Database
from geo.errors import GeometryError, ParameterError, UnknownObjectError
from geo.moment import Moment, parse
from geo.reference import References
from geo.spatial import conflicts, cut, file, near, questions, shape, spot, summary
from geo.spatial.shape import Shape
from geo.spatial.standing import Standing, Terms
from geo.where import boxes_of

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


TermsDep = Annotated[Terms, at_once(terms_of)]


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


NamesDep = Annotated[tuple[str, ...], at_once(names_of)]


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


def standings_document(known: Mapping[str, Standing]) -> dict[str, Any]:
    """Each layer's answer."""
    return {name: standing.document() for name, standing in known.items()}


@router.get("/at", dependencies=[known_only("lon", "lat", "radius", "layers", "datetime", "as_of")])
async def at(
    *,
    database: DatabaseDep,
    terms: TermsDep,
    names: NamesDep,
    lon: Annotated[str, Query(description="Longitude, degrees")],
    lat: Annotated[str, Query(description="Latitude, degrees")],
    radius: Annotated[str, Query(description="Metres around the place, 0…5000")] = "0",
) -> Response:
    """Who may do what at this spot, under which paper: rights first, the newest right first."""
    where = spot.Spot(
        finite(lon, "lon", (-180, 180)), finite(lat, "lat", (-90, 90)), finite(radius, "radius", (0, 5000))
    )
    async with database.raw(terms.caller) as connection:
        here = await spot.at(connection, where, names=names, terms=terms)
    document = {
        "place": {"lon": where.lon, "lat": where.lat, "radius": where.radius},
        **moment_document(terms),
        "layers": standings_document(here.standings),
        "objects": here.objects,
    }
    return Response(orjson.dumps(document), media_type="application/json")


LONGEST_BODY = 96 << 20
CrsText = Annotated[
    str | None, Query(alias="crs", description="System of the geometry, by OGC URI; longitude first")
]


async def _body_of(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            raise GeometryError(
                f"The geometry is longer than {LONGEST_BODY >> 20} MiB.", "Simplify it.", field="geometry"
            )
    return bytes(body)


async def _shape_of(request: Request, database: Database, terms: Terms, crs: str | None) -> Shape:
    """The polygon in the body of a request."""
    body = await _body_of(request)
    async with database.transaction(terms.caller) as connection:
        references = await References.naming(connection, crs)
    system = references.resolve(crs, "crs") if crs else references.resolve("CRS84", "crs")
    return await asyncio.to_thread(shape.read, body, system)


@router.post("/shape", dependencies=[known_only()])
async def shape_of_file(request: Request) -> Response:
    """The polygon of a file (GeoJSON, GeoPackage, zipped Shapefile) in degrees, as the other questions take it."""
    found = await asyncio.to_thread(file.read, await _body_of(request))
    document = {
        "type": "Feature",
        "properties": {"area_ha": round(found.area_m2 / 10_000, 6), "vertices": found.vertices},
        "geometry": orjson.Fragment(shapely.to_geojson(found.geometry)),
    }
    return Response(orjson.dumps(document), media_type="application/geo+json")


@router.post("/intersect", dependencies=[known_only("layers", "crs", "datetime", "as_of")])
async def intersect(
    *,
    request: Request,
    database: DatabaseDep,
    terms: TermsDep,
    names: NamesDep,
    base: BaseUrl,
    crs: CrsText = None,
) -> Response:
    """What a polygon (GeoJSON in the body) cuts: common area in hectares and share per object."""
    question = await _shape_of(request, database, terms, crs)
    if question.vertices > shape.MOST_AT_ONCE:
        return await _as_job(database, question, names, terms, base)
    try:
        async with asyncio.timeout(10):
            found = await while_connected(request, _cuts(database, question, names, terms))
    except (cut.TooBigError, TimeoutError):
        return await _as_job(database, question, names, terms, base)
    document = {
        "area_ha": round(question.area_m2 / 10_000, 6),
        "vertices": question.vertices,
        **moment_document(terms),
        "layers": standings_document(found.standings),
        "objects": found.objects,
    }
    return Response(orjson.dumps(document), media_type="application/json")


async def _cuts(database: Database, question: Shape, names: tuple[str, ...], terms: Terms) -> cut.Cuts:
    async with database.raw(terms.caller) as connection:
        return await cut.intersect(connection, question, names=names, terms=terms)


async def _as_job(
    database: Database, question: Shape, names: tuple[str, ...], terms: Terms, base: str
) -> Response:
    async with database.transaction(terms.caller) as connection:
        identity = await questions.ask(connection, question, names, terms)
    address = f"{base}/api/v1/spatial/questions/{identity}"
    body = orjson.dumps({"question": identity, "status": "waiting", "href": address})
    return Response(body, 202, headers={"location": address}, media_type="application/json")


@router.get(
    "/nearest", dependencies=[known_only("lon", "lat", "layers", "limit", "within", "datetime", "as_of")]
)
async def nearest(
    *,
    database: DatabaseDep,
    terms: TermsDep,
    names: NamesDep,
    lon: Annotated[str, Query(description="Longitude, degrees")],
    lat: Annotated[str, Query(description="Latitude, degrees")],
    limit: Annotated[int, Query(ge=1, le=50, description="Objects of each layer")] = 3,
    within: Annotated[str, Query(description="Greatest distance, metres")] = "50000",
) -> dict[str, Any]:
    """The nearest objects of each layer, with their distance in metres."""
    place = spot.Spot(
        finite(lon, "lon", (-180, 180)), finite(lat, "lat", (-90, 90)), finite(within, "within", (0, 1e7))
    )
    async with database.raw(terms.caller) as connection:
        found, known = await near.nearest(connection, place, names=names, terms=terms, limit=limit)
    return {
        "place": {"lon": place.lon, "lat": place.lat, "within": place.radius},
        **moment_document(terms),
        "layers": standings_document(known),
        "objects": found,
    }


@router.get("/overlaps", dependencies=[known_only("kinds", "layers", "bbox", "limit", "datetime", "as_of")])
async def overlaps(
    *,
    request: Request,
    database: DatabaseDep,
    terms: TermsDep,
    names: NamesDep,
    kinds: Annotated[str, Query(description="Kinds of conflict separated by commas; all by default")] = "",
    bbox: Annotated[str | None, Query(description="west,south,east,north in degrees")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> Response:
    """Conflicts between layers: pairs with their common area, largest first; as the monitor knows them."""
    boxes = boxes_of(bbox)
    if len(boxes) > 1:
        raise ParameterError("The box crosses the antimeridian.", "Ask for two boxes.", field="bbox")
    async with database.raw(terms.caller) as connection:
        found = await conflicts.overlaps(
            connection,
            terms,
            kinds=[k.strip() for k in kinds.split(",") if k.strip()],
            names=names,
            box=boxes[0] if boxes else None,
            limit=limit,
        )
    document = {
        **moment_document(terms),
        "kinds": {
            kind: {"layers": found.kinds[kind]} | standing.document()
            for kind, standing in found.standings.items()
        },
        "matched": found.matched,
        "overlap_ha": round(found.total_m2 / 10_000, 6),
        "pairs": found.pairs,
    }
    return Response(orjson.dumps(document), media_type="application/json")


def wanted_of(
    layer: Annotated[str, Query(description="The layer that is summed")],
    by: Annotated[str, Query(description="Property whose values are the groups")] = "",
    per: Annotated[str, Query(description="municipalities, forestries or quarters: a group for each")] = "",
    add: Annotated[str, Query(description="Numeric properties to sum, separated by commas")] = "",
) -> summary.Wanted:
    """What is summed."""
    sums = tuple(dict.fromkeys(name.strip() for name in add.split(",") if name.strip()))
    return summary.Wanted(layers.layer(layer), by, per, sums)


WantedDep = Annotated[summary.Wanted, at_once(wanted_of)]


async def _sum(
    database: Database, wanted: summary.Wanted, terms: Terms, area: Shape | None
) -> dict[str, Any]:
    async with database.raw(terms.caller) as connection:
        groups, standing = await summary.summary(connection, wanted, terms, shape=area)
    return {**moment_document(terms), "layers": {wanted.layer.name: standing.document()}, "groups": groups}


@router.get("/summary", dependencies=[known_only("layer", "by", "per", "add", "within", "datetime", "as_of")])
async def summary_of_layer(
    *,
    request: Request,
    database: DatabaseDep,
    terms: TermsDep,
    wanted: WantedDep,
    within: Annotated[str | None, Query(description="An object, LAYER/ID: only what lies in it")] = None,
) -> dict[str, Any]:
    """Number, area, stock and sums of a layer, in groups; in the whole region or within an object."""
    area = await _object_shape(database, terms, within) if within else None
    return await while_connected(request, _sum(database, wanted, terms, area))


async def _object_shape(database: Database, terms: Terms, within: str) -> Shape:
    name, _, number = within.partition("/")
    target, identity = layers.layer(name), objects.identity_of(number)
    async with database.raw(terms.caller) as connection:
        wkb = await summary.area_of(connection, target, identity, terms)
    if wkb is None:
        raise UnknownObjectError(
            f"There is no object {within[:60]}.", "Name it as LAYER/ID.", field="within", value=within[:60]
        )
    return shape.of_wkb(wkb)


@router.post("/summary", dependencies=[known_only("layer", "by", "per", "add", "crs", "datetime", "as_of")])
async def summary_of_polygon(
    *, request: Request, database: DatabaseDep, terms: TermsDep, wanted: WantedDep, crs: CrsText = None
) -> dict[str, Any]:
    """The same within a polygon (GeoJSON in the body); what it cuts counts with its share."""
    area = await _shape_of(request, database, terms, crs)
    return await while_connected(request, _sum(database, wanted, terms, area))


def _question(found: Mapping[str, Any], base: str) -> dict[str, Any]:
    address = f"{base}/api/v1/spatial/questions/{found['id']}"
    plain = {
        k: found[k] for k in ("id", "status", "progress", "message", "answer", "asked_at", "finished_at")
    }
    return plain | {"href": address, "file": f"{address}/file" if found["file"] else None}


@router.get("/questions/{identity}")
async def question(identity: str, database: DatabaseDep, caller: CallerDep, base: BaseUrl) -> dict[str, Any]:
    """State of a question that became a job, and its answer when it is done."""
    async with database.transaction(caller) as connection:
        return _question(await questions.find(connection, identity, caller), base)


@router.delete("/questions/{identity}")
async def cancel(identity: str, database: DatabaseDep, caller: CallerDep, base: BaseUrl) -> dict[str, Any]:
    """Cancel a question."""
    async with database.transaction(caller) as connection:
        return _question(await questions.cancel(connection, identity, caller), base)


@router.get("/questions/{identity}/file")
async def result(
    identity: str, database: DatabaseDep, caller: CallerDep, settings: SettingsDep, address: AddressDep
) -> FileResponse:
    """The result as GeoParquet: every object cut, with the common part as its geometry."""
    async with database.transaction(caller) as connection:
        found = await questions.find(connection, identity, caller)
        path = questions.file_of(settings, found)
        part = {"question": identity, "format": "geoparquet"}
        await journal.downloaded(connection, caller, "question", details=part, address=address)
    return FileResponse(
        path, media_type="application/vnd.apache.parquet", filename=f"question-{identity}.parquet"
    )
