"""What the viewer asks beside tiles: search, everything at one place, one object with its history."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from accounts import journal
from api.feature import feature
from api.params import AddressDep, CallerDep, DatabaseDep, LayerDep, MomentDep, TodayDep, known_only
from geo import objects, search

router = APIRouter(prefix="/api/v1", tags=["objects"])


@router.get("/search", dependencies=[known_only("q", "limit")])
async def find(
    database: DatabaseDep,
    caller: CallerDep,
    q: Annotated[
        str, Query(description="Number, cadastral number, holder or place; two characters at least")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=50)] = 12,
) -> dict[str, Any]:
    """Objects whose number, name, holder or address contains the text."""
    async with database.transaction(caller) as connection:
        hits = await search.search(connection, q, limit=limit)
    return {
        "hits": [
            {"layer": h.layer, "id": h.id, "title": h.title, "subtitle": h.subtitle, "bbox": h.bbox}
            for h in hits
        ]
    }


@router.get("/objects/{layer}/{identity}", dependencies=[known_only("datetime", "as_of")])
async def show(
    *,
    layer: LayerDep,
    identity: str,
    database: DatabaseDep,
    caller: CallerDep,
    moment: MomentDep,
    today: TodayDep,
    address: AddressDep,
) -> Response:
    """One object with every version that the register knows of it."""
    async with database.transaction(caller) as connection:
        row = await objects.one(connection, layer, objects.identity_of(identity), moment, today=today.first)
        past = await objects.versions(connection, layer, row["id"])
        await journal.viewed(connection, caller, layer.name, row["id"], address=address)
    # SQLAlchemy's keys are a kind of text that the JSON writer does not take.
    known = [{str(name): value for name, value in version.items()} for version in past]
    return Response(feature(row, versions=known), media_type="application/json")
