"""The registrar's way in a browser: upload, look at what would change, apply, undo; and who may not."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.consent import DOCUMENTS, EDITION
from accounts.enrolment import Newcomer, appoint, enrol
from api.worker import work
from geo.settings import Settings
from tests.ingest.test_undo import current, write

PASSWORD = "Leshiy-i-Bereza-7"
# Where to leave pictures of the pages that the tests pass.
SHOTS = os.environ.get("MEZHA_TEST_SHOTS", "")


@pytest.fixture(scope="module")
def office(new_database: Callable[[], Settings]) -> Settings:
    """A database with a registrar and an inspector."""
    settings = new_database()
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        for duty in ("registrar", "inspector"):
            account = enrol(
                owner, Newcomer(duty, f"{duty}@mezha.test", "Анна Межевая", must_change=False), PASSWORD
            )
            appoint(owner, account, duty, "97", "Управление")
            for document in DOCUMENTS:
                owner.execute(
                    "INSERT INTO accounts.consents (account, document, edition, address) VALUES (%s, %s, %s, 'test')",
                    [account, document, EDITION],
                )
    return settings


@pytest.fixture
def log_in(
    browser: Browser, office: Settings, serve: Callable[[Settings], str]
) -> Iterator[Callable[[str], Page]]:
    """A page of somebody who is logged in."""
    url = serve(office)
    contexts = []

    def open_(name: str) -> Page:
        context = browser.new_context(base_url=url, locale="ru-RU", viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.goto("/login?next=/office/imports")
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        return page

    yield open_
    for context in contexts:
        context.close()


def run_worker(settings: Settings) -> None:
    """Let the worker do what was asked for."""
    import asyncio
    import threading

    thread = threading.Thread(target=lambda: asyncio.run(work(settings, wait=False)))
    thread.start()
    thread.join()


def send(page: Page, settings: Settings, file: Path, profile: str = "ru-municipalities") -> None:
    """Upload a file and wait for the comparison."""
    page.goto("/office/imports")
    page.select_option("#profile", profile)
    page.set_input_files("#file", str(file))
    page.click("#upload button")
    page.wait_for_url("**/office/imports/*")
    run_worker(settings)
    expect(page.locator("#state")).to_have_attribute("data-status", "waiting")


@pytest.mark.requirement("R-17", "C-27")
def test_upload_compare_apply_and_undo(
    log_in: Callable[[str], Page], office: Settings, tmp_path: Path
) -> None:
    page = log_in("registrar")
    file = write(tmp_path / "places.geojson", {1: ("Один", 1), 2: ("Два", 1)})
    send(page, office, file)
    assert current(office) == {}
    expect(page.locator("#state")).to_contain_text("Новые объекты")
    page.click("button[value=apply]")
    run_worker(office)
    expect(page.locator("#state")).to_have_attribute("data-status", "applied")
    assert set(current(office)) == {"ru:1", "ru:2"}

    send(page, office, write(file, {1: ("Первый", 1), 2: ("Два", 1.5)}))
    expect(page.locator("#state")).to_contain_text("Один → Первый")
    expect(page.locator("#changes-map canvas")).to_be_visible()
    page.click("button[value=apply]")
    run_worker(office)
    expect(page.locator("#state")).to_have_attribute("data-status", "applied")
    page.click("#state a[href*='/runs/']")
    page.click("form[action$='/undo'] button")
    run_worker(office)
    assert current(office)["ru:1"][0] == "Один"
    page.goto(page.url.split("?")[0])
    expect(page.locator("main")).to_contain_text("Загрузка отменена")


def titles(settings: Settings) -> list[str]:
    """What the list of kinds of waste says today."""
    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute(
            "SELECT title FROM register.reference_entries WHERE list = 'fkko' AND sys_to = 'infinity' ORDER BY code"
        ).fetchall()
    return [title for (title,) in rows]


def test_the_load_of_a_list_is_undone_and_the_file_keeps_its_name(
    log_in: Callable[[str], Page], office: Settings, tmp_path: Path
) -> None:
    page = log_in("registrar")
    file = tmp_path / "ФККО № 7 (выписка).csv"
    for last in ("Зола", "Шлак"):
        file.write_text(
            f"code\tname\tlink\n1 00 000 00 00 1\tОпилки\t/x\n1 00 000 00 00 2\t{last}\t/x\n", "utf-8"
        )
        send(page, office, file, "fkko")
        page.click("button[value=apply]")
        run_worker(office)
        expect(page.locator("#state")).to_have_attribute("data-status", "applied")
    assert titles(office) == ["Опилки", "Шлак"]
    page.click("#state a[href*='/runs/']")
    expect(page.locator("main")).to_contain_text(file.name)
    picture(page, "list-run")
    page.click("form[action$='/undo'] button")
    run_worker(office)
    assert titles(office) == ["Опилки", "Зола"]
    page.goto(page.url.split("?")[0])
    expect(page.locator("main")).to_contain_text("Загрузка отменена")
    picture(page, "list-run-undone")
    page.goto("/office/imports")
    expect(page.locator("main")).to_contain_text("отмена загрузки")
    expect(page.locator("main")).to_contain_text(file.name)
    picture(page, "list-history")


def picture(page: Page, name: str) -> None:
    """Pictures for people to look at, where somebody asked for them."""
    for width in (1440, 390) if SHOTS else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=f"{SHOTS}/{name}-{width}.png")


def test_a_bad_file_says_why(log_in: Callable[[str], Page], office: Settings, tmp_path: Path) -> None:
    page = log_in("registrar")
    bad = tmp_path / "bad.geojson"
    bad.write_text("no GIS file")
    page.select_option("#profile", "ru-municipalities")
    page.set_input_files("#file", str(bad))
    page.click("#upload button")
    page.wait_for_url("**/office/imports/*")
    run_worker(office)
    expect(page.locator("#state")).to_have_attribute("data-status", "refused")
    expect(page.locator("#state .notice")).to_be_visible()


def test_an_inspector_is_no_registrar(log_in: Callable[[str], Page]) -> None:
    # Whose business it is finds the way in the menu, others do not.
    for name, times in (("registrar", 1), ("inspector", 0)):
        page = log_in(name)
        expect(page.locator(".aside .menu .sheet a[href='/profile']")).to_have_count(1)
        for path in ("/office/imports", "/office/rasters"):
            expect(page.locator(f".aside .menu .sheet a[href='{path}']")).to_have_count(times)
    expect(page.locator("main")).not_to_contain_text("Загрузить файл реестра")
