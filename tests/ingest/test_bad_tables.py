"""Bad tables: a cell, a delimiter, an encoding or a header that is wrong has its own reason."""

import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
import xlsxwriter

from ingest.profile import Profile, ReadRule
from ingest.readers.catalogue import reader_for
from ingest.source import Source
from tests.ingest.examination import examine, refusal, zipped


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
    refusal(zipped(tmp_path / "a.xlsx", {"xl/workbook.xml": b"<a/>", "[Content_Types].xml": b"<a/>"}))


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


@pytest.mark.parametrize("suffix", [".tab", ".mif"])
@pytest.mark.parametrize("header", ["Neutral", None])
def test_a_mapinfo_table_that_names_no_charset_is_read_as_cp1251(
    tmp_path: Path, suffix: str, header: str | None
) -> None:
    file = tmp_path / f"a{suffix}"
    frame = gpd.GeoDataFrame({"name": ["Ёлкино"]}, geometry=[shapely.box(60, 50, 61, 51)], crs="EPSG:4326")
    pyogrio.write_dataframe(frame, file, driver="MapInfo File", encoding="cp1251")
    text = re.sub(rb"(?im)^.*charset.*\r?\n", b"", file.read_bytes(), count=1)
    if header:
        line = f"!charset {header}\n" if suffix == ".tab" else f'Charset "{header}"\n'
        text = re.sub(rb"(?i)(version \d+\r?\n)", rb"\1" + line.encode(), text, count=1)
    file.write_bytes(text)
    batch = next(iter(reader_for(Source.open(file)).batches(Source.open(file), None)))
    assert batch.columns["name"].tolist() == ["Ёлкино"]
    assert any("names no charset; cp1251" in note for note in batch.notes)
