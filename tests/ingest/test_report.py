"""Reports: a page that opens without internet, and rejected rows that come back mended."""

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pyogrio
import pytest
from playwright.sync_api import sync_playwright

from geo.settings import Settings
from ingest import report
from ingest.errors import RefusedError
from ingest.pipeline import Options, Result, ingest
from ingest.profile import Profile, profile

BOW = [[60, 50], [61, 51], [61, 50], [60, 51], [60, 50]]
SQUARE = [[70, 50], [71, 50], [71, 51], [70, 51], [70, 50]]


def _strict() -> Profile:
    known = profile("ru-municipalities")
    return known.model_copy(
        update={"snapshot": "delta", "geometry": known.geometry.model_copy(update={"broken": "reject"})}
    )


def _run(settings: Settings, folder: Path) -> Result:
    features = [
        {
            "type": "Feature",
            "properties": {"cartodb_id": n, "name": f"Имя <{n}>"},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for n, ring in ((501, BOW), (502, SQUARE))
    ]
    file = folder / "plans.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return ingest(settings.url_for("registrar"), _strict(), file)


def test_rejected_rows_are_mended_and_loaded_again(
    settings: Settings, tmp_path: Path, owner: psycopg.Connection[Any]
) -> None:
    result = _run(settings, tmp_path)
    assert result.counts["rejected"] == 1
    written = report.write(result, tmp_path / "report", settings.url_for("registrar"))
    package = next(path for path in written if path.suffix == ".gpkg")
    frame = pyogrio.read_dataframe(package)
    assert frame["mezha_problem"].tolist() == ["geometry-self-intersection"]
    assert frame["cartodb_id"].tolist() == ["501"]
    frame.geometry = frame.geometry.make_valid()
    mended = tmp_path / "mended.gpkg"
    pyogrio.write_dataframe(frame, mended, layer="rejected")
    again = ingest(settings.url_for("registrar"), _strict(), mended)
    assert (again.counts["new"], again.counts["rejected"]) == (1, 0)
    row = owner.execute("SELECT name, extra FROM register.municipalities WHERE key = 'ru:501'").fetchone()
    assert row is not None
    assert row[0] == "Имя <501>"
    assert not any(name.startswith("mezha_") for name in (row[1] or {}))


def test_rejected_parcels_keep_their_local_system(
    settings: Settings, shared_data: Path, tmp_path: Path
) -> None:
    known = profile("rosreestr-kpt")
    strict = known.model_copy(
        update={"snapshot": "delta", "geometry": known.geometry.model_copy(update={"broken": "reject"})}
    )
    file = shared_data / "rosreestr-kpt-xml" / "kpt11_fragment_24_21_1003001_full.xml"
    result = ingest(settings.url_for("registrar"), strict, file)
    assert result.counts["rejected"] == 1
    package = next(
        p for p in report.write(result, tmp_path, settings.url_for("registrar")) if p.suffix == ".gpkg"
    )
    layer = pyogrio.list_layers(package)[0][0]
    frame = pyogrio.read_dataframe(package, layer=layer)
    frame.geometry = frame.geometry.make_valid()
    mended = tmp_path / "mended.gpkg"
    pyogrio.write_dataframe(frame, mended, layer=layer)
    again = ingest(settings.url_for("registrar"), strict, mended)
    assert again.counts["new"] == 1
    assert again.crs == result.crs


def test_the_page_opens_without_internet(settings: Settings, tmp_path: Path) -> None:
    result = ingest(settings.url_for("registrar"), _strict(), _bow(tmp_path), Options(dry=True))
    page = next(
        p for p in report.write(result, tmp_path, settings.url_for("registrar")) if p.suffix == ".html"
    )
    text = page.read_text("utf-8")
    assert "<script src" not in text
    assert not re.search(r'(?:src|href)=(?:"|&quot;)https?://(?!leafletjs\.com)', text)
    assert "Самопересечение границы" in text
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1280, "height": 1400})
        asked: list[str] = []
        view.on("request", lambda request: asked.append(request.url))
        errors: list[str] = []
        view.on("pageerror", lambda error: errors.append(str(error)))
        view.goto(page.as_uri())
        frame = view.frame_locator("iframe")
        frame.locator("canvas").first.wait_for(timeout=20_000)
        assert frame.locator(".leaflet-control-layers-overlays label").count() == 3
        view.screenshot(path=str(tmp_path / "report.png"), full_page=True)
        browser.close()
    assert errors == []
    assert [url for url in asked if url.startswith("http")] == []


def _bow(folder: Path) -> Path:
    features = [
        {
            "type": "Feature",
            "properties": {"cartodb_id": n, "name": "n"},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for n, ring in ((601, BOW), (602, SQUARE))
    ]
    file = folder / "bow.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


def test_every_kind_of_problem_has_a_title_in_two_languages() -> None:
    for code, names in report.titles().items():
        assert re.fullmatch(r"[a-z0-9-]+", code)
        assert names["ru"]
        assert names["en"]


@pytest.mark.parametrize("code", ["geometry-self-intersection", "duplicate-key", "outside-extent"])
def test_titles_are_found(code: str) -> None:
    assert " · " in report.title(code)


def test_a_refused_file_leaves_a_page_too(tmp_path: Path) -> None:
    err = RefusedError(
        "plans.gpkg is empty.", "Ask its sender for the file again.", field="file", value="plans.gpkg"
    )
    written = report.write_refusal(err, ("bc-zones", "zones"), Path("plans.gpkg"), tmp_path)
    assert "Ask its sender" in written[1].read_text("utf-8")
    assert json.loads(written[0].read_text("utf-8"))["status"] == "refused"
