"""A real server over a small fictional place, and a real browser: pages are driven as people drive them."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from geo.settings import Settings
from geo.spatial.conflicts import settle_at
from tests.conftest import make_object

CHROMIUM = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(p).exists()), "")
ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pictures are drawn without a GPU: no frame more than needed, and what is no map not by the GPU's code.
    "--force-prefers-reduced-motion",
    "--disable-gpu-rasterization",
]


def rectangle(west: float, south: float, east: float, north: float) -> str:
    """WKT of a box in degrees."""
    return f"POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"


@dataclass(frozen=True)
class Place:
    """The running server and what lies in its registers; ids are those of the objects."""

    url: str
    lease: int
    licence: int
    stand: int
    site: int


def _objects(settings: Settings) -> dict[str, int]:
    with psycopg.connect(settings.database_url, autocommit=True) as owner:

        def add(layer: str, geom: str, **values: object) -> int:
            return make_object(owner, layer, geom=geom, region="97", **values)

        add("municipalities", rectangle(82.5, 54.8, 83.5, 55.4), name="Приозёрский округ", kind="district")
        add("forestries", rectangle(82.8, 54.9, 83.3, 55.2), name="Кедровское лесничество", kind="forestry")
        for i, species in enumerate(("pine", "birch", "larch")):
            west = 83 + i * 0.02
            stand = add(
                "stands",
                rectangle(west, 55, west + 0.02, 55.02),
                number=str(i + 1),
                quarter="29З",
                forestry="Кедровское",
                species=species,
                age_group="mature",
                formula="8С2Б",
                area_m2=2_840_000.0,
            )
        lease = add(
            "leases",
            rectangle(82.99, 54.995, 83.03, 55.03),
            number="ДА-2021/17",
            holder="ООО «Таёжник»",
            holder_inn="7707083893",
            status="active",
            usage="1",
            starts_on="2021-03-01",
            ends_on="2041-03-01",
            area_m2=9_941_000.0,
            area_declared_m2=9_900_000.0,
        )
        licence = add(
            "licences",
            rectangle(83.005, 55.005, 83.05, 55.05),
            number="ПРК 012345 ТЭ",
            name="Золотой ключ",
            holder="АО «Недра»",
            status="active",
            kind="production",
            issued_on="2019-05-20",
            expires_on="2039-05-20",
            area_m2=16_000_000.0,
        )
        add(
            "zones",
            rectangle(83.03, 54.98, 83.08, 55.01),
            name="Водоохранная зона",
            kind="water_protection",
            status="active",
        )
        # Known for long, so that there is a past to look at.
        add("quarters", rectangle(83.0, 55.03, 83.06, 55.05), number="29З", sys_from="2024-05-01T03:00:00Z")
        site = add("waste_sites", "POINT(82.97 55.01)", name="Полигон «Южный»", status="active", category="2")
    return {"lease": lease, "licence": licence, "stand": stand, "site": site}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the server did not become ready")


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Settings], str]]:
    """Start `mezha serve` over a database; returns its address."""
    started: list[subprocess.Popen[bytes]] = []

    def start(settings: Settings) -> str:
        port = _free_port()
        environment = os.environ | {
            "MEZHA_DATABASE_URL": settings.database_url,
            "MEZHA_APP_DATABASE_URL": settings.app_database_url,
            "MEZHA_REGISTRAR_DATABASE_URL": settings.registrar_database_url,
            "MEZHA_HOME": str(settings.home),
            "MEZHA_REGION": "97",
        }
        command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--workers", "1"]
        started.append(subprocess.Popen(command, env=environment, start_new_session=True))
        url = f"http://127.0.0.1:{port}"
        _wait(url, started[-1])
        return url

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def place(new_database: Callable[[], Settings], serve: Callable[[Settings], str]) -> Place:
    """The small fictional place, with every layer published."""
    settings = new_database()
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        owner.execute("UPDATE access.layers SET rank = 0")
    found = _objects(settings)
    settle_at(settings.url_for("registrar"))
    return Place(serve(settings), **found)


@pytest.fixture(scope="session")
def live_server(place: Place) -> str:
    """Address of the running server."""
    return place.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, drawing WebGL without a GPU.

    One a module, not one a session: while it lives its event loop runs in this thread, and tests that are
    coroutines cannot.  So a module has either browser tests or coroutines.
    """
    if not CHROMIUM:
        pytest.skip("Chromium is not installed; `sh setup/prepare.sh test` installs it")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield made
        made.close()


@pytest.fixture(scope="module")
def shared_context(browser: Browser) -> Iterator[BrowserContext]:
    """One profile for tests that need no profile of their own: scripts and fonts are loaded once."""
    made = browser.new_context(viewport={"width": 1120, "height": 640}, locale="ru-RU")
    yield made
    made.close()


@pytest.fixture
def opened(browser: Browser, shared_context: BrowserContext, place: Place) -> Iterator[Callable[..., Page]]:
    """Open a page of the site at a width; a script that fails, or breaks the content policy, fails the test."""
    closing: list[BrowserContext | Page] = []
    troubles: list[str] = []

    def open_(path: str, *, width: int = 1120, **options: Any) -> Page:
        context = shared_context
        if width != 1120 or options:
            context = browser.new_context(viewport={"width": width, "height": 844}, locale="ru-RU", **options)
            closing.append(context)
        page = context.new_page()
        closing.insert(0, page)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda m: troubles.append(m.text) if "Content Security Policy" in m.text else None)
        page.goto(place.url + path)
        return page

    yield open_
    for opened_one in closing:
        opened_one.close()
    shared_context.clear_cookies()
    assert not troubles
