"""The profile: who I am here, my sessions, my tokens, my password."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts import consent, passwords, profile, sessions, tokens
from accounts.errors import AccountsError
from geo.errors import MezhaError
from geo.identifiers import whole_number
from web.templating import page
from web.visitor import CallerDep, DatabaseDep, PersonDep, SettingsDep

router = APIRouter(prefix="/profile")
Text = Annotated[str, Form(max_length=500)]


def shown(request: Request, template: str, data: dict[str, object], status: int = 200) -> Response:
    """A page of the profile: never kept by caches."""
    response = page(request, f"accounts/{template}.html", {"error": None, **data}, status)
    response.headers["cache-control"] = "no-store"
    return response


@router.get("")
async def overview(request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep) -> Response:
    """Name, addresses, parties and duties."""
    async with database.transaction(caller) as connection:
        facts = await profile.own(connection, person)
        agreed = await consent.given(connection)
    return shown(request, "profile", {"person": person, "facts": facts, "consents": agreed})


@router.post("")
async def edit(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    name: Text = "",
    phone: Text = "",
    inn: Text = "",
    snils: Text = "",
) -> Response:
    """Change what a person may change by himself."""
    try:
        async with database.transaction(caller) as connection:
            await profile.edit(connection, person, {"name": name, "phone": phone, "inn": inn, "snils": snils})
    except MezhaError as err:
        async with database.transaction(caller) as connection:
            facts = dict(await profile.own(connection, person)) | {
                "name": name,
                "phone": phone,
                "inn": inn,
                "snils": snils,
            }
        return shown(
            request, "profile", {"person": person, "facts": facts, "consents": [], "error": err}, 422
        )
    return RedirectResponse("/profile?saved=1", 303)


@router.get("/sessions")
async def list_sessions(
    request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep
) -> Response:
    """Where I am logged in."""
    async with database.transaction(caller) as connection:
        live = await sessions.live(connection)
    return shown(request, "sessions", {"person": person, "sessions": live})


@router.post("/sessions/end")
async def end_session(
    request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep, session: Text = ""
) -> Response:
    """End one session, or all but this one."""
    number, others = whole_number(session), session == "others"
    if others or number is not None:
        async with database.transaction(caller) as connection:
            await sessions.revoke(connection, person, number, keep=person.session if others else None)
    return RedirectResponse("/profile/sessions", 303)


@router.get("/tokens")
async def list_tokens(
    request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep
) -> Response:
    """Tokens of my GIS tools."""
    async with database.transaction(caller) as connection:
        live = await tokens.live(connection)
    return shown(request, "tokens", {"person": person, "tokens": live, "made": None})


@router.post("/tokens")
async def make_token(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    settings: SettingsDep,
    *,
    label: Text = "",
    days: Text = "90",
) -> Response:
    """Make a token; it is shown this once, in the answer itself."""
    made, error = None, None
    async with database.transaction(caller) as connection:
        try:
            made = await tokens.make(
                connection,
                person,
                label=label,
                days=whole_number(days) or 0,
                settings=settings,
            )
        except MezhaError as err:
            error = err
        live = await tokens.live(connection)
    data = {"person": person, "tokens": live, "made": made, "error": error}
    return shown(request, "tokens", data, 422 if error else 201)


@router.post("/tokens/revoke")
async def revoke_token(
    person: PersonDep, caller: CallerDep, database: DatabaseDep, token: Text = ""
) -> Response:
    """Revoke a token."""
    if (number := whole_number(token)) is not None:
        async with database.transaction(caller) as connection:
            await tokens.revoke(connection, person, number)
    return RedirectResponse("/profile/tokens", 303)


@router.get("/password")
async def ask_password(request: Request, person: PersonDep) -> Response:
    """The form of a new password."""
    return shown(request, "password", {"person": person})


@router.post("/password")
async def change_password(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    old: Text = "",
    password: Text = "",
) -> Response:
    """Change my password; every other session of mine ends."""
    try:
        async with database.transaction(caller) as connection:
            await passwords.change(
                connection, person, password, keep=request.scope["state"]["secret"], old=old
            )
    except AccountsError as err:
        return shown(request, "password", {"person": person, "error": err}, 422)
    return RedirectResponse("/profile?saved=password", 303)
