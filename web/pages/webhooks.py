"""Calls to systems of my parties: set up, tried, ended, and what came of each; the secret is shown once."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from cases import webhooks
from cases.desk import Actor
from geo.errors import MezhaError
from web.templating import page
from web.visitor import CallerDep, Number, OfficeDep, PersonDep, SettingsDep

router = APIRouter(prefix="/cabinet/webhooks")
Text = Annotated[str, Form(max_length=2000)]
_BLANK = {"party": "", "url": "", "note": "", "topics": ["event"]}


async def _shown(
    request: Request,
    *,
    made: Mapping[str, Any] | None = None,
    error: MezhaError | None = None,
    given: Mapping[str, Any] | None = None,
) -> Response:
    state = request.scope["state"]
    async with request.app.state.database.transaction(state["caller"]) as connection:
        listed = await webhooks.with_last_calls(connection)
    parties = {m.inn: m.name for m in state["person"].memberships if m.inn}
    data = {
        "person": state["person"],
        "webhooks": listed,
        "parties": parties,
        "may_add": webhooks.manageable(Actor.of(state["caller"], state["person"])),
        "topics": webhooks.TOPICS,
        "made": made,
        "error": error,
        "given": given or _BLANK,
    }
    response = page(request, "messages/webhooks.html", data, 422 if error else 201 if made else 200)
    response.headers["cache-control"] = "no-store"
    return response


@router.get("")
async def listed(request: Request, person: PersonDep) -> Response:
    """The addresses that are called, with their last calls."""
    return await _shown(request)


@router.post("")
async def subscribe(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    writer: OfficeDep,
    settings: SettingsDep,
    *,
    party: Text = "",
    url: Text = "",
    note: Text = "",
    topics: Annotated[list[str] | None, Form(max_length=10)] = None,
) -> Response:
    """Have an address called; its secret is in this answer and in no other."""
    address, chosen = url.strip(), topics or []
    try:
        await asyncio.to_thread(webhooks.check_address, address, private=settings.webhook_private)
        async with writer.transaction(caller) as connection:
            made = await webhooks.subscribe(
                connection, Actor.of(caller, person), inn=party, url=address, topics=chosen, note=note
            )
    except MezhaError as err:
        given = {"party": party, "url": url, "note": note, "topics": chosen}
        return await _shown(request, error=err, given=given)
    return await _shown(request, made=made)


@router.post("/{webhook}/test")
async def test(webhook: Number, person: PersonDep, caller: CallerDep, writer: OfficeDep) -> Response:
    """Call it once with a greeting, as it would be called with news."""
    async with writer.transaction(caller) as connection:
        await webhooks.test(connection, Actor.of(caller, person), webhook)
    return RedirectResponse(f"/cabinet/webhooks?tested={webhook}", 303)


@router.post("/{webhook}/end")
async def end(webhook: Number, person: PersonDep, caller: CallerDep, writer: OfficeDep) -> Response:
    """Call it no longer."""
    async with writer.transaction(caller) as connection:
        await webhooks.end(connection, Actor.of(caller, person), webhook)
    return RedirectResponse("/cabinet/webhooks?ended=1", 303)
