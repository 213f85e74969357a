"""The catalogue: which rasters a caller may see, and where their files lie.

A raster is served only through its catalogue row, which row-level security guards; an address or a path from a
request is never opened.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.settings import Settings
from tiles.rasters.errors import RasterFileError, UnknownRasterError

_COLUMNS = "name, title, collection, sha256, source_name, source_sha256, crs, bands, resolution_m, bytes, taken, region, rank"
_BOX = "ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north"
_ALL = text(f"SELECT {_COLUMNS}, {_BOX} FROM rasters.items ORDER BY taken DESC, name")
_ONE = text(f"SELECT {_COLUMNS}, {_BOX} FROM rasters.items WHERE name = :name")
_MOSAIC = text(
    f"SELECT {_COLUMNS}, {_BOX} FROM rasters.items"
    " WHERE collection = :collection AND box && ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
    " ORDER BY taken DESC, name LIMIT 50"
)
_COLLECTION = text("SELECT EXISTS (SELECT FROM rasters.items WHERE collection = :collection)")
_ADD = """
INSERT INTO rasters.items (name, title, collection, sha256, source_name, source_sha256, crs, bands, resolution_m,
  bytes, taken, region, rank, box)
VALUES (%(name)s, %(title)s, %(collection)s, %(sha256)s, %(source_name)s, %(source_sha256)s, %(crs)s, %(bands)s,
  %(resolution_m)s, %(bytes)s, %(taken)s, %(region)s, %(rank)s,
  ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326))
ON CONFLICT (name) DO NOTHING
"""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class Item:
    """A catalogued raster; ``box`` is west, south, east, north in degrees, ``resolution_m`` metres on the ground."""

    name: str
    title: str
    collection: str | None
    sha256: str
    source_name: str
    source_sha256: str
    crs: str
    bands: Sequence[dict[str, Any]]
    resolution_m: float
    bytes: int
    taken: date
    region: str
    rank: int
    box: tuple[float, float, float, float]


def check_name(name: str, field: str) -> str:
    """A name fit for an address; RasterFileError else."""
    if not _NAME.fullmatch(name):
        raise RasterFileError(
            f"“{name[:64]}” is no name of a raster.",
            "Use up to 63 small Latin letters, digits and hyphens, for example dem-2024.",
            field=field,
            value=name[:64],
        )
    return name


def folder(settings: Settings) -> Path:
    """Where the files lie, named by their digest."""
    return settings.home / "rasters"


def path_of(item: Item, settings: Settings) -> Path:
    """The COG of an item."""
    return folder(settings) / f"{item.sha256}.tif"


def _item(row: Any) -> Item:
    values = dict(row)
    box: Any = tuple(values.pop(side) for side in ("west", "south", "east", "north"))
    return Item(**values, box=box)


async def items(connection: AsyncConnection) -> list[Item]:
    """Rasters that the caller may see, the newest first."""
    return [_item(row) for row in (await connection.execute(_ALL)).mappings()]


async def item(connection: AsyncConnection, name: str) -> Item:
    """One raster; UnknownRasterError where the caller sees none of this name."""
    row = (await connection.execute(_ONE, {"name": name})).mappings().first()
    if row is None:
        raise _unknown(name)
    return _item(row)


async def mosaic(
    connection: AsyncConnection, collection: str, box: tuple[float, float, float, float]
) -> list[Item]:
    """Visible rasters of a collection that meet a box in degrees, the newest first, at most 50."""
    there = (await connection.execute(_COLLECTION, {"collection": collection})).scalar_one()
    if not there:
        raise UnknownRasterError(
            f"There is no collection of rasters “{collection[:64]}”.",
            "/raster lists what you may see.",
            field="collection",
            value=collection[:64],
        )
    west, south, east, north = box
    values = {"collection": collection, "west": west, "south": south, "east": east, "north": north}
    return [_item(row) for row in (await connection.execute(_MOSAIC, values)).mappings()]


def file_named(connection: psycopg.Connection[TupleRow], name: str, settings: Settings) -> Path:
    """The COG of a name, for a command; UnknownRasterError where there is none."""
    row = connection.execute("SELECT sha256 FROM rasters.items WHERE name = %s", [name]).fetchone()
    if row is None:
        raise _unknown(name)
    return folder(settings) / f"{row[0]}.tif"


def _unknown(name: str) -> UnknownRasterError:
    return UnknownRasterError(
        f"There is no raster “{name[:64]}”.", "/raster lists what you may see.", field="item", value=name[:64]
    )


def add(connection: psycopg.Connection[TupleRow], new: Item) -> None:
    """Enter a raster; RasterFileError where the name is taken."""
    west, south, east, north = new.box
    values = {name: getattr(new, name) for name in new.__dataclass_fields__ if name not in ("box", "bands")}
    values |= {
        "bands": json.dumps(list(new.bands)),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
    }
    if connection.execute(_ADD, values).rowcount == 0:
        raise RasterFileError(
            f"A raster “{new.name}” is there already.", "Choose another --name.", field="name", value=new.name
        )
