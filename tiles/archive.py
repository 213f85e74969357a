"""PMTiles: a layer in one file, for object storage, a CDN or a map without a server."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from geo.access import Caller
from geo.errors import MezhaError
from geo.layers import Layer
from tiles.bands import WORLD
from tiles.source import TileSource
from tiles.tilejson import fields_of

Place = tuple[int, int, int]
# Tiles asked for at a time; after each such group what is there is safe on the disk.
GROUP = 16
# The library has no types.
_WRITER: Any = Writer


class ArchiveError(MezhaError):
    """A file of tiles cannot be written."""

    code = "archive"


@dataclass(frozen=True)
class Progress:
    """How far an export is: the zoom at work, tiles looked at of those known of, and tiles with something in them."""

    zoom: int
    done: int
    known: int
    filled: int


async def export(
    source: TileSource,
    layer: Layer,
    caller: Caller,
    file: Path,
    *,
    deepest: int,
    tick: Callable[[Progress], None],
) -> int:
    """Write what the caller may see of a layer, from its first zoom to ``deepest``; how many tiles there are.

    What is done is kept in ``FILE.part``: the same call after a kill goes on there, unless the layer has changed since.
    """
    last = min(deepest, layer.zoom[1])
    if not file.parent.is_dir() or last < layer.zoom[0]:
        raise ArchiveError(
            f"{file} cannot be written with zooms {layer.zoom[0]}…{last}.",
            f"Name a file in a folder that exists, and a zoom from {layer.zoom[0]} to {layer.zoom[1]}.",
            field="file",
            value=str(file),
        )
    part = file.with_name(f"{file.name}.part")
    with closing(
        _open(part, f"{layer.name} {caller.audience()} {await source.version((layer.name,))}")
    ) as work:
        level = _level(await source.extent(layer.name, caller), layer.zoom[0])
        await _collect(partial(_body, source, layer, caller), level, work, last, tick)
        count = _write(work, layer, file, last)
    part.unlink()
    return count


def _open(part: Path, question: str) -> sqlite3.Connection:
    work = sqlite3.connect(part)
    work.execute("CREATE TABLE IF NOT EXISTS question (text TEXT)")
    work.execute(
        "CREATE TABLE IF NOT EXISTS tiles (z INTEGER, x INTEGER, y INTEGER, data BLOB, PRIMARY KEY (z, x, y))"
    )
    if work.execute("SELECT text FROM question").fetchone() != (question,):
        work.execute("DELETE FROM tiles")
        work.execute("DELETE FROM question")
        work.execute("INSERT INTO question VALUES (?)", [question])
    work.commit()
    return work


def _level(box: tuple[float, float, float, float] | None, zoom: int) -> list[Place]:
    """Tiles of a zoom over a box in metres of web mercator."""
    if box is None:
        return []
    side = 1 << zoom
    west, south, east, north = ((v / WORLD + 0.5) * side for v in box)
    columns = range(max(0, int(west)), min(side - 1, int(east)) + 1)
    rows = range(max(0, int(side - north)), min(side - 1, int(side - south)) + 1)
    return [(zoom, x, y) for x in columns for y in rows]


async def _collect(
    body_of: Callable[[Place], Awaitable[bytes]],
    level: list[Place],
    work: sqlite3.Connection,
    last: int,
    tick: Callable[[Progress], None],
) -> None:
    """Zoom by zoom, down only where something lies."""
    filled = 0
    while level and level[0][0] <= last:
        zoom = level[0][0]
        rows = work.execute("SELECT x, y, length(data) > 0 FROM tiles WHERE z = ?", [zoom])
        held = {(zoom, x, y): bool(some) for x, y, some in rows}
        missing = [place for place in level if place not in held]
        for begin in range(0, len(missing), GROUP):
            group = missing[begin : begin + GROUP]
            bodies = await asyncio.gather(*(body_of(place) for place in group))
            work.executemany(
                "INSERT INTO tiles VALUES (?, ?, ?, ?)", [(*p, b) for p, b in zip(group, bodies, strict=True)]
            )
            work.commit()
            held |= {p: bool(b) for p, b in zip(group, bodies, strict=True)}
            tick(Progress(zoom, len(held), len(level), filled + sum(held.values())))
        some = [place for place in level if held[place]]
        filled += len(some)
        level = [
            (zoom + 1, 2 * x + east, 2 * y + south) for _, x, y in some for east in (0, 1) for south in (0, 1)
        ]


async def _body(source: TileSource, layer: Layer, caller: Caller, place: Place) -> bytes:
    z, x, y = place
    tile = await source.tile(f"/tiles/{layer.name}/{z}/{x}/{y}.mvt", "", caller)
    return tile.pack() if tile and tile.body else b""


def _write(work: sqlite3.Connection, layer: Layer, file: Path, last: int) -> int:
    """The file appears whole or not at all."""
    rows = work.execute("SELECT z, x, y FROM tiles WHERE length(data) > 0").fetchall()
    places = sorted(rows, key=lambda place: zxy_to_tileid(*place))
    own = file.with_name(f"{file.name}.new")
    with own.open("wb") as target:
        writer = _WRITER(target)
        for place in places:
            (data,) = work.execute("SELECT data FROM tiles WHERE z = ? AND x = ? AND y = ?", place).fetchone()
            writer.write_tile(zxy_to_tileid(*place), data)
        writer.finalize(_header(places, layer, last), _metadata(layer, last))
    own.replace(file)
    return len(places)


def _header(places: list[Place], layer: Layer, last: int) -> dict[str, object]:
    deepest = [(x, y) for z, x, y in places if z == last]
    west, east = _span([x for x, _ in deepest], last)
    north, south = _span([y for _, y in deepest], last)
    box = (_degrees(west), _latitude(-south), _degrees(east), _latitude(-north))
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "min_zoom": layer.zoom[0],
        "max_zoom": last,
        "min_lon_e7": round(box[0] * 1e7),
        "min_lat_e7": round(box[1] * 1e7),
        "max_lon_e7": round(box[2] * 1e7),
        "max_lat_e7": round(box[3] * 1e7),
        "center_zoom": layer.zoom[0],
        "center_lon_e7": round((box[0] + box[2]) / 2 * 1e7),
        "center_lat_e7": round((box[1] + box[3]) / 2 * 1e7),
    }


def _span(numbers: list[int], zoom: int) -> tuple[float, float]:
    """First and last edge of columns or rows, as a share of the world from its middle: -0.5…0.5."""
    if not numbers:
        return -0.5, 0.5
    return min(numbers) / 2**zoom - 0.5, (max(numbers) + 1) / 2**zoom - 0.5


def _degrees(share: float) -> float:
    return share * 360


def _latitude(share: float) -> float:
    """Latitude of a height in web mercator, sphere of the radius 6378137 m."""
    from math import atan, degrees, exp, pi

    return degrees(2 * atan(exp(share * WORLD / 6_378_137.0)) - pi / 2)


def _metadata(layer: Layer, last: int) -> dict[str, object]:
    return {
        "name": layer.title["ru"],
        "vector_layers": [
            {"id": layer.name, "minzoom": layer.zoom[0], "maxzoom": last, "fields": fields_of(layer)}
        ],
    }
