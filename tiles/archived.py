"""Layers that are served from PMTiles: a file on the disk or in an object store, read by ranges.

docs/decisions/0064-layers-from-pmtiles.md says what that gives and what it costs.
"""

import asyncio
import gzip
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import obstore
from obstore.store import from_url
from pmtiles.tile import Compression, deserialize_directory, deserialize_header, find_tile, zxy_to_tileid

from geo.access import layer_ranks
from geo.errors import SettingsError
from geo.layers import all_layers
from geo.settings import Settings
from tiles.errors import ArchiveMissingError

# How often it is looked whether a file was replaced, in seconds; that long a replaced file may be served on.
LOOK = 0.7
LOOK_FAR = 30.0
_HEADER = 16_384
_KEPT = 256


@dataclass
class Archive:
    """One PMTiles file. ``stamp`` changes whenever the file does."""

    url: str
    stamp: int = 0
    _looked: float = -1e9
    _header: dict[str, Any] = field(default_factory=dict)
    _directories: dict[int, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        base, _, self._name = self.url.rpartition("/")
        self._store = from_url(base)
        self._pause = LOOK if self.url.startswith("file:") else LOOK_FAR

    async def renew(self) -> bool:
        """Look whether the file was replaced, at most every so often; whether it was."""
        if time.monotonic() - self._looked < self._pause:
            return False
        self._looked = time.monotonic()
        try:
            seen = await obstore.head_async(self._store, self._name)
            stamp = zlib.crc32(f"{seen['e_tag']} {seen['last_modified']} {seen['size']}".encode())
            if stamp == self.stamp:
                return False
            self._header = dict(deserialize_header(await self._read(0, min(_HEADER, seen["size"]))))
        except (OSError, obstore.exceptions.BaseError, ValueError) as err:
            raise ArchiveMissingError(
                f"The tiles of {self._name} cannot be read.", "Put the PMTiles file where MEZHA_PMTILES says."
            ) from err
        self._directories.clear()
        self.stamp = stamp
        return True

    def covers(self, zoom: int) -> bool:
        """Whether the file holds a zoom; others are drawn from the register."""
        return bool(self._header["min_zoom"] <= zoom <= self._header["max_zoom"])

    async def tile(self, z: int, x: int, y: int) -> bytes:
        """Bytes of a tile, unpacked; none where there is none."""
        header, wanted = self._header, zxy_to_tileid(z, x, y)
        at, length = header["root_offset"], header["root_length"]
        for _ in range(4):
            entry = find_tile(await self._directory(at, length), wanted)
            if entry is None:
                return b""
            if entry.run_length:
                data = await self._read(header["tile_data_offset"] + entry.offset, entry.length)
                return gzip.decompress(data) if header["tile_compression"] == Compression.GZIP else data
            at, length = header["leaf_directory_offset"] + entry.offset, entry.length
        return b""

    async def _directory(self, at: int, length: int) -> list[Any]:
        found = self._directories.get(at)
        if found is None:
            if len(self._directories) >= _KEPT:
                self._directories.clear()
            found = self._directories[at] = deserialize_directory(await self._read(at, length))
        return found

    async def _read(self, at: int, length: int) -> bytes:
        return bytes(await obstore.get_range_async(self._store, self._name, start=at, length=length))


class Archives:
    """The archives of the settings, by layer."""

    def __init__(self, settings: Settings) -> None:
        self._by_layer = {name: Archive(url) for name, url in addresses(settings).items()}

    def __bool__(self) -> bool:
        return bool(self._by_layer)

    async def renew(self) -> bool:
        """Whether any file was replaced since the last look."""
        return any(await asyncio.gather(*(archive.renew() for archive in self._by_layer.values())))

    def stamp(self, layers: tuple[str, ...]) -> int:
        """Changes with the files of the layers."""
        return sum(self._by_layer[name].stamp for name in layers if name in self._by_layer)

    def of(self, name: str, zoom: int) -> Archive | None:
        """The archive from which a layer is drawn at a zoom."""
        archive = self._by_layer.get(name)
        return archive if archive and archive.covers(zoom) else None


def addresses(settings: Settings) -> Mapping[str, str]:
    """URL of each layer's file. SettingsError where a layer is unknown or not for everybody."""
    ranks = layer_ranks(settings.publish)
    found = {}
    for entry in sorted(settings.pmtiles):
        name, _, place = entry.partition("=")
        if name not in all_layers() or not place:
            raise SettingsError(f"MEZHA_PMTILES: “{entry}” is no LAYER=FILE.")
        if ranks[name]:
            raise SettingsError(
                f"MEZHA_PMTILES: {name} is not for everybody, and a file knows no callers. Publish the layer or leave it out."
            )
        found[name] = place if "://" in place else Path(place).resolve().as_uri()
    return found
