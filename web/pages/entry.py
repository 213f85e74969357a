"""Registration, confirmation of the address, recovery of the password."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts import recovery, registration
from accounts.errors import AccountsError
from geo.access import ANONYMOUS
from geo.errors import MezhaError, ParameterError
from web.pages.login import step
from web.visitor import DatabaseDep, OriginDep, SettingsDep

router = APIRouter()
Text = Annotated[str, Form(max_length=500)]


@router.get("/register")
async def ask_registration(request: Request) -> Response:
    """The form of a new account."""
    return step(request, "register", given={"email": "", "name": ""})


@router.post("/register")
async def register(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    origin: OriginDep,
    *,
    email: Text = "",
    name: Text = "",
    password: Text = "",
) -> Response:
    """Make the account; what is shown does not depend on whether the address had one."""
    try:
        await registration.register(database, email, name, password, origin=origin, settings=settings)
    except MezhaError as err:
        return step(request, "register", 422, error=err, given={"email": email, "name": name})
    return step(request, "confirm_email", 202, name=email.strip())


@router.post("/register/again")
async def send_again(
    request: Request, database: DatabaseDep, settings: SettingsDep, origin: OriginDep, *, name: Text = ""
) -> Response:
    """Have the code sent again."""
    try:
        async with database.transaction(ANONYMOUS) as connection:
            await registration.again(connection, name, origin, settings)
    except AccountsError as err:
        return step(request, "confirm_email", 422, error=err, name=name)
    return step(request, "confirm_email", 202, name=name)


@router.post("/register/confirm")
async def confirm(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    origin: OriginDep,
    *,
    name: Text = "",
    code: Text = "",
) -> Response:
    """Confirm the address by the code of the letter."""
    try:
        await registration.confirm(database, name, code, origin, settings)
    except AccountsError as err:
        return step(request, "confirm_email", 422, error=err, name=name)
    return RedirectResponse("/login?confirmed=1", 303)


@router.get("/recover")
async def ask_recovery(request: Request) -> Response:
    """The form that asks whose password is lost."""
    return step(request, "recover", name="")


@router.post("/recover")
async def recover(
    request: Request, database: DatabaseDep, settings: SettingsDep, origin: OriginDep, *, name: Text = ""
) -> Response:
    """Have a code sent; what is shown does not depend on whether there is such an account."""
    try:
        if not name.strip():
            raise ParameterError("The name is missing.", "Write your name or e-mail.", field="name")
        async with database.transaction(ANONYMOUS) as connection:
            await recovery.ask(connection, name.strip(), origin, settings)
    except MezhaError as err:
        return step(request, "recover", 422, error=err, name=name)
    return step(request, "recover_code", 202, name=name.strip())


@router.post("/recover/finish")
async def finish_recovery(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    origin: OriginDep,
    *,
    name: Text = "",
    code: Text = "",
    password: Text = "",
) -> Response:
    """Set the new password with the code."""
    try:
        await recovery.finish(database, name, code, password, origin=origin, settings=settings)
    except AccountsError as err:
        return step(request, "recover_code", 422, error=err, name=name)
    return RedirectResponse("/login?recovered=1", 303)
