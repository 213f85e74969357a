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

from geo.rasters.errors import RasterFileError, UnknownRasterError
from geo.sentence import Sentence
from geo.settings import Settings

_COLUMNS = "name, title, collection, sha256, source_name, source_sha256, crs, bands, resolution_m, bytes, taken, region, rank, kind, attribution, unit, ranges, colours, least, greatest"
_BOX = "ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north"
_ALL = text(f"SELECT {_COLUMNS}, {_BOX} FROM rasters.items ORDER BY taken DESC, name")
_ONE = text(f"SELECT {_COLUMNS}, {_BOX} FROM rasters.items WHERE name = :name")
_MOSAIC = text(
    f"SELECT {_COLUMNS}, {_BOX} FROM rasters.items"
    " WHERE collection = :collection AND box && ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
    " ORDER BY taken DESC, name LIMIT 50"
)
_TOTAL = text("SELECT count(*) FROM rasters.items")
_COLLECTION = text("SELECT EXISTS (SELECT FROM rasters.items WHERE collection = :collection)")
# Those that meet any of the boxes, or that are named; ``matched`` counts all of them, ``total`` all that the caller may see.
_SEEN = text(
    f"SELECT {_COLUMNS}, {_BOX}, count(*) OVER () AS matched, (SELECT count(*) FROM rasters.items) AS total"
    " FROM rasters.items WHERE (:everywhere OR name = ANY (:names) OR EXISTS (SELECT FROM"
    " unnest(CAST(:west AS float8[]), CAST(:south AS float8[]), CAST(:east AS float8[]), CAST(:north AS float8[]))"
    " AS asked (w, s, e, n) WHERE box && ST_MakeEnvelope(w, s, e, n, 4326)))"
    " ORDER BY name = ANY (:names) DESC, taken DESC, name LIMIT :most"
)
# A registrar looks after his regions; one who sees what is restricted everywhere, after all.
MINE = "(region = ANY (access.regions()) OR access.rank() >= 2)"
_HELD = text(f"SELECT {_COLUMNS}, {_BOX} FROM rasters.items WHERE {MINE} ORDER BY taken DESC, name LIMIT 500")
_HELD_ONE = text(f"SELECT {_COLUMNS}, {_BOX} FROM rasters.items WHERE name = :name AND {MINE}")
_CHANGE = text(
    "UPDATE rasters.items SET title = :title, taken = :taken, kind = :kind, rank = :rank, attribution = :attribution,"
    " unit = :unit, colours = :colours, least = :least, greatest = :greatest"
    f" WHERE name = :name AND {MINE} RETURNING name"
)
_REASON = text("SELECT set_config('mezha.reason', :reason, true)")
_FORGET = text(
    "DELETE FROM rasters.changes WHERE :name IN (before, after)"
    f" AND EXISTS (SELECT FROM rasters.items WHERE name = :name AND {MINE})"
)
_TAKE_OUT = text(f"DELETE FROM rasters.items WHERE name = :name AND {MINE} RETURNING name")
_ADD = """
INSERT INTO rasters.items (name, title, collection, sha256, source_name, source_sha256, crs, bands, resolution_m,
  bytes, taken, region, rank, kind, attribution, unit, ranges, colours, least, greatest, box)
VALUES (%(name)s, %(title)s, %(collection)s, %(sha256)s, %(source_name)s, %(source_sha256)s, %(crs)s, %(bands)s,
  %(resolution_m)s, %(bytes)s, %(taken)s, %(region)s, %(rank)s, %(kind)s, %(attribution)s, %(unit)s, %(ranges)s,
  %(colours)s, %(least)s, %(greatest)s,
  ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326))
ON CONFLICT (name) DO NOTHING
"""
_TWIN = "SELECT name FROM rasters.items WHERE source_sha256 = %(source_sha256)s AND name <> %(name)s AND region = %(region)s LIMIT 1"
# Access of a raster by its rank.
RANKS = ("public", "registered", "restricted", "sealed")
KINDS = ("image", "terrain", "index", "scan")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class Item:
    """A catalogued raster; ``box`` is west, south, east, north in degrees, ``resolution_m`` metres on the ground.

    ``kind`` is image, terrain, index or scan; ``ranges`` are those of `tiles.rasters.ranges`, None until measured;
    ``colours``, ``least``, ``greatest``: the colour table and its ends in ``unit``, where somebody chose them.
    """

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
    kind: str = "image"
    attribution: str = ""
    unit: str = ""
    ranges: Sequence[dict[str, float] | None] | None = None
    colours: str | None = None
    least: float | None = None
    greatest: float | None = None


@dataclass(frozen=True)
class Look:
    """What may be changed of a raster: its name for people, its day, its access, and how it is drawn."""

    title: str
    taken: date
    kind: str
    rank: int
    attribution: str
    unit: str
    colours: str | None
    least: float | None
    greatest: float | None


@dataclass(frozen=True)
class Seen:
    """Rasters of a question; ``matched`` of them there are, ``total`` the caller may see at all."""

    items: Sequence[Item]
    matched: int
    total: int


def check_name(name: str, field: str) -> str:
    """A name fit for an address; RasterFileError else."""
    if not _NAME.fullmatch(name):
        raise RasterFileError(
            Sentence("“%(value)s” is no name of a raster.", value=name[:64]),
            Sentence("Use up to 63 small Latin letters, digits and hyphens, for example dem-2024."),
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


async def seen(
    connection: AsyncConnection,
    boxes: Sequence[tuple[float, float, float, float]] = (),
    *,
    names: Sequence[str] = (),
    most: int = 200,
) -> Seen:
    """Rasters that meet one of the boxes in degrees (everywhere where there is none) or are named, the newest first."""
    values = {side: [box[i] for box in boxes] for i, side in enumerate(("west", "south", "east", "north"))}
    asked = {"names": list(names), "everywhere": not boxes and not names, "most": most}
    rows = [dict(row) for row in (await connection.execute(_SEEN, values | asked)).mappings()]
    counts = [(row.pop("matched"), row.pop("total")) for row in rows]
    if not counts:
        total = (await connection.execute(_TOTAL)).scalar_one()
        return Seen([], 0, total)
    return Seen([_item(row) for row in rows], *counts[0])


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
        "ranges": None if new.ranges is None else json.dumps(list(new.ranges)),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
    }
    twin = connection.execute(_TWIN, values).fetchone()
    if twin is not None:
        raise RasterFileError(
            Sentence(
                "%(file)s: this very file is in the catalogue already as “%(name)s”.",
                file=new.source_name,
                name=twin[0],
            ),
            Sentence("Use that one, or take it out of the catalogue first."),
            field="file",
            value=new.source_name,
        )
    if connection.execute(_ADD, values).rowcount == 0:
        raise RasterFileError(
            Sentence("A raster with the name “%(name)s” is there already.", name=new.name),
            Sentence("Give another title, another day or a name of its own."),
            field="name",
            value=new.name,
        )


async def change(connection: AsyncConnection, name: str, look: Look) -> None:
    """Change what a raster is called and how it is drawn, as the registrar of its region.

    UnknownRasterError where it is none of his; the journal is written by the database.
    """
    if (await connection.execute(_CHANGE, vars(look) | {"name": name})).first() is None:
        raise _unknown(name)


async def take_out(connection: AsyncConnection, name: str, reason: str) -> None:
    """Take a raster out of the catalogue with its changes, as the registrar of its region.

    The reason stands in the journal; the pixels are deleted by the sweep.
    """
    await connection.execute(_REASON, {"reason": reason})
    await connection.execute(_FORGET, {"name": name})
    if (await connection.execute(_TAKE_OUT, {"name": name})).first() is None:
        raise _unknown(name)


async def held(connection: AsyncConnection) -> Sequence[Item]:
    """Rasters that the caller looks after, the newest first."""
    return [_item(row) for row in (await connection.execute(_HELD)).mappings()]


async def held_one(connection: AsyncConnection, name: str) -> Item:
    """One of them; UnknownRasterError where it is none."""
    row = (await connection.execute(_HELD_ONE, {"name": name})).mappings().first()
    if row is None:
        raise _unknown(name)
    return _item(row)
