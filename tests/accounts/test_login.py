"""Log-in by password: what it opens, what it refuses, and what it does not tell."""

import asyncio
from typing import Any

import httpx
import psycopg
import pytest

from accounts import passwords
from accounts.consent import EDITION
from accounts.errors import AccountsError
from accounts.login import by_password
from accounts.origin import Origin
from geo.db import Database
from geo.settings import Settings
from tests.accounts.conftest import PASSWORD, Enrolled, log_in, send
from tests.conftest import client_of


@pytest.mark.requirement("C-04", "C-89")
async def test_a_log_in_opens_the_profile_and_a_log_out_closes_it(
    settings: Settings, enrolled: Enrolled
) -> None:
    name, _ = enrolled(role="owner")
    async with client_of(settings) as client:
        assert (await client.get("/profile", headers={"accept": "text/html"})).headers[
            "location"
        ] == "/login?next=/profile"
        answer = await log_in(client, name, next="/profile/tokens")
        assert (answer.status_code, answer.headers["location"]) == (303, "/profile/tokens")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie
        assert name in (await client.get("/profile")).text
        left = await send(client, "/logout", {}, page="/profile")
        assert left.status_code == 303 and "Max-Age=0" in left.headers["set-cookie"]
        assert (await client.get("/profile")).status_code == 401


async def test_the_cookie_is_tied_to_the_host_where_there_is_https(
    settings: Settings, enrolled: Enrolled
) -> None:
    name, _ = enrolled()
    secure = settings.model_copy(update={"base_url": "https://mezha.test"})
    async with client_of(secure) as client:
        client.base_url = httpx.URL("https://mezha.test")
        token = (await client.get("/login")).text.split('name="csrf" value="')[1][:64]
        answer = await client.post(
            "/login",
            data={"name": name, "password": PASSWORD, "csrf": token},
            headers={"origin": "https://mezha.test"},
        )
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-mezha=") and "Secure" in cookie and "Path=/" in cookie
        assert (await client.get("/profile")).status_code == 200


@pytest.mark.requirement("C-06", "N-37")
async def test_known_and_unknown_names_are_refused_in_the_same_words_and_with_the_same_work(
    settings: Settings, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _ = enrolled()
    work: list[str] = []
    verify = passwords._fits

    def counted(kept: str, password: str) -> bool:
        work.append(kept.rsplit("$", 2)[0])
        return verify(kept, password)

    monkeypatch.setattr(passwords, "_fits", counted)
    seen = []
    async with client_of(settings) as client:
        for who in (name, "nobody-here"):
            answers = [await log_in(client, who, "Wrong-Password-1") for _ in range(4)]
            seen.append([(a.status_code, _words(a.text, who)) for a in answers])
    assert seen[0] == seen[1]
    # Three hashes each with the same parameters and none for the locked fourth try.
    assert len(work) == 6 and len(set(work)) == 1


def _words(html: str, name: str) -> list[str]:
    import re

    text = re.sub(r'value="[^"]*"', "", html.replace(name, "NAME"))
    return re.findall(r"<h2>[^<]*</h2><p>[^<]{0,40}", text)


@pytest.mark.requirement("C-07", "R-10", "C-92")
async def test_three_failures_lock_the_account_and_the_page_states_the_real_time(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    name, account = enrolled()
    strict = settings.model_copy(update={"login_lock_minutes": 20, "login_tries": 2})
    async with client_of(strict) as client:
        await log_in(client, name, "Wrong-Password-1")
        locked = await log_in(client, name, "Wrong-Password-1")
        assert "20 минут" in locked.text and "Неудачных попыток: 2" in locked.text
        refused = await log_in(client, name, PASSWORD)
        assert refused.status_code == 403, "the right password opens no locked account"
        owner.execute(
            "UPDATE accounts.guards SET locked_until = now() WHERE key = %s", [f"account:{account}"]
        )
        assert (await log_in(client, name, PASSWORD)).status_code == 303
    (jobs,) = owner.execute(
        "SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'accounts.notice' AND args->>'name' = %s",
        [name],
    ).fetchone() or (0,)
    assert jobs == 1, "the owner is told once"


async def test_a_right_password_forgets_earlier_failures(settings: Settings, enrolled: Enrolled) -> None:
    name, _ = enrolled()
    async with client_of(settings) as client:
        for _ in range(3):
            await log_in(client, name, "Wrong-Password-1")
            await log_in(client, name, "Wrong-Password-2")
            assert (await log_in(client, name)).status_code == 303
            await send(client, "/logout", {}, page="/profile")


async def test_guesses_at_once_from_many_addresses_are_all_counted(
    settings: Settings, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _ = enrolled()
    hashed = 0
    verify = passwords._fits

    def counted(kept: str, password: str) -> bool:
        nonlocal hashed
        hashed += 1
        return verify(kept, password)

    monkeypatch.setattr(passwords, "_fits", counted)
    database = Database(settings)
    await database.open()

    async def guess(n: int) -> str:
        try:
            await by_password(
                database, name, f"Guess-number-{n}", Origin(f"10.{n // 250}.7.{n % 250}"), settings
            )
        except AccountsError as err:
            return err.code
        return "in"

    for start in range(0, 1000, 8):
        codes = await asyncio.gather(*(guess(n) for n in range(start, start + 8)))
        assert set(codes) <= {"wrong-credentials", "locked"}
    await database.close()
    assert hashed == 3


async def test_one_address_runs_out_of_tries_over_many_names(settings: Settings, enrolled: Enrolled) -> None:
    few = settings.model_copy(update={"login_address_tries": 4, "trusted_proxies": frozenset({"127.0.0.1"})})
    async with client_of(few) as client:
        client.headers["x-forwarded-for"] = "192.0.2.77"
        for n in range(4):
            assert "Слишком много" not in (await log_in(client, f"nobody{n}", "Wrong-Password-1")).text
        assert "Слишком много" in (await log_in(client, "nobody9", "Wrong-Password-1")).text


@pytest.mark.requirement("C-42")
async def test_consent_is_asked_at_the_first_entry_and_recorded(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    name, account = enrolled(consented=False)
    async with client_of(settings) as client:
        answer = await log_in(client, name, next="/map")
        assert answer.headers["location"] == "/consent?next=/map"
        assert (await client.get("/profile")).status_code == 401, "nothing opens before the consent"
        before = client.cookies["mezha_session"]
        given = await send(client, "/consent", {"agreed": "yes", "next": "/map"})
        assert given.headers["location"] == "/map"
        assert client.cookies["mezha_session"] != before
        assert (await client.get("/profile")).status_code == 200
    rows = owner.execute(
        "SELECT document, edition FROM accounts.consents WHERE account = %s", [account]
    ).fetchall()
    assert {r[1] for r in rows} == {EDITION} and len(rows) == 2


@pytest.mark.requirement("R-10")
async def test_an_old_password_must_be_renewed_and_not_by_itself(
    settings: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    name, account = enrolled()
    owner.execute(
        "UPDATE accounts.passwords SET changed_at = now() - interval '184 days' WHERE account = %s", [account]
    )
    async with client_of(settings) as client:
        assert (await log_in(client, name)).headers["location"].startswith("/login/renew")
        assert (await client.get("/profile")).status_code == 401
        assert (await send(client, "/login/renew", {"password": PASSWORD})).status_code == 422
        assert (await send(client, "/login/renew", {"password": "Sosnovyi-Bor-42"})).status_code == 303
        assert (await client.get("/profile")).status_code == 200


async def test_a_session_known_before_the_log_in_is_worth_nothing_after_it(
    settings: Settings, enrolled: Enrolled
) -> None:
    name, _ = enrolled()
    async with client_of(settings) as client:
        client.cookies.set("mezha_session", "chosen-by-an-attacker", domain="mezha.test")
        await log_in(client, name)
        assert client.cookies.get("mezha_session", domain="mezha.test", path="/") != "chosen-by-an-attacker"
    async with client_of(settings) as client:
        client.cookies.set("mezha_session", "chosen-by-an-attacker", domain="mezha.test")
        answer = await client.get("/profile")
        assert answer.status_code == 401
        assert "Max-Age=0" in answer.headers["set-cookie"], "a dead cookie is cleared"


@pytest.mark.parametrize(
    "target", ["//evil.test", "https://evil.test", "/\\evil.test", "/a\r\nSet-Cookie: x=y", ""]
)
async def test_a_log_in_never_leads_to_another_site(
    settings: Settings, enrolled: Enrolled, target: str
) -> None:
    name, _ = enrolled()
    async with client_of(settings) as client:
        assert (await log_in(client, name, next=target)).headers["location"] == "/profile"


@pytest.mark.parametrize(
    "name", ["' OR 1=1 --", "a" * 10_000, "\x00", "%s", "Робин'; DROP TABLE accounts.accounts;--"]
)
async def test_strange_names_are_only_wrong(settings: Settings, name: str) -> None:
    async with client_of(settings) as client:
        assert (await log_in(client, name, "x")).status_code in (403, 400)


@pytest.mark.parametrize(
    "password",
    ["Short-1a", "alllowercase-1", "ALLUPPERCASE-1", "NoDigitsHere-", "NoSignsHere12", "A1-" + "a" * 300],
)
def test_weak_passwords_are_refused(password: str) -> None:
    from accounts.errors import WeakPasswordError

    with pytest.raises(WeakPasswordError):
        passwords.check_strength(password)


def test_a_password_may_not_contain_the_name() -> None:
    from accounts.errors import WeakPasswordError

    with pytest.raises(WeakPasswordError):
        passwords.check_strength("Ivanov-Ivan-77", near=("ivanov",))
    passwords.check_strength("Leshiy-i-Bereza-7", near=("ivanov",))
