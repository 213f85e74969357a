"""For whom the visitor acts: the choice after a log-in that brought several organisations, and at any time later."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from accounts import acting
from web.pages.profile import shown
from web.visitor import CallerDep, DatabaseDep, PersonDep, SettingsDep, go_on, own_path, party_of

router = APIRouter(prefix="/login/party")


@router.get("")
async def ask(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    next: str | None = None,  # noqa: A002 - the name in the address
) -> Response:
    """The parties of the visitor."""
    async with database.transaction(caller) as connection:
        found = await acting.choices(connection, person)
    return shown(request, "acting", {"person": person, "choices": found, "next": own_path(next)})


@router.post("")
async def choose(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    settings: SettingsDep,
    *,
    party: Annotated[str, Form(max_length=20)] = "",
    next: Annotated[str, Form(max_length=500)] = "",  # noqa: A002
) -> Response:
    """Act for one of them; DeniedError for another's."""
    wanted = party_of(party)
    async with database.transaction(caller) as connection:
        ticket = await acting.choose(
            connection, person, request.scope["state"].get("secret", ""), wanted, settings
        )
    return go_on(request, ticket, next)
