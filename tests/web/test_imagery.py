"""A picture goes in by the office and is looked at on the map: legend, opacity, shade, and the link to it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from geo.settings import Settings
from tests.tiles.test_rasters import SIDE, SOUTH, WEST, scene
from tests.web.test_imports import log_in, office, picture, run_worker
from tests.web.test_viewer import ready, text, until

__all__ = ["log_in", "office"]
NAME = "relef-2024-06-01"
DRAWN = f"mezha.map.getLayer('imagery-{NAME}') && mezha.map.isSourceLoaded('imagery-{NAME}') && mezha.map.areTilesLoaded()"


@pytest.mark.requirement("F-34", "C-27")
def test_a_picture_is_sent_in_and_looked_at(
    log_in: Callable[[str], Page], office: Settings, tmp_path: Path
) -> None:
    slope = np.linspace(100, 900, 200, dtype="float32")[np.newaxis].repeat(150, 0)
    page = log_in("registrar")
    page.wait_for_url("**/office/imports")
    page.goto("/office/rasters")
    page.set_input_files("#files", str(scene(tmp_path / "Рельеф.tif", slope)))
    page.fill("#taken", "2024-06-01")
    page.select_option("#kind", "terrain")
    page.click("#upload button")
    page.wait_for_url("**/office/rasters/uploads/*")
    run_worker(office)
    expect(page.locator("#state")).to_have_attribute("data-status", "done")
    picture(page, "raster-upload")

    # A small map, for nobody but the processor draws it.
    page.set_viewport_size({"width": 1120, "height": 420})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/map#layers=municipalities&view=12/{SOUTH + SIDE / 2}/{WEST + SIDE / 2}")
    ready(page)
    check = page.locator(f"[data-imagery={NAME}]")
    expect(check).not_to_be_checked()
    assert not [url for url in asked if "/raster/" in url]
    check.check()
    until(page, DRAWN)
    assert [url for url in asked if f"/raster/items/{NAME}/tiles/" in url]
    order = page.evaluate("mezha.map.getStyle().layers.map((l) => [l.id, l.source])")
    sources = [source for _, source in order]
    assert [layer for layer, _ in order].index(f"imagery-{NAME}") < sources.index("mezha")
    legend = text(page, f"[data-raster={NAME}]")
    assert "Съёмка 01.06.2024" in legend and "100" in legend and "900" in legend
    strength = page.locator(f"#imagery-{NAME}-strength")
    strength.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.select_option(f"#imagery-{NAME}-view", "shade")
    assert page.url.endswith(f"&imagery={NAME}:80:shade")
    until(page, DRAWN)
    picture(page, "raster-map")

    page.reload()
    ready(page)
    until(page, DRAWN)
    assert page.evaluate(f"mezha.map.getPaintProperty('imagery-{NAME}', 'raster-opacity')") == 0.8
    assert "algorithm=shade" in page.evaluate(f"mezha.map.getSource('imagery-{NAME}').tiles[0]")
