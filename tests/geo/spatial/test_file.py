"""The polygon of an uploaded file: whatever a GIS saves is read in its own system, and nothing else is opened."""

import io
import zipfile
from pathlib import Path

import geopandas as gpd
import httpx
import pytest
import shapely
from shapely.geometry import box

from geo.errors import CrsError, GeometryError
from geo.spatial import file

PLOT = box(83.0, 55.0, 83.02, 55.01)


def saved(folder: Path, name: str, crs: str | None = "EPSG:4326", shape: shapely.Geometry = PLOT) -> Path:
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shape], crs="EPSG:4326")
    frame.to_crs(crs).to_file(folder / name)
    return folder / name


def packed(folder: Path, **more: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packing:
        for path in sorted(folder.glob("plot.*")):
            packing.write(path, f"участок/{path.name}")
        for name, content in more.items():
            packing.writestr(name, content)
    return archive.getvalue()


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32644", "EPSG:28414"])
def test_a_geopackage_is_read_in_its_own_system(tmp_path: Path, crs: str) -> None:
    found = file.read(saved(tmp_path, "plot.gpkg", crs).read_bytes())
    assert found.geometry.symmetric_difference(PLOT).area < 2e-4 * PLOT.area
    assert found.area_m2 == pytest.approx(1_423_000, rel=0.002)


def test_a_zipped_shapefile_is_read_and_what_lies_beside_it_is_not_opened(tmp_path: Path) -> None:
    saved(tmp_path, "plot.shp", "EPSG:32644")
    found = file.read(packed(tmp_path, **{"other.vrt": b"<OGRVRTDataSource/>"}))
    assert found.geometry.symmetric_difference(PLOT).area < 2e-4 * PLOT.area


def test_what_only_calls_itself_a_shapefile_is_refused(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packing:
        packing.writestr("plot.shp", "<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>")
    with pytest.raises(GeometryError, match="no Shapefile"):
        file.read(archive.getvalue())


def test_a_file_without_a_system_is_asked_about(tmp_path: Path) -> None:
    saved(tmp_path, "plot.shp")
    (tmp_path / "plot.prj").unlink()
    with pytest.raises(CrsError, match="coordinate system"):
        file.read(packed(tmp_path))


@pytest.mark.parametrize("body", [b"PK\x03\x04rest", b"SQLite format 3\x00rest", b"{}", b"", b"\xff\xfe"])
def test_what_is_no_file_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(GeometryError):
        file.read(body)


def test_lines_have_no_area(tmp_path: Path) -> None:
    path = saved(tmp_path, "line.gpkg", shape=shapely.LineString([(83, 55), (84, 56)]))
    with pytest.raises(GeometryError, match="no layer of polygons"):
        file.read(path.read_bytes())


async def test_the_interface_answers_with_a_feature_in_degrees(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    body = saved(tmp_path, "plot.gpkg", "EPSG:32644").read_bytes()
    answer = await client.post("/api/v1/spatial/shape", content=body)
    assert answer.status_code == 200
    assert answer.json()["properties"]["area_ha"] == pytest.approx(142.3, rel=0.002)
    refused = await client.post("/api/v1/spatial/shape", content=b"PK\x03\x04")
    assert (refused.status_code, refused.json()["code"]) == (422, "bad-geometry")
