"""The pipeline over the real registers: loaded once, unchanged twice, versions and rejects where they belong."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from geo.settings import Settings
from ingest.errors import RefusedError
from ingest.pipeline import Options, ingest
from ingest.profile import profile

REAL = {
    "rosreestr-kpt": [
        "rosreestr-kpt-xml/kpt10_21_02_010106.xml",
        "rosreestr-kpt-xml/kpt11_fragment_24_21_1003001_full.xml",
    ],
    "rosnedra-licences": ["rosnedra-licence-blocks-ru/license_blocks_rosnedra_orders.gpkg"],
    "bc-stands": ["bc-forest-stands-k3z/vri_k3z.shp"],
    "bc-zones": ["bc-forest-licence-tfl6/ogma_legal_current_tfl6.gpkg"],
    "ru-municipalities": ["natural-earth-basemap/russia_regions_click_that_hood.geojson"],
}


@pytest.mark.parametrize(("name", "file"), [(name, file) for name, found in REAL.items() for file in found])
def test_a_real_register_loads_once_and_changes_nothing_twice(
    settings: Settings, shared_data: Path, name: str, file: str
) -> None:
    first = ingest(settings.url_for("registrar"), profile(name), shared_data / file)
    assert first.status == "done"
    assert first.counts["new"] > 0
    second = ingest(settings.url_for("registrar"), profile(name), shared_data / file)
    assert (second.counts["new"], second.counts["changed"], second.counts["gone"]) == (0, 0, 0)
    assert second.counts["unchanged"] == first.counts["new"]


def test_parcel_areas_agree_with_the_register(
    settings: Settings, shared_data: Path, owner: psycopg.Connection[Any]
) -> None:
    for file in REAL["rosreestr-kpt"]:
        ingest(settings.url_for("registrar"), profile("rosreestr-kpt"), shared_data / file)
    row = owner.execute(
        "SELECT count(*), count(*) FILTER (WHERE abs(area_m2 - area_declared_m2) <= 3.5 * 0.10 * sqrt(area_declared_m2))"
        " FROM register.parcels WHERE area_m2 IS NOT NULL AND area_declared_m2 IS NOT NULL AND sys_to = 'infinity'"
    ).fetchone()
    assert row is not None
    both, agree = row
    assert both > 150
    assert agree / both >= 0.95


def test_a_changed_row_makes_one_new_version(
    settings: Settings, tmp_path: Path, owner: psycopg.Connection[Any]
) -> None:
    file = tmp_path / "plans.geojson"
    template = '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"cartodb_id":9001,"name":"%s"},"geometry":{"type":"Polygon","coordinates":[[[60,50],[61,50],[61,51],[60,50]]]}}]}'
    file.write_text(template % "Было")
    ingest(settings.url_for("registrar"), profile("ru-municipalities"), file, Options(confirm_gone=True))
    file.write_text(template % "Стало")
    result = ingest(settings.url_for("registrar"), profile("ru-municipalities"), file)
    assert result.counts["changed"] == 1
    rows = owner.execute(
        "SELECT name, sys_to = 'infinity', count(*) OVER (PARTITION BY id) FROM register.municipalities WHERE key = 'ru:9001' ORDER BY sys_from"
    ).fetchall()
    assert rows == [("Было", False, 2), ("Стало", True, 2)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"this is no GIS file", "no file that Mezha reads"),
        (b"PK\x03\x04nonsense", "damaged zip archive"),
    ],
)
def test_a_bad_file_is_refused_and_changes_nothing(
    settings: Settings, tmp_path: Path, owner: psycopg.Connection[Any], content: bytes, words: str
) -> None:
    before = owner.execute("SELECT count(*) FROM register.licences").fetchone()
    file = tmp_path / "bad.gpkg"
    file.write_bytes(content)
    with pytest.raises(RefusedError, match=words):
        ingest(settings.url_for("registrar"), profile("bc-zones"), file)
    assert owner.execute("SELECT count(*) FROM register.licences").fetchone() == before
