"""Bad files: each gives a named reason, its place and the cure, in bounded memory and never a traceback."""

import resource
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from geo.errors import MezhaError
from ingest.profile import profile
from ingest.readers.catalogue import reader_for
from ingest.source import Source
from tests.ingest.examination import examine, refusal

# --- the collection of broken GeoJSON -----------------------------------------------------------------------


def test_every_broken_geojson_is_told_or_taken(shared_data: Path) -> None:
    files = sorted((shared_data / "geojson-invalid-chrieke").glob("*/*.geojson"))
    assert len(files) == 74
    told, taken = [], []
    for file in files:
        try:
            rows, problems = examine(file)
        except MezhaError as err:
            assert err.message, file.name
            assert err.remedy, file.name
            told.append(file.name)
            continue
        assert rows > 0, file.name
        assert all(p.code and p.message and p.remedy and p.row > 0 for p in problems), file.name
        (told if problems else taken).append(file.name)
    # What is taken without a word has nothing wrong with its boundary, whatever its folder says of its style.
    wrong = [n for n in taken if n.startswith("invalid_")]
    assert set(wrong) <= {
        "invalid_exterior_not_ccw.geojson",
        "invalid_interior_not_cw.geojson",
        "invalid_feature_id_type.geojson",
        "invalid_geometry_bbox_not4or6.geojson",
        "invalid_geometry_bbox_not_list.geojson",
        "invalid_geometry_bbox_not_numbers.geojson",
    }
    assert len(told) > 35


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("invalid_geometries/invalid_unclosed", "ring-not-closed"),
        ("invalid_geometries/invalid_less_three_unique_nodes", "ring-too-short"),
        ("invalid_structure/invalid_geometry_coordinates_1d", "wrong-nesting"),
        ("invalid_structure/invalid_geometry_depth_deep_polygon", "wrong-nesting"),
        ("invalid_structure/invalid_geometry_coordinates_string", "bad-coordinate"),
        ("invalid_structure/invalid_feature_wrong_geometry_key", "no-geometry-member"),
        ("problematic_geometries/problematic_self_intersection_large", "geometry-self-intersection"),
        ("problematic_geometries/problematic_feature_null_geometry", "geometry-missing"),
    ],
)
def test_a_broken_geojson_has_its_own_reason(shared_data: Path, name: str, code: str) -> None:
    _, problems = examine(shared_data / "geojson-invalid-chrieke" / f"{name}.geojson")
    assert code in {p.code for p in problems}


# --- coordinates that are no numbers ------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e308", "1e999"])
def test_endless_coordinates_are_rejected_and_others_load(tmp_path: Path, number: str) -> None:
    file = tmp_path / "endless.geojson"
    good = '{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[60,50],[61,50],[61,51],[60,50]]]}}'
    file.write_text(
        f'{{"type":"FeatureCollection","features":[{good},{good.replace("61,50", f"61,{number}")}]}}'
    )
    rows, problems = examine(file)
    assert rows == 2
    assert {p.row for p in problems if not p.warning} == {2}
    assert "not-finite" in problems[0].code


@pytest.mark.parametrize("ring", ["[60,50]", "[60,50],[60,50],[60,50],[60,50]", "[60,50],[61,50],[60,50]"])
def test_a_ring_of_one_point_or_two_is_rejected_and_others_load(tmp_path: Path, ring: str) -> None:
    good = "[60,50],[61,50],[61,51],[60,50]"
    features = [
        f'{{"type":"Feature","properties":{{}},"geometry":{{"type":"Polygon","coordinates":[[{points}]]}}}}'
        for points in (good, ring)
    ]
    file = tmp_path / "point.geojson"
    file.write_text(f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}')
    rows, problems = examine(file)
    assert rows == 2
    assert {p.row for p in problems} == {2}
    assert all(p.message and p.remedy for p in problems)


def test_endless_coordinates_in_a_geopackage(tmp_path: Path) -> None:
    shapes = np.array(
        [shapely.box(60, 50, 61, 51), shapely.from_wkt("POLYGON((60 50,61 1e308,61 51,60 50))")]
    )
    file = tmp_path / "endless.gpkg"
    pyogrio.raw.write(
        file,
        shapely.to_wkb(shapes),
        [np.array(["a", "b"], dtype=object)],
        ["name"],
        geometry_type="Polygon",
        crs="EPSG:4326",
        driver="GPKG",
    )
    _, problems = examine(file)
    assert {p.row for p in problems} == {2}


@pytest.mark.parametrize("value", ["NaN", "abc", "1e999", ""])
def test_rosreestr_with_a_coordinate_that_is_none(tmp_path: Path, value: str) -> None:
    file = tmp_path / "kpt.xml"
    point = '<NewOrdinate X="{}" Y="{}"/>'
    points = "".join(point.format(x, y) for x, y in ((1, 1), (value, 5), (9, 9), (1, 9)))
    file.write_text(
        f'<DataMessage><ZonyMozno CoordinateSystem="EPSG:3857"><ZonyMoznoEntitySpatial><ZonyMoznoObjectInfo Name="n"/>'
        f"<SpatialElement>{points}</SpatialElement></ZonyMoznoEntitySpatial></ZonyMozno></DataMessage>"
    )
    _, problems = examine(file)
    assert problems[0].code == "bad-coordinate"


# --- Shapefile and GeoPackage -------------------------------------------------------------------------------


@pytest.fixture
def shapefile(tmp_path: Path, shared_data: Path) -> Iterator[Path]:
    """A copy of a real Shapefile, to be broken."""
    for part in (shared_data / "rosnedra-cp1251-derived").glob("uchastki_cp1251.*"):
        shutil.copyfile(part, tmp_path / part.name)
    return iter([tmp_path / "uchastki_cp1251.shp"])


def test_a_shapefile_with_parts_missing(shapefile: Iterator[Path]) -> None:
    shp = next(shapefile)
    blocks = profile("rosnedra-blocks")
    shp.with_suffix(".shx").unlink()
    assert examine(shp, blocks)[0] == 400
    assert not shp.with_suffix(".shx").exists()
    shp.with_suffix(".cpg").unlink()
    source = Source.open(shp)
    batch = next(reader_for(source).batches(source, None))
    assert any("cp1251" in note for note in batch.notes)
    assert "местоположение" in str(batch.columns["НАИМЕН"].iloc[0])
    shp.with_suffix(".prj").unlink()
    assert "does not say its coordinate system" in refusal(shp, blocks).message
    shp.with_suffix(".dbf").unlink()
    assert ".dbf" in refusal(shp, blocks).message


def test_a_truncated_shapefile_is_refused(shapefile: Iterator[Path]) -> None:
    shp = next(shapefile)
    shp.write_bytes(shp.read_bytes()[:50_000])
    assert "cut off" in refusal(shp).message


def test_a_truncated_geopackage_is_refused(tmp_path: Path, shared_data: Path) -> None:
    whole = (shared_data / "bc-forest-licence-tfl6" / "wha_approved_tfl6.gpkg").read_bytes()
    file = tmp_path / "half.gpkg"
    file.write_bytes(whole[:100_000])
    refusal(file, profile("bc-wildlife"))


def test_a_giant_feature_is_refused_by_its_declared_size(
    tmp_path: Path,
) -> None:
    file = tmp_path / "giant.gpkg"
    shapes = shapely.to_wkb(np.array([shapely.box(60, 50, 61, 51)]))
    pyogrio.raw.write(
        file,
        shapes,
        [np.array(["a"], dtype=object)],
        ["name"],
        geometry_type="Polygon",
        crs="EPSG:4326",
        driver="GPKG",
    )
    with sqlite3.connect(file) as database:
        # 900 MB that stand in the file as zeros: SQLite tells their length without reading them.
        database.create_function("ST_IsEmpty", 1, lambda _: 0)
        for name in ("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(name, 1, lambda _: 0.0)
        database.execute("UPDATE giant SET geom = zeroblob(60000000)")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "takes 57.22 MB; 50 MB are allowed" in refusal(file, object_mb=50).message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("a.shp", "ESRI Shapefile"),
        ("a.fgb", "FlatGeobuf"),
        ("a.tab", "MapInfo File"),
        ("a.mif", "MapInfo File"),
        ("a.gml", "GML"),
        ("a.kml", "KML"),
        ("a.parquet", ""),
    ],
)
def test_a_giant_feature_is_refused_in_every_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, driver: str
) -> None:
    turn = np.linspace(0, 2 * np.pi, 5_001)
    shapes = np.array([shapely.polygons(np.column_stack((60 + np.cos(turn), 50 + np.sin(turn))))])
    frame = gpd.GeoDataFrame({"name": ["a"]}, geometry=shapes, crs="EPSG:4326")
    file = tmp_path / name
    if driver:
        pyogrio.write_dataframe(frame, file, driver=driver)
    else:
        frame.to_parquet(file)
    assert examine(file)[0] == 1
    if name == "a.shp":
        # Its index tells the size; the shape itself need not be read.
        monkeypatch.setattr(pyogrio, "open_arrow", None)
    assert "0.05 MB are allowed" in refusal(file, object_mb=0.05).message
