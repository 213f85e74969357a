"""Forms: every page that takes a change refuses it without the token, and every change with a cookie from elsewhere."""

import re

import pytest
from fastapi.routing import APIRoute

from geo.settings import Settings
from tests.accounts.conftest import Enrolled, form_token, log_in
from tests.conftest import client_of
from web import site

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def changing_pages() -> list[tuple[str, str]]:
    """Every unsafe method of every page, found in the routers themselves."""
    routes = [r for router in site.PAGES for r in router.routes if isinstance(r, APIRoute)]
    return sorted((method, r.path) for r in routes for method in (r.methods or set()) & UNSAFE)


def _filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "1", path)


def test_the_walk_finds_the_forms() -> None:
    found = {path for _, path in changing_pages()}
    assert {"/login", "/logout", "/team/{party}/invite", "/profile/tokens", "/office/staff"} <= found


async def test_every_form_is_refused_without_its_token(settings: Settings, enrolled: Enrolled) -> None:
    name, _ = enrolled(role="owner")
    own = {"origin": "http://mezha.test"}
    async with client_of(settings) as client:
        await log_in(client, name)
        foreign = "0" * 64
        for method, path in changing_pages():
            for data in ({}, {"csrf": foreign}, {"csrf": ""}):
                answer = await client.request(method, _filled(path), data=data, headers=own)
                assert answer.status_code == 403 and answer.json()["code"] == "forged", (path, answer.text)
        assert (await client.get("/profile")).status_code == 200


async def test_a_token_of_before_the_log_in_or_of_another_session_does_not_fit(
    settings: Settings, enrolled: Enrolled
) -> None:
    name, _ = enrolled()
    other, _ = enrolled()
    own = {"origin": "http://mezha.test"}
    async with client_of(settings) as client, client_of(settings) as attacker:
        before = await form_token(client)
        await log_in(client, name)
        await log_in(attacker, other)
        for token in (before, await form_token(attacker, "/profile/tokens")):
            answer = await client.post("/profile/tokens", data={"csrf": token, "label": "x"}, headers=own)
            assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.test"}, {"origin": "null"}, {}, {"sec-fetch-site": "cross-site"}]
)
async def test_a_cookie_changes_nothing_for_another_site(
    settings: Settings, enrolled: Enrolled, headers: dict[str, str]
) -> None:
    name, _ = enrolled()
    async with client_of(settings) as client:
        await log_in(client, name)
        token = await form_token(client, "/profile/tokens")
        page = await client.post("/profile/tokens", data={"csrf": token, "label": "x"}, headers=headers)
        assert page.status_code == 403
        for path in ("/api/v1/oauth/token", "/api/v1/spatial/at", "/api/v1/nothing"):
            assert (await client.post(path, json={}, headers=headers)).status_code == 403, path


async def test_htmx_may_send_the_token_as_a_header(settings: Settings, enrolled: Enrolled) -> None:
    name, _ = enrolled()
    async with client_of(settings) as client:
        await log_in(client, name)
        token = await form_token(client, "/profile/tokens")
        headers = {"origin": "http://mezha.test", "x-csrf-token": token}
        answer = await client.post("/profile/tokens", data={"label": "QGIS"}, headers=headers)
        assert answer.status_code == 201
