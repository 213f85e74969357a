"""The office's people: duties for administrators, confirmations for officers and registrars."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts import confirmation, staff
from accounts.errors import DeniedError
from accounts.person import Person
from geo.access import Caller
from geo.db import Database
from geo.errors import MezhaError
from web.pages.profile import shown
from web.visitor import LARGEST, AdministratorDep, CallerDep, DatabaseDep, NumberField, PersonDep, settings_of

router = APIRouter(prefix="/office")
Text = Annotated[str, Form(max_length=500)]


async def _staff(
    request: Request, person: Person, caller: Caller, error: MezhaError | None = None
) -> Response:
    database: Database = request.app.state.database
    async with database.transaction(caller) as connection:
        rows = await staff.everybody(connection)
    data = {"person": person, "rows": rows, "error": error, "region": settings_of(request).region}
    return shown(request, "staff", data, 422 if error else 200)


@router.get("/staff")
async def everybody(request: Request, person: AdministratorDep, caller: CallerDep) -> Response:
    """Everybody with a duty."""
    return await _staff(request, person, caller)


@router.post("/staff")
async def appoint(
    request: Request,
    person: AdministratorDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    account: Text = "",
    duty: Text = "",
    region: Text = "",
    office: Text = "",
) -> Response:
    """Give a duty."""
    try:
        async with database.transaction(caller) as connection:
            await staff.appoint(connection, person, name=account, duty=duty, region=region, office=office)
    except MezhaError as err:
        return await _staff(request, person, caller, err)
    return RedirectResponse("/office/staff", 303)


@router.post("/staff/end")
async def dismiss(
    request: Request,
    person: AdministratorDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    duty: NumberField,
) -> Response:
    """Take a duty."""
    try:
        async with database.transaction(caller) as connection:
            await staff.dismiss(connection, person, duty)
    except MezhaError as err:
        return await _staff(request, person, caller, err)
    return RedirectResponse("/office/staff", 303)


@router.post("/staff/block")
async def block(
    request: Request,
    person: AdministratorDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    account: NumberField,
) -> Response:
    """Close an account."""
    try:
        async with database.transaction(caller) as connection:
            await staff.block(connection, person, account)
    except MezhaError as err:
        return await _staff(request, person, caller, err)
    return RedirectResponse("/office/staff", 303)


async def _queue(
    request: Request, person: Person, caller: Caller, error: MezhaError | None = None
) -> Response:
    if not (person.serves("officer") or person.serves("registrar") or person.administrator):
        raise DeniedError("This page is for officers and registrars.", "Ask an administrator for the duty.")
    database: Database = request.app.state.database
    async with database.transaction(caller) as connection:
        rows = await confirmation.queue(connection)
    return shown(
        request, "confirmations", {"person": person, "rows": rows, "error": error}, 422 if error else 200
    )


@router.get("/confirmations")
async def queue(request: Request, person: PersonDep, caller: CallerDep) -> Response:
    """Requests that wait for a check."""
    return await _queue(request, person, caller)


@router.post("/confirmations")
async def check(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    confirmed: Text = "",
    number: Annotated[int, Form(alias="request", ge=1, lt=LARGEST)],
    reason: Text = "",
) -> Response:
    """Accept the evidence, or refuse with a reason."""
    try:
        async with database.transaction(caller) as connection:
            await confirmation.check(connection, person, number, accepted=confirmed == "yes", reason=reason)
    except MezhaError as err:
        return await _queue(request, person, caller, err)
    return RedirectResponse("/office/confirmations", 303)
