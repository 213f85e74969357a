"""The office's people: duties for administrators, confirmations for officers and registrars."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from accounts import confirmation, staff
from accounts.errors import DeniedError
from geo.errors import MezhaError
from web.pages.profile import shown
from web.visit import AdministrationDep, Visit, VisitDep
from web.visitor import LARGEST, NumberField, settings_of

router = APIRouter(prefix="/office")
Text = Annotated[str, Form(max_length=500)]
STAFF = "/office/staff"


async def _staff(visit: Visit, error: MezhaError | None = None) -> Response:
    async with visit.database.transaction(visit.caller) as connection:
        rows = await staff.everybody(connection)
    region = settings_of(visit.request).region
    data = {"person": visit.person, "rows": rows, "error": error, "region": region}
    return shown(visit.request, "staff", data, 422 if error else 200)


@router.get("/staff")
async def everybody(visit: AdministrationDep) -> Response:
    """Everybody with a duty."""
    return await _staff(visit)


@router.post("/staff")
async def appoint(
    visit: AdministrationDep,
    *,
    account: Text = "",
    duty: Text = "",
    region: Text = "",
    office: Text = "",
) -> Response:
    """Give a duty."""
    given = {"name": account, "duty": duty, "region": region, "office": office}
    return await visit.change(
        lambda c: staff.appoint(c, visit.person, **given), then=STAFF, again=partial(_staff, visit)
    )


@router.post("/staff/end")
async def dismiss(visit: AdministrationDep, duty: NumberField) -> Response:
    """Take a duty."""
    return await visit.change(
        lambda c: staff.dismiss(c, visit.person, duty), then=STAFF, again=partial(_staff, visit)
    )


@router.post("/staff/block")
async def block(visit: AdministrationDep, account: NumberField) -> Response:
    """Close an account."""
    return await visit.change(
        lambda c: staff.block(c, visit.person, account), then=STAFF, again=partial(_staff, visit)
    )


async def _queue(visit: Visit, error: MezhaError | None = None) -> Response:
    person = visit.person
    if not (person.serves("officer") or person.serves("registrar") or person.administrator):
        raise DeniedError("This page is for officers and registrars.", "Ask an administrator for the duty.")
    async with visit.database.transaction(visit.caller) as connection:
        rows = await confirmation.queue(connection)
    data = {"person": person, "rows": rows, "error": error}
    return shown(visit.request, "confirmations", data, 422 if error else 200)


@router.get("/confirmations")
async def queue(visit: VisitDep) -> Response:
    """Requests that wait for a check."""
    return await _queue(visit)


@router.post("/confirmations")
async def check(
    visit: VisitDep,
    *,
    confirmed: Text = "",
    number: Annotated[int, Form(alias="request", ge=1, lt=LARGEST)],
    reason: Text = "",
) -> Response:
    """Accept the evidence, or refuse with a reason."""
    return await visit.change(
        lambda c: confirmation.check(c, visit.person, number, accepted=confirmed == "yes", reason=reason),
        then="/office/confirmations",
        again=partial(_queue, visit),
    )
