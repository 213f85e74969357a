"""The three services in a browser, from draft to decision and changed register, as applicant and officer drive them."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.consent import DOCUMENTS, EDITION
from accounts.enrolment import Company, Newcomer, appoint, company, enrol, join
from geo.settings import Settings
from tests.cases.region import PLOT, area_ha, box
from tests.conftest import make_object
from tests.web.test_imports import run_worker

PASSWORD = "Leshiy-i-Bereza-7"
INN = "7707083893"
YEAR = 2026


@dataclass(frozen=True)
class Stage:
    """The running server, its database, and the objects of the applicant."""

    url: str
    settings: Settings
    lease: int
    licence: int
    site: int

    def register(self, sql: str, *values: Any) -> Any:
        """One value of the register."""
        with psycopg.connect(self.settings.database_url) as owner:
            row = owner.execute(sql, values).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None


def _objects(owner: psycopg.Connection[Any]) -> tuple[int, int, int]:
    whole = box(83.00, 55.00, 83.10, 55.05)
    own = {"holder": "ООО «Кедр»", "holder_inn": INN}
    lease = make_object(
        owner, "leases", geom=whole, number="12-К", usage="1", annual_volume_m3=20_000, status="active", **own
    )
    for n in range(4):
        west = 83.01 + n * 0.01
        make_object(
            owner, "stands", geom=box(west, 55.01, west + 0.01, 55.02), number=str(n + 1), quarter="7"
        )
    make_object(
        owner, "zones", geom=box(83.05, 55.0, 83.10, 55.05), kind="oopt", status="active", name="Заказник"
    )
    make_object(owner, "cutting_areas", geom=box(82.0, 54.0, 82.01, 54.01), status="cut", year=2020)
    licence = make_object(
        owner, "licences", geom=box(84.0, 55.0, 84.02, 55.02), number="НОВ 00001 ТЭ", status="active",
        expires_on="2027-06-01", **own,
    )  # fmt: skip
    site = make_object(
        owner, "waste_sites", geom="POINT(85 55)", number="54-0001", accumulated_t=100, name="Полигон", **own
    )
    return lease, licence, site


def _people(owner: psycopg.Connection[Any]) -> None:
    party = company(owner, Company(INN, "ООО «Кедр»", "54"))
    for login, name in (
        ("lesnik", "Лесникова Анна"),
        ("reshatel", "Делова Мария"),
        ("dozor", "Дозоров Сергей"),
    ):
        account = enrol(owner, Newcomer(login, f"{login}@mezha.test", name, must_change=False), PASSWORD)
        if login == "lesnik":
            join(owner, account, party, "owner")
        else:
            appoint(owner, account, "officer" if login == "reshatel" else "inspector", "54", "Министерство")
        for document in DOCUMENTS:
            owner.execute(
                "INSERT INTO accounts.consents (account, document, edition, address) VALUES (%s, %s, %s, 'test')",
                [account, document, EDITION],
            )


@pytest.fixture(scope="module")
def stage(new_database: Callable[[], Settings], serve: Callable[[Settings], str]) -> Iterator[Stage]:
    """A server in demonstration mode (codes of letters are known), with an applicant, an officer and an inspector."""
    settings = new_database()
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        lease, licence, site = _objects(owner)
        _people(owner)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEZHA_DEMO", "true")
        url = serve(settings)
    yield Stage(url, settings, lease, licence, site)


@pytest.fixture
def enter(browser: Browser, stage: Stage) -> Iterator[Callable[[str], Page]]:
    """A page of somebody who is logged in; a script that fails, or breaks the content policy, fails the test."""
    contexts, troubles = [], []

    def open_(name: str, width: int = 1440) -> Page:
        context = browser.new_context(
            base_url=stage.url, locale="ru-RU", viewport={"width": width, "height": 900}
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if "Content Security Policy" in m.text else None)
        page.goto("/login?next=/cabinet")
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(re.compile(r"/cabinet"))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not troubles


def _begin(page: Page, service: str, about: str) -> str:
    page.goto(f"/cabinet/services/{service}")
    page.select_option("[name=about]", about)
    page.click("main form[action='/cabinet/cases'] button[type=submit]")
    page.wait_for_url(re.compile(r"/cabinet/cases/\d+"))
    return re.search(r"/cases/(\d+)", page.url)[1]  # type: ignore[index]


def _fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        field = page.locator(f"#{name}")
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    expect(page.locator("#save-status")).to_contain_text("Сохранено", timeout=60_000)


def _sign_and_send(page: Page) -> None:
    """A code of a letter signs exactly what stands there; then it is sent."""
    page.click("button[name=then][value=code]")
    page.fill("#code", "123456")
    page.click("button[name=then][value=submit]")
    page.wait_for_load_state()


def _decide(page: Page, case: str) -> None:
    page.goto(f"/office/cases/{case}")
    for verb in ("Принять", "Взять на рассмотрение"):
        page.get_by_role("button", name=verb, exact=True).click()
        page.wait_for_url(re.compile("done="))
    approve = page.locator("form[action$='/actions/approve']")
    approve.get_by_role("button").click()
    page.wait_for_url(re.compile("done=approve"))


def _ready(page: Page) -> None:
    page.wait_for_selector("#map[data-ready=true]")


def _shot(page: Page, tmp_path: Path, name: str) -> None:
    page.screenshot(path=tmp_path / f"{name}.png", full_page=True)


@pytest.mark.requirement("F-12", "F-13", "F-15")
def test_a_forest_declaration_from_file_to_register(
    enter: Callable[..., Page], stage: Stage, tmp_path: Path
) -> None:
    """Mistakes beside their fields, a boundary from a file, a finding on the map while it is drawn, the decision."""
    page = enter("lesnik")
    expect(page.locator("#mine-map")).to_have_attribute("data-ready", "true", timeout=60_000)
    case = _begin(page, "forest-declaration", f"{INN}:{stage.lease}")
    _ready(page)
    # A boundary that enters the reserve: the rules say so at once, with the piece on the map.
    ring = [[83.03, 55.01], [83.06, 55.01], [83.06, 55.02], [83.03, 55.02], [83.03, 55.01]]
    file = tmp_path / "лесосека.geojson"
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    page.get_by_text("Прислать файл с границей").click()
    page.set_input_files("#file", str(file))
    page.get_by_role("button", name="Прислать файл").click()
    expect(page.locator("#boundary-file")).to_contain_text("Читаем")
    run_worker(stage.settings)
    expect(page.locator("#map-title")).to_contain_text("га", timeout=60_000)
    _ready(page)
    reserve = page.locator("#findings .finding", has_text="охраняемую территорию")
    expect(reserve).to_be_visible(timeout=60_000)
    reserve.locator("[data-piece]").click()
    _shot(page, tmp_path, "finding")
    # Corrected: the plot within the lease and outside the reserve, typed as corner points.
    page.get_by_text("Ввести точки").first.click() if page.get_by_text(
        "Ввести точки"
    ).count() else page.locator("details:has(#points) summary").click()
    west, south, east, north = PLOT
    page.fill("#crs", "EPSG:4326")
    page.select_option("#axes", "east-north")
    page.fill("#points", f"{west};{south}\n{east};{south}\n{east};{north}\n{west};{north}")
    page.locator("form[action$='/corners'] button[type=submit]").click()
    page.wait_for_url(re.compile("saved=1"))
    _ready(page)
    expect(reserve).to_have_count(0, timeout=60_000)
    # The year is a slip of the finger: the mistake stands beside the field, what was typed stays.
    _fill(page, year="20240", cutting_form="clear", area_ha=str(area_ha(PLOT)).replace(".", ","), volume_m3="5 000", number="3")  # fmt: skip
    page.click("button[name=then][value=submit]")
    expect(page.locator("#year-error")).to_be_visible()
    expect(page.locator("#year")).to_have_value("20240")
    _fill(page, year=str(YEAR))
    _sign_and_send(page)
    expect(page.locator("h1")).to_contain_text("ЛД-54-")
    number = page.locator("h1 .number").inner_text()
    _shot(page, tmp_path, "sent")
    inspector = enter("dozor", 390)
    inspector.goto(f"/office/cases/{case}")
    expect(inspector.get_by_text("Вы смотрите это дело")).to_be_visible()
    officer = enter("reshatel")
    officer.goto("/office/cases")
    expect(officer.get_by_role("link", name=number)).to_be_visible()
    _decide(officer, case)
    _shot(officer, tmp_path, "decided")
    page.reload()
    expect(page.locator(".spine .current")).to_contain_text("Одобрено")
    area = stage.register("SELECT area_m2 FROM register.cutting_areas WHERE declaration = %s", number)
    assert area == pytest.approx(area_ha(PLOT) * 10_000, rel=1e-4)


@pytest.mark.requirement("W-08", "W-09")
def test_a_waste_report_is_sent_corrected_and_decided(enter: Callable[..., Page], stage: Stage) -> None:
    page = enter("lesnik")
    case = _begin(page, "waste-report", f"{INN}:{stage.site}")
    _fill(
        page, year=str(YEAR - 1), fkko="7 31 110 01 72 4", hazard_class="4", generated_t="1200,5", recycled_t="0",
        placed_t="200", accumulated_t="300", method="burial",
    )  # fmt: skip
    _sign_and_send(page)
    expect(page.locator("h1")).to_contain_text("ОТ-54-")
    officer = enter("reshatel")
    officer.goto(f"/office/cases/{case}")
    officer.get_by_role("button", name="Принять", exact=True).click()
    officer.wait_for_url(re.compile("done=accept"))
    officer.locator("details:has(#reason-ask_correction) summary").click()
    officer.fill("#reason-ask_correction", "Не сходится итог: проверьте накопленное.")
    officer.locator("form[action$='/actions/ask_correction'] button").click()
    officer.wait_for_url(re.compile("done=ask_correction"))
    page.goto("/cabinet")
    expect(page.locator("section[aria-labelledby=now]")).to_contain_text("Годовой отчёт об отходах")
    page.goto(f"/cabinet/cases/{case}")
    expect(page.get_by_text("Не сходится итог").first).to_be_visible()
    _fill(page, accumulated_t="450")
    page.click("button[name=then][value=code]")
    page.fill("#code", "123456")
    page.click("button[name=then][value=answer]")
    page.wait_for_load_state()
    officer.goto(f"/office/cases/{case}")
    officer.locator("form[action$='/actions/review'] button").click()
    officer.wait_for_url(re.compile("done=review"))
    officer.locator("form[action$='/actions/approve'] button").click()
    officer.wait_for_url(re.compile("done=approve"))
    held = stage.register(
        "SELECT accumulated_t FROM register.waste_sites WHERE id = %s AND sys_to = 'infinity' AND valid_to = 'infinity'",
        stage.site,
    )
    assert held == 450
