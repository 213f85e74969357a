"""GDAL as a client of a running server: what ogrinfo, QGIS and ogr2ogr do."""

import shutil
import subprocess
import urllib.request
from pathlib import Path

import psycopg
import pyogrio
import pytest

from geo.settings import Settings
from tests.conftest import make_object


@pytest.fixture(scope="module", autouse=True)
def things(settings: Settings) -> None:
    """Twenty zones and a sealed licence."""
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        for n in range(20):
            w = 83 + n / 10
            make_object(
                c, "zones", number=f"54:{n}", name=f"Зона {n}", area_m2=float(n), established_on="2020-01-01",
                geom=f"POLYGON(({w} 55,{w + 0.05} 55,{w + 0.05} 55.05,{w} 55.05,{w} 55))",
            )  # fmt: skip
        make_object(c, "licences")


def test_ogrinfo_lists_the_public_layers_and_reads_features(server: str) -> None:
    layers = {name for name, _ in pyogrio.list_layers(f"OAPIF:{server}/ogc")}
    assert "zones" in layers and "licences" not in layers
    frame = pyogrio.read_dataframe(f"OAPIF:{server}/ogc", layer="zones")
    assert len(frame) == 20 and "CRS84" in frame.crs.name
    assert frame["name"].tolist()[7] == "Зона 7"
    assert frame.total_bounds == pytest.approx([83, 55, 84.95, 55.05])
    info = pyogrio.read_info(f"OAPIF:{server}/ogc", layer="zones")
    kinds = dict(zip(info["fields"], info["dtypes"], strict=True))
    assert kinds["area_m2"] == "float64" and kinds["established_on"].startswith("datetime64")


def test_filters_are_pushed_to_the_server(server: str) -> None:
    source = f"OAPIF:{server}/ogc"
    where = pyogrio.read_dataframe(source, layer="zones", where="area_m2 > 17 OR name = 'Зона 3'")
    assert set(where["name"]) == {"Зона 3", "Зона 18", "Зона 19"}
    box = pyogrio.read_dataframe(source, layer="zones", bbox=(83.0, 55, 83.12, 56))
    assert set(box["name"]) == {"Зона 0", "Зона 1"}


def test_the_mvt_driver_reads_a_tile_from_its_address_and_knows_where_it_lies(server: str) -> None:
    frame = pyogrio.read_dataframe(f"/vsicurl/{server}/tiles/zones/8/187/80.mvt", layer="zones")
    assert {"Зона 1", "Зона 9"} <= set(frame["name"])
    assert frame.crs.to_epsg() == 3857
    first = frame[frame["name"] == "Зона 1"].to_crs(4326)
    # A unit of the tile is 40 m on the equator.
    assert first.total_bounds == pytest.approx([83.1, 55, 83.15, 55.05], abs=0.001)


@pytest.mark.skipif(not shutil.which("ogrinfo"), reason="Debian's gdal-bin is not installed")
def test_debians_own_gdal_reads_it_too(server: str) -> None:
    shown = subprocess.run(
        ["ogrinfo", "-so", f"OAPIF:{server}/ogc", "zones"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "Feature Count: 20" in shown
    assert "established_on" in shown


def test_a_tile_opens_in_gdals_mvt_driver(server: str, tmp_path: Path) -> None:
    body = urllib.request.urlopen(
        f"{server}/ogc/collections/zones/tiles/WebMercatorQuad/7/40/93", timeout=10
    ).read()
    tile = tmp_path / "40.mvt"
    tile.write_bytes(body)
    frame = pyogrio.read_dataframe(tile, layer="zones")
    assert len(frame) > 10 and frame["number"].iloc[0].startswith("54:")


def test_every_page_of_a_long_collection_is_read(server: str) -> None:
    frame = pyogrio.read_dataframe(f"OAPIF:{server}/ogc", layer="zones", PAGE_SIZE=7)
    assert frame["number"].nunique() == 20
