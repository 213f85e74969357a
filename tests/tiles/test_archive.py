"""PMTiles: read by GDAL, resumed after a kill, with nothing in it that its reader may not see."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pyogrio
import pytest

from geo.access import ANONYMOUS, Caller
from geo.layers import layer
from geo.settings import Settings
from tests.conftest import client_of, make_object
from tiles.archive import ArchiveError, Progress, export
from tiles.source import TileSource
from tiles.versions import BOUND

ADMINISTRATOR = Caller(account=1, rank=3)


@pytest.fixture(scope="module", autouse=True)
def _objects(settings: Settings) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        make_object(connection, "zones", name="Заказник", kind="oopt")
        make_object(
            connection, "zones", name="Тайна", visibility=3, geom="POLYGON((90 60,90.2 60,90.2 60.2,90 60))"
        )


@pytest.fixture
async def source(settings: Settings) -> AsyncIterator[TileSource]:
    made = TileSource(settings)
    yield made
    made.close()


async def _export(source: TileSource, caller: Caller, file: Path) -> tuple[int, list[Progress]]:
    seen: list[Progress] = []
    return await export(source, layer("zones"), caller, file, deepest=10, tick=seen.append), seen


async def test_gdal_reads_what_anybody_sees_and_nothing_else(source: TileSource, tmp_path: Path) -> None:
    count, _ = await _export(source, ANONYMOUS, tmp_path / "zones.pmtiles")
    assert count >= 10 - layer("zones").zoom[0]
    frame = pyogrio.read_dataframe(tmp_path / "zones.pmtiles")
    assert set(frame["name"]) == {"Заказник"}
    bounds = frame.to_crs(4326).total_bounds
    assert bounds == pytest.approx([83, 55, 83.01, 55.01], abs=0.002)
    await _export(source, ADMINISTRATOR, tmp_path / "all.pmtiles")
    assert set(pyogrio.read_dataframe(tmp_path / "all.pmtiles")["name"]) == {"Заказник", "Тайна"}
    assert sorted(os.listdir(tmp_path)) == ["all.pmtiles", "zones.pmtiles"]  # noqa: PTH208 - nothing waits for it


async def test_an_export_that_was_killed_goes_on_and_one_of_old_data_begins_anew(
    source: TileSource, settings: Settings, tmp_path: Path
) -> None:
    class KilledError(Exception):
        pass

    def kill(progress: Progress) -> None:
        if progress.zoom == 8:
            raise KilledError

    file = tmp_path / "zones.pmtiles"
    _, whole = await _export(source, ANONYMOUS, tmp_path / "whole.pmtiles")
    with pytest.raises(KilledError):
        await export(source, layer("zones"), ANONYMOUS, file, deepest=10, tick=kill)
    assert not file.exists()
    _, rest = await _export(source, ANONYMOUS, file)
    assert 0 < len(rest) < len(whole)
    assert min(p.zoom for p in rest) >= 8
    assert file.read_bytes() == (tmp_path / "whole.pmtiles").read_bytes()

    with pytest.raises(KilledError):
        await export(source, layer("zones"), ANONYMOUS, file, deepest=10, tick=kill)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        make_object(connection, "zones", name="Новая")
    await asyncio.sleep(BOUND)
    _, anew = await _export(source, ANONYMOUS, file)
    assert len(anew) == len(whole)
    assert set(pyogrio.read_dataframe(file)["name"]) == {"Заказник", "Новая"}


async def test_a_file_in_no_folder_is_refused(source: TileSource, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="folder"):
        await _export(source, ANONYMOUS, tmp_path / "none" / "zones.pmtiles")


async def test_gdal_reads_a_tile(settings: Settings, tmp_path: Path) -> None:
    async with client_of(settings, ANONYMOUS) as client:
        answer = await client.get("/tiles/zones/12/2992/1295.mvt")
    tile = tmp_path / "12-2992-1295.mvt"
    tile.write_bytes(answer.content)
    frame = pyogrio.read_dataframe(tile, layer="zones", X=2992, Y=1295, Z=12)
    assert "Заказник" in set(frame["name"])
