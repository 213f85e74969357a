"""Bad files: each gives a named reason, its place and the cure, in bounded memory and never a traceback."""

import json
import random
import resource
import shutil
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
import xlsxwriter
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from geo.crs import Catalogue, seeded
from geo.errors import MezhaError
from geo.layers import layer
from ingest.check import check
from ingest.errors import RefusedError
from ingest.normalise import normalise
from ingest.placement import placement_of
from ingest.problem import Problem
from ingest.profile import Profile, ReadRule, profile
from ingest.readers import archive, vector
from ingest.readers.catalogue import reader_for
from ingest.readers.licence_register import cell
from ingest.source import Source

CATALOGUE = Catalogue(seeded())
ANY = Profile.model_validate(
    {
        "name": "any",
        "title": {"ru": "любой", "en": "any"},
        "layer": "zones",
        "key": "any",
        "region": {"constant": "54"},
        "geometry": {"broken": "repair", "missing": "reject"},
        "fields": {},
    }
)


def examine(path: Path, known: Profile = ANY) -> tuple[int, list[Problem]]:
    """Rows and problems of a file, read and checked without a database; MezhaError where it is refused."""
    source = Source.open(path)
    rows, problems = 0, []
    for batch in reader_for(source, known.reader, known.read).batches(source, known.source_layer):
        rows += len(batch.rows)
        placed = placement_of(batch, known, CATALOGUE, None)
        problems += [*batch.problems, *normalise(batch, known).problems]
        problems += check(batch, known, layer(known.layer), placed).problems
    return rows, problems


def refusal(path: Path, known: Profile = ANY) -> MezhaError:
    """The refusal of a file, which must name a cure."""
    with pytest.raises(MezhaError) as err:
        examine(path, known)
    assert err.value.message
    assert err.value.remedy
    return err.value


# --- the collection of broken GeoJSON -------------------------------------------------------------------------


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


# --- coordinates that are no numbers --------------------------------------------------------------------------


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


# --- archives -------------------------------------------------------------------------------------------------


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("a.geojson", "w", force_zip64=True) as out,
    ):
        for _ in range(200):
            out.write(bytes(1 << 20))
    assert "zip bomb" in refusal(file).message


def test_a_zip_that_lies_about_its_size_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _zip(tmp_path / "lie.zip", {"a.geojson": b" " * 100_000})
    honest = archive.members

    def small(source: Source) -> list[zipfile.ZipInfo]:
        found = honest(source)
        for info in found:
            info.file_size = 10
        return found

    monkeypatch.setattr(archive, "members", small)
    assert "breaks off" in refusal(file).message


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.geojson", "/etc/passwd.geojson", "a/../../b.geojson", "C:\\b.geojson"]
)
def test_a_zip_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    assert "leads outside" in refusal(_zip(tmp_path / "out.zip", {name: b"{}"})).message


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "link.zip"
    info = zipfile.ZipInfo("plans.geojson")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(info, "/etc/passwd")
    assert "holds a link" in refusal(file).message


def test_a_zip_of_folders_and_layers(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "rosnedra-cp1251-derived"
    members = {f"реестр 2024/недра {p.name}": p.read_bytes() for p in folder.glob("uchastki_cp1251.*")}
    file = _zip(tmp_path / "nested.zip", members)
    rows, _ = examine(file, profile("rosnedra-blocks"))
    assert rows == 400
    members |= {"b/other.csv": b"a;b\n1;2\n3;4\n"}
    two = _zip(tmp_path / "two.zip", members)
    assert "holds 2 layers" in refusal(two).message
    chosen = profile("rosnedra-blocks").model_copy(update={"source_layer": "*.shp"})
    assert examine(two, chosen)[0] == 400


def test_a_broken_zip_is_refused(tmp_path: Path) -> None:
    whole = _zip(tmp_path / "whole.zip", {"a.geojson": random.Random(1).randbytes(50_000)})
    file = tmp_path / "half.zip"
    file.write_bytes(whole.read_bytes()[:20_000])
    assert "damaged zip" in refusal(file).message


# --- XML ------------------------------------------------------------------------------------------------------

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize("root", ["KPT", "DataMessage", "ForestPropertyData", "kml", "gml"])
@pytest.mark.parametrize(
    "doctype",
    ['<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', f'<!DOCTYPE x [<!ENTITY l0 "ha">{_LAUGHS}]>'],
)
def test_entities_are_refused(tmp_path: Path, root: str, doctype: str) -> None:
    file = tmp_path / "evil.xml"
    file.write_text(f'<?xml version="1.0"?>{doctype}<{root}><Parcel CadastralNumber="&e;"/></{root}>')
    refusal(file)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_entities_do_not_hide_behind_an_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "evil.xml"
    text = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><KPT><Parcel CadastralNumber="&e;"/></KPT>'
    file.write_bytes((" " * 3_000 + text).encode(encoding))
    refusal(file, profile("rosreestr-kpt"))


def test_truncated_xml_is_refused_whole(tmp_path: Path, shared_data: Path) -> None:
    whole = (shared_data / "rosreestr-kpt-xml" / "kpt10_21_02_010106.xml").read_bytes()
    file = tmp_path / "half.xml"
    file.write_bytes(whole[: len(whole) // 2])
    assert "damaged XML" in refusal(file, profile("rosreestr-kpt")).message


def test_a_document_that_points_at_other_sources_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "evil.vrt"
    file.write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    )
    refusal(file)


# --- Shapefile and GeoPackage ---------------------------------------------------------------------------------


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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    monkeypatch.setattr(vector, "MAX_FEATURE", 50_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "has a geometry of 57 MB" in refusal(file).message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


# --- tables ---------------------------------------------------------------------------------------------------


def _licences(**fields: Any) -> Profile:
    known = {
        "number": {"from": "Номер"},
        "holder_inn": {"from": "ИНН", "as": "inn"},
        "issued_on": {"from": "Дата", "as": "date"},
    }
    return Profile.model_validate(
        {
            "name": "any",
            "title": {"ru": "a", "en": "a"},
            "layer": "licences",
            "key": "{Номер}",
            "region": {"constant": "54"},
            "geometry": {"missing": "accept"},
            "fields": known | fields,
        }
    )


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ("1;7707083894;01.02.2024", "bad-inn"),
        ("1;0000000000;01.02.2024", "bad-inn"),
        ("1;7707083893;30.02.2024", "bad-date"),
        ("1;7707083893;01.02.20240", "bad-date"),
        ("1;7707083893;2024-13-01", "bad-date"),
        (";7707083893;01.02.2024", "missing-key"),
        ("1;7707083893;01.02.2024;4", "bad-field-count"),
        ("1;7707083893", "bad-field-count"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "cp866", "utf-16"])
def test_a_bad_cell_has_its_reason_in_every_encoding(
    tmp_path: Path, cells: str, code: str, encoding: str
) -> None:
    file = tmp_path / "licences.csv"
    rows = ["Номер;ИНН;Дата", "7;7707083893;01.02.2023", cells, "8;7736050003;01.03.2023"]
    file.write_bytes("\r\n".join(rows).encode(encoding))
    count, problems = examine(file, _licences())
    assert count == 3
    assert {(p.row, p.code) for p in problems if not p.warning} == {(3, code)}


def test_a_wrong_delimiter_in_the_profile_is_told(tmp_path: Path) -> None:
    file = tmp_path / "licences.csv"
    file.write_text("Номер;ИНН;Дата\n7;7707083893;01.02.2023\n")
    known = _licences().model_copy(update={"reader": "table", "read": ReadRule(delimiter="|")})
    assert "cut evenly by ';'" in refusal(file, known).remedy


def test_a_table_that_breaks_its_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "licences.csv"
    file.write_bytes(
        "Номер;ИНН\n".encode() + f"1;{'и' * 400}\n".encode() * 1_400 + "2;имя\n".encode("cp1251")
    )
    known = _licences(holder_inn={"from": "ИНН"}, issued_on={"from": "ИНН", "as": "date", "bad": "warn"})
    assert "not utf-8 throughout" in refusal(file, known).message


def test_merged_header_cells_become_names(tmp_path: Path) -> None:
    file = tmp_path / "corners.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet("Лист")
        sheet.merge_range(0, 0, 0, 4, "Реестр участков на 01.01.2024")
        sheet.merge_range(1, 0, 2, 0, "Номер")
        sheet.merge_range(1, 1, 1, 2, "Площадь")
        sheet.merge_range(1, 3, 1, 4, "Дата")
        sheet.write_row(2, 1, ["га", "м2", "выдачи", "окончания"])
        sheet.write_row(3, 0, ["НОВ 12345 ТЭ", 1.5, 15000, "01.02.2024", "01.02.2030"])
        sheet.write_row(4, 0, ["НОВ 12346 ТЭ", 2.5, 25000, "01.02.2024", "01.02.2030"])
    source = Source.open(file)
    batch = next(reader_for(source).batches(source, None))
    assert list(batch.columns) == [
        "Номер",
        "Площадь / га",
        "Площадь / м2",
        "Дата / выдачи",
        "Дата / окончания",
    ]
    assert len(batch.rows) == 2


def test_a_workbook_that_is_none_is_refused(tmp_path: Path) -> None:
    refusal(_zip(tmp_path / "a.xlsx", {"xl/workbook.xml": b"<a/>", "[Content_Types].xml": b"<a/>"}))


def test_corner_points_in_three_notations_make_the_same_object(tmp_path: Path) -> None:
    rings = {
        1: [(83, 55), (83.5, 55), (83.5, 55.5), (83, 55.5)],
        2: [(83.2, 55.2), (83.3, 55.2), (83.3, 55.3)],
    }
    written = {
        "decimal": lambda v, _: f"{v:.6f}".replace(".", ","),
        "dms": lambda v, mark: f"{int(v)}°{int(v % 1 * 60 + 1e-9):02d}'00\" {mark}",
    }
    found = []
    for name, form in written.items():
        rows = ["Участок;Контур;Кольцо;№ точки;Северная широта;Восточная долгота"]
        for ring, points in rings.items():
            rows += [
                f"А;1;{ring};{n};{form(y, 'с.ш.')};{form(x, 'в.д.')}"
                for n, (x, y) in enumerate(points, start=1)
            ]
        rows += [
            f"А;2;1;{n};{form(y, 'с.ш.')};{form(x, 'в.д.')}"
            for n, (x, y) in enumerate([(84, 55), (84.5, 55), (84.5, 55.5)], 1)
        ]
        file = tmp_path / f"{name}.csv"
        file.write_text("\n".join(rows), "utf-8")
        source = Source.open(file)
        reader = reader_for(source)
        assert reader.name == "corners"
        batch = next(reader.batches(source, None))
        assert not batch.problems
        found.append(batch.geometries[0])
    assert len(found[0].geoms) == 2
    assert len(found[0].geoms[0].interiors) == 1
    assert found[0].equals_exact(found[1], 1e-9)


@pytest.mark.parametrize(
    ("driver", "suffix"),
    [
        ("KML", "kml"),
        ("DXF", "dxf"),
        ("FlatGeobuf", "fgb"),
        ("GML", "gml"),
        ("MapInfo File", "tab"),
        ("GeoJSONSeq", "geojsonl"),
        ("LIBKML", "kmz"),
    ],
)
def test_every_format_is_known_by_its_content(tmp_path: Path, driver: str, suffix: str) -> None:
    file = tmp_path / f"plans.{suffix}"
    fields: list[Any] = [] if driver == "DXF" else [np.array(["имя"], dtype=object)]
    options = {"layer_options": {"ENCODING": "CP1251"}} if suffix == "tab" else {}
    pyogrio.raw.write(
        file,
        shapely.to_wkb(np.array([shapely.box(60, 50, 61, 51)])),
        fields,
        ["title"][: len(fields)],
        geometry_type="Polygon",
        crs="EPSG:4326",
        driver=driver,
        **options,
    )
    source = Source.open(file)
    batch = next(reader_for(source).batches(source, None))
    assert len(batch.rows) == 1
    assert batch.geometries[0] is not None
    assert driver == "DXF" or "имя" in batch.columns.astype(str).to_numpy()


def test_geoparquet_comes_with_its_system(tmp_path: Path) -> None:
    import geopandas

    file = tmp_path / "plans.parquet"
    geopandas.GeoDataFrame(
        {"name": ["a"]}, geometry=[shapely.box(6e6, 5e6, 6.1e6, 5.1e6)], crs=3857
    ).to_parquet(file)
    source = Source.open(file)
    batch = next(reader_for(source).batches(source, None))
    assert (batch.crs, len(batch.rows)) == ("EPSG:3857", 1)
    file.write_bytes(file.read_bytes()[:-200])
    refusal(file)


# --- fuzz -----------------------------------------------------------------------------------------------------

_CALM = hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_SEEDS = (
    b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":1},"geometry":{"type":"Polygon","coordinates":[[[1,2],[3,4],[5,1],[1,2]]]}}]}',
    "№ точки;Широта;Долгота;Имя\n1;55°10'11\";83°1'2\";a\n2;55,2;83,1;a\n3;55.3;83.3;a\n".encode(),
    b'<KPT><CoordSystem CsId="1" Name="EPSG:4326"/><Parcel CadastralNumber="21:02:010106:1"><EntitySpatial EntSys="1"><SpatialElement><Ordinate X="1" Y="2"/><Ordinate X="3" Y="2"/><Ordinate X="3" Y="5"/></SpatialElement></EntitySpatial></Parcel></KPT>',
    "11431102.01?\r\n0.84.1.1:1.2.1,8.82:17..3?\r\n1.3.3.3.7:3.Б.2.СЛТР.С3:10.1.8.Б.65.21.24.3.5.0,7..200?\r\n".encode(
        "cp866"
    ),
    b'Version 300\nCharset "Neutral"\nDelimiter ","\nCoordSys Earth Projection 1, 104\nColumns 1\n  a Char(5)\nData\n\nRegion 1\n  4\n0 0\n1 0\n1 1\n0 0\n',
)


@_CALM
@given(
    seed=st.sampled_from(_SEEDS),
    cuts=st.lists(
        st.tuples(st.integers(0, 400), st.binary(max_size=6), st.integers(0, 12)), min_size=1, max_size=4
    ),
)
@example(seed=_SEEDS[0], cuts=[(118, b"[]", 5)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_bytes_break_a_reader(tmp_path: Path, seed: bytes, cuts: list[tuple[int, bytes, int]]) -> None:
    content = seed
    for place, inserted, removed in cuts:
        content = content[:place] + inserted + content[place + removed :]
    file = tmp_path / "fuzzed.dat"
    file.write_bytes(content)
    try:
        examine(file)
    except MezhaError as err:
        assert err.message


@_CALM
@given(st.text(alphabet="0123456789°'\" .,NSЕЕСВсшвдШД№точкиПолигон-:\n\t", max_size=200))
def test_no_cell_breaks_the_licence_register(text: str) -> None:
    with suppress(ValueError):
        cell(text)


def test_nested_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "deep.geojson"
    file.write_text(
        '{"type":"Feature","properties":{},"geometry":'
        + '{"type":"GeometryCollection","geometries":[' * 4000
        + "]}" * 4000
        + "}"
    )
    with pytest.raises(RefusedError):
        examine(file)


def test_keys_that_stand_twice_in_json_are_noted(tmp_path: Path) -> None:
    file = tmp_path / "twice.geojson"
    feature = json.dumps({"type": "Feature", "properties": {"a": 1}, "geometry": None}).replace(
        '"a": 1', '"a": 1, "a": 2'
    )
    file.write_text(feature)
    source = Source.open(file)
    batch = next(reader_for(source).batches(source, None))
    assert any("duplicate keys" in note for note in batch.notes)
