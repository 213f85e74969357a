"""Who sees what once he is logged in: members, staff, contractors, and how fast a right ends."""

import asyncio
import base64
from typing import Any

import httpx
import psycopg
import pytest

from api.identity import LIFE_S
from geo.settings import Settings
from tests.accounts.conftest import FOREST, OTHER, Enrolled, log_in, send
from tests.conftest import client_of, make_object


async def seen(client: httpx.AsyncClient) -> set[int]:
    """Licences that a client sees."""
    answer = await client.get("/ogc/collections/licences/items?limit=1000")
    if answer.status_code == 404:
        return set()
    assert answer.status_code == 200, answer.text
    return {feature["id"] for feature in answer.json()["features"]}


@pytest.mark.requirement("C-41", "S-50", "F-45", "F-01")
async def test_each_role_sees_its_own(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    mine = make_object(owner, "licences", holder_inn=FOREST.inn, region="54")
    second = make_object(owner, "licences", holder_inn=FOREST.inn, region="70")
    foreign = make_object(owner, "licences", holder_inn=OTHER.inn, region="54")
    expected = {
        enrolled(role="owner")[0]: {mine, second},
        enrolled(role="operator")[0]: {mine, second},
        enrolled(role="controller")[0]: {mine, second},
        enrolled(role="operator", objects=[second])[0]: {second},
        # A contractor sees what was shared, but never what the party does not hold.
        enrolled(role="contractor", objects=[mine, foreign])[0]: {mine},
        enrolled(role="contractor")[0]: set(),
        enrolled(role="owner", party=OTHER)[0]: {foreign},
        enrolled(duty="inspector", region="54")[0]: {mine, foreign},
        enrolled(duty="inspector", region="70")[0]: {second},
        enrolled(duty="administrator", region="*")[0]: {mine, second, foreign},
        enrolled()[0]: set(),
    }
    ours = {mine, second, foreign}
    for name, objects in expected.items():
        async with client_of(settings) as client:
            await log_in(client, name)
            assert await seen(client) & ours == objects, name


async def test_a_party_that_nobody_confirmed_opens_nothing(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    secret = make_object(owner, "licences", holder_inn=OTHER.inn, region="54")
    name, _ = enrolled()
    async with client_of(settings) as client:
        await log_in(client, name)
        form = {"kind": "company", "name": "Самозванцы", "inn": OTHER.inn, "region": "54"}
        assert (await send(client, "/team/parties", form, page="/team")).status_code == 303
        await asyncio.sleep(LIFE_S)
        assert "Самозванцы" in (await client.get("/team")).text
        assert secret not in await seen(client)


@pytest.mark.requirement("C-05")
async def test_a_member_who_was_removed_is_out_within_a_second(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    mine = make_object(owner, "licences", holder_inn=FOREST.inn)
    name, account = enrolled(role="operator")
    async with client_of(settings) as client, client_of(settings) as elsewhere:
        await log_in(client, name)
        elsewhere.cookies = client.cookies
        assert mine in await seen(client) and mine in await seen(elsewhere)
        owner.execute("UPDATE accounts.members SET ended_at = now() WHERE account = %s", [account])
        await asyncio.sleep(1)
        assert mine not in await seen(client) and mine not in await seen(elsewhere)


async def test_a_role_that_ends_in_the_middle_of_a_request_gives_nothing_more(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    """The request was recognised as an owner's; what it does next is asked of the tables again."""
    from accounts import members
    from accounts.person import Membership, Person
    from geo.access import Caller
    from geo.db import Database

    _, boss = enrolled(role="owner")
    _, worker = enrolled(role="operator")
    row = owner.execute("SELECT id, party FROM accounts.members WHERE account = %s", [worker]).fetchone()
    assert row
    stale = Person(
        account=boss,
        name="",
        memberships=(Membership(row[1], "", "company", FOREST.inn, "owner", None, True),),
    )
    owner.execute("UPDATE accounts.members SET ended_at = now() WHERE account = %s", [boss])
    database = Database(settings)
    async with database.transaction(Caller(account=boss, rank=1)) as connection:
        await members.change(connection, stale, row[0], party=row[1], role="owner", objects="")
    await database.close()
    assert owner.execute("SELECT role FROM accounts.members WHERE id = %s", [row[0]]).fetchone() == (
        "operator",
    )


@pytest.mark.requirement("C-04")
async def test_sessions_are_listed_and_ended(settings: Settings, enrolled: Enrolled) -> None:
    name, _ = enrolled()
    async with client_of(settings) as here, client_of(settings) as there:
        there.headers["user-agent"] = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"
        await log_in(here, name)
        await log_in(there, name)
        assert "Firefox, Windows" in (await here.get("/profile/sessions")).text
        await send(here, "/profile/sessions/end", {"session": "others"}, page="/profile/sessions")
        await asyncio.sleep(LIFE_S)
        assert (await there.get("/profile")).status_code == 401
        assert (await here.get("/profile")).status_code == 200


@pytest.mark.parametrize("column", ["seen_at", "expires_at"])
async def test_a_session_ends_by_itself(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any], column: str
) -> None:
    name, account = enrolled()
    async with client_of(settings) as client:
        await log_in(client, name)
        owner.execute(
            psycopg.sql.SQL(
                "UPDATE accounts.sessions SET {} = now() - interval '61 minutes' WHERE account = %s"
            ).format(psycopg.sql.Identifier(column)),
            [account],
        )
        await asyncio.sleep(LIFE_S)
        assert (await client.get("/profile")).status_code == 401


async def make_token(client: httpx.AsyncClient, label: str = "QGIS") -> str:
    """A personal token made through the page."""
    answer = await send(client, "/profile/tokens", {"label": label, "days": "30"})
    assert answer.status_code == 201
    return answer.text.split('id="made">')[1].split("<")[0]


async def test_a_token_opens_by_bearer_and_basic_but_changes_nothing(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    mine = make_object(owner, "licences", holder_inn=FOREST.inn)
    name, _ = enrolled(role="owner")
    async with client_of(settings) as browser:
        await log_in(browser, name)
        token = await make_token(browser)
        assert token not in (await browser.get("/profile/tokens")).text, "shown once"
    pair = base64.b64encode(f"anybody:{token}".encode()).decode()
    for header in (f"Bearer {token}", f"bearer {token}", f"Basic {pair}"):
        async with client_of(settings) as tool:
            tool.headers["authorization"] = header
            assert mine in await seen(tool)
            refused = await tool.post("/profile/tokens", data={"label": "more"})
            assert refused.status_code == 403 and refused.json()["code"] == "insufficient-scope"
    kept = owner.execute("SELECT encode(digest, 'escape') FROM accounts.tokens").fetchall()
    assert all(token not in row[0] for row in kept)


@pytest.mark.requirement("N-37")
@pytest.mark.parametrize("path", ["/ogc/collections/licences/items", "/tiles/zones/3/1/1.mvt", "/profile"])
async def test_a_bad_token_is_refused_with_its_cause(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any], path: str
) -> None:
    name, account = enrolled()
    async with client_of(settings) as client:
        await log_in(client, name)
        expired, revoked = await make_token(client, "old"), await make_token(client, "gone")
    owner.execute(
        "UPDATE accounts.tokens SET expires_at = now() WHERE account = %s AND label = 'old'", [account]
    )
    owner.execute(
        "UPDATE accounts.tokens SET revoked_at = now() WHERE account = %s AND label = 'gone'", [account]
    )
    causes = {
        expired: "expired",
        revoked: "revoked",
        "mzh_forged": "unknown",
        "": "unknown",
        "' OR 1=1": "unknown",
    }
    async with client_of(settings) as tool:
        for token, cause in causes.items():
            answer = await tool.get(path, headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == 401, (token, answer.text)
            assert answer.json()["value"] == cause
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        for header in ("Digest x", "Basic !!!", "Bearer", "Basic"):
            assert (await tool.get(path, headers={"authorization": header})).status_code == 401


async def test_another_persons_sessions_tokens_and_parties_are_out_of_reach(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    victim, victim_id = enrolled(role="owner", party=OTHER)
    thief, _ = enrolled(role="owner")
    async with client_of(settings) as theirs, client_of(settings) as mine:
        await log_in(theirs, victim)
        await make_token(theirs)
        await log_in(mine, thief)
        ids = owner.execute(
            "SELECT s.id, t.id, m.id, m.party FROM accounts.sessions s JOIN accounts.tokens t USING (account)"
            " JOIN accounts.members m USING (account) WHERE account = %s",
            [victim_id],
        ).fetchone()
        assert ids
        session, token, member, party = map(str, ids)
        await send(mine, "/profile/sessions/end", {"session": session}, page="/profile/sessions")
        await send(mine, "/profile/tokens/revoke", {"token": token}, page="/profile/tokens")
        answers = [
            await send(mine, f"/team/{party}/members", {"member": member, "act": "end"}, page="/team"),
            await send(
                mine, f"/team/{party}/members", {"member": member, "role": "controller"}, page="/team"
            ),
            await send(mine, f"/team/{party}/invite", {"email": "a@b.ru", "role": "owner"}, page="/team"),
            await send(mine, f"/team/{party}/clients", {"name": "x"}, page="/team"),
        ]
        assert {a.status_code for a in answers} == {422}
        await asyncio.sleep(LIFE_S)
        assert (await theirs.get("/profile")).status_code == 200
    left = owner.execute(
        "SELECT (SELECT count(*) FROM accounts.tokens WHERE id = %s AND revoked_at IS NULL),"
        " (SELECT count(*) FROM accounts.members WHERE id = %s AND ended_at IS NULL AND role = 'owner')",
        [token, member],
    ).fetchone()
    assert left == (1, 1)


@pytest.mark.requirement("C-38")
async def test_another_system_gets_a_token_for_its_credentials(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    mine = make_object(owner, "licences", holder_inn=FOREST.inn)
    name, account = enrolled(role="owner")
    (party,) = owner.execute(
        "SELECT party FROM accounts.members WHERE account = %s", [account]
    ).fetchone() or (0,)
    async with client_of(settings) as client:
        await log_in(client, name)
        page = (await send(client, f"/team/{party}/clients", {"name": "СЭД"}, page="/team")).text
    identity, secret = (
        page.split(f"{key}</code> <code")[1].split(">")[1].split("<")[0]
        for key in ("client_id", "client_secret")
    )
    async with client_of(settings) as system:
        form = {"grant_type": "client_credentials"}
        good = await system.post("/api/v1/oauth/token", data=form, auth=(identity, secret))
        assert good.json()["token_type"] == "Bearer" and good.headers["cache-control"] == "no-store"
        system.headers["authorization"] = f"Bearer {good.json()['access_token']}"
        assert mine in await seen(system)
    async with client_of(settings) as system:
        for data, auth, status, error in (
            (form, (identity, "wrong"), 401, "invalid_client"),
            (form, ("nobody", secret), 401, "invalid_client"),
            (form | {"scope": "write"}, (identity, secret), 400, "invalid_scope"),
            ({"grant_type": "password"}, (identity, secret), 400, "unsupported_grant_type"),
        ):
            answer = await system.post("/api/v1/oauth/token", data=data, auth=auth)
            assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_a_member_must_be_limited_to_what_the_party_holds_and_an_owner_must_stay(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    foreign = make_object(owner, "licences", holder_inn=OTHER.inn)
    from accounts.enrolment import Company

    alone = Company("500100732259", "ИП Один", "54")
    name, account = enrolled(role="owner", party=alone)
    row = owner.execute("SELECT party, id FROM accounts.members WHERE account = %s", [account]).fetchone()
    assert row
    async with client_of(settings) as client:
        await log_in(client, name)
        form = {"email": "new@mezha.test", "role": "contractor", "objects": str(foreign)}
        assert (await send(client, f"/team/{row[0]}/invite", form, page="/team")).status_code == 422
        last = await send(
            client, f"/team/{row[0]}/members", {"member": str(row[1]), "act": "end"}, page="/team"
        )
        assert last.status_code == 422


@pytest.mark.requirement("C-41")
async def test_an_invitation_works_once_and_for_its_address_only(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    boss, account = enrolled(role="owner")
    guest, guest_id = enrolled()
    stranger, _ = enrolled()
    (party,) = owner.execute(
        "SELECT party FROM accounts.members WHERE account = %s", [account]
    ).fetchone() or (0,)
    async with client_of(settings) as client:
        await log_in(client, boss)
        form = {"email": f"{guest}@mezha.test", "role": "operator"}
        assert (await send(client, f"/team/{party}/invite", form, page="/team")).status_code == 303
    (body,) = owner.execute("SELECT body FROM accounts.outbox ORDER BY id DESC LIMIT 1").fetchone() or ("",)
    path = body.split("http://mezha.test")[1].split()[0]
    for name, status in ((stranger, 422), (guest, 303), (guest, 422)):
        async with client_of(settings) as client:
            await log_in(client, name)
            assert (await send(client, path, {})).status_code == status, name
    found = owner.execute("SELECT role FROM accounts.members WHERE account = %s", [guest_id]).fetchall()
    assert found == [("operator",)]


async def test_duties_are_given_by_administrators_only(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    chief, _ = enrolled(duty="administrator", region="*")
    clerk, clerk_id = enrolled()
    form = {"account": clerk, "duty": "inspector", "region": "54", "office": "Управление"}
    async with client_of(settings) as client:
        await log_in(client, clerk)
        assert (await client.get("/office/staff")).status_code == 403
        assert (await send(client, "/office/staff", form, page="/profile")).status_code == 403
    async with client_of(settings) as client:
        await log_in(client, chief)
        assert (await send(client, "/office/staff", form)).status_code == 303
    assert owner.execute("SELECT duty FROM accounts.staff WHERE account = %s", [clerk_id]).fetchall() == [
        ("inspector",)
    ]
