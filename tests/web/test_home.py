"""The home page in a browser: a picture of the region, a symbol beside each count, a search that leads to the map."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.web.conftest import Place
from tests.web.test_viewer import until


def test_the_region_is_drawn_and_every_count_has_its_symbol(opened: Callable[..., Page]) -> None:
    page = opened("/")
    until(page, "document.querySelector('#region.drawn')")
    symbols = page.locator(".counts .symbol svg").count()
    assert symbols == page.locator(".counts li").count() == 12


def test_a_search_on_the_home_page_goes_on_on_the_map(opened: Callable[..., Page], place: Place) -> None:
    page = opened("/")
    page.fill("#q", "Золотой")
    page.keyboard.press("Enter")
    page.wait_for_url("**/map?q=*")
    until(page, "document.querySelector('#hits [role=option]')")
    assert "ПРК 012345 ТЭ" in page.locator("#hits").inner_text()
