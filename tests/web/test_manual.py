"""The documentation of the interfaces is read without a network, under the content policy of every page."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.web.test_viewer import until


def test_the_documentation_asks_nobody_else_and_lists_the_operations(opened: Callable[..., Page]) -> None:
    page = opened("/status")
    home = page.url.removesuffix("/status")
    elsewhere: list[str] = []
    page.on("request", lambda r: elsewhere.append(r.url) if not r.url.startswith((home, "data:")) else None)
    answer = page.goto(f"{home}/api/docs")
    assert answer
    assert "'unsafe" not in answer.headers["content-security-policy"]
    until(page, "document.querySelectorAll('.opblock').length > 30")
    assert "/api/v1/spatial/at" in page.locator("#manual").inner_text()
    assert not elsewhere
