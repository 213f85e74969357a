"""A running server with an applicant and the staff of an office, and how they go through a case in a browser."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.consent import DOCUMENTS, EDITION
from accounts.enrolment import Company, Newcomer, appoint, company, enrol, join
from geo.settings import Settings
from geo.spatial.conflicts import settle_at
from tests.cases.region import box
from tests.conftest import make_object
from tests.web.test_imports import run_worker

PASSWORD = "Leshiy-i-Bereza-7"
INN = "7707083893"
PEOPLE = {"lesnik": "Лесникова Анна", "reshatel": "Делова Мария", "dozor": "Дозоров Сергей"}
# Where to leave pictures of the pages that the tests pass, to be looked at by people.
SHOTS = os.environ.get("MEZHA_TEST_SHOTS", "")
WIDTHS = (1440, 390)
# The lease of the applicant, degrees; a third of it lies in a reserve.
LEASE = (83.00, 55.00, 83.10, 55.05)


@dataclass
class Stage:
    """The server, its database, and the objects of the applicant."""

    url: str
    settings: Settings
    browser: Browser
    lease: int
    licence: int
    site: int
    contexts: list[BrowserContext] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def enter(self, name: str) -> Page:
        """The list of services as somebody sees it who has logged in, in a browser of his own: a page without a map."""
        context = self.browser.new_context(
            base_url=self.url, locale="ru-RU", viewport={"width": 1120, "height": 760}
        )
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on(
            "console",
            lambda m: self.troubles.append(m.text) if "Content Security Policy" in m.text else None,
        )
        page.goto("/login?next=/cabinet/services")
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(re.compile(r"/cabinet"))
        return page

    def leave(self) -> None:
        """Close every browser."""
        while self.contexts:
            self.contexts.pop().close()

    def register(self, sql: str, *values: Any) -> Any:
        """One value of the register."""
        with psycopg.connect(self.settings.database_url) as owner:
            row = owner.execute(sql, values).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None

    def work(self) -> None:
        """Let the worker do what was asked for."""
        run_worker(self.settings)


def furnished(settings: Settings, serve: Callable[[Settings], str], browser: Browser) -> Stage:
    """A stage over a new database; its layers are open to everybody, as a region decides them to be."""
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        owner.execute("UPDATE access.layers SET rank = 0")
        lease, licence, site = _objects(owner)
        _people(owner)
    settle_at(settings.url_for("registrar"))
    return Stage(serve(settings), settings, browser, lease, licence, site)


def _objects(owner: psycopg.Connection[Any]) -> tuple[int, int, int]:
    own = {"holder": "ООО «Кедр»", "holder_inn": INN}
    lease = make_object(
        owner,
        "leases",
        geom=box(*LEASE),
        number="12-К",
        usage="1",
        annual_volume_m3=20_000,
        status="active",
        **own,
    )
    for n in range(8):
        west = 83.01 + n * 0.01
        make_object(
            owner, "stands", geom=box(west, 55.01, west + 0.01, 55.02), number=str(n + 1), quarter="7",
            species=("pine", "birch", "spruce", "larch")[n % 4], age_group="mature",
        )  # fmt: skip
    make_object(
        owner,
        "zones",
        geom=box(83.07, 55.0, 83.10, 55.05),
        kind="oopt",
        status="active",
        name="Заказник «Кедровый»",
    )
    make_object(owner, "cutting_areas", geom=box(82.0, 54.0, 82.01, 54.01), status="cut", year=2020)
    licence = make_object(
        owner, "licences", geom=box(84.0, 55.0, 84.02, 55.02), number="НОВ 00001 ТЭ", status="active",
        name="Ручей Золотой", expires_on="2027-06-01", **own,
    )  # fmt: skip
    site = make_object(
        owner, "waste_sites", geom="POINT(85 55)", number="54-0001", accumulated_t=100, name="Полигон «Южный»",
        status="active", **own,
    )  # fmt: skip
    return lease, licence, site


def _people(owner: psycopg.Connection[Any]) -> None:
    party = company(owner, Company(INN, "ООО «Кедр»", "54"))
    for login, name in PEOPLE.items():
        account = enrol(owner, Newcomer(login, f"{login}@mezha.test", name, must_change=False), PASSWORD)
        if login == "lesnik":
            join(owner, account, party, "owner")
        else:
            duty = "officer" if login == "reshatel" else "inspector"
            appoint(owner, account, duty, "54", "Министерство природных ресурсов")
        for document in DOCUMENTS:
            owner.execute(
                "INSERT INTO accounts.consents (account, document, edition, address) VALUES (%s, %s, %s, 'test')",
                [account, document, EDITION],
            )


def shot(page: Page, name: str) -> None:
    """Leave pictures of a page, wide and narrow, where somebody asked for them."""
    if not SHOTS:
        return
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_load_state("networkidle")
        page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1120, "height": 760})


def begin(page: Page, service: str, title: str, about: str) -> str:
    """Begin a case from the list of services; returns its number in the address."""
    page.goto("/cabinet/services")
    page.get_by_role("link", name=title, exact=True).first.click()
    page.wait_for_url(f"**/cabinet/services/{service}")
    shot(page, f"{service}-1-service")
    page.select_option("[name=about]", about)
    page.get_by_role("button", name="Начать").click()
    page.wait_for_url(re.compile(r"/cabinet/cases/\d+"))
    return page.url.rpartition("/")[2]


def fill(page: Page, **values: str) -> None:
    """Type into the form; it saves itself."""
    for name, value in values.items():
        control = page.locator(f"#{name}")
        if control.evaluate("e => e.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)


def sign_by_code(page: Page, stage: Stage, then: str) -> None:
    """Ask for the code of a letter, type it, and send."""
    page.click("button[name=then][value=code]")
    page.wait_for_selector("#code")
    stage.work()
    page.fill("#code", "123456")
    page.click(f"button[name=then][value={then}]")
    page.wait_for_url(re.compile("saved=1"))


def press(page: Page, action: str, *, reason: str = "") -> None:
    """One action of the side panel."""
    if reason:
        page.locator(f"details:has(#reason-{action}) > summary").click()
        page.fill(f"#reason-{action}", reason)
    page.locator(f"form[action$='/actions/{action}'] button[type=submit]").click()
    page.wait_for_url(re.compile(f"done={action}"))


def take_up(officer: Page, case: str, number: str) -> None:
    """The officer finds the case in the queue, accepts it and begins the review."""
    officer.goto("/office/cases")
    officer.get_by_role("link", name=number).click()
    officer.wait_for_url(f"**/office/cases/{case}")
    press(officer, "accept")
    press(officer, "review")


def proved(page: Page, stage: Stage, tmp_path: Path, *, told: str) -> bytes:
    """Download the decision from the page of the case, follow the address in it, compare the file there; the PDF."""
    with page.expect_download() as waiting:
        page.locator(".decision").get_by_role("link", name="Скачать").click()
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    context = stage.browser.new_context(base_url=stage.url, locale="ru-RU")
    stage.contexts.append(context)
    anybody = context.new_page()
    anybody.goto(address_of(file))
    expect(anybody.get_by_text(told)).to_be_visible()
    anybody.set_input_files("#file", str(file))
    expect(anybody.locator("#same")).to_have_text("Это тот файл, который был выдан.")
    shot(anybody, f"verify-{file.stem[:2]}-{'granted' if 'действует' in told else 'refused'}")
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(file.read_bytes() + b"\n")
    anybody.set_input_files("#file", str(changed))
    expect(anybody.locator("#same")).to_contain_text("другой файл")
    return file.read_bytes()


def address_of(file: Path) -> str:
    """Path of the address that a decision prints beside its QR code."""
    import pikepdf

    with pikepdf.open(file) as pdf:
        links = [
            str(note.A.URI)
            for sheet in pdf.pages
            for note in sheet.get("/Annots", [])  # type: ignore[call-overload]
            if "/A" in note and "/URI" in note.A
        ]
    found = [link for link in links if "/verify/" in link]
    assert found
    return "/verify/" + found[0].rpartition("/")[2]
