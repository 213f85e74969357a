"""News in a browser: an open page learns what happens without being loaded again; preferences, calendar, thread."""

import asyncio
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest
from icalendar import Calendar
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.consent import DOCUMENTS, EDITION
from accounts.passwords import hasher
from accounts.secret import digest, new_secret
from cases.desk import Actor, Desk
from cases.record import Case
from geo.settings import Settings
from tests.cases.people import settle
from tests.cases.region import APPLICANT, OFFICER, Region, act, furnish, lodged, writer_of
from tests.web.conftest import _free_port, _wait

PASSWORD = "Leshiy-i-Bereza-7"
# News are waited for, not timed: a busy machine is no fault.
expect.set_options(timeout=20_000)


def in_thread(work: Callable[[], Awaitable[Any]]) -> Any:
    """The result of a coroutine, run beside the browser's own loop."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(work())))  # type: ignore[arg-type]
    thread.start()
    thread.join()
    return found[0]


@dataclass
class Town:
    """A server with people who can log in, and what they do behind its back."""

    url: str
    settings: Settings
    region: Region
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    plots: Iterator[int] = field(default_factory=lambda: iter(range(20)))

    def desk(self) -> Desk:
        """The desk of the office."""
        return Desk("54", self.settings.time_zone)

    def lodge(self) -> Case:
        """A case that the office has not looked at yet."""
        west = 83.011 + next(self.plots) * 0.004

        async def work() -> Case:
            writer = writer_of(self.settings)
            try:
                return await lodged(
                    writer, self.desk(), self.region, corners=(west, 55.011, west + 0.002, 55.012)
                )
            finally:
                await writer.engine.dispose()

        made: Case = in_thread(work)
        return made

    def act(self, actor: Actor, action: str, case: Case, **options: Any) -> None:
        """One action."""

        async def work() -> None:
            writer = writer_of(self.settings)
            try:
                await act(writer, self.desk(), actor, action, case.id, **options)
            finally:
                await writer.engine.dispose()

        in_thread(work)

    def opened(self, account: int, path: str, width: int = 1280, height: int = 900) -> Page:
        """A page of somebody who is logged in, in a browser of his own."""
        context = self.browser.new_context(
            base_url=self.url, locale="ru-RU", viewport={"width": width, "height": height}
        )
        self.contexts.append(context)
        page = context.new_page()
        page.goto(f"/login?next={path}")
        page.fill("#name", f"person{account}")
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(f"**{path}")
        return page


@pytest.fixture(scope="module")
def server(
    new_database: Callable[[], Settings], serve: Callable[[Settings], str]
) -> tuple[str, Settings, Region]:
    """A running server over a furnished register, with people who can log in."""
    settings = new_database()
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        region = furnish(owner)
        settle(owner)
        for account in (11, 21):
            owner.execute(
                "SELECT accounts.set_password(%s, %s, false, NULL)", [account, hasher.hash(PASSWORD)]
            )
            for document in DOCUMENTS:
                owner.execute(
                    "INSERT INTO accounts.consents (account, document, edition, address) VALUES (%s, %s, %s, 'test')",
                    [account, document, EDITION],
                )
    return serve(settings), settings, region


@pytest.fixture
def town(server: tuple[str, Settings, Region], browser: Browser) -> Iterator[Town]:
    made = Town(*server, browser)
    yield made
    for context in made.contexts:
        context.close()


def listening(page: Page) -> None:
    """Wait until the page holds its stream: the first count has come."""
    expect(page.locator("#bell-text")).not_to_have_text("Сообщения")


@pytest.mark.requirement("C-19", "S-22")
def test_an_open_page_learns_what_the_office_does(town: Town) -> None:
    case = town.lodge()
    page = town.opened(11, f"/cabinet/cases/{case.id}")
    listening(page)
    page.evaluate("window.untouched = true")
    town.act(OFFICER, "accept", case)
    toast = page.locator(".toast")
    expect(toast).to_contain_text(f"На проверке: Лесная декларация {case.number}")
    expect(page.locator("#bell-count")).not_to_be_hidden()
    assert page.evaluate("window.untouched") is True, "the page was not loaded again"
    toast.get_by_role("link", name="Показать, как теперь").click()
    page.wait_for_load_state()
    expect(page.locator(".events")).to_contain_text("Принято")


@pytest.mark.requirement("C-19")
def test_the_thread_grows_on_both_sides_and_what_is_typed_stays(town: Town) -> None:
    case = town.lodge()
    party = town.opened(11, f"/cabinet/cases/{case.id}")
    office = town.opened(21, f"/office/cases/{case.id}")
    listening(party)
    listening(office)
    party.fill("#words", "Пишу ответ")
    office.fill("#words", "Пришлите схему <b>участка</b>")
    office.get_by_role("button", name="Отправить сообщение").click()
    expect(office.locator("#thread")).to_contain_text("Пришлите схему <b>участка</b>")
    expect(party.locator("#thread")).to_contain_text("Пришлите схему <b>участка</b>")
    expect(party.locator("#words")).to_have_value("Пишу ответ")
    party.get_by_role("button", name="Отправить сообщение").click()
    expect(office.locator("#thread .other")).to_contain_text("Пишу ответ")


# Two pieces of news at once: the first is answered by the page as it was, the second, later, by the page as it is.
TWO_AT_ONCE = """number => {
    const real = window.fetch, stale = document.documentElement.outerHTML;
    const later = (ms, make) => new Promise((done) => setTimeout(() => done(make()), ms));
    let asked = 0;
    window.fetch = (...call) => asked++ === 0 ? later(100, () => new Response(stale)) : later(600, () => real(...call));
    const channel = new BroadcastChannel("mezha-news");
    const news = ["message", { status: "known", topic: "thread", case: number }, ""];
    channel.postMessage(news);
    channel.postMessage(news);
}"""


@pytest.mark.requirement("C-19")
def test_an_older_answer_does_not_hide_a_newer_one(town: Town) -> None:
    case = town.lodge()
    office = town.opened(21, "/cabinet/messages")
    office.context.route("**/api/v1/messages/stream*", lambda route: route.abort())
    office.goto(f"/office/cases/{case.id}")
    party = town.opened(11, f"/cabinet/cases/{case.id}")
    party.fill("#words", "Схема готова")
    party.get_by_role("button", name="Отправить сообщение").click()
    expect(party.locator("#thread")).to_contain_text("Схема готова")
    expect(office.locator("#thread")).not_to_contain_text("Схема готова")
    office.evaluate(TWO_AT_ONCE, case.id)
    expect(office.locator("#thread")).to_contain_text("Схема готова")


@pytest.mark.requirement("F-25", "F-26")
def test_messages_are_confirmed_and_tabs_agree(town: Town) -> None:
    case = town.lodge()
    town.act(OFFICER, "accept", case)
    page = town.opened(11, "/cabinet/messages?status=new")
    listening(page)
    second = page.context.new_page()
    second.goto("/cabinet/messages?status=new")
    listening(second)
    before = page.locator(".message").count()
    own = page.locator(".message").filter(has_text=f"Лесная декларация {case.number}")
    expect(own).to_have_count(2)
    own.first.get_by_role("button", name="Подтверждаю").click()
    expect(page.locator(".message")).to_have_count(before - 1)
    expect(second.locator("#bell-count")).to_have_text(str(before - 1))
    # What comes in while the list is open appears in it, in every tab.
    town.act(OFFICER, "review", case)
    for tab in (page, second):
        expect(tab.locator(".message")).to_have_count(before)
    page.get_by_role("button", name="Подтвердить все").click()
    expect(page.locator("main")).to_contain_text("Сообщений здесь нет")
    expect(second.locator("#bell-count")).to_be_hidden()
    page.goto("/cabinet/messages?status=done&kind=final")
    expect(page.locator(".message")).to_have_count(0)


@pytest.mark.requirement("C-22", "C-46")
def test_preferences_and_the_calendar(town: Town) -> None:
    case = town.lodge()
    town.act(OFFICER, "ask_correction", case, reason="Уточните контур")
    page = town.opened(11, "/cabinet/preferences")
    page.locator("input[name='mail.event'][value=digest]").check()
    page.locator("input[name=sms][value=final]").check()
    page.select_option("#digest_hour", "18")
    page.get_by_role("button", name="Сохранить").click()
    expect(page.locator("main")).to_contain_text("Сохранено")
    expect(page.locator("input[name='mail.event'][value=digest]")).to_be_checked()
    expect(page.locator("input[name=sms][value=final]")).to_be_checked()
    expect(page.locator("#digest_hour")).to_have_value("18")
    page.fill("#address", "office@firm.ru")
    page.get_by_role("button", name="Отправить код").click()
    page.fill("#code", "000000")
    page.get_by_role("button", name="Подтвердить адрес").click()
    expect(page.locator("main")).to_contain_text("Код неверен или больше не действует")
    page.goto("/cabinet/calendar")
    expect(page.locator(".agenda")).to_contain_text(f"Лесная декларация {case.number}")
    page.get_by_role("button", name="Создать секретный адрес").click()
    address = page.locator("#feed-address").input_value()
    with urllib.request.urlopen(address) as answer:
        events = Calendar.from_ical(answer.read()).walk("VEVENT")
    assert any(str(case.number) in str(event["summary"]) for event in events)
    page.goto("/cabinet/calendar")
    expect(page.locator("#feed-address")).to_have_count(0)
    page.get_by_role("button", name="Отозвать").click()
    assert httpx.get(address).status_code == 404


def test_a_server_stops_at_once_with_pages_open(server: tuple[str, Settings, Region]) -> None:
    _, settings, _ = server
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        secret = new_secret()
        owner.execute(
            "INSERT INTO accounts.tokens (digest, account, label, scopes, expires_at)"
            " VALUES (%s, 11, 'test', '{read}', now() + interval '1 day')",
            [digest(secret)],
        )
    port = _free_port()
    environment = os.environ | {
        "MEZHA_DATABASE_URL": settings.database_url,
        "MEZHA_APP_DATABASE_URL": settings.app_database_url,
        "MEZHA_REGISTRAR_DATABASE_URL": settings.registrar_database_url,
        "MEZHA_HOME": str(settings.home),
    }
    command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--workers", "1"]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        _wait(f"http://127.0.0.1:{port}", process)
        headers = {"authorization": f"Bearer {secret}"}
        address = f"http://127.0.0.1:{port}/api/v1/messages/stream"
        with httpx.stream("GET", address, headers=headers, timeout=20) as answer:
            assert next(answer.iter_lines()).startswith("retry")
            process.terminate()
            process.wait(timeout=15)
    finally:
        process.kill()


def test_a_stream_of_the_server_resumes_after_the_last_event(town: Town) -> None:
    case = town.lodge()
    page = town.opened(11, "/cabinet/messages")
    cookies = {c["name"]: c["value"] for c in page.context.cookies()}

    def read(last: str, wanted: str) -> list[str]:
        """Ids of the messages of a stream up to the first count."""
        ids, lines = [], []
        with httpx.stream(
            "GET",
            f"{town.url}/api/v1/messages/stream",
            cookies=cookies,
            headers={"last-event-id": last} if last else {},
            timeout=20,
        ) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                lines.append(line)
                if line.startswith("event: "):
                    ids.append(lines[-2].removeprefix("id: "))
                    if line == f"event: {wanted}":
                        return ids
        raise AssertionError("the stream ended")

    (start,) = read("", "unread")
    town.act(OFFICER, "accept", case)
    town.act(OFFICER, "review", case)
    assert read(start, "unread") == [str(int(start) + 1), str(int(start) + 2), str(int(start) + 2)]


assert APPLICANT.caller.account == 11
