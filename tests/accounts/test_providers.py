"""Identity providers: what they may say, what they may not, and that nobody gets in while they are silent."""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from accounts import gost, provider
from accounts.idtoken import LOGOUT_EVENT
from api.identity import LIFE_S
from geo.settings import Settings
from tests.accounts.conftest import send
from tests.accounts.stub import CHIEF, CLERK, Esia, Keys, OpenId
from tests.conftest import client_of

Change = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def openid() -> Iterator[OpenId]:
    made = OpenId()
    yield made
    made.close()


@pytest.fixture
def linked(settings: Settings, openid: OpenId) -> Iterator[Settings]:
    """Settings that trust the stub; it is honest again afterwards."""
    yield settings.model_copy(
        update={"oidc_issuer": openid.url, "oidc_client_id": "mezha", "oidc_client_secret": "s"}
    )
    openid.change, openid.sign, openid.issuer, openid.slow = (lambda c: c), openid.properly, "", 0.0


async def begin(client: httpx.AsyncClient, openid: OpenId) -> dict[str, str]:
    """Go to the provider and return what it is told."""
    await client.get("/login")
    answer = await client.get("/login/oidc?next=/map")
    assert answer.status_code == 303, answer.text
    query = {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    openid.nonce = query["nonce"]
    return query


async def back(client: httpx.AsyncClient, query: dict[str, str], **more: str) -> httpx.Response:
    """Come back from the provider."""
    return await client.get("/login/oidc/back", params={"code": "c", "state": query["state"]} | more)


@pytest.mark.requirement("C-01")
async def test_an_honest_provider_lets_in_and_the_same_person_stays_one_account(
    linked: Settings, openid: OpenId, owner: psycopg.Connection[Any]
) -> None:
    for _ in range(2):
        async with client_of(linked) as client:
            query = await begin(client, openid)
            assert query["code_challenge_method"] == "S256" and query["response_type"] == "code"
            answer = await back(client, query)
            assert answer.status_code == 303
            if "/consent" in answer.headers["location"]:
                await send(client, "/consent", {"agreed": "yes"})
            assert (await client.get("/profile")).status_code == 200
    assert owner.execute(
        "SELECT count(*) FROM accounts.externals WHERE issuer = %s", [openid.url]
    ).fetchone() == (1,)


LIES: dict[str, Change] = {
    "issuer": lambda c: c | {"iss": "https://evil.test"},
    "audience": lambda c: c | {"aud": "another"},
    "two audiences": lambda c: c | {"aud": ["mezha", "another"]},
    "nonce": lambda c: c | {"nonce": "old"},
    "no nonce": lambda c: {k: v for k, v in c.items() if k != "nonce"},
    "expired": lambda c: c | {"exp": int(time.time()) - 120},
    "never expires": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "from the future": lambda c: c | {"iat": int(time.time()) + 600},
    "no subject": lambda c: c | {"sub": ""},
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_in_the_claims_is_refused(linked: Settings, openid: OpenId, lie: str) -> None:
    async with client_of(linked) as client:
        query = await begin(client, openid)
        openid.change = LIES[lie]
        assert (await back(client, query)).status_code == 403
        assert (await client.get("/profile")).status_code == 401


def _none(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts) + "."
    )


@pytest.mark.parametrize("forgery", ["none", "public key as secret", "another key", "nonsense"])
async def test_a_forged_signature_is_refused(linked: Settings, openid: OpenId, forgery: str) -> None:
    public = openid.key.as_pem(private=False)
    stranger = RSAKey.generate_key(2048, {"kid": "1"})
    forgeries: dict[str, Callable[[dict[str, Any]], str]] = {
        "none": _none,
        "public key as secret": lambda c: jwt.encode(
            {"alg": "HS256", "kid": "1"}, c, OctKey.import_key(public)
        ),
        "another key": lambda c: jwt.encode({"alg": "RS256", "kid": "1"}, c, stranger),
        "nonsense": lambda _: "a.b.c",
    }
    async with client_of(linked) as client:
        query = await begin(client, openid)
        openid.sign = forgeries[forgery]
        assert (await back(client, query)).status_code == 403


async def test_a_state_works_once_in_one_browser(linked: Settings, openid: OpenId) -> None:
    async with client_of(linked) as client, client_of(linked) as other:
        query = await begin(client, openid)
        await other.get("/login")
        assert (await back(other, query)).status_code == 403, "another browser"
        query = await begin(client, openid)
        assert (await back(client, query)).status_code == 303
        assert (await back(client, query)).status_code == 403, "a second time"
        assert (await back(client, {"state": "invented"})).status_code == 403
        query = await begin(other, openid)
        assert (await back(other, query, iss="https://evil.test")).status_code == 403, "mixed up"
        query = await begin(other, openid)
        assert (await back(other, query, error="access_denied")).status_code == 403


async def test_a_clock_may_be_a_minute_off(linked: Settings, openid: OpenId) -> None:
    async with client_of(linked) as client:
        query = await begin(client, openid)
        openid.change = lambda c: c | {"iat": int(time.time()) + 45, "exp": int(time.time()) - 45}
        assert (await back(client, query)).status_code == 303


async def test_a_provider_that_is_down_slow_or_somebody_else_is_named_and_passwords_still_work(
    linked: Settings, openid: OpenId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "TIMEOUT_S", 0.2)
    down = linked.model_copy(update={"oidc_issuer": "http://127.0.0.1:9"})
    openid_settings = [down, linked, linked]
    for step, chosen in enumerate(openid_settings):
        openid.slow, openid.issuer = (0.5 if step == 1 else 0.0), ("https://evil.test" if step == 2 else "")
        async with client_of(chosen) as client:
            answer = await client.get("/login/oidc")
            assert answer.status_code == 502 and "Поставщик идентификации" in answer.text
            assert (await client.get("/login")).status_code == 200


async def test_back_channel_logout_ends_the_session_and_is_heard_once(
    linked: Settings, openid: OpenId
) -> None:
    import asyncio

    async with client_of(linked) as client:
        query = await begin(client, openid)
        await back(client, query)
        if (await client.get("/profile")).status_code == 401:
            await send(client, "/consent", {"agreed": "yes"})
        assert (await client.get("/profile")).status_code == 200
        now = int(time.time())
        base = {
            "iss": openid.url,
            "aud": "mezha",
            "sub": "7",
            "iat": now,
            "exp": now + 60,
            "events": {LOGOUT_EVENT: {}},
        }
        async with client_of(linked) as channel:
            for number, (change, status) in enumerate(
                (
                    ({"nonce": "x"}, 400),
                    ({"events": {}}, 400),
                    ({"aud": "another"}, 400),
                    ({"sub": None}, 400),
                    ({}, 200),
                )
            ):
                token = openid.properly(
                    {k: v for k, v in (base | {"jti": f"j{number}"} | change).items() if v is not None}
                )
                answer = await channel.post("/api/v1/oauth/backchannel-logout", data={"logout_token": token})
                assert answer.status_code == status, answer.text
            again = await channel.post("/api/v1/oauth/backchannel-logout", data={"logout_token": token})
            assert again.status_code == 400, "replayed"
        await asyncio.sleep(LIFE_S)
        assert (await client.get("/profile")).status_code == 401


needs_gost = pytest.mark.skipif(not gost.available(), reason="the OpenSSL engine gost is not installed")
KINDS = ["rsa", pytest.param("gost", marks=needs_gost)]


@pytest.fixture
def esia(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path
) -> Iterator[tuple[Esia, Settings]]:
    keys = Keys(tmp_path, getattr(request, "param", "rsa"))
    stub = Esia(keys)
    yield (
        stub,
        settings.model_copy(update=keys.settings() | {"esia_url": stub.url, "esia_client_id": "MEZHA"}),
    )
    stub.close()


async def through(client: httpx.AsyncClient, stub: Esia, onward: str = "/map") -> tuple[httpx.Response, str]:
    """Go to ESIA and back; what we answered, and the address by which its visitor came."""
    await client.get("/login")
    out = await client.get(f"/login/esia?next={onward}")
    async with httpx.AsyncClient() as browser:
        redirected = await browser.get(out.headers["location"])
    assert redirected.status_code == 302, stub.refused
    come = redirected.headers["location"].removeprefix("http://mezha.test")
    answer = await client.get(come)
    if answer.headers.get("location", "").startswith("/consent"):
        onward = parse_qs(urlsplit(answer.headers["location"]).query)["next"][0]
        answer = await send(client, "/consent", {"agreed": "yes", "next": onward})
    return answer, come


@pytest.mark.requirement("C-01", "C-40")
@pytest.mark.parametrize("esia", KINDS, indirect=True)
async def test_esia_lets_in_with_a_signed_secret_and_brings_the_organisation(
    esia: tuple[Esia, Settings],
) -> None:
    stub, linked = esia
    async with client_of(linked) as client:
        answer, come = await through(client, stub)
        assert stub.refused == [] and answer.headers["location"] == "/map"
        page = (await client.get("/profile")).text
        assert "Осокина Ева" in page and "ООО «Ключ»" in page and "Личность подтверждена" in page
        assert (await client.get(come)).status_code == 403, "the state works once"


@pytest.mark.parametrize("esia", KINDS, indirect=True)
@pytest.mark.parametrize("lie", ["issuer", "audience", "expired", "from the future"])
async def test_a_lie_of_esia_is_refused(esia: tuple[Esia, Settings], lie: str) -> None:
    stub, linked = esia
    stub.change = LIES[lie]
    async with client_of(linked) as client:
        answer, _ = await through(client, stub)
        assert answer.status_code == 403 and (await client.get("/profile")).status_code == 401


@needs_gost
async def test_a_token_of_esia_by_another_key_or_kind_is_refused(
    esia: tuple[Esia, Settings], tmp_path: Path
) -> None:
    stub, linked = esia
    stranger = Keys(tmp_path, "gost")
    for wanted in (stranger.settings()["esia_token_key"], linked.esia_token_key):
        other = linked.model_copy(update={"esia_algorithm": gost.ALGORITHM, "esia_token_key": wanted})
        async with client_of(other) as client:
            answer, _ = await through(client, stub)
            assert answer.status_code == 403


@pytest.mark.requirement("C-37", "C-40")
async def test_esia_gives_and_takes_memberships_and_the_person_chooses_among_them(
    esia: tuple[Esia, Settings], owner: psycopg.Connection[Any]
) -> None:
    stub, linked = esia
    stub.roles = [CHIEF, CLERK]
    async with client_of(linked) as client:
        answer, _ = await through(client, stub)
        assert answer.headers["location"] == "/login/party?next=/map"
        page = (await client.get("/login/party?next=/map")).text
        numbers = dict(re.findall(r'value="(\d+)"[^>]*>\s*<strong>([^<]+)', page))
        chosen = next(k for k, v in numbers.items() if v == "АО «Лес»")
        assert set(numbers.values()) == {"ООО «Ключ»", "АО «Лес»", "Осокина Ева"}
        old = client.cookies["mezha_session"]
        answer = await send(client, "/login/party", {"party": chosen, "next": "/map"})
        assert answer.headers["location"] == "/map" and client.cookies["mezha_session"] != old
        page = (await client.get("/profile")).text
        assert "АО «Лес»" in page and "ООО «Ключ»" not in page
        await send(client, "/login/party", {"party": "0"})
        page = (await client.get("/profile")).text
        assert "АО «Лес»" not in page and "только за себя" in page
        assert (await send(client, "/login/party", {"party": "987654"})).status_code == 403
        stub.roles = [CHIEF]
        await client.post("/logout")
        client.cookies.clear()
        await through(client, stub)
        page = (await client.get("/profile")).text
        assert "АО «Лес»" not in page and "ООО «Ключ»" in page
    told = owner.execute(
        "SELECT action, inn FROM journal.entries WHERE subject = 'party' AND details ->> 'by' = 'esia' ORDER BY at"
    ).fetchall()
    assert told[-2:] == [("right-given", CLERK["inn"]), ("right-taken", CLERK["inn"])]


async def test_esia_refuses_another_order_of_the_message_and_the_order_is_a_setting(
    esia: tuple[Esia, Settings],
) -> None:
    stub, linked = esia
    stub.order = ("scope", "timestamp", "client_id", "state")
    async with client_of(linked) as client:
        await client.get("/login")
        out = await client.get("/login/esia")
        async with httpx.AsyncClient() as browser:
            assert (await browser.get(out.headers["location"])).status_code == 400
    assert len(stub.refused) == 1
    old = linked.model_copy(update={"esia_message": "scope,timestamp,client_id,state"})
    async with client_of(old) as client:
        answer, _ = await through(client, stub)
        assert answer.status_code == 303 and len(stub.refused) == 1


def test_the_secret_may_be_a_detached_cms(esia: tuple[Esia, Settings]) -> None:
    from asn1crypto import cms

    from accounts.esia import signature

    _, linked = esia
    made = signature(linked.model_copy(update={"esia_signature": "cms"}), b"message")
    der = base64.urlsafe_b64decode(made + "=" * (-len(made) % 4))
    content = cms.ContentInfo.load(der)
    assert content["content_type"].native == "signed_data"
    assert content["content"]["encap_content_info"]["content"].native is None, "detached"
    assert not re.search(r"[=+/]", made)
