"""Log-in as people do it: a real server, a real browser, a virtual authenticator, a certified provider."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyotp
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from accounts import gost
from geo.settings import Settings
from tests.accounts.conftest import PASSWORD, Enrolled
from tests.accounts.stub import CHIEF, CLERK, Esia, Keys

CHROMIUM = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(p).exists()), "")
HERE = Path(__file__).parent
# The system's Node.js, else the one that the set-up brings.
NODE = shutil.which("node") or str(HERE.parents[1] / ".mezha" / "tools" / "bin" / "node")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Until something answers."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{url} did not become ready")


@pytest.fixture(scope="module")
def addresses() -> tuple[str, str]:
    """Of our server and of the provider; localhost, for passkeys need a name."""
    return f"http://localhost:{free_port()}", f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def provider(addresses: tuple[str, str]) -> Iterator[str]:
    """The certified provider of npm, in node."""
    ours, theirs = addresses
    arguments = [
        theirs.rsplit(":", 1)[1],
        f"{ours}/login/oidc/back",
        f"{ours.replace('localhost', '127.0.0.1')}/api/v1/oauth/backchannel-logout",
    ]
    process = subprocess.Popen([NODE, str(HERE / "provider.mjs"), *arguments], stdout=subprocess.DEVNULL)
    wait(f"{theirs}/.well-known/openid-configuration", process)
    yield theirs
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def esia(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Esia]:
    """Something shaped like ESIA that signs as the original does, by GOST where the engine is installed."""
    keys = Keys(tmp_path_factory.mktemp("esia"), "gost" if gost.available() else "rsa")
    made = Esia(keys, page=True)
    made.roles = [CHIEF, CLERK]
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(settings: Settings, addresses: tuple[str, str], esia: Esia) -> Iterator[str]:
    """Our server over the module's database."""
    ours, theirs = addresses
    environment = os.environ | {
        "MEZHA_DATABASE_URL": settings.database_url,
        "MEZHA_APP_DATABASE_URL": settings.app_database_url,
        "MEZHA_REGISTRAR_DATABASE_URL": settings.registrar_database_url,
        "MEZHA_HOME": str(settings.home),
        "MEZHA_BASE_URL": ours,
        "MEZHA_OIDC_ISSUER": theirs,
        "MEZHA_OIDC_CLIENT_ID": "mezha",
        "MEZHA_OIDC_CLIENT_SECRET": "a-secret-of-the-tests",
        "MEZHA_OIDC_TITLE": "Поставщик",
        "MEZHA_ESIA_URL": esia.url,
        "MEZHA_ESIA_CLIENT_ID": "MEZHA",
    }
    environment |= {f"MEZHA_{name.upper()}": str(value) for name, value in esia.keys.settings().items()}
    arguments = ["serve", "--port", ours.rsplit(":", 1)[1], "--workers", "1"]
    process = subprocess.Popen([sys.executable, "-m", "api.cli", *arguments], env=environment)
    wait(f"http://127.0.0.1:{arguments[2]}/healthz", process)
    yield ours
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    switches = [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=switches)
        yield made
        made.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a visitor of his own."""
    context = browser.new_context()
    made = context.new_page()
    made.set_default_timeout(30_000)
    yield made
    context.close()


def log_in(page: Page, server: str, name: str, password: str = PASSWORD) -> None:
    """Fill in the form and send it."""
    page.goto(f"{server}/login")
    page.fill("#name", name)
    page.fill("#password", password)
    page.click("main form button[type=submit]")


@pytest.mark.requirement("C-02", "C-43", "S-60")
def test_password_and_authenticator_app(page: Page, server: str, enrolled: Enrolled) -> None:
    name, _ = enrolled(role="owner")
    log_in(page, server, name)
    page.wait_for_url("**/profile")
    page.goto(f"{server}/profile/security")
    page.click("form[action='/profile/totp'] button")
    totp = pyotp.TOTP(page.inner_text("#totp-key"))
    assert page.locator(".qr svg").is_visible()
    page.fill("#code", totp.now())
    page.click("form[action='/profile/totp/bind'] button")
    page.wait_for_url("**/profile/security")
    page.click(".menu:has-text('Имя') summary")
    page.click("form[action='/logout'] button")
    page.wait_for_url(f"{server}/")
    log_in(page, server, name)
    page.wait_for_url("**/login/second**")
    page.fill("#code", totp.at(time.time() + 30))
    page.click("form[action='/login/second'] button[type=submit]:not([formaction])")
    page.wait_for_url("**/profile")


@pytest.mark.requirement("C-06", "C-07")
def test_the_lock_is_told_with_its_time(page: Page, server: str, enrolled: Enrolled) -> None:
    name, _ = enrolled()
    for _ in range(3):
        log_in(page, server, name, "Wrong-Password-1")
    told = page.inner_text("[role=alert]")
    assert "Неудачных попыток: 3" in told and "на 15 минут" in told
    assert page.locator("a[href='/recover']").is_visible()


@pytest.mark.requirement("W-07")
def test_a_passkey_is_bound_and_logs_in(page: Page, server: str, enrolled: Enrolled) -> None:
    name, _ = enrolled()
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    log_in(page, server, name)
    page.wait_for_url("**/profile")
    page.goto(f"{server}/profile/security")
    page.click("[data-passkey=bind]")
    page.wait_for_selector("form[action='/profile/passkeys/remove']")
    page.context.clear_cookies()
    page.goto(f"{server}/login")
    page.click("[data-passkey=login]")
    page.wait_for_url("**/profile")
    assert name in page.inner_text("h1")


@pytest.mark.requirement("C-01", "C-42")
def test_a_certified_provider_lets_in_and_logs_out(
    page: Page, server: str, provider: str, owner: psycopg.Connection[Any]
) -> None:
    page.goto(f"{server}/login")
    page.click("text=Войти через Поставщик")
    page.fill("input[name=login]", "eva")
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.click("button[type=submit]")
    page.wait_for_url(re.compile(r"/consent"))
    page.check("#agreed")
    page.click("form[action='/consent'] button")
    page.wait_for_url("**/profile")
    assert "Имя eva" in page.inner_text("h1")
    page.goto(f"{provider}/session/end")
    page.click("button[name=logout]")
    until = time.monotonic() + 10
    while time.monotonic() < until:
        row = owner.execute(
            "SELECT count(*) FROM accounts.sessions WHERE provider = %s AND revoked_at IS NULL", [provider]
        )
        if row.fetchone() == (0,):
            break
        time.sleep(0.1)
    else:
        pytest.fail("the back channel told nothing")
    time.sleep(1)
    page.goto(f"{server}/profile")
    assert "/login" in page.url


@pytest.mark.requirement("C-01", "C-37", "C-40")
def test_esia_lets_in_lets_choose_the_organisation_and_logs_out(page: Page, server: str, esia: Esia) -> None:
    page.goto(f"{server}/login?next=/cabinet")
    page.click("text=Войти через Госуслуги")
    page.wait_for_url(f"{esia.url}/**")
    page.click("#enter")
    page.wait_for_url(re.compile(r"/consent"))
    page.check("#agreed")
    page.click("form[action='/consent'] button")
    page.wait_for_url("**/login/party**")
    assert page.locator(".choice-card").count() == 4
    page.click(".choice-card:has-text('АО «Лес»')")
    page.wait_for_url("**/cabinet")
    page.goto(f"{server}/profile")
    told = page.inner_text("main")
    assert "Осокина Ева" in told and "АО «Лес»" in told and "ООО «Ключ»" not in told
    page.click(".menu:has-text('Осокина') summary")
    page.click("text=Сменить, за кого действую")
    page.click(".choice-card:has-text('ООО «Ключ»')")
    page.wait_for_url("**/profile")
    assert "ООО «Ключ»" in page.inner_text("main")
    page.click(".menu:has-text('Осокина') summary")
    page.click("form[action='/logout'] button")
    page.wait_for_url(f"{server}/")
    assert esia.left == 1 and esia.refused == []
    page.goto(f"{server}/profile")
    assert "/login" in page.url


@pytest.mark.requirement("N-32")
def test_no_page_of_the_account_is_wider_than_a_phone(page: Page, server: str, enrolled: Enrolled) -> None:
    name, _ = enrolled(role="owner", duty="administrator", region="*")
    page.set_viewport_size({"width": 390, "height": 844})
    log_in(page, server, name)
    page.wait_for_url("**/profile")
    for path in (
        *("/profile", "/profile/security", "/profile/sessions", "/profile/tokens", "/profile/journal"),
        *(
            "/team",
            "/confirmation",
            "/login/party",
            "/office/staff",
            "/office/journal",
            "/office/confirmations",
        ),
    ):
        page.goto(server + path)
        page.evaluate("for (const found of document.querySelectorAll('main details')) found.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
