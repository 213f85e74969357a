"""The map viewer in a browser: it draws, finds, tells, filters, measures, and can be had by link and keyboard."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page
from pyproj import Geod

from tests.web.conftest import Place

VIEW = "/map#view=12.5/55.0150/83.0200"
Opener = Callable[..., Page]


def until(page: Page, expression: str, seconds: float = 60) -> Any:
    """Value of an expression once it is true; the content policy forbids pages to evaluate text themselves."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = page.evaluate(expression)
        if value:
            return value
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {expression}")


def ready(page: Page) -> Page:
    """Wait until the map has drawn what it was asked for."""
    until(page, "window.mezha?.ready")
    return page


def press(page: Page, lon: float, lat: float) -> None:
    """Press the map at a place."""
    point = page.evaluate(f"mezha.map.project([{lon}, {lat}])")
    box = page.locator("#map").bounding_box()
    assert box
    page.mouse.click(box["x"] + point["x"], box["y"] + point["y"])


def text(page: Page, selector: str) -> str:
    """Words of an element, with plain spaces."""
    return page.locator(selector).inner_text().replace("\u00a0", " ")


@pytest.mark.requirement("F-32", "F-34", "F-38")
def test_the_map_draws_every_layer_with_its_symbol(opened: Opener) -> None:
    page = ready(opened(VIEW))
    drawn = page.evaluate(
        "[...new Set(mezha.map.queryRenderedFeatures().map((f) => f.sourceLayer))].filter(Boolean).sort()"
    )
    assert {"forestries", "leases", "licences", "municipalities", "stands", "waste_sites", "zones"} <= set(
        drawn
    )
    colours = page.evaluate(
        """() => new Promise((done) => mezha.map.once("render", () => {
          const c = mezha.map.getCanvas(), gl = c.getContext("webgl2"), seen = new Set(), p = new Uint8Array(4);
          for (let x = 8; x < c.width; x += 16) for (let y = 8; y < c.height; y += 16) {
            gl.readPixels(x, y, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, p); seen.add(p.join());
          }
          done(seen.size);
        }) && mezha.map.triggerRepaint())"""
    )
    assert colours > 10


@pytest.mark.requirement("F-36")
def test_a_press_tells_everything_that_lies_there_and_then_one_object(opened: Opener, place: Place) -> None:
    page = ready(opened(VIEW))
    press(page, 83.011, 55.011)
    until(page, "document.querySelectorAll('#detail .entries button').length >= 4")
    entries = page.locator("#detail .entries strong").all_inner_texts()
    assert entries.index("ДА-2021/17") < entries.index("ПРК 012345 ТЭ") < entries.index("1")
    page.locator(f"[data-object='leases/{place.lease}']").click()
    until(page, "document.querySelector('#detail .object')")
    sheet = text(page, "#detail")
    assert "994,1 га" in sheet
    assert "расхождение +0,4 %" in sheet
    assert "ООО «Таёжник»" in sheet
    assert "заготовка древесины" in sheet
    assert "01.03.2041" in sheet
    assert "действует" in sheet
    assert "4 угловые точки" in sheet
    assert "1 версия в истории" in sheet
    assert page.evaluate(
        "mezha.map.getSource('selected')._data.geojson?.geometry.type ?? mezha.map.getSource('selected').serialize().data.geometry.type"
    )
    page.locator("#detail [data-back]").click()
    assert page.locator("#detail .entries button").count() >= 4


def test_a_point_is_hit_within_a_fingers_width(opened: Opener) -> None:
    page = ready(opened("/map#view=11/55.01/83.0&layers=waste_sites"))
    point = page.evaluate("mezha.map.unproject(mezha.map.project([82.97, 55.01]).add({x: 6, y: 0}))")
    press(page, point["lng"], point["lat"])
    until(page, "document.querySelector('#detail .object, #detail .entries')")
    assert "Полигон «Южный»" in text(page, "#detail")


def test_an_empty_place_says_so(opened: Opener) -> None:
    page = ready(opened("/map#view=9/56.5/85"))
    press(page, 85, 56.5)
    until(page, "document.querySelector('#detail .empty')")
    assert "нет объектов реестров" in text(page, "#detail")


def test_search_walks_by_keyboard_and_flies_to_the_hit(opened: Opener, place: Place) -> None:
    page = ready(opened("/map#view=5/60/100"))
    page.locator("#map canvas").focus()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("таёжник")
    until(page, "document.querySelectorAll('#hits [role=option]').length")
    assert page.locator("#q").get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    assert page.locator("#q").get_attribute("aria-activedescendant") == "hit-0"
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#detail .object')")
    until(page, "mezha.map.getBounds().contains([83.01, 55.01])")
    assert f"object=leases/{place.lease}" in page.url


def test_search_says_when_nothing_is_found_and_understands_coordinates(opened: Opener) -> None:
    page = ready(opened(VIEW))
    page.fill("#q", "нет такого")
    until(page, "document.querySelector('#hits .none')")
    assert "ничего нет" in text(page, "#hits")
    page.fill("#q", "55,0100 83,0400")
    until(page, "document.querySelector('#hits [role=option]')")
    assert "55,01° с. ш., 83,04° в. д." in text(page, "#hits")


@pytest.mark.requirement("F-35")
def test_layers_and_filters_change_what_is_drawn_and_the_link(opened: Opener) -> None:
    page = ready(opened(VIEW))
    page.locator("[data-panel=layers]").click() if page.locator("#layers").is_hidden() else None
    page.locator("input[data-layer=licences]").uncheck()
    until(
        page,
        "mezha.map.queryRenderedFeatures({layers: ['leases']}).length"
        " && !mezha.map.queryRenderedFeatures().some((f) => f.sourceLayer === 'licences')",
    )
    assert "licences" not in page.url
    page.locator("[data-row=leases] .row button").click()
    page.locator("#filter-leases-status").select_option("completed")
    until(page, "mezha.map.queryRenderedFeatures({layers: ['leases']}).length === 0")
    assert "leases.status=completed" in page.url
    page.locator("[data-row=leases] button[type=reset]").click()
    until(page, "mezha.map.queryRenderedFeatures({layers: ['leases']}).length > 0")
    page.locator("[data-row=leases] input[name=text]").fill("2021")
    until(page, "mezha.map.queryRenderedFeatures({layers: ['leases']}).length > 0")
    page.locator("[data-row=leases] input[name=text]").fill("2022")
    until(page, "mezha.map.queryRenderedFeatures({layers: ['leases']}).length === 0")


def test_a_link_brings_back_view_layers_filter_and_object(opened: Opener, place: Place) -> None:
    link = f"/map#view=13.00/55.01000/83.01000&layers=leases,stands&stands.species=pine&object=leases/{place.lease}"
    page = ready(opened(link))
    until(page, "document.querySelector('#detail .object')")
    assert abs(page.evaluate("mezha.map.getZoom()") - 13) < 0.01
    shown = page.evaluate(
        "[...new Set(mezha.map.queryRenderedFeatures().map((f) => f.sourceLayer))].filter(Boolean).sort()"
    )
    assert shown == ["leases", "stands"]
    assert page.evaluate(
        "mezha.map.queryRenderedFeatures({layers: ['stands']}).every((f) => f.properties.species === 'pine')"
    )
    assert page.url.endswith(link.removeprefix("/map"))


def test_an_object_that_is_not_there_is_explained(opened: Opener) -> None:
    page = ready(opened("/map#object=leases/999999"))
    until(page, "document.querySelector('#detail .notice.error')")
    assert "нет в реестре, или он вам не открыт" in text(page, "#detail")


def test_measures_agree_with_the_ellipsoid(opened: Opener) -> None:
    page = ready(opened(VIEW))
    ring = [[83.0, 55.0], [83.4, 55.0], [83.4, 55.3], [83.0, 55.3]]
    measured = page.evaluate(
        """async (ring) => { const g = await import("/static/js/map/geodesy.js");
           return [g.pathLength(ring), g.ringArea(ring)]; }""",
        ring,
    )
    lons, lats = zip(*ring, strict=True)
    geod = Geod(ellps="WGS84")
    assert measured[0] == pytest.approx(geod.line_length(lons, lats), rel=1e-7)
    assert measured[1] == pytest.approx(abs(geod.polygon_area_perimeter(lons, lats)[0]), rel=2e-5)
    page.locator("#map canvas").focus()
    page.keyboard.press("m")
    press(page, 83.02, 55.01)
    press(page, 83.04, 55.01)
    until(page, "document.querySelector('#measuring strong')")
    # 0.02° of longitude, give or take the pixels that were pressed.
    assert re.search("1,2[789] км", text(page, "#measuring"))
    page.keyboard.press("Escape")
    assert page.locator("#measuring").is_hidden()


@pytest.mark.requirement("N-32")
def test_the_keyboard_reaches_everything_and_the_list_stands_for_the_map(
    opened: Opener, place: Place
) -> None:
    page = ready(opened(VIEW))
    page.locator("#map canvas").focus()
    page.keyboard.press("o")
    until(page, "document.querySelectorAll('#objects .entries button').length >= 5")
    assert "объектов на экране" in text(page, "#objects")
    page.locator(f"#objects [data-object='waste_sites/{place.site}']").press("Enter")
    until(page, "document.querySelector('#detail .object')")
    until(page, "document.querySelector('#announcer').textContent.includes('Полигон «Южный»')")
    page.keyboard.press("Escape")
    assert page.locator("#detail").is_hidden()
    page.keyboard.press("Escape")
    assert page.locator("#objects").is_hidden()
    page.keyboard.press("l")
    assert page.locator("#layers").is_visible()


@pytest.mark.requirement("C-36", "N-34")
def test_a_phone_has_the_whole_function_and_nothing_sticks_out(opened: Opener) -> None:
    page = ready(opened(VIEW, width=390, has_touch=True, is_mobile=True))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("[data-panel=layers]").tap()
    assert page.locator("#layers").bounding_box()["width"] == 390  # type: ignore[index]
    page.locator("#layers [data-close]").tap()
    point = page.evaluate("mezha.map.project([83.015, 55.012])")
    box = page.locator("#map").bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + point["x"], box["y"] + point["y"])
    until(page, "document.querySelector('#detail .entries')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_text_at_double_size_breaks_nothing(opened: Opener) -> None:
    page = opened("/registers/leases")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    home = opened("/", width=390)
    home.evaluate("document.documentElement.style.fontSize = '200%'")
    wide = home.evaluate(
        "[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1"
        " && !e.closest('nav, .visually-hidden, #region')).map((e) => e.outerHTML.slice(0, 80))"
    )
    assert not wide


def test_without_a_connection_the_map_says_so_and_keeps_what_it_has(opened: Opener) -> None:
    page = ready(opened(VIEW))
    page.context.set_offline(True)
    press(page, 83.011, 55.011)
    until(page, "!document.querySelector('#banner').hidden")
    assert "Нет связи" in text(page, "#banner")
    page.context.set_offline(False)
    until(page, "document.querySelector('#banner').hidden")


def test_a_day_before_the_rights_began_shows_none_of_them(opened: Opener) -> None:
    page = ready(opened(VIEW))
    page.locator(".tools [data-panel=time]").click()
    until(page, "document.querySelector('#day')")
    page.locator("#day").fill("2000-01-01")
    until(page, "mezha.map.getSource('mezha').tiles[0].endsWith('?datetime=2000-01-01')")
    assert "day=2000-01-01" in page.url
    page.locator("#moment button").click()
    until(page, "!mezha.map.getSource('mezha').tiles[0].includes('?')")
    assert "day=" not in page.url


@pytest.mark.requirement("N-33")
def test_the_viewer_speaks_english(opened: Opener) -> None:
    page = ready(opened("/map?lang=en#view=12.5/55.0150/83.0200"))
    press(page, 83.011, 55.011)
    until(page, "document.querySelectorAll('#detail .entries button').length >= 4")
    assert "What is here" in text(page, "#detail")
    assert "Forest lease" in text(page, "#layers") or "Forest leases" in text(page, "#layers")
    assert (
        json.loads(page.locator("#messages").inner_text() or page.locator("#messages").text_content() or "")
        == {}
    )
