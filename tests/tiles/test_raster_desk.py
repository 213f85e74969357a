"""Rasters from the office: sent in, converted by the worker, refused with their reason, changed, taken out, swept."""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import httpx
import numpy as np
import psycopg
import pytest
from rasterio.transform import from_bounds

from accounts.person import Duty, Person
from geo.access import ANONYMOUS, Caller
from geo.rasters import catalogue, uploads
from geo.settings import Settings
from tests.conftest import client_of
from tests.tiles.test_rasters import SIDE, SOUTH, WEST, scene
from tiles.rasters import desk, workshop

REGISTRAR = Person(8, "Анна", duties=(Duty("registrar", "54", "Управление"),))
ELSEWHERE = Person(9, "Пётр", duties=(Duty("registrar", "70", "Управление"),))


def waves(path: Path, seed: int = 1, **profile: object) -> Path:
    """Heights that differ from file to file."""
    values = np.random.default_rng(seed).normal(200, 40, (80, 90)).astype("float32")
    return scene(path, values, **profile)


async def send(
    settings: Settings, file: Path, *, person: Person = REGISTRAR, **fields: str
) -> httpx.Response:
    """Send a file in as the office does."""
    form = {"taken": "2024-06-01", "kind": "terrain", "access": "restricted"} | fields
    content = await asyncio.to_thread(file.read_bytes)
    async with client_of(settings, person.caller(), person) as client:
        client.headers["accept"] = "text/html"
        return await client.post(
            "/office/rasters", data=form, files=[("files", (file.name, content, "image/tiff"))]
        )


def number_of(answer: httpx.Response) -> int:
    """The number of the upload that the answer leads to."""
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rsplit("/", 1)[-1])


def row(settings: Settings, number: int) -> tuple[str, dict[str, object] | None]:
    """State and problem of an upload."""
    with psycopg.connect(settings.database_url) as owner:
        found = owner.execute(
            "SELECT status, problem FROM rasters.uploads WHERE id = %s", [number]
        ).fetchone()
    assert found is not None
    return found


def journal(settings: Settings, name: str) -> list[tuple[str, int | None, dict[str, object]]]:
    """What the journal says of a raster."""
    with psycopg.connect(settings.database_url) as owner:
        return owner.execute(
            "SELECT action, account, details FROM journal.entries WHERE subject = 'raster' AND details ->> 'name' = %s ORDER BY number",
            [name],
        ).fetchall()


@pytest.mark.requirement("F-34")
async def test_a_picture_goes_in_is_drawn_changed_and_taken_out(settings: Settings, tmp_path: Path) -> None:
    answer = await send(settings, waves(tmp_path / "Рельеф.tif"), title="Рельеф участка", unit="м")
    number = number_of(answer)
    desk.convert(settings, number)
    assert row(settings, number) == ("done", None)
    assert list(uploads.folder(settings).iterdir()) == []
    name = "relef-uchastka-2024-06-01"
    async with client_of(settings, REGISTRAR.caller(), REGISTRAR) as client:
        client.headers["accept"] = "text/html"
        page = await client.get(f"/office/rasters/{name}")
        assert page.status_code == 200 and "Рельеф.tif" in page.text
        assert f"/raster/items/{name}/preview.png" in (await client.get("/office/rasters")).text
        look = {"title": "Рельеф", "taken": "2024-06-02", "kind": "terrain", "access": "public"}
        look |= {"colours": "viridis", "least": "100", "greatest": "350,5", "unit": "м"}
        assert (await client.post(f"/office/rasters/{name}", data=look)).status_code == 303
        (shown,) = (await client.get(f"/api/v1/rasters?names={name}&bbox=0,0,0,0")).json()["rasters"]
        legend = shown["views"][0]["legend"]
        assert (legend["least"], legend["greatest"], legend["unit"]) == (100, 350.5, "м")
        for bad in (
            {"least": "9", "greatest": "1"},
            {"least": "x"},
            {"colours": "no-such"},
            {"taken": "2999-01-01"},
        ):
            refused = await client.post(f"/office/rasters/{name}", data=look | bad)
            assert (refused.status_code, "error-summary" in refused.text) == (400, True), bad
        assert (await client.post(f"/office/rasters/{name}/out", data={"reason": " "})).status_code == 400
        assert (
            await client.post(f"/office/rasters/{name}/out", data={"reason": "устарел"})
        ).status_code == 303
        assert (await client.get(f"/raster/items/{name}/info")).status_code == 404
    entries = journal(settings, name)
    assert [(action, account) for action, account, _ in entries] == [
        ("upload", 8),
        ("change", 8),
        ("change", 8),
    ]
    assert entries[1][2]["rank"] == "2 → 0"
    assert entries[2][2]["reason"] == "устарел"


async def test_another_region_neither_sees_nor_touches_it(settings: Settings, tmp_path: Path) -> None:
    number = number_of(await send(settings, waves(tmp_path / "a.tif", 2), title="Тайна"))
    desk.convert(settings, number)
    name = "tayna-2024-06-01"
    for person in (ELSEWHERE, None):
        async with client_of(settings, person.caller() if person else ANONYMOUS, person) as client:
            assert "tayna" not in (await client.get("/office/rasters")).text
            for path in (
                f"/office/rasters/{name}",
                f"/office/rasters/uploads/{number}",
                f"/raster/items/{name}/preview.png",
            ):
                assert (await client.get(path)).status_code in (401, 403, 404), path
            assert (await client.post(f"/office/rasters/{name}/out", data={"reason": "x"})).status_code in (
                401,
                403,
                404,
            )
            assert (await client.post(f"/office/rasters/uploads/{number}/drop")).status_code in (
                401,
                403,
                404,
            )
    async with client_of(settings, REGISTRAR.caller(), REGISTRAR) as client:
        assert (await client.get(f"/office/rasters/{name}")).status_code == 200


def _half(path: Path) -> Path:
    whole = waves(path, 3).read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    return path


def _text(path: Path) -> Path:
    path.write_text("no raster")
    return path


def _erdas(path: Path) -> Path:
    """A format whose files may name another one with the pixels."""
    return waves(path, 10, driver="HFA")


def _nowhere(path: Path) -> Path:
    return waves(path, 4, crs=None)


def _swelling(path: Path) -> Path:
    """A few kilobytes that unpack to more than the disk is to be troubled with."""
    import rasterio

    wide = {
        "driver": "GTiff",
        "width": 39_000,
        "height": 39_000,
        "count": 20,
        "dtype": "uint8",
        "crs": "EPSG:4326",
    }
    place = from_bounds(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE, 39_000, 39_000)
    with rasterio.open(path, "w", **wide, transform=place, sparse_ok=True, tiled=True, compress="deflate"):
        pass
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_half, "не читается до конца"),
        (_text, "это не снимок"),
        (_erdas, "это не снимок"),
        (_nowhere, "не указаны система координат"),
        (_swelling, "слишком большой снимок"),
    ],
)
async def test_a_bad_file_says_why_in_russian_and_leaves_nothing(
    settings: Settings, tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    file = make(tmp_path / "Плохой.tif")
    before = set(catalogue.folder(settings).glob("*")) if catalogue.folder(settings).is_dir() else set()
    number = number_of(await send(settings, file, title=make.__name__))
    desk.convert(settings, number)
    assert row(settings, number)[0] == "refused"
    async with client_of(settings, REGISTRAR.caller(), REGISTRAR) as client:
        client.headers["accept"] = "text/html"
        page = (await client.get(f"/office/rasters/uploads/{number}?lang=ru")).text
    assert "Плохой.tif" in page and reason in page
    assert set(catalogue.folder(settings).glob("*")) == before
    assert list(uploads.folder(settings).iterdir()) == []


async def test_the_same_name_and_the_same_file_are_refused(settings: Settings, tmp_path: Path) -> None:
    file = waves(tmp_path / "twice.tif", 5)
    first = number_of(await send(settings, file, title="Дважды"))
    waiting = await send(settings, waves(tmp_path / "other.tif", 6), title="Дважды")
    assert (waiting.status_code, "уже есть" in waiting.text) == (400, True)
    desk.convert(settings, first)
    again = number_of(await send(settings, file, title="Другое название"))
    desk.convert(settings, again)
    status, problem = row(settings, again)
    assert status == "refused" and "already" in str(problem)


@pytest.mark.parametrize(
    "fields",
    [{"taken": "2999-01-01"}, {"taken": "вчера"}, {"kind": "video"}, {"access": "sealed"}, {"name": "../etc"}, {"region": "77"}],
)  # fmt: skip
async def test_a_form_that_cannot_be_meant_stores_nothing(
    settings: Settings, tmp_path: Path, fields: dict[str, str]
) -> None:
    answer = await send(settings, waves(tmp_path / "a.tif"), **fields)
    assert (answer.status_code, "error-summary" in answer.text) == (400, True)
    assert not uploads.folder(settings).exists() or list(uploads.folder(settings).iterdir()) == []


async def test_a_dropped_upload_is_not_converted(settings: Settings, tmp_path: Path) -> None:
    number = number_of(await send(settings, waves(tmp_path / "a.tif", 7), title="Не нужно"))
    async with client_of(settings, REGISTRAR.caller(), REGISTRAR) as client:
        assert (await client.post(f"/office/rasters/uploads/{number}/drop")).status_code == 303
    desk.convert(settings, number)
    assert row(settings, number) == ("dropped", None)


def test_a_conversion_that_nobody_wants_any_more_ends_with_its_child(tmp_path: Path) -> None:
    seen: list[str] = []

    def watch(stage: str, share: float) -> bool:
        seen.append(stage)
        return False

    with pytest.raises(workshop.DroppedError):
        workshop.make(waves(tmp_path / "a.tif"), tmp_path / "out", "a.tif", alone=True, watch=watch)
    assert seen == ["checking"]
    assert list((tmp_path / "out").glob("*.tif")) == []


async def test_the_sweep_deletes_what_nobody_refers_to_and_keeps_the_rest(
    settings: Settings, tmp_path: Path
) -> None:
    kept = number_of(await send(settings, waves(tmp_path / "kept.tif", 8), title="Хранить"))
    waiting = number_of(await send(settings, waves(tmp_path / "waiting.tif", 9), title="Ждёт"))
    desk.convert(settings, kept)
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        owner.execute("UPDATE rasters.items SET ranges = NULL WHERE name LIKE 'khranit%'")
    lost = uploads.folder(settings) / "lost"
    lost.mkdir()
    orphan = catalogue.folder(settings) / f"{'f' * 64}.tif"
    orphan.write_bytes(b"x")
    desk.sweep(settings)
    assert lost.exists() and orphan.exists()
    old = time.time() - 2 * desk.DAY
    for path in (*uploads.folder(settings).iterdir(), *catalogue.folder(settings).iterdir()):
        os.utime(path, (old, old))
    desk.sweep(settings)
    assert not lost.exists() and not orphan.exists()
    desk.convert(settings, waiting)
    assert row(settings, waiting)[0] == "done"
    with psycopg.connect(settings.database_url) as owner:
        measured = owner.execute(
            "SELECT ranges -> 0 ->> 'low' IS NOT NULL FROM rasters.items WHERE name LIKE 'khranit%'"
        ).fetchone()
        digests = owner.execute("SELECT sha256 FROM rasters.items").fetchall()
    assert measured == (True,)
    assert all((catalogue.folder(settings) / f"{digest}.tif").is_file() for (digest,) in digests)


def test_a_name_for_addresses_is_made_of_the_title() -> None:
    day = date(2024, 6, 1)
    assert uploads.name_of("Снимок № 7: Щучье озеро", day) == "snimok-7-shchuche-ozero-2024-06-01"
    assert uploads.name_of("  ", day) == "raster-2024-06-01"
    for title in ("日本", "-" * 90, "Ъ" * 90, "a" * 200):
        assert catalogue.check_name(uploads.name_of(title, day), "name")


def test_a_caller_of_the_tests_is_a_registrar_of_his_region() -> None:
    assert REGISTRAR.caller() == Caller(account=8, rank=1, regions=("54",))
