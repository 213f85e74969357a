"""The team: parties, members, invitations, access of other systems, confirmation."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts import clients, confirmation, members, parties
from accounts.person import Person
from geo.access import Caller
from geo.db import Database
from geo.errors import MezhaError
from geo.identifiers import whole_number
from web.pages.profile import shown
from web.visitor import CallerDep, DatabaseDep, Number, NumberField, PersonDep, base_of, party_of, settings_of

router = APIRouter()
Text = Annotated[str, Form(max_length=1000)]


async def _team(
    request: Request,
    person: Person,
    caller: Caller,
    *,
    error: MezhaError | None = None,
    made: clients.Credentials | None = None,
) -> Response:
    database: Database = request.app.state.database
    async with database.transaction(caller) as connection:
        found = [
            {
                "party": party,
                "owned": any(m.party == party["id"] and m.role == "owner" for m in person.memberships),
                "members": await members.team(connection, party["id"]),
                "invitations": await members.invitations(connection, party["id"]),
                "clients": await clients.live(connection, party["id"]),
            }
            for party in await parties.own(connection, person)
        ]
    data = {
        "person": person,
        "teams": found,
        "error": error,
        "made": made,
        "region": settings_of(request).region,
    }
    return shown(request, "team", data, 422 if error else 200)


@router.get("/team")
async def team(request: Request, person: PersonDep, caller: CallerDep) -> Response:
    """Parties of the person with their members."""
    return await _team(request, person, caller)


@router.post("/team/parties")
async def found(request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep) -> Response:
    """Register a party."""
    given = {k: v for k, v in (await request.form()).items() if isinstance(v, str)}
    try:
        async with database.transaction(caller) as connection:
            await parties.found(connection, person, given)
    except MezhaError as err:
        return await _team(request, person, caller, error=err)
    return RedirectResponse("/confirmation", 303)


@router.post("/team/{party}/invite")
async def invite(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    party: Number,
    email: Text = "",
    role: Text = "",
    objects: Text = "",
) -> Response:
    """Invite somebody."""
    try:
        async with database.transaction(caller) as connection:
            await members.invite(
                connection, person, party, email=email, role=role, objects=objects, base=base_of(request)
            )
    except MezhaError as err:
        return await _team(request, person, caller, error=err)
    return RedirectResponse("/team?sent=1", 303)


@router.post("/team/{party}/members")
async def change(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    party: Number,
    member: NumberField,
    role: Text = "",
    objects: Text = "",
    act: Text = "change",
) -> Response:
    """Change a member's rights, or end them."""
    try:
        async with database.transaction(caller) as connection:
            if act == "end":
                await members.end(connection, person, member, party=party)
            else:
                await members.change(connection, person, member, party=party, role=role, objects=objects)
    except MezhaError as err:
        return await _team(request, person, caller, error=err)
    return RedirectResponse("/team", 303)


@router.post("/team/{party}/withdraw")
async def withdraw(
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    party: Number,
    invitation: NumberField,
) -> Response:
    """Withdraw an invitation."""
    async with database.transaction(caller) as connection:
        await members.withdraw(connection, person, invitation)
    return RedirectResponse("/team", 303)


@router.post("/team/{party}/clients")
async def make_client(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    party: Number,
    name: Text = "",
    write: Text = "",
) -> Response:
    """Credentials for another system, shown this once."""
    scopes = ["read", "write"] if write == "yes" else ["read"]
    try:
        async with database.transaction(caller) as connection:
            made = await clients.make(connection, person, party, name=name, scopes=scopes)
    except MezhaError as err:
        return await _team(request, person, caller, error=err)
    return await _team(request, person, caller, made=made)


@router.post("/team/{party}/clients/revoke")
async def revoke_client(
    person: PersonDep, caller: CallerDep, database: DatabaseDep, party: Number, client: NumberField
) -> Response:
    """End the access of a system."""
    async with database.transaction(caller) as connection:
        await clients.revoke(connection, person, client)
    return RedirectResponse("/team", 303)


@router.get("/team/invitation/{secret}")
async def show_invitation(request: Request, person: PersonDep, secret: str) -> Response:
    """Ask whether to accept."""
    return shown(request, "invitation", {"person": person, "secret": secret})


@router.post("/team/invitation/{secret}")
async def accept(
    request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep, secret: str
) -> Response:
    """Accept an invitation."""
    try:
        async with database.transaction(caller) as connection:
            await members.accept(connection, person, secret)
    except MezhaError as err:
        return shown(request, "invitation", {"person": person, "secret": secret, "error": err}, 422)
    return RedirectResponse("/team", 303)


async def _confirmation(
    request: Request, person: Person, caller: Caller, error: MezhaError | None = None
) -> Response:
    database: Database = request.app.state.database
    async with database.transaction(caller) as connection:
        requests = await confirmation.own(connection, person)
        mine = await parties.own(connection, person)
    data = {
        "person": person,
        "requests": requests,
        "parties": [p for p in mine if p["status"] == "new"],
        "names": {p["id"]: p["name"] for p in mine},
        "region": settings_of(request).region,
        "error": error,
    }
    return shown(request, "confirmation", data, 422 if error else 200)


@router.get("/confirmation")
async def ask_confirmation(request: Request, person: PersonDep, caller: CallerDep) -> Response:
    """Where the confirmation stands, and the form of a new request."""
    return await _confirmation(request, person, caller)


@router.post("/confirmation")
async def file_confirmation(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    party: Text = "",
    region: Text = "",
    evidence: Text = "",
    number: Text = "",
) -> Response:
    """File the request."""
    wanted = party_of(party)
    try:
        async with database.transaction(caller) as connection:
            await confirmation.file(
                connection, person, party=wanted, region=region, evidence=evidence, number=number
            )
    except MezhaError as err:
        return await _confirmation(request, person, caller, err)
    return RedirectResponse("/confirmation", 303)


@router.post("/confirmation/code")
async def finish_confirmation(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    code: Text = "",
    again: Text = "",
) -> Response:
    """Enter the code, or have it sent again."""
    error: MezhaError | None = None
    try:
        async with database.transaction(caller) as connection:
            if (request_again := whole_number(again)) is not None:
                await confirmation.again(connection, person, request_again)
            else:
                error = await confirmation.finish(connection, person, code)
    except MezhaError as err:
        error = err
    return (
        await _confirmation(request, person, caller, error)
        if error
        else RedirectResponse("/confirmation", 303)
    )
