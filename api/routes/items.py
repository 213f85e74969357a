"""OGC API – Features: the items of a collection, as pages and as files."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from accounts import journal
from api.collection import QUERYABLES
from api.feature import feature
from api.links import GEOJSON, SCHEMA, here, link
from api.params import (
    AddressDep,
    BaseUrl,
    CallerDep,
    DatabaseDep,
    LayerDep,
    MomentDep,
    SettingsDep,
    TodayDep,
    address_of,
    after_of,
    at_once,
    caller_of,
    database_of,
    equalities,
    known_only,
    limit_of,
)
from api.representation import Representation, html, negotiated, wanted_file
from geo import export, objects, tally
from geo.export import KINDS, Extract, Format
from geo.layers import Layer
from geo.moment import parse
from geo.reference import DEGREES, Reference, References
from geo.where import Asked, Where

router = APIRouter(prefix="/ogc", tags=["OGC API"])
KNOWN = (
    "bbox", "bbox-crs", "crs", "datetime", "as_of", "limit", "after", "f", "filter", "filter-lang", "filter-crs",
)  # fmt: skip
PAGE_KINDS = {"json": GEOJSON, "html": "text/html"}


def asked_of(request: Request, layer: LayerDep, today: TodayDep, settings: SettingsDep) -> Asked:
    """The parameters of a request for items; of today where it names no time."""
    given = request.query_params
    moment = parse(given.get("datetime"), given.get("as_of"), today)
    where = Where(
        bbox=given.get("bbox"),
        bbox_crs=given.get("bbox-crs"),
        filter=given.get("filter"),
        language=given.get("filter-lang", "cql2-text"),
        filter_crs=given.get("filter-crs"),
    )
    return Asked(
        where,
        crs=given.get("crs"),
        moment=moment,
        equal=equalities(request, layer, KNOWN),
        limit=limit_of(given.get("limit"), settings),
        whole="limit" not in given,
        after=after_of(given.get("after")),
    )


AskedDep = Annotated[Asked, at_once(asked_of)]


def _content_crs(reference: Reference) -> dict[str, str]:
    return {"content-crs": f"<{reference.uri}>"}


@router.get("/collections/{layer}/items")
async def items(
    *,
    request: Request,
    layer: LayerDep,
    base: BaseUrl,
    database: DatabaseDep,
    caller: CallerDep,
    asked: AskedDep,
    address: AddressDep,
) -> Response:
    """A page of features, or a file of all that match."""
    kind = wanted_file(request)
    if kind is not None:
        return await _file(request, layer, asked, kind)
    async with database.transaction(caller) as connection:
        query, reference = await asked.query(connection, layer)
        page = await objects.page(connection, layer, query, reference)
        matched = await tally.count(connection, layer, query)
        part = {"query": request.url.query[:500], "returned": page.returned}
        await journal.listed(connection, caller, layer.name, details=part, address=address)
    own = negotiated(request)
    links = here(request, base, PAGE_KINDS, own.value)
    links.append(link("collection", f"{base}/ogc/collections/{layer.name}", "application/json"))
    if page.next_after is not None:
        onward = request.url.include_query_params(after=page.next_after).query
        links.append(link("next", f"{base}{request.url.path}?{onward}", PAGE_KINDS[own.value], "Next page"))
    head = {
        "type": "FeatureCollection",
        **({} if matched is None else {"numberMatched": matched}),
        "numberReturned": page.returned,
        "timeStamp": objects.now(),
        "links": links,
    }
    body = orjson.dumps(head)[:-1] + b',"features":[' + page.features.encode() + b"]}"
    queryables = f"{base}/ogc/collections/{layer.name}/queryables"
    headers = _content_crs(reference) | {"link": f'<{queryables}>; rel="{QUERYABLES}"; type="{SCHEMA}"'}
    if own is Representation.html:
        return html(request, layer.title["en"], orjson.loads(body), headers=headers)
    return Response(body, media_type=GEOJSON, headers=headers)


async def _file(request: Request, layer: Layer, asked: Asked, kind: Format) -> Response:
    database, caller = database_of(request), caller_of(request)
    kept = KINDS[kind]
    name = f'attachment; filename="{layer.name}.{kept.ending}"'
    part = {"format": kind.value, "query": request.url.query[:500]}
    note = partial(
        journal.downloaded, caller=caller, subject=layer.name, details=part, address=address_of(request)
    )

    async def text() -> AsyncIterator[bytes]:
        async with database.transaction(caller) as connection:
            await note(connection)
            query, reference = await asked.query(connection, layer)
            async for text_part in export.csv_text(connection, Extract(layer, query, reference), asked.most):
                yield text_part

    if kind is Format.csv:
        parts = text()
        first = await anext(parts)
        return StreamingResponse(
            _from(first, parts), media_type=kept.media_type, headers={"content-disposition": name}
        )
    folder = Path(tempfile.mkdtemp(prefix="mezha-"))
    try:
        async with database.transaction(caller) as connection:
            await note(connection)
            query, reference = await asked.query(connection, layer)
            extract = Extract(layer, query, DEGREES if kind is Format.kml else reference)
            path = await export.write(connection, extract, kind, folder, limit=asked.most)
    except BaseException:
        shutil.rmtree(folder)
        raise
    gone = BackgroundTask(shutil.rmtree, folder)
    headers = {"content-disposition": name} | _content_crs(extract.reference)
    return FileResponse(path, media_type=kept.media_type, headers=headers, background=gone)


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


@router.get(
    "/collections/{layer}/items/{identity}", dependencies=[known_only("f", "crs", "datetime", "as_of")]
)
async def item(
    *,
    request: Request,
    layer: LayerDep,
    identity: str,
    base: BaseUrl,
    database: DatabaseDep,
    caller: CallerDep,
    moment: MomentDep,
    today: TodayDep,
    address: AddressDep,
) -> Response:
    """One feature: as it is today, where it is, else as it was last."""
    wanted = request.query_params.get("crs")
    number = objects.identity_of(identity)
    async with database.transaction(caller) as connection:
        known = await References.naming(connection, wanted)
        reference = known.resolve(wanted, "crs") if wanted is not None else DEGREES
        row = await objects.one(connection, layer, number, moment, today=today.first, reference=reference)
        await journal.viewed(connection, caller, layer.name, row["id"], address=address)
    links = here(request, base, PAGE_KINDS, negotiated(request).value)
    links.append(
        link("collection", f"{base}/ogc/collections/{layer.name}", "application/json", "Its collection")
    )
    body = feature(row, links=links)
    headers = _content_crs(reference)
    if negotiated(request) is Representation.html:
        return html(request, f"{layer.one['en']} {row['id']}", orjson.loads(body), headers=headers)
    return Response(body, media_type=GEOJSON, headers=headers)
