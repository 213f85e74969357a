"""Webhooks of one's parties: set up, listed, ended, and what came of their calls."""

import asyncio
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from api.params import DatabaseDep, SettingsDep, known_only
from api.routes.cases import ActorDep, KeyHeader, WriterDep
from api.schemas import Subscribing
from cases import requests, webhooks

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])
LARGEST = 2**53
Number = Annotated[int, Path(ge=1, lt=LARGEST)]


@router.get("", dependencies=[known_only()])
async def listed(actor: ActorDep, database: DatabaseDep) -> dict[str, Any]:
    """Webhooks of my parties."""
    async with database.transaction(actor.caller) as connection:
        return {"webhooks": [dict(w) for w in await webhooks.live(connection)]}


@router.post("", status_code=201, dependencies=[known_only()])
async def subscribe(
    body: Subscribing, actor: ActorDep, settings: SettingsDep, writer: WriterDep, key: KeyHeader = None
) -> Response:
    """Have a system called. The answer shows, this once, the secret that signs the calls."""
    await asyncio.to_thread(webhooks.check_address, body.url, private=settings.webhook_private)
    async with writer.transaction(actor.caller) as connection:

        async def work() -> dict[str, Any]:
            return await webhooks.subscribe(
                connection, actor, inn=body.party_inn, url=body.url, topics=body.topics, note=body.note
            )

        made = await requests.once(connection, key, ["webhook", body.model_dump()], work)
    return Response(orjson.dumps(made, default=str), 201, {"cache-control": "no-store"}, "application/json")


@router.delete("/{webhook}", status_code=204, dependencies=[known_only()])
async def end(webhook: Number, actor: ActorDep, writer: WriterDep) -> None:
    """Call no longer."""
    async with writer.transaction(actor.caller) as connection:
        await webhooks.end(connection, actor, webhook)


@router.get("/{webhook}/deliveries", dependencies=[known_only("before", "limit")])
async def log(
    webhook: Number,
    actor: ActorDep,
    database: DatabaseDep,
    before: Annotated[int | None, Query(ge=1, lt=LARGEST)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """What came of the calls of a webhook, newest first."""
    async with database.transaction(actor.caller) as connection:
        found = await webhooks.deliveries(connection, webhook, before=before, limit=limit)
    return {
        "deliveries": [dict(d) for d in found],
        "next_before": found[-1]["id"] if len(found) == limit else None,
    }


@router.post("/{webhook}/deliveries/{delivery}/again", status_code=202, dependencies=[known_only()])
async def again(
    webhook: Number, delivery: Number, actor: ActorDep, writer: WriterDep, key: KeyHeader = None
) -> dict[str, Any]:
    """Make a call once more, with the same body."""
    async with writer.transaction(actor.caller) as connection:

        async def work() -> dict[str, Any]:
            return {"delivery": await webhooks.again(connection, actor, webhook, delivery)}

        return await requests.once(connection, key, ["again", webhook, delivery], work)
