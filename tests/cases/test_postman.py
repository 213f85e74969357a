"""Letters of messages: through a real mail server, over a day without one, and as each person chose."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller

from accounts import mail
from accounts.person import Person
from api.worker import work
from cases import messages, postman, preferences
from cases.desk import Desk
from geo.db import Database
from geo.errors import ParameterError
from geo.settings import Settings
from tests.cases.people import COLLEAGUE, SECOND, mail_of, settle
from tests.cases.region import APPLICANT, OFFICER, Region, act, furnish, lodged, writer_of
from tests.conftest import client_of


class Postbox:
    """A mail server that keeps what comes; it can be told to refuse."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.refusal: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refusal:
            return self.refusal[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append(
            (envelope.rcpt_tos[0], letter["Subject"], letter.get_content(), letter["Message-ID"])
        )
        return "250 OK"

    def to(self, address: str) -> list[tuple[str, str]]:
        """Subjects and texts of what came for somebody."""
        return [(subject, body) for to, subject, body, _ in self.letters if to == address]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mail_server(postbox: Postbox, port: int) -> Iterator[None]:
    """The server, while it stands."""
    server = Controller(postbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield
    finally:
        server.stop()


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
async def town(
    new_database: Callable[[], Settings],
) -> AsyncIterator[tuple[Settings, Database, Region, Desk]]:
    """A database of the test's own: what waits in an outbox must not be another test's."""
    own = new_database().model_copy(
        update={"smtp_url": f"smtp://127.0.0.1:{free_port()}", "base_url": "https://mezha.test"}
    )
    with psycopg.connect(own.database_url, autocommit=True) as connection:
        region = furnish(connection)
        settle(connection)
    database = writer_of(own)
    yield own, database, region, Desk.of(own)
    await database.close()


def port_of(settings: Settings) -> int:
    return int(settings.smtp_url.rpartition(":")[2])


@pytest.mark.requirement("C-19", "C-22", "S-22")
async def test_events_come_by_letter_at_once(
    town: tuple[Settings, Database, Region, Desk], postbox: Postbox
) -> None:
    settings, writer, region, desk = town
    case = await lodged(writer, desk, region)
    await act(writer, desk, OFFICER, "accept", case.id)
    await act(writer, desk, OFFICER, "ask_correction", case.id, reason="Уточните контур")
    with mail_server(postbox, port_of(settings)):
        await work(settings, wait=False)
    subjects = [subject for subject, _ in postbox.to(mail_of(COLLEAGUE))]
    assert sorted(subjects) == [
        f"Межа · {label}: Лесная декларация {case.number}"
        for label in ("На проверке", "На проверке", "Нужно исправить")
    ]
    (text,) = [body for subject, body in postbox.to(mail_of(COLLEAGUE)) if "исправить" in subject]
    assert "Указано: Уточните контур." in text
    assert f"https://mezha.test/cabinet/cases/{case.id}" in text
    _, office = postbox.to(mail_of(SECOND))[0]
    assert f"https://mezha.test/office/cases/{case.id}" in office
    before = len(postbox.letters)
    with mail_server(postbox, port_of(settings)):
        await work(settings, wait=False)
    assert len(postbox.letters) == before, "nothing is sent twice"


@pytest.mark.requirement("F-25")
async def test_the_letter_of_a_refusal_leads_to_its_paper_and_to_its_proof(
    town: tuple[Settings, Database, Region, Desk], postbox: Postbox
) -> None:
    settings, writer, region, desk = town
    case = await lodged(writer, desk, region)
    for name in ("accept", "review"):
        await act(writer, desk, OFFICER, name, case.id)
    await act(writer, desk, OFFICER, "reject", case.id, reason="Нет права на участок")
    with psycopg.connect(settings.database_url) as owner:
        row = owner.execute("SELECT document_id, token FROM cases.decisions WHERE case_id = %s", [case.id])
        paper, token = row.fetchone() or (0, "")
    with mail_server(postbox, port_of(settings)):
        await work(settings, wait=False)
    letters = dict(postbox.to(mail_of(COLLEAGUE)))
    told = letters[f"Межа · Отклонено: Лесная декларация {case.number}"]
    assert f"Решение: https://mezha.test/cabinet/cases/{case.id}/documents/{paper}\n" in told
    assert f"Проверить подлинность: https://mezha.test/verify/{token}\n" in told
    assert sum("/verify/" in body for body in letters.values()) == 1, "only the decision has a proof"
    async with writer.transaction(APPLICANT.caller) as connection:
        shown = [messages.shown(m) for m in await messages.page(connection, messages.Wanted())]
    assert [m["decision"] for m in shown if m["decision"]] == [
        {"paper": f"/cabinet/cases/{case.id}/documents/{paper}", "verify": f"/verify/{token}"}
    ]
    async with client_of(settings, APPLICANT.caller, Person(11, "Лесник")) as client:
        page = (await client.get("/cabinet/messages")).text
        assert f'href="/verify/{token}"' in page
        assert (await client.get(f"/cabinet/cases/{case.id}/documents/{paper}")).headers[
            "content-type"
        ] == "application/pdf"
        assert (await client.get(f"/verify/{token}")).status_code == 200


@pytest.mark.requirement("C-19")
async def test_a_day_without_a_mail_server_loses_nothing(
    town: tuple[Settings, Database, Region, Desk], postbox: Postbox
) -> None:
    settings, writer, region, desk = town
    case = await lodged(writer, desk, region)
    await work(settings, wait=False)
    now = datetime.now(UTC)
    for hour in range(1, 24):
        # Every run is a worker of its own: nothing is remembered but in the database.
        assert mail.deliver(settings, now=now + timedelta(hours=hour)) == 0
    with psycopg.connect(settings.database_url) as owner:
        tries, faults = owner.execute(
            "SELECT max(tries), count(*) FILTER (WHERE fault IS NOT NULL) FROM accounts.outbox"
        ).fetchone() or (0, 0)
        assert tries > 1
        assert faults > 0
    with mail_server(postbox, port_of(settings)):
        assert mail.deliver(settings, now=now + timedelta(hours=25)) == 4
        assert mail.deliver(settings, now=now + timedelta(hours=26)) == 0
    assert len(postbox.to(mail_of(COLLEAGUE))) == 1
    assert case.number
    assert case.number in postbox.to(mail_of(COLLEAGUE))[0][0]


async def test_letters_are_given_up_after_five_days_or_where_nobody_lives(
    town: tuple[Settings, Database, Region, Desk], postbox: Postbox
) -> None:
    settings, writer, region, desk = town
    await lodged(writer, desk, region)
    await postman.post(settings)
    postbox.refusal = {mail_of(COLLEAGUE): "550 no such mailbox", mail_of(SECOND): "450 try later"}
    now = datetime.now(UTC)
    with mail_server(postbox, port_of(settings)):
        assert mail.deliver(settings, now=now) == 2
        assert mail.deliver(settings, now=now + timedelta(minutes=1)) == 0
        postbox.refusal = {}
        # The one that nobody lives at is given up, the other one is sent.
        assert mail.deliver(settings, now=now + timedelta(minutes=30)) == 1
    assert len(postbox.to(mail_of(SECOND))) == 1
    assert postbox.to(mail_of(COLLEAGUE)) == []
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO accounts.outbox (recipient, subject, body) VALUES ('old@mezha.test', 's', 'b')"
        )
        mail.deliver(settings, now=now + timedelta(days=5, minutes=1))
        found = owner.execute(
            "SELECT given_up_at IS NOT NULL, body FROM accounts.outbox WHERE recipient = 'old@mezha.test'"
        ).fetchone()
    assert found == (True, "")


async def test_a_code_that_is_late_is_not_sent(
    town: tuple[Settings, Database, Region, Desk], postbox: Postbox
) -> None:
    settings, *_ = town
    with psycopg.connect(settings.database_url) as owner:
        mail.put(owner, "somebody@mezha.test", "Код", "1234", minutes=10)
    with mail_server(postbox, port_of(settings)):
        assert mail.deliver(settings, now=datetime.now(UTC) + timedelta(minutes=11)) == 0
    assert postbox.letters == []


async def test_a_worker_killed_after_the_server_took_a_letter_repeats_it_under_one_name(
    town: tuple[Settings, Database, Region, Desk], postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, *_ = town
    with psycopg.connect(settings.database_url) as owner:
        mail.put(owner, "somebody@mezha.test", "s", "b")
    real = mail._send

    def killed(*given: Any) -> None:
        real(*given)
        raise KeyboardInterrupt

    now = datetime.now(UTC)
    with mail_server(postbox, port_of(settings)):
        monkeypatch.setattr(mail, "_send", killed)
        with pytest.raises(KeyboardInterrupt):
            mail.deliver(settings, now=now)
        monkeypatch.setattr(mail, "_send", real)
        assert mail.deliver(settings, now=now + timedelta(minutes=1)) == 0, "still in the hand of the other"
        assert mail.deliver(settings, now=now + timedelta(minutes=6)) == 1
    assert len({letter[3] for letter in postbox.letters}) == 1


@pytest.mark.requirement("C-22", "S-23")
async def test_people_choose_what_comes_how_and_where_else(
    town: tuple[Settings, Database, Region, Desk], postbox: Postbox
) -> None:
    settings, writer, region, desk = town
    async with writer.transaction(COLLEAGUE.caller) as connection:
        await preferences.keep(connection, mail={"event": "digest", "final": "off"}, sms=[], digest_hour=9)
    async with client_of(settings, COLLEAGUE.caller) as client:
        asked = await client.post("/api/v1/preferences/forwarding", json={"address": "office@firm.test"})
        assert asked.status_code == 202
        with mail_server(postbox, port_of(settings)):
            await work(settings, wait=False)
        code = postbox.to("office@firm.test")[0][1].partition("Код: ")[2][:6]
        wrong = await client.post("/api/v1/preferences/forwarding/code", json={"code": "000000"})
        assert wrong.status_code == 422
        assert (await client.get("/api/v1/preferences")).json()["forward_to"] is None
        right = await client.post("/api/v1/preferences/forwarding/code", json={"code": code})
        assert right.json()["forward_to"] == "office@firm.test"
    case = await lodged(writer, desk, region)
    await act(writer, desk, OFFICER, "accept", case.id)
    morning = datetime.now(UTC).replace(hour=1, minute=0) + timedelta(days=1)  # 8:00 in Novosibirsk
    with mail_server(postbox, port_of(settings)):
        await postman.post(settings, now=morning)
        mail.deliver(settings)
        assert postbox.to(mail_of(COLLEAGUE)) == []
        await postman.post(settings, now=morning + timedelta(hours=1))
        mail.deliver(settings)
    ((subject, text),) = postbox.to(mail_of(COLLEAGUE))
    assert subject == "Межа · сообщения за день: 2"
    assert text.count(str(case.number)) == 2
    assert [s for s, _ in postbox.to("office@firm.test")][1:] == [subject]
    # A second digest of one day would be empty; decisions were switched off.
    await act(writer, desk, APPLICANT, "withdraw", case.id)
    assert await postman.posted(writer, settings, now=morning + timedelta(hours=3)) == 1, (
        "the officer's alone"
    )


async def test_preferences_refuse_what_is_none(writer: Database) -> None:
    async with writer.transaction(COLLEAGUE.caller) as connection:
        for wrong in (
            {"mail": {"gossip": "off"}, "sms": [], "digest_hour": 9},
            {"mail": {"event": "pigeon"}, "sms": [], "digest_hour": 9},
            {"mail": {}, "sms": ["gossip"], "digest_hour": 9},
            {"mail": {}, "sms": [], "digest_hour": 24},
        ):
            with pytest.raises(ParameterError):
                await preferences.keep(connection, **wrong)  # type: ignore[arg-type]
        for address in ("", "nobody", "a@b", "a b@c.ru", "a@b.ru,c@d.ru", "x" * 250 + "@b.ru"):
            with pytest.raises(ParameterError):
                await preferences.ask_forwarding(connection, 13, address)


class Gateway(BaseHTTPRequestHandler):
    """A gateway of short messages that keeps what comes, and is down at first."""

    taken: list[tuple[Any, str, str]]
    answers: list[int]

    def do_POST(self) -> None:
        """Take one message, or answer as the test says."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status = type(self).answers.pop(0) if type(self).answers else 202
        if status == 202:
            type(self).taken.append((body, self.headers["authorization"], self.headers["idempotency-key"]))
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Quiet."""


@pytest.mark.requirement("C-19")
async def test_short_messages_go_through_the_gateway(town: tuple[Settings, Database, Region, Desk]) -> None:
    settings, writer, region, desk = town
    async with writer.transaction(COLLEAGUE.caller) as connection:
        await preferences.keep(
            connection, mail=dict.fromkeys(preferences.TOPICS, "off"), sms=["event"], digest_hour=9
        )
    case = await lodged(writer, desk, region)
    handler = type("Own", (Gateway,), {"taken": [], "answers": [503]})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    own = settings.model_copy(
        update={"smtp_url": "", "sms_url": f"http://127.0.0.1:{server.server_port}/send", "sms_token": "t0"}
    )
    try:
        await postman.post(own)
        now = datetime.now(UTC)
        assert await asyncio.to_thread(mail.deliver, own, now=now) == 0
        assert await asyncio.to_thread(mail.deliver, own, now=now + timedelta(minutes=2)) == 1
    finally:
        server.shutdown()
        server.server_close()
    ((body, bearer, key),) = handler.taken  # type: ignore[attr-defined]
    assert body["to"] == "+79130000013"
    assert str(case.number) in body["text"]
    assert (bearer, key[:6]) == ("Bearer t0", "mezha-")
    async with writer.transaction(COLLEAGUE.caller) as connection:
        assert len(await messages.page(connection, messages.Wanted())) == 1
