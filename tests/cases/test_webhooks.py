"""Webhooks: signed, repeated for days, never into our own network, their log seen by their party alone."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest

from accounts.person import Membership, Person
from cases import courier, webhooks
from cases.desk import Desk
from geo.db import Database
from geo.errors import ParameterError
from geo.settings import Settings
from tests.cases.people import settle
from tests.cases.region import APPLICANT, INN, OFFICER, RIVAL, RIVAL_INN, Region, act, lodged
from tests.conftest import client_of


@pytest.fixture(scope="module", autouse=True)
def people(settings: Settings) -> None:
    """Everybody has an account."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        settle(connection)


class Receiver(ThreadingHTTPServer):
    """A system of a party: keeps what comes, answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/hook"


class Taking(BaseHTTPRequestHandler):
    """One call."""

    server: Receiver

    def do_POST(self) -> None:
        """Keep the call and answer."""
        body = self.rfile.read(int(self.headers["content-length"]))
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.server.calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(status)
        if status == 302:
            self.send_header("location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def open_settings(settings: Settings) -> Settings:
    """An installation whose webhooks may call into its own network."""
    return settings.model_copy(update={"webhook_private": True})


async def subscribed(settings: Settings, url: str, **body: Any) -> dict[str, Any]:
    """A webhook of the applicant's party."""
    async with client_of(settings, APPLICANT.caller) as client:
        made = await client.post("/api/v1/webhooks", json={"party_inn": INN, "url": url} | body)
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer


async def ended(settings: Settings, webhook: int) -> None:
    """No more calls."""
    async with client_of(settings, APPLICANT.caller) as client:
        assert (await client.delete(f"/api/v1/webhooks/{webhook}")).status_code == 204


async def call(settings: Settings, **now: Any) -> int:
    """One run of the courier, as another process would make it."""
    return await asyncio.to_thread(courier.deliver, settings, **now)


def signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """Whether the signature is that of Standard Webhooks, computed by itself."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    mark = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return f"v1,{mark}" in headers["webhook-signature"].split()


async def test_calls_are_signed_and_tell_what_happened(
    open_settings: Settings, writer: Database, desk: Desk, region: Region, receiver: Receiver
) -> None:
    made = await subscribed(open_settings, receiver.url, topics=["event"])
    case = await lodged(writer, desk, region)
    await act(writer, desk, OFFICER, "accept", case.id)
    assert await call(open_settings) == 2
    assert await call(open_settings) == 0
    headers, body = receiver.calls[1]
    assert signed(headers, body, made["secret"])
    assert not signed(headers, body + b" ", made["secret"])
    told = json.loads(body)
    assert told["type"] == "case.accept"
    assert (told["data"]["number"], told["data"]["state"]) == (case.number, "accepted")
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    await ended(open_settings, made["id"])
    await act(writer, desk, APPLICANT, "withdraw", case.id)
    assert await call(open_settings) == 0


async def test_a_receiver_that_is_down_for_a_day_misses_nothing_and_holds_up_nobody(
    open_settings: Settings, writer: Database, desk: Desk, region: Region, receiver: Receiver
) -> None:
    dead = await subscribed(open_settings, "http://127.0.0.1:9/")
    made = await subscribed(open_settings, receiver.url)
    receiver.answers = [500, 302]
    case = await lodged(writer, desk, region, corners=(83.03, 55.01, 83.04, 55.02))
    now = datetime.now(UTC)
    assert await call(open_settings, now=now) == 0
    assert await call(open_settings, now=now) == 0
    assert len(receiver.calls) == 1
    assert await call(open_settings, now=now + timedelta(minutes=2)) == 0
    for hour in range(1, 24):
        await call(open_settings, now=now + timedelta(hours=hour))
    async with client_of(open_settings, APPLICANT.caller) as client:
        (taken,) = (await client.get(f"/api/v1/webhooks/{made['id']}/deliveries")).json()["deliveries"]
        assert (taken["tries"], taken["status"], taken["fault"]) == (3, 204, None)
        assert taken["delivered_at"]
        (lost,) = (await client.get(f"/api/v1/webhooks/{dead['id']}/deliveries")).json()["deliveries"]
        assert lost["tries"] > 10
        assert lost["fault"].startswith("no answer")
        assert lost["next_at"]
        await call(open_settings, now=now + timedelta(days=6))
        (lost,) = (await client.get(f"/api/v1/webhooks/{dead['id']}/deliveries")).json()["deliveries"]
        assert lost["given_up_at"]
        # Once more by hand: a new delivery with the same body.
        again = await client.post(f"/api/v1/webhooks/{made['id']}/deliveries/{taken['id']}/again")
        assert again.status_code == 202
    assert await call(open_settings, now=now + timedelta(days=6)) == 1
    assert receiver.calls[-1][1] == receiver.calls[0][1]
    assert len({headers["webhook-id"] for headers, _ in receiver.calls}) == 2
    assert case.number in receiver.calls[-1][1].decode()
    receiver.answers = [410]
    await act(writer, desk, OFFICER, "accept", case.id)
    await call(open_settings)
    async with client_of(open_settings, APPLICANT.caller) as client:
        left = (await client.get("/api/v1/webhooks")).json()["webhooks"]
    assert [w["id"] for w in left] == [dead["id"]], "410 ends a webhook"
    await ended(open_settings, dead["id"])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://10.0.0.8/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/",
        "https://[::ffff:127.0.0.1]/",
        "ftp://example.com/",
        "https://no-such-name.invalid/",
        "https://host:99999999/",
        "javascript:alert(1)",
        "",
    ],
)
def test_what_must_not_be_called_is_refused(url: str) -> None:
    with pytest.raises(ParameterError, match="cannot be called"):
        webhooks.check_address(url, private=False)


async def test_an_address_that_moves_inside_later_is_not_called(
    *,
    open_settings: Settings,
    settings: Settings,
    writer: Database,
    desk: Desk,
    region: Region,
    receiver: Receiver,
) -> None:
    made = await subscribed(open_settings, receiver.url)
    await lodged(writer, desk, region, corners=(83.05, 55.01, 83.06, 55.02))
    assert await call(settings) == 0
    assert receiver.calls == []
    async with client_of(settings, APPLICANT.caller) as client:
        (log,) = (await client.get(f"/api/v1/webhooks/{made['id']}/deliveries")).json()["deliveries"]
    assert "private network" in log["fault"]
    await ended(open_settings, made["id"])


async def test_webhooks_are_their_partys_alone(open_settings: Settings, receiver: Receiver) -> None:
    made = await subscribed(open_settings, receiver.url)
    path = f"/api/v1/webhooks/{made['id']}"
    for other in (RIVAL, OFFICER):
        async with client_of(open_settings, other.caller) as client:
            assert (await client.get("/api/v1/webhooks")).json() == {"webhooks": []}
            assert (await client.get(f"{path}/deliveries")).status_code == 404
            assert (await client.delete(path)).status_code == 404
            assert (await client.post(f"{path}/deliveries/1/again")).status_code == 404
            refused = await client.post("/api/v1/webhooks", json={"party_inn": INN, "url": receiver.url})
            assert refused.status_code == 403
    async with client_of(open_settings, APPLICANT.caller) as client:
        assert "secret" not in (await client.get("/api/v1/webhooks")).text
        body = {"party_inn": INN, "url": receiver.url, "topics": ["thread"]}
        twice = [
            await client.post("/api/v1/webhooks", json=body, headers={"idempotency-key": "hook-000001"})
            for _ in range(2)
        ]
        assert twice[0].json() == twice[1].json()
        for wrong in ({"topics": []}, {"topics": ["gossip"]}, {"url": "x"}, {"party_inn": "1"}):
            answer = await client.post("/api/v1/webhooks", json=body | wrong)
            assert answer.status_code in (400, 403, 422), wrong
    await ended(open_settings, made["id"])
    await ended(open_settings, twice[0].json()["id"])


def owner_of(inn: str, account: int, role: str = "owner") -> Person:
    """Somebody in the cabinet of a party."""
    member = Membership(1, "ООО «Кедр»", "company", inn, role, None, True)
    return Person(account, "Лесник", email="l@example.ru", memberships=(member,))


PAGE = "/cabinet/webhooks"


async def test_the_page_sets_up_tries_shows_and_ends_calls(
    open_settings: Settings, receiver: Receiver
) -> None:
    asked = {"party": INN, "url": receiver.url, "topics": ["event"], "note": "учётная система"}
    async with client_of(open_settings, APPLICANT.caller, owner_of(INN, 11)) as client:
        made = await client.post(PAGE, data=asked)
        secret = re.search(r"whsec_[^<]+", made.text)
        assert (made.status_code, bool(secret)) == (201, True)
        assert made.headers["cache-control"] == "no-store"
        later = (await client.get(PAGE)).text
        assert "whsec_" not in later, "the secret is shown once"
        assert receiver.url in later
        (number,) = set(re.findall(rf"{PAGE}/(\d+)/test", later))
        assert (await client.post(f"{PAGE}/{number}/test")).status_code == 303
        assert await call(open_settings) == 1
        headers, body = receiver.calls[-1]
        assert secret
        assert signed(headers, body, secret[0])
        assert json.loads(body)["type"] == "webhook.test"
        after = (await client.get(PAGE)).text
        assert "HTTP 204" in after
        assert "Принят" in after
        assert (await client.post(f"{PAGE}/{number}/end")).status_code == 303
        assert receiver.url not in (await client.get(PAGE)).text


async def test_the_page_shows_and_moves_nothing_of_others(
    open_settings: Settings, receiver: Receiver
) -> None:
    made = await subscribed(open_settings, receiver.url)
    async with client_of(open_settings, RIVAL.caller, owner_of(RIVAL_INN, 12)) as client:
        assert receiver.url not in (await client.get(PAGE)).text
        for deed in ("test", "end"):
            assert (await client.post(f"{PAGE}/{made['id']}/{deed}")).status_code == 404
        refused = await client.post(PAGE, data={"party": INN, "url": receiver.url, "topics": ["event"]})
        assert (refused.status_code, "whsec_" in refused.text) == (422, False)
    async with client_of(open_settings, APPLICANT.caller, owner_of(INN, 11, "controller")) as client:
        shown = (await client.get(PAGE)).text
        assert receiver.url in shown
        assert f'action="{PAGE}' not in shown, "who may not set up calls is offered nothing"
        assert (await client.post(f"{PAGE}/{made['id']}/test")).status_code == 403
    async with client_of(open_settings) as client:
        assert (await client.get(PAGE)).status_code in (303, 401)
    assert await call(open_settings) == 0
    await ended(open_settings, made["id"])


async def test_a_wrong_address_keeps_what_was_typed(settings: Settings) -> None:
    asked = {"party": INN, "url": "http://10.0.0.1/x", "topics": ["thread"], "note": "склад"}
    async with client_of(settings, APPLICANT.caller, owner_of(INN, 11)) as client:
        refused = await client.post(PAGE, data=asked)
        assert refused.status_code == 422
        assert 'value="http://10.0.0.1/x"' in refused.text
        assert 'value="склад"' in refused.text
        assert "Адрес не принят" in refused.text
