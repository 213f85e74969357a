"""Boundaries from files: every format into a case, every doubt a question, every refusal with its reason and cure."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from api.surveyor import survey
from cases import boundary_file, ground, queue
from cases.boundary_file import NewFile
from cases.desk import Desk
from cases.errors import NotAllowedError, UnknownCaseError, WrongStateError
from cases.record import Case
from geo.crs import WGS84, Catalogue, reproject, seeded
from geo.db import Database
from geo.problem import sentence_of
from geo.settings import Settings
from tests.cases.region import APPLICANT, OFFICER, PLOT, RIVAL, Region, act, declaration, lodged

PLOT_SHAPE = shapely.box(*PLOT)
SECOND = shapely.box(83.03, 55.01, 83.04, 55.02)
LOCAL = Catalogue(seeded()).resolve("МСК-54 зона 3")


def _local(shape: Any) -> Any:
    return reproject(np.array([shape], dtype=object), WGS84, LOCAL.definition)[0]


def _frame(*shapes: Any, crs: str | None = WGS84) -> gpd.GeoDataFrame:
    names = [f"лесосека {n}" for n in range(1, len(shapes) + 1)]
    return gpd.GeoDataFrame({"name": names}, geometry=list(shapes), crs=crs)


def _written(folder: Path, name: str, frame: gpd.GeoDataFrame, driver: str) -> bytes:
    path = folder / name
    frame.to_file(path, driver=driver)
    return path.read_bytes()


def _gpkg(folder: Path) -> NewFile:
    return NewFile("граница.gpkg", _written(folder, "a.gpkg", _frame(PLOT_SHAPE), "GPKG"))


def _geojson(folder: Path) -> NewFile:
    return NewFile("a.geojson", _written(folder, "a.geojson", _frame(PLOT_SHAPE), "GeoJSON"))


def _kml(folder: Path) -> NewFile:
    return NewFile("a.kml", _written(folder, "a.kml", _frame(PLOT_SHAPE), "KML"))


def _shapefile(folder: Path) -> NewFile:
    _frame(_local(PLOT_SHAPE), crs=LOCAL.definition).to_file(folder / "a.shp", driver="ESRI Shapefile")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part in folder.glob("a.*"):
            archive.write(part, part.name)
        archive.writestr("Прочти меня.txt", "Это граница лесосеки.\n")
    return NewFile("a.zip", packed.getvalue(), "МСК-54 зона 3")


def _mif(folder: Path) -> NewFile:
    """MapInfo interchange as one zip with its attributes, latin letters."""
    ring = "\n".join(f"{x} {y}" for x, y in PLOT_SHAPE.exterior.coords)
    mif = f'Version 300\nCharset "WindowsCyrillic"\nDelimiter ","\nCoordSys Earth Projection 1, 104\nColumns 1\n  name Char(20)\nData\n\nRegion 1\n5\n{ring}\n'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.mif", mif)
        archive.writestr("a.mid", '"plot"\n')
    return NewFile("a.zip", packed.getvalue())


def _dxf(folder: Path) -> NewFile:
    """A closed polyline as drawing programmes write it, in МСК-54; the format names no system."""
    corners = "".join(f"10\n{x:.3f}\n20\n{y:.3f}\n" for x, y in _local(PLOT_SHAPE).exterior.coords[:-1])
    body = f"0\nSECTION\n2\nENTITIES\n0\nLWPOLYLINE\n8\nplot\n90\n4\n70\n1\n{corners}0\nENDSEC\n0\nEOF\n"
    return NewFile("a.dxf", body.encode(), "МСК-54 зона 3")


def _corners(folder: Path) -> NewFile:
    """A table of corner points as surveyors print it: X is north."""
    rows = [f"{n};{y:.2f};{x:.2f}" for n, (x, y) in enumerate(_local(PLOT_SHAPE).exterior.coords[:-1], 1)]
    text = "\n".join(["Объект;№ точки;X;Y", *(f"лесосека;{r}" for r in rows)])
    return NewFile("углы.csv", text.encode("cp1251"), "МСК-54 зона 3")


async def _sent(writer: Database, desk: Desk, settings: Settings, case: int, file: NewFile) -> Any:
    async with writer.transaction(APPLICANT.caller) as connection:
        number = await boundary_file.enter(connection, desk, APPLICANT, case, file)
    await survey(settings, number)
    return await _state(writer, case, number)


async def _state(writer: Database, case: int, number: int) -> Any:
    async with writer.transaction(APPLICANT.caller) as connection:
        return await boundary_file.one(connection, case, number)


async def _answered(writer: Database, desk: Desk, settings: Settings, row: Any, **answers: Any) -> Any:
    async with writer.transaction(APPLICANT.caller) as connection:
        await boundary_file.answer(
            connection, desk, APPLICANT, row["case_id"], number=row["id"], answers=answers
        )
    await survey(settings, row["id"])
    return await _state(writer, row["case_id"], row["id"])


async def _boundary(writer: Database, case: int) -> dict[str, Any]:
    async with writer.transaction(APPLICANT.caller) as connection:
        row = (await queue.dossier(connection, Desk("54", "Asia/Novosibirsk"), APPLICANT, case)).geometry
        assert row is not None
        return dict(row)


@pytest.fixture
async def case(writer: Database, desk: Desk, region: Region) -> Case:
    """A draft whose boundary stands somewhere else already."""
    return await declaration(writer, desk, region, corners=(83.05, 55.02, 83.06, 55.03))


@pytest.mark.requirement("F-13")
@pytest.mark.parametrize("made", [_gpkg, _geojson, _kml, _shapefile, _mif, _dxf, _corners])
async def test_every_format_becomes_the_boundary_of_the_case(
    *,
    writer: Database,
    desk: Desk,
    settings: Settings,
    case: Case,
    tmp_path: Path,
    made: Callable[[Path], NewFile],
) -> None:
    file = made(tmp_path)
    row = await _sent(writer, desk, settings, case.id, file)
    assert (row["status"], row["problem"]) == ("done", {})
    kept = await _boundary(writer, case.id)
    shape = shapely.from_geojson(json.dumps(kept["geometry"]))
    assert shapely.symmetric_difference(shape, PLOT_SHAPE).area < 1e-4 * PLOT_SHAPE.area
    # The very bytes are the evidence.
    assert kept["sha256"] == row["sha256"]
    assert kept["way"] == "uploaded"
    drawn = ground.drawn(json.loads(shapely.to_geojson(PLOT_SHAPE))).area_m2
    assert kept["area_m2"] == pytest.approx(drawn, rel=2e-3)


async def test_a_file_without_a_system_is_a_question(
    *, writer: Database, desk: Desk, settings: Settings, case: Case, tmp_path: Path
) -> None:
    file = _dxf(tmp_path)
    row = await _sent(writer, desk, settings, case.id, NewFile(file.name, file.body))
    assert (row["status"], row["question"]) == ("asking", "crs")
    assert "MSK-54/3" in {c["code"] for c in row["choices"]}
    row = await _answered(writer, desk, settings, row, crs="MSK-54/3")
    assert row["status"] == "done"
    assert (await _boundary(writer, case.id))["source_crs"] == "MSK-54/3"


async def test_a_relabelled_system_is_found_out(
    *, writer: Database, desk: Desk, settings: Settings, case: Case, tmp_path: Path
) -> None:
    """Coordinates of МСК-54 in a file that says WGS 84: the fault of a system that relabels instead of reprojecting."""
    body = _written(tmp_path, "a.gpkg", _frame(_local(PLOT_SHAPE), crs=WGS84), "GPKG")
    row = await _sent(writer, desk, settings, case.id, NewFile("a.gpkg", body))
    assert (row["status"], row["question"]) == ("asking", "crs")
    assert "cannot be in" in sentence_of(row["problem"]["message"])


async def test_of_several_contours_the_applicant_chooses(
    *, writer: Database, desk: Desk, settings: Settings, case: Case, tmp_path: Path
) -> None:
    far = shapely.box(83.07, 55.0, 83.08, 55.01)
    body = _written(tmp_path, "a.gpkg", _frame(PLOT_SHAPE, SECOND, far), "GPKG")
    row = await _sent(writer, desk, settings, case.id, NewFile("a.gpkg", body))
    assert (row["status"], row["question"]) == ("asking", "contours")
    assert [c["label"] for c in row["choices"]] == ["лесосека 1", "лесосека 2", "лесосека 3"]
    assert row["choices"][0]["area_m2"] == pytest.approx(711_000, rel=0.02)
    row = await _answered(writer, desk, settings, row, contours=[1, 2])
    assert row["status"] == "done"
    kept = await _boundary(writer, case.id)
    shape = shapely.from_geojson(json.dumps(kept["geometry"]))
    assert shapely.equals_exact(
        shapely.normalize(shape), shapely.normalize(shapely.MultiPolygon([PLOT_SHAPE, SECOND])), 1e-7
    )
    assert kept["source_part"] == "1,2"


async def test_a_bow_tie_is_repaired_only_when_accepted(
    *, writer: Database, desk: Desk, settings: Settings, case: Case, tmp_path: Path
) -> None:
    before = (await _boundary(writer, case.id))["id"]
    tie = shapely.Polygon([(83.01, 55.01), (83.02, 55.02), (83.02, 55.01), (83.01, 55.02)])
    body = _written(tmp_path, "a.geojson", _frame(tie), "GeoJSON")
    row = await _sent(writer, desk, settings, case.id, NewFile("a.geojson", body))
    assert (row["status"], row["question"]) == ("asking", "repair")
    assert row["problem"]["place"] == pytest.approx([83.015, 55.015])
    assert (await _boundary(writer, case.id))["id"] == before
    row = await _answered(writer, desk, settings, row, repair=True)
    assert row["status"] == "done"
    kept = await _boundary(writer, case.id)
    assert kept["repair"].startswith("self-intersection")
    assert kept["sha256"] == row["sha256"]


_MANY = [shapely.box(83 + i % 50 / 1000, 55 + i // 50 / 1000, 83.0005 + i % 50 / 1000, 55.0005 + i // 50 / 1000) for i in range(600)]  # fmt: skip


_TURN = np.linspace(0, 2 * np.pi, 210_000)
_LONG = shapely.Polygon(np.column_stack((83 + np.cos(_TURN) / 100, 55 + np.sin(_TURN) / 100)))


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (NewFile("a.pdf", b"%PDF-1.7\n1 0 obj\n"), "a.pdf is no file that Mezha reads"),
        (NewFile("a.shp", b"\x00\x00\x27\x0a" + bytes(40)), "cut off"),
        (NewFile("a.zip", b"PK\x03\x04" + b"x" * 60), "damaged"),
        (NewFile("../../etc/passwd", b"root:x:0:0"), "no"),
        (NewFile("a.geojson", json.dumps({"type": "Point", "coordinates": [83, 55]}).encode()), "no area"),
        (NewFile("a.geojson", shapely.to_geojson(shapely.MultiPolygon(_MANY)).encode()[:9000]), ""),
        (NewFile("a.geojson", _frame(*_MANY).to_json().encode()), "more than 500 areas"),
        (NewFile("a.geojson", shapely.to_geojson(_LONG).encode()), "more than 200000"),
        (NewFile("a.csv", "Объект;№ точки;X;Y\nа;1;55,01;83,01\nа;2;север;83,02\nа;3;55,02;83,01\n".encode()), "Row 2"),
    ],
    ids=["pdf", "cut", "zip", "path", "point", "broken", "many", "long", "corner"],
)  # fmt: skip
async def test_what_cannot_be_a_boundary_is_refused_with_reason_and_cure(
    *, writer: Database, desk: Desk, settings: Settings, case: Case, file: NewFile, says: str
) -> None:
    before = (await _boundary(writer, case.id))["id"]
    row = await _sent(writer, desk, settings, case.id, file)
    assert row["status"] == "refused"
    message, remedy = (sentence_of(row["problem"][part]) for part in ("message", "remedy"))
    assert says in message
    assert remedy
    assert row["problem"]["code"] in ("file-refused", "bad-geometry")
    assert (await _boundary(writer, case.id))["id"] == before


async def test_only_the_applicant_sends_and_only_while_he_may_change(
    *, writer: Database, desk: Desk, settings: Settings, region: Region, case: Case, tmp_path: Path
) -> None:
    file = _geojson(tmp_path)
    for stranger in (RIVAL, OFFICER):
        async with writer.transaction(stranger.caller) as connection:
            with pytest.raises((UnknownCaseError, NotAllowedError)):
                await boundary_file.enter(connection, desk, stranger, case.id, file)
    row = await _sent(writer, desk, settings, case.id, file)
    async with writer.transaction(RIVAL.caller) as connection:
        with pytest.raises(UnknownCaseError):
            await boundary_file.one(connection, case.id, row["id"])
    async with writer.transaction(APPLICANT.caller) as connection:
        with pytest.raises(WrongStateError):
            await boundary_file.answer(
                connection, desk, APPLICANT, case.id, number=row["id"], answers={"crs": "EPSG:4326"}
            )
    sent = await lodged(writer, desk, region, corners=(83.06, 55.0, 83.065, 55.005))
    async with writer.transaction(APPLICANT.caller) as connection:
        with pytest.raises(WrongStateError):
            await boundary_file.enter(connection, desk, APPLICANT, sent.id, file)


async def test_a_case_sent_meanwhile_keeps_its_boundary(
    *, writer: Database, desk: Desk, settings: Settings, region: Region, tmp_path: Path
) -> None:
    """The file waits in the queue while the draft is lodged: what was lodged stays, and the sender is told."""
    draft = await declaration(writer, desk, region, corners=(83.07, 55.0, 83.075, 55.005))
    async with writer.transaction(APPLICANT.caller) as connection:
        number = await boundary_file.enter(connection, desk, APPLICANT, draft.id, _geojson(tmp_path))
    done = await act(writer, desk, APPLICANT, "submit", draft.id)
    await survey(settings, number)
    row = await _state(writer, draft.id, number)
    assert row["status"] == "refused"
    assert row["problem"]["code"] == "wrong-state"
    assert (await _boundary(writer, draft.id))["id"] == done.geometry


async def test_a_second_file_drops_the_first(
    *, writer: Database, desk: Desk, settings: Settings, case: Case, tmp_path: Path
) -> None:
    async with writer.transaction(APPLICANT.caller) as connection:
        first = await boundary_file.enter(connection, desk, APPLICANT, case.id, _gpkg(tmp_path))
    row = await _sent(writer, desk, settings, case.id, _geojson(tmp_path))
    await survey(settings, first)
    assert (await _state(writer, case.id, first))["status"] == "dropped"
    assert (await _boundary(writer, case.id))["sha256"] == row["sha256"]
