"""Letters with codes: registration, recovery, second factor, confirmation, through a real mail server and the worker."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pyotp
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Handler

from accounts import second_factor
from accounts.sealing import seal
from api.identity import LIFE_S
from api.worker import work
from geo.settings import Settings
from tests.accounts.conftest import FOREST, OTHER, PASSWORD, Enrolled, log_in, send
from tests.conftest import client_of

NEW = "Sosnovyi-Bor-42"


class Mailbox(Handler):
    """Letters that arrived: recipient and text."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[tuple[str, str]] = []

    def handle_message(self, message: Any) -> None:
        payload = message.get_payload(decode=True)
        self.letters.append((message["X-RcptTo"], payload.decode()))

    def code(self, recipient: str) -> str:
        """The code of the newest letter to somebody."""
        text = next(body for to, body in reversed(self.letters) if to == recipient)
        found = re.search(r"(?:Код|Code): (\d+)", text)
        assert found, text
        return found[1]


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    server = Controller(made, hostname="127.0.0.1", port=8139)
    server.start()
    yield made
    server.stop()


@pytest.fixture
async def posted(settings: Settings, mailbox: Mailbox) -> AsyncIterator[Settings]:
    """Settings with a mail server."""
    yield settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:8139"})


@pytest.mark.requirement("C-08", "R-15")
async def test_a_password_is_recovered_by_the_code_of_a_letter(
    posted: Settings, enrolled: Enrolled, mailbox: Mailbox
) -> None:
    name, _ = enrolled()
    async with client_of(posted) as stale, client_of(posted) as client:
        await log_in(stale, name)
        assert (await send(client, "/recover", {"name": name})).status_code == 202
        await work(posted, wait=False)
        code = mailbox.code(f"{name}@mezha.test")
        wrong = {"name": name, "code": "00000000", "password": NEW}
        assert (await send(client, "/recover/finish", wrong, page="/recover")).status_code == 422
        right = wrong | {"code": code}
        assert (await send(client, "/recover/finish", right, page="/recover")).status_code == 303
        again = await send(client, "/recover/finish", right, page="/recover")
        assert again.status_code == 422, "a code works once"
        assert (await log_in(client, name)).status_code == 403
        assert (await log_in(client, name, NEW)).status_code == 303
        await asyncio.sleep(LIFE_S)
        assert (await stale.get("/profile")).status_code == 401, "a new password ends every session"


async def test_recovery_says_the_same_for_names_that_do_not_exist(
    posted: Settings, enrolled: Enrolled
) -> None:
    name, _ = enrolled()
    pages = []
    async with client_of(posted) as client:
        for who in (name, "nobody-of-that-name"):
            asked = await send(client, "/recover", {"name": who})
            fields = {"name": who, "code": "12345678", "password": NEW}
            tried = [await send(client, "/recover/finish", fields, page="/recover") for _ in range(4)]
            pages.append([(a.status_code, re.sub(r'value="[^"]*"', "", a.text)) for a in (asked, *tried)])
    assert pages[0] == pages[1]


async def test_registration_waits_for_the_code_and_tells_nothing_about_others(
    posted: Settings, enrolled: Enrolled, mailbox: Mailbox
) -> None:
    known, _ = enrolled()
    form = {"name": "Новая Мария", "email": "new@mezha.test", "password": NEW}
    async with client_of(posted) as client:
        fresh = await send(client, "/register", form)
        taken = await send(client, "/register", form | {"email": f"{known}@mezha.test"})
        blank = [re.sub(r'value="[^"]*"', "", a.text) for a in (fresh, taken)]
        assert fresh.status_code == taken.status_code == 202 and blank[0] == blank[1]
        await work(posted, wait=False)
        assert any(to == f"{known}@mezha.test" and "уже есть" in text for to, text in mailbox.letters)
        waiting = await log_in(client, "new@mezha.test", NEW)
        assert waiting.status_code == 403 and "не подтверждён" in waiting.text
        code = mailbox.code("new@mezha.test")
        confirmed = await send(
            client, "/register/confirm", {"name": "new@mezha.test", "code": code}, page="/register"
        )
        assert confirmed.status_code == 303
        assert (await log_in(client, "new@mezha.test", NEW)).headers["location"].startswith("/consent")


@pytest.mark.requirement("C-02", "C-03", "S-60")
async def test_a_code_of_the_app_is_asked_and_cannot_be_replayed(
    posted: Settings, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _ = enrolled()
    moment = time.time()
    monkeypatch.setattr(second_factor.time, "time", lambda: moment)
    async with client_of(posted) as client:
        await log_in(client, name)
        page = await send(client, "/profile/totp", {}, page="/profile/security")
        totp = pyotp.TOTP(page.text.split('id="totp-key">')[1].split("<")[0])
        assert "<svg" in page.text
        bound = await send(client, "/profile/totp/bind", {"code": totp.at(moment)}, page="/profile/security")
        assert bound.status_code == 303
    async with client_of(posted) as client:
        assert (await log_in(client, name)).headers["location"].startswith("/login/second")
        assert (await client.get("/profile")).status_code == 401, "a half log-in opens nothing"
        replay = await send(client, "/login/second", {"code": totp.at(moment)})
        assert replay.status_code == 422 and "уже использован" in replay.text
        for skewed in (-3, 3):
            answer = await send(client, "/login/second", {"code": totp.at(moment + skewed * 30)})
            assert answer.status_code == 422
        before = client.cookies["mezha_session"]
        good = await send(client, "/login/second", {"code": totp.at(moment + 30)})
        assert good.status_code == 303 and client.cookies["mezha_session"] != before
        assert (await client.get("/profile")).status_code == 200


async def test_five_wrong_second_factors_lock_it(
    posted: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any]
) -> None:
    name, account = enrolled()
    owner.execute(
        "INSERT INTO accounts.totps (account, secret, confirmed_at) VALUES (%s, %s, now())",
        [account, seal(posted, account, "A" * 32)],
    )
    async with client_of(posted) as client:
        await log_in(client, name)
        for _ in range(5):
            assert "Неверный код" in (await send(client, "/login/second", {"code": "1"})).text
        right = pyotp.TOTP("A" * 32).now()
        locked = await send(client, "/login/second", {"code": right})
        assert locked.status_code == 422 and "Слишком много" in locked.text
    told = owner.execute(
        "SELECT details FROM journal.entries WHERE concerned = %s AND action = 'locked'", [account]
    ).fetchall()
    assert told == [({"factor": "second"},)]


async def test_a_code_by_letter_is_a_second_factor_too(
    posted: Settings, enrolled: Enrolled, owner: psycopg.Connection[Any], mailbox: Mailbox
) -> None:
    name, account = enrolled()
    owner.execute(
        "INSERT INTO accounts.totps (account, secret, confirmed_at) VALUES (%s, %s, now())",
        [account, seal(posted, account, "A" * 32)],
    )
    async with client_of(posted) as client:
        await log_in(client, name)
        await send(client, "/login/second/letter", {}, page="/login/second")
        await work(posted, wait=False)
        code = mailbox.code(f"{name}@mezha.test")
        assert (await send(client, "/login/second", {"code": code})).status_code == 303
        assert (await client.get("/profile")).status_code == 200


@pytest.mark.requirement("C-47")
async def test_a_new_address_is_confirmed_by_a_code_sent_to_it(
    posted: Settings, enrolled: Enrolled, mailbox: Mailbox
) -> None:
    name, _ = enrolled()
    async with client_of(posted) as client:
        await log_in(client, name)
        await send(client, "/profile/email", {"email": "other@mezha.test"})
        await work(posted, wait=False)
        code = mailbox.code("other@mezha.test")
        await send(client, "/profile/email/confirm", {"code": code}, page="/profile/email")
        assert "other@mezha.test" in (await client.get("/profile")).text


@pytest.mark.requirement("C-40", "F-39", "S-52", "R-13", "N-36")
async def test_a_party_is_confirmed_by_an_officer_and_a_code(
    posted: Settings, enrolled: Enrolled, mailbox: Mailbox, owner: psycopg.Connection[Any]
) -> None:
    name, account = enrolled(confirmed=False)
    officer, _ = enrolled(duty="officer", region="54")
    stranger, _ = enrolled(duty="officer", region="70")
    async with client_of(posted) as client, client_of(posted) as office, client_of(posted) as away:
        await log_in(client, name)
        await log_in(office, officer)
        await log_in(away, stranger)
        form = {"kind": "company", "name": "ООО «Новый лес»", "inn": "7830002293", "region": "54"}
        assert (await send(client, "/team/parties", form, page="/team")).status_code == 303
        (party,) = owner.execute("SELECT id FROM accounts.parties WHERE inn = '7830002293'").fetchone() or (
            0,
        )
        await asyncio.sleep(LIFE_S)
        request = {"party": str(party), "region": "54", "evidence": "Договор аренды", "number": "12-Л"}
        assert (await send(client, "/confirmation", request)).status_code == 303
        assert "Договор аренды" not in (await away.get("/office/confirmations")).text
        assert "Договор аренды" in (await office.get("/office/confirmations")).text
        (number,) = owner.execute(
            "SELECT id FROM accounts.confirmations WHERE party = %s", [party]
        ).fetchone() or (0,)
        word = {"request": str(number), "confirmed": "yes"}
        assert (await send(away, "/office/confirmations", word)).status_code == 422
        assert (await send(office, "/office/confirmations", word | {"confirmed": "no"})).status_code == 422
        assert (await send(office, "/office/confirmations", word)).status_code == 303
        await work(posted, wait=False)
        code = mailbox.code(f"{name}@mezha.test")
        for wrong in ("000000", code):
            blocked = await send(client, "/confirmation/code", {"code": wrong}, page="/confirmation")
            assert blocked.status_code == 422, "a wrong code blocks until a new one is sent"
        await send(client, "/confirmation/code", {"again": str(number)}, page="/confirmation")
        await work(posted, wait=False)
        code = mailbox.code(f"{name}@mezha.test")
        assert (
            await send(client, "/confirmation/code", {"code": code}, page="/confirmation")
        ).status_code == 303
    rows = owner.execute(
        "SELECT a.status, p.status FROM accounts.accounts a, accounts.parties p WHERE a.id = %s AND p.id = %s",
        [account, party],
    ).fetchone()
    assert rows == ("confirmed", "confirmed")


@pytest.mark.requirement("C-07")
async def test_the_owner_is_told_of_a_lock_and_the_letter_is_wiped(
    posted: Settings, enrolled: Enrolled, mailbox: Mailbox, owner: psycopg.Connection[Any]
) -> None:
    name, _ = enrolled()
    async with client_of(posted) as client:
        for _ in range(3):
            await log_in(client, name, "Wrong-Password-1")
    await work(posted, wait=False)
    assert any(to == f"{name}@mezha.test" and "заблокирован" in text for to, text in mailbox.letters)
    assert owner.execute(
        "SELECT count(*) FROM accounts.outbox WHERE sent_at IS NOT NULL AND body <> ''"
    ).fetchone() == (0,)


def test_the_serving_role_reads_no_secret(owner: psycopg.Connection[Any]) -> None:
    for table in ("passwords", "totps", "codes", "tickets", "guards", "outbox"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), owner.transaction():
            owner.execute("SET LOCAL ROLE mezha_app")
            owner.execute(psycopg.sql.SQL("SELECT * FROM accounts.{}").format(psycopg.sql.Identifier(table)))
    for column in ("sessions.digest", "tokens.digest", "clients.digest", "invitations.digest"):
        table, name = column.split(".")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), owner.transaction():
            owner.execute("SET LOCAL ROLE mezha_app")
            owner.execute(
                psycopg.sql.SQL("SELECT {} FROM accounts.{}").format(
                    psycopg.sql.Identifier(name), psycopg.sql.Identifier(table)
                )
            )


@pytest.mark.requirement("F-01", "S-01", "W-01", "W-06")
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "company", "inn": "7707083894"}, "inn"),
        ({"kind": "company", "inn": "500100732259"}, "inn"),
        ({"kind": "entrepreneur", "inn": FOREST.inn}, "inn"),
        ({"kind": "company", "inn": OTHER.inn, "ogrn": "1027700132196"}, "ogrn"),
        ({"kind": "company", "inn": OTHER.inn, "kpp": "77360"}, "kpp"),
        ({"kind": "foreign"}, "foreign_number"),
        ({"kind": "division", "inn": OTHER.inn}, "parent"),
        ({"kind": "club", "inn": OTHER.inn}, "kind"),
    ],
)
def test_a_party_with_a_wrong_number_is_refused_by_name(given: dict[str, str], field: str) -> None:
    from accounts.parties import checked
    from geo.errors import MezhaError

    with pytest.raises(MezhaError) as caught:
        checked({"name": "Лес", "region": "54"} | given)
    assert caught.value.field == field
    assert PASSWORD not in str(caught.value)
