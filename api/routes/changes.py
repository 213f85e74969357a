"""What the registers recorded when: the days of the time slider, and what changed since one of them."""

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Response

from api.params import CallerDep, DatabaseDep, SettingsDep, known_only
from api.routes.spatial import NamesDep
from geo import changes
from geo.changes import Span
from geo.errors import ParameterError
from geo.moment import ALWAYS, parse
from geo.where import boxes_of

router = APIRouter(prefix="/api/v1/changes", tags=["time"])


@router.get("/days", dependencies=[known_only("layers")])
async def days(
    database: DatabaseDep, caller: CallerDep, names: NamesDep, settings: SettingsDep
) -> dict[str, Any]:
    """How many versions were recorded on which day of the region, layer by layer."""
    async with database.raw(caller) as connection:
        found = await changes.days(connection, names, settings.time_zone)
    return {
        "time_zone": settings.time_zone,
        "days": [{"day": day, "layers": counts} for day, counts in found],
    }


def _instant(text: str | None, name: str) -> datetime:
    known = parse(None, text, ALWAYS).as_of if text else None
    if known is None:
        raise ParameterError(f"{name} is missing.", f"Write {name}=2024-02-28T12:00:00Z.", field=name)
    return known


@router.get("", dependencies=[known_only("since", "until", "bbox", "layers", "limit")])
async def changed(
    *,
    database: DatabaseDep,
    caller: CallerDep,
    names: NamesDep,
    since: Annotated[str | None, Query(description="System time from which on changes are told")] = None,
    until: Annotated[str | None, Query(description="System time until which; now by default")] = None,
    bbox: Annotated[str | None, Query(description="west,south,east,north in degrees")] = None,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> Response:
    """Objects that differ between two instants: new, changed or gone, the newest change first."""
    boxes = boxes_of(bbox)
    if len(boxes) > 1:
        raise ParameterError("The box crosses the antimeridian.", "Ask for two boxes.", field="bbox")
    first = _instant(since, "since")
    last = _instant(until, "until") if until else datetime.now(UTC)
    async with database.raw(caller) as connection:
        span = Span(first, last, boxes[0] if boxes else None)
        found = await changes.changes(connection, names, span, limit=limit)
    document = {
        "since": first.isoformat(),
        "until": last.isoformat(),
        "matched": found.matched,
        "changes": [
            {
                **row,
                "at": row["at"].isoformat(),
                "geometry": row["geometry"] and orjson.Fragment(row["geometry"]),
            }
            for row in found.objects
        ],
    }
    return Response(orjson.dumps(document), media_type="application/json")
