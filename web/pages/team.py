"""The team: parties, members, invitations, access of other systems, confirmation."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts import clients, confirmation, members, parties
from geo.errors import MezhaError
from geo.identifiers import whole_number
from web.pages.profile import shown
from web.visit import Visit, VisitDep
from web.visitor import CallerDep, DatabaseDep, Number, NumberField, PersonDep, base_of, party_of, settings_of

router = APIRouter()
Text = Annotated[str, Form(max_length=1000)]


async def _team(
    visit: Visit, error: MezhaError | None = None, *, made: clients.Credentials | None = None
) -> Response:
    person = visit.person
    async with visit.database.transaction(visit.caller) as connection:
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
    region = settings_of(visit.request).region
    data = {"person": person, "teams": found, "error": error, "made": made, "region": region}
    return shown(visit.request, "team", data, 422 if error else 200)


@router.get("/team")
async def team(visit: VisitDep) -> Response:
    """Parties of the person with their members."""
    return await _team(visit)


@router.post("/team/parties")
async def found(visit: VisitDep) -> Response:
    """Register a party."""
    given = {k: v for k, v in (await visit.request.form()).items() if isinstance(v, str)}
    return await visit.change(
        lambda c: parties.found(c, visit.person, given), then="/confirmation", again=partial(_team, visit)
    )


@router.post("/team/{party}/invite")
async def invite(
    visit: VisitDep, *, party: Number, email: Text = "", role: Text = "", objects: Text = ""
) -> Response:
    """Invite somebody."""
    given = {"email": email, "role": role, "objects": objects, "base": base_of(visit.request)}
    return await visit.change(
        lambda c: members.invite(c, visit.person, party, **given),
        then="/team?sent=1",
        again=partial(_team, visit),
    )


@router.post("/team/{party}/members")
async def change(
    visit: VisitDep,
    *,
    party: Number,
    member: NumberField,
    role: Text = "",
    objects: Text = "",
    act: Text = "change",
) -> Response:
    """Change a member's rights, or end them."""
    asked = (
        partial(members.end, person=visit.person, member=member, party=party)
        if act == "end"
        else partial(
            members.change, person=visit.person, member=member, party=party, role=role, objects=objects
        )
    )
    return await visit.change(asked, then="/team", again=partial(_team, visit))


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
async def make_client(visit: VisitDep, *, party: Number, name: Text = "", write: Text = "") -> Response:
    """Credentials for another system, shown this once."""
    scopes = ["read", "write"] if write == "yes" else ["read"]
    try:
        async with visit.database.transaction(visit.caller) as connection:
            made = await clients.make(connection, visit.person, party, name=name, scopes=scopes)
    except MezhaError as err:
        return await _team(visit, err)
    return await _team(visit, made=made)


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
async def accept(visit: VisitDep, secret: str) -> Response:
    """Accept an invitation."""

    async def again(err: MezhaError) -> Response:
        data = {"person": visit.person, "secret": secret, "error": err}
        return shown(visit.request, "invitation", data, 422)

    return await visit.change(lambda c: members.accept(c, visit.person, secret), then="/team", again=again)


async def _confirmation(visit: Visit, error: MezhaError | None = None) -> Response:
    async with visit.database.transaction(visit.caller) as connection:
        requests = await confirmation.own(connection, visit.person)
        mine = await parties.own(connection, visit.person)
    data = {
        "person": visit.person,
        "requests": requests,
        "parties": [p for p in mine if p["status"] == "new"],
        "names": {p["id"]: p["name"] for p in mine},
        "region": settings_of(visit.request).region,
        "error": error,
    }
    return shown(visit.request, "confirmation", data, 422 if error else 200)


@router.get("/confirmation")
async def ask_confirmation(visit: VisitDep) -> Response:
    """Where the confirmation stands, and the form of a new request."""
    return await _confirmation(visit)


@router.post("/confirmation")
async def file_confirmation(
    visit: VisitDep, *, party: Text = "", region: Text = "", evidence: Text = "", number: Text = ""
) -> Response:
    """File the request."""
    wanted = party_of(party)
    return await visit.change(
        lambda c: confirmation.file(
            c, visit.person, party=wanted, region=region, evidence=evidence, number=number
        ),
        then="/confirmation",
        again=partial(_confirmation, visit),
    )


@router.post("/confirmation/code")
async def finish_confirmation(visit: VisitDep, *, code: Text = "", again: Text = "") -> Response:
    """Enter the code, or have it sent again."""
    error: MezhaError | None = None
    try:
        async with visit.database.transaction(visit.caller) as connection:
            if (wanted := whole_number(again)) is not None:
                await confirmation.again(connection, visit.person, wanted)
            else:
                # A wrong code is counted, so its transaction commits: the error is returned and not raised.
                error = await confirmation.finish(connection, visit.person, code)
    except MezhaError as err:
        error = err
    return await _confirmation(visit, error) if error else RedirectResponse("/confirmation", 303)
