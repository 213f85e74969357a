"""Protection of the account: authenticator app, passkeys, change of address."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts import certificates, passkeys, registration, second_factor
from accounts.errors import AccountsError
from geo.errors import MezhaError
from web.pages.profile import shown
from web.visitor import CallerDep, DatabaseDep, PersonDep, SettingsDep

router = APIRouter(prefix="/profile")
Text = Annotated[str, Form(max_length=500)]


@router.get("/security")
async def overview(request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep) -> Response:
    """What protects the account."""
    async with database.transaction(caller) as connection:
        bound = await second_factor.bound(connection, person)
        keys = await passkeys.own(connection)
        shown_before = await certificates.own(connection)
    data = {"person": person, "bound": bound, "passkeys": keys, "certificates": shown_before}
    return shown(request, "security", data)


@router.post("/totp")
async def begin(
    request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep, settings: SettingsDep
) -> Response:
    """A key for the app, as a QR code."""
    async with database.transaction(caller) as connection:
        binding = await second_factor.begin(connection, person, settings)
    return shown(request, "totp", {"person": person, "binding": binding})


@router.post("/totp/bind")
async def bind(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    settings: SettingsDep,
    *,
    code: Text = "",
) -> Response:
    """Finish the binding by a first code."""
    try:
        async with database.transaction(caller) as connection:
            await second_factor.bind(connection, person, code, settings)
    except AccountsError as err:
        return shown(request, "totp", {"person": person, "binding": None, "error": err}, 422)
    return RedirectResponse("/profile/security", 303)


@router.post("/totp/drop")
async def drop(person: PersonDep, caller: CallerDep, database: DatabaseDep) -> Response:
    """Undo the binding."""
    async with database.transaction(caller) as connection:
        await second_factor.drop(connection, person)
    return RedirectResponse("/profile/security", 303)


@router.get("/email")
async def ask_email(request: Request, person: PersonDep) -> Response:
    """The form of a new address."""
    return shown(request, "email", {"person": person, "sent": ""})


@router.post("/email")
async def send_email(
    request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep, email: Text = ""
) -> Response:
    """Send a code to the new address."""
    try:
        async with database.transaction(caller) as connection:
            await registration.ask_email(connection, person, email)
    except MezhaError as err:
        return shown(request, "email", {"person": person, "sent": "", "error": err}, 422)
    return shown(request, "email", {"person": person, "sent": email}, 202)


@router.post("/email/confirm")
async def change_email(
    request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep, code: Text = ""
) -> Response:
    """Change the address by the code."""
    async with database.transaction(caller) as connection:
        error = await registration.change_email(connection, person, code)
    if error:
        return shown(request, "email", {"person": person, "sent": "?", "error": error}, 422)
    return RedirectResponse("/profile?saved=email", 303)
