"""Layers from PMTiles: what the file holds, from the disk, until it is replaced; never a layer that is not public."""

import asyncio
import shutil
from pathlib import Path

import httpx
import mapbox_vector_tile
import psycopg
import pytest

from geo.access import ANONYMOUS
from geo.errors import SettingsError
from geo.layers import layer
from geo.settings import Settings
from tests.conftest import client_of, make_object
from tests.tiles.test_vector import address
from tiles.archive import export
from tiles.archived import LOOK, addresses
from tiles.source import TileSource

PLACE = (66.3, 62.4)


async def _written(settings: Settings, file: Path) -> None:
    source = TileSource(settings)
    try:
        await export(source, layer("zones"), ANONYMOUS, file, deepest=10, tick=lambda _: None)
    finally:
        source.close()


async def _names(client: httpx.AsyncClient, zoom: int, **parameters: str) -> set[str]:
    answer = await client.get(f"/tiles/zones/{address(*PLACE, zoom)}.mvt", params=parameters)
    assert answer.status_code in (200, 204), answer.text
    features = mapbox_vector_tile.decode(answer.content)["zones"]["features"] if answer.content else []
    return {f["properties"]["name"] for f in features}


async def test_a_layer_comes_from_its_file_until_that_is_replaced(settings: Settings, tmp_path: Path) -> None:
    def add(name: str) -> None:
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            make_object(
                connection,
                "zones",
                name=name,
                kind="oopt",
                geom="POLYGON((66.3 62.4,66.4 62.4,66.4 62.5,66.3 62.4))",
            )

    add("Первый")
    file = tmp_path / "zones.pmtiles"
    await _written(settings, file)
    add("Второй")
    await _written(settings, tmp_path / "next.pmtiles")
    own = settings.model_copy(update={"pmtiles": frozenset({f"zones={file}"})})
    async with client_of(own, ANONYMOUS) as client:
        assert await _names(client, 9) == {"Первый"}
        tag = (await client.get(f"/tiles/zones/{address(*PLACE, 9)}.mvt")).headers["etag"]
        again = await client.get(f"/tiles/zones/{address(*PLACE, 9)}.mvt", headers={"if-none-match": tag})
        assert again.status_code == 304
        # What the file does not hold comes from the register.
        assert await _names(client, 11) == {"Первый", "Второй"}
        assert await _names(client, 9, filter="name LIKE 'В%'") == {"Второй"}
        shutil.copy(tmp_path / "next.pmtiles", file)
        await asyncio.sleep(LOOK + 0.1)
        assert await _names(client, 9) == {"Первый", "Второй"}
        file.unlink()
        await asyncio.sleep(LOOK + 0.1)
        answer = await client.get(f"/tiles/zones/{address(*PLACE, 9)}.mvt")
        assert (answer.status_code, answer.json()["code"]) == (503, "archive-missing")


def test_only_public_layers_can_come_from_a_file(settings: Settings) -> None:
    def of(entry: str) -> Settings:
        return settings.model_copy(update={"pmtiles": frozenset({entry})})

    with pytest.raises(SettingsError, match="not for everybody"):
        addresses(of("licences=/a.pmtiles"))
    with pytest.raises(SettingsError, match="no LAYER=FILE"):
        addresses(of("zones"))
    assert addresses(of("zones=s3://bucket/zones.pmtiles")) == {"zones": "s3://bucket/zones.pmtiles"}
