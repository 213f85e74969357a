"""The README's pictures, taken anew from a running demonstration: ``python -m tests.web.pictures [ADDRESS]``."""

import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.web.conftest import ARGUMENTS, CHROMIUM

FOLDER = Path(__file__).parent.parent.parent / "docs" / "images"
LARGEST = 300_000
PLACE = (81.43, 57.38)
_CORNERS = ((81.40, 57.365), (81.455, 57.365), (81.46, 57.387), (81.405, 57.40))


def _still(page: Page) -> None:
    """Wait until the map has drawn everything."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if page.evaluate(
            "window.mezha?.ready && mezha.map.loaded() && mezha.map.areTilesLoaded() && !mezha.map.isMoving()"
        ):
            page.wait_for_timeout(1500)
            return
        page.wait_for_timeout(100)
    raise TimeoutError("the map did not come to rest")


def _press(page: Page, lon: float, lat: float) -> None:
    point = page.evaluate(f"mezha.map.project([{lon}, {lat}])")
    box = page.locator("#map").bounding_box()
    assert box
    page.mouse.click(box["x"] + point["x"], box["y"] + point["y"])
    page.wait_for_timeout(150)


def check(page: Page) -> None:
    """A polygon is drawn and answered."""
    page.locator("[data-panel=question]").click()
    page.locator("[data-act=draw]").click()
    for lon, lat in _CORNERS:
        _press(page, lon, lat)
    page.locator("[data-act=done]").click()
    page.locator("#question [data-act=again]").wait_for()


def conflicts(page: Page) -> None:
    """The conflicts of the region; the largest is flown to."""
    page.locator("[data-panel=conflicts]").click()
    page.locator("#conflicts [data-pair]").first.click()
    page.wait_for_timeout(1500)


def totals(page: Page) -> None:
    """Stands by species."""
    page.locator("[data-panel=totals]").click()
    page.locator("#totals-layer").select_option("stands")
    page.locator("#totals-group").select_option("by:species")
    page.locator("#totals .bars tbody tr").nth(4).wait_for()


@dataclass(frozen=True)
class Picture:
    """One picture: its page, what is done there, its size, and the look of the device."""

    name: str
    path: str
    act: Callable[[Page], None] | None = None
    width: int = 1440
    height: int = 900
    dark: bool = False


_VIEW = f"/map#view=12/{PLACE[1]}/{PLACE[0]}"
PICTURES = (
    Picture("home", "/"),
    Picture("map", _VIEW, check),
    Picture("conflicts", "/map", conflicts),
    Picture("totals", "/map", totals, dark=True),
    Picture("phone", _VIEW, lambda page: _press(page, 81.424, 57.388), width=390, height=844),
)


def take(browser: Browser, picture: Picture, address: str) -> bytes:
    """A picture as a PNG of few colours."""
    phone = picture.width < 500
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        locale="ru-RU",
        color_scheme="dark" if picture.dark else "light",
        is_mobile=phone,
        has_touch=phone,
    )
    page = context.new_page()
    page.goto(address + picture.path)
    if picture.path.startswith("/map"):
        _still(page)
    if picture.act:
        picture.act(page)
        _still(page)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    context.close()
    for colours in (256, 128, 64, 32):
        kept = io.BytesIO()
        shot.quantize(colours, dither=Image.Dither.NONE).save(kept, "PNG", optimize=True)
        if len(kept.getvalue()) <= LARGEST:
            break
    return kept.getvalue()


def main() -> None:
    """Take every picture, or those named after the address."""
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for picture in PICTURES:
            if len(sys.argv) <= 2 or picture.name in sys.argv[2:]:
                (FOLDER / f"{picture.name}.png").write_bytes(take(browser, picture, address))
        browser.close()


if __name__ == "__main__":
    main()
