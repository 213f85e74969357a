"""The viewer's tools: check a polygon, conflicts, totals, time, export; each in words, on the map and by keyboard."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from shapely.geometry import box

from tests.web.conftest import Place
from tests.web.test_viewer import VIEW, press, ready, text, until

Opener = Callable[..., Page]


def tool(page: Page, name: str) -> None:
    """Open a tool by its button."""
    page.locator(f".tools [data-panel={name}]").click()
    until(page, f"!document.querySelector('#{name}').hidden")


def answered(page: Page) -> str:
    """Words of the check once it has answered."""
    until(page, "document.querySelector('#question [data-act=again]')")
    return text(page, "#question")


@pytest.mark.requirement("F-46")
def test_a_drawn_polygon_is_answered_with_areas_shares_and_what_was_not_checked(
    opened: Opener, place: Place
) -> None:
    page = ready(opened(VIEW))
    tool(page, "question")
    page.locator("[data-act=draw]").click()
    assert page.locator("[data-act=done]").is_disabled()
    for lon, lat in ((83.01, 55.01), (83.02, 55.01), (83.02, 55.02), (83.01, 55.02)):
        press(page, lon, lat)
    until(page, "!document.querySelector('[data-act=done]').disabled")
    page.locator("[data-act=done]").click()
    words = answered(page)
    # 0,01° × 0,01° at 55° of latitude.
    area = page.evaluate(
        "parseFloat(document.querySelector('#question .size strong').innerText.replace(',', '.'))"
    )
    assert area == pytest.approx(71.1, rel=0.02)
    assert "ДА-2021/17" in words
    assert "ПРК 012345 ТЭ" in words
    assert "100 %" in words
    # The place has no deposits at all: that is not checked, and never clear.
    assert page.locator("[data-standing=deposits]").inner_text().endswith("не проверено")
    assert "Сведения ещё не загружали" in text(page, "[data-standing=deposits]")
    assert page.locator("[data-standing=leases]").inner_text().endswith("найдено")
    assert "версия" in text(page, "[data-standing=leases]")
    page.locator(f"#question [data-object='leases/{place.lease}']").click()
    until(page, "document.querySelector('#detail .object')")


def test_a_polygon_is_drawn_by_keyboard_and_escape_ends_it(opened: Opener) -> None:
    page = ready(opened(VIEW))
    page.locator("#map canvas").focus()
    page.keyboard.press("a")
    until(page, "!document.querySelector('#question').hidden")
    page.locator("[data-act=draw]").press("Enter")
    page.locator("#map canvas").focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#question').innerText.includes('1 угол')")
    page.keyboard.press("Escape")
    until(page, "document.querySelector('#question [data-act=draw]')")
    page.keyboard.press("Escape")
    assert page.locator("#question").is_hidden()


def test_an_uploaded_file_is_asked_about_and_a_wrong_one_is_explained(opened: Opener, tmp_path: Path) -> None:
    import geopandas as gpd

    page = ready(opened(VIEW))
    tool(page, "question")
    frame = gpd.GeoDataFrame(geometry=[box(83.0, 55.0, 83.02, 55.02)], crs=4326).to_crs(32644)
    frame.to_file(tmp_path / "plot.gpkg")
    page.locator("#question-file").set_input_files(tmp_path / "plot.gpkg")
    assert "ДА-2021/17" in answered(page)
    page.locator("[data-act=again]").click()
    bow = {"type": "Polygon", "coordinates": [[[83, 55], [83.1, 55.1], [83.1, 55], [83, 55.1], [83, 55]]]}
    (tmp_path / "bow.geojson").write_text(json.dumps(bow))
    page.locator("#question-file").set_input_files(tmp_path / "bow.geojson")
    until(page, "document.querySelector('#question .notice.error')")
    assert "Граница пересекает сама себя" in text(page, "#question")


def test_conflicts_stand_on_the_map_and_in_a_list_that_leads_to_them(opened: Opener) -> None:
    page = ready(opened("/map#view=9/55.3/84.0"))
    tool(page, "conflicts")
    until(page, "document.querySelectorAll('#conflicts [data-pair]').length >= 2")
    words = text(page, "#conflicts")
    assert "ДА-2021/17" in words
    assert "ПРК 012345 ТЭ" in words
    drawn = "mezha.map.queryRenderedFeatures({layers: ['conflicts-area']}).length"
    page.locator("#conflicts [data-pair]").first.click()
    until(page, drawn)
    until(page, "mezha.map.getZoom() > 11 && mezha.map.getBounds().contains([83.02, 55.015])")
    page.locator("#conflicts summary").click()
    assert "Договоры аренды лесных участков × Зоны с особыми условиями и ООПТ" in text(page, "#conflicts")
    shown = page.locator("#conflicts [data-pair]").count()
    page.locator("[data-kind=licence-lease]").uncheck()
    until(page, f"document.querySelectorAll('#conflicts [data-pair]').length < {shown}")
    page.keyboard.press("Escape")
    until(page, f"{drawn} === 0")


def test_totals_are_a_chart_a_table_and_a_file_with_their_unit(opened: Opener) -> None:
    page = ready(opened(VIEW))
    tool(page, "totals")
    page.locator("#totals-layer").select_option("stands")
    page.locator("#totals-group").select_option("by:species")
    until(page, "document.querySelectorAll('#totals tbody tr').length === 3")
    words = text(page, "#totals")
    assert "852 га" in words
    assert "33,3 %" in words
    assert "лиственница" in words.lower()
    assert page.locator("#totals svg.bar rect").count() == 3
    page.locator("#totals-measure").select_option("count")
    until(page, "document.querySelector('#totals .total')?.innerText.includes('шт.')")
    page.locator("#totals-group").select_option("per:municipalities")
    until(page, "document.querySelector('#totals tbody')?.innerText.includes('Приозёрский округ')")
    with page.expect_download() as download:
        page.locator("#totals a[download]").click()
    assert "Приозёрский округ" in Path(download.value.path()).read_text("utf-8-sig")


@pytest.mark.requirement("F-37")
def test_the_export_holds_what_is_shown_and_filtered(opened: Opener) -> None:
    page = ready(opened(VIEW + "&layers=leases,stands&stands.species=pine"))
    tool(page, "extract")
    until(page, "document.querySelector('[data-extract=stands] .count').innerText === '1'")
    assert page.locator("[data-extract]").count() == 2
    page.locator("#extract-format").select_option("csv")
    until(page, "document.querySelector('[data-extract=stands] a').href.includes('f=csv')")
    with page.expect_download() as download:
        page.locator("[data-extract=stands] a").click()
    rows = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert len(rows) == 2
    assert "pine" in rows[1]
    page.locator("input[name=extract-where][value=all]").check()
    until(page, "!document.querySelector('[data-extract=stands] a').href.includes('bbox')")


def test_the_slider_draws_what_was_known_and_lists_what_has_changed_since(
    opened: Opener, place: Place
) -> None:
    page = ready(opened(VIEW))
    page.locator("#map canvas").focus()
    page.keyboard.press("t")
    until(page, "document.querySelector('#versions')?.max === '1'")
    page.locator("#versions").focus()
    page.keyboard.press("ArrowLeft")
    until(page, "mezha.map.getSource('mezha').tiles[0].includes('as_of=2024-05-01T17%3A00%3A00Z')")
    assert "known=2024-05-01T17:00:00Z" in page.url
    assert "Карта, какой её знали реестры 01.05.2024" in text(page, "#moment")
    until(page, f"document.querySelector(\"[data-change='leases/{place.lease}']\")")
    assert "новый" in text(page, "#time")
    until(page, "mezha.map.queryRenderedFeatures({layers: ['leases']}).length === 0")
    page.locator("#moment button").click()
    until(page, "!mezha.map.getSource('mezha').tiles[0].includes('as_of')")
    assert "known=" not in page.url
    assert page.locator("#moment").is_hidden()


@pytest.mark.requirement("C-36")
def test_on_a_phone_the_other_tools_unfold_and_a_tool_is_a_sheet(opened: Opener) -> None:
    page = ready(opened(VIEW, width=390, has_touch=True, is_mobile=True))
    assert page.locator("[data-panel=conflicts]").is_hidden()
    page.locator("[data-tool=rest]").tap()
    page.locator("[data-panel=conflicts]").tap()
    until(page, "document.querySelectorAll('#conflicts [data-pair]').length >= 2")
    assert page.locator("[data-panel=time]").is_hidden()
    box_ = page.locator("#conflicts").bounding_box()
    assert box_
    assert (box_["x"], box_["width"]) == (0, 390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.requirement("F-37")
def test_the_frame_of_a_sheet_lies_on_the_map_and_the_pdf_is_a_pdf(opened: Opener) -> None:
    page = ready(opened(VIEW))
    tool(page, "sheet")
    until(page, "document.querySelector('#sheet-scale')")
    page.locator("#sheet-scale").select_option("25000")
    page.locator("#sheet-name").fill("Лист «Южный»")
    assert "1 см" in text(page, "#sheet")
    assert "250 м" in text(page, "#sheet")
    until(page, "mezha.map.queryRenderedFeatures({layers: ['sheet-edge']}).length")
    with page.expect_download() as download:
        page.locator("[data-act=sheet]").click()
    assert download.value.suggested_filename == "mezha-1-25000.pdf"
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    page.locator("#sheet [data-close]").click()
    until(page, "mezha.map.queryRenderedFeatures({layers: ['sheet-edge']}).length === 0")
