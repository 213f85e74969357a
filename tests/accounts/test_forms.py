"""Forms with odd values: each is a refusal in words or is taken as it is, never a failure of the server."""

import re
from typing import Any

import psycopg
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from accounts.enrolment import appoint
from geo.settings import Settings
from tests.accounts.conftest import Enrolled, form_token, log_in, send
from tests.conftest import client_of
from web import site

ODD = {
    "digits of another script": "٣",
    "past every number": "9" * 30,
    "nothing": "",
    "a zero character": "1\x00",
    "markup, half a character, and too much of it": "<b>'\";--\ud83c" * 300,
}
# These give the session another secret, under which the token of the walk is worth nothing.
ENDS = {"/logout", "/login/party"}


def fields(dependant: Dependant) -> set[str]:
    """Names of a form's fields, those of its dependencies too."""
    found = {field.alias for field in dependant.body_params}
    return found.union(*(fields(inner) for inner in dependant.dependencies))


def forms() -> list[tuple[str, str, set[str]]]:
    """Method, path and fields of every form of every page."""
    routes = [r for router in site.PAGES for r in router.routes if isinstance(r, APIRoute)]
    return sorted(
        (method, route.path, fields(route.dependant) | {"action", "then", "revision", "contours"})
        for route in routes
        for method in (route.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}
        if route.path not in ENDS
    )


def test_the_walk_knows_the_fields() -> None:
    known = {path: names for _, path, names in forms()}
    assert {"party", "region", "evidence", "number"} <= known["/confirmation"]
    assert {"account", "duty", "region", "office"} <= known["/office/staff"]
    assert "code" in known["/login/second"]


@pytest.mark.parametrize("kind", ODD)
async def test_no_form_fails_for_an_odd_value(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any], kind: str
) -> None:
    name, account = enrolled(role="owner", duty="administrator", region="*")
    for duty in ("officer", "inspector", "registrar"):
        appoint(owner, account, duty, "54", "Управление")
    value, failed = ODD[kind].encode("utf-8", "surrogatepass"), list[Any]()
    text = b"".join(b"%%%02x" % byte for byte in value)
    async with client_of(settings) as client:
        await log_in(client, name)
        headers = {"origin": "http://mezha.test", "x-csrf-token": await form_token(client, "/profile/tokens")}
        headers |= {"content-type": "application/x-www-form-urlencoded"}
        for method, path, names in forms():
            body = b"&".join(name.encode() + b"=" + text for name in sorted(names))
            for number in ("1", "9" * 30) if kind == "nothing" else ("1",):
                address = re.sub(r"{[^}]+}", number, path.replace("{room}", "office"))
                answer = await client.request(method, address, content=body, headers=headers)
                if answer.status_code >= 500 or '"forged"' in answer.text:
                    failed.append((method, address, answer.text[:300]))
        assert (await client.get("/profile")).status_code == 200, "the walk ended its own log-in"
    assert not failed, failed


async def test_a_session_or_party_that_is_no_number_changes_nothing(
    settings: Settings, enrolled: Enrolled
) -> None:
    name, _ = enrolled(role="owner")
    async with client_of(settings) as client, client_of(settings) as other:
        await log_in(client, name)
        await log_in(other, name)
        for odd in ("", "all", "٣", "9" * 30):
            await send(client, "/profile/sessions/end", {"session": odd}, page="/profile/sessions")
        assert (await client.get("/profile")).status_code == (await other.get("/profile")).status_code == 200
        for odd in ("my own", "١", "9" * 19):
            refused = await send(client, "/login/party", {"party": odd}, page="/profile/tokens")
            assert refused.status_code == 403 and "forged" not in refused.text, refused.text[:200]
