"""Remembered tiles: memory of the process over a folder that all processes share, each with the version it shows.

A tile is served from here only while its version is the one that `tiles.versions` knows now.
"""

import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from isal import igzip

from tiles.vector import TileQuery

# What a tile costs in memory beside its bytes.
OVERHEAD = 600
# Smaller tiles are made quicker than written.
SHARED_FROM = 20_000
# Compressing a tile of 20 kB costs as much as sending it to a near client; a smaller one is compressed when it is
# asked for again, and then once.
GZIP_FROM = 1_000
GZIP_AT_ONCE_FROM = 20_000


@dataclass(slots=True)
class Tile:
    """A tile as it is sent: its bytes, its tag, and the version and the serial at which it was known to be true."""

    query: TileQuery
    body: bytes
    version: int
    serial: int
    etag: str
    packed: bytes = b""
    sent: int = 0

    @classmethod
    def of(cls, query: TileQuery, body: bytes, version: int, serial: int) -> "Tile":
        """A new tile with its tag."""
        tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        return cls(query, body, version, serial, tag)

    def worth_packing(self) -> bool:
        """Whether to compress for the request at hand."""
        self.sent += 1
        return len(self.body) >= (GZIP_FROM if self.sent > 1 else GZIP_AT_ONCE_FROM)

    def pack(self) -> bytes:
        """The compressed bytes, made once."""
        if not self.packed:
            self.packed = igzip.compress(self.body, compresslevel=2, mtime=0)
        return self.packed

    @property
    def size(self) -> int:
        """Bytes that it takes, compressed copy included."""
        return OVERHEAD + len(self.body) * 2


class Memory:
    """The tiles used last, up to so many bytes; keys hold the address and the audience."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tiles: OrderedDict[tuple[str, str, str], Tile] = OrderedDict()
        self.size = 0

    def get(self, key: tuple[str, str, str]) -> Tile | None:
        """The tile of a key, which is then the one used last."""
        tile = self._tiles.get(key)
        if tile is not None:
            try:
                self._tiles.move_to_end(key)
            except KeyError:
                # Forgotten this moment, by another thread: it is true all the same.
                return tile
        return tile

    def put(self, key: tuple[str, str, str], tile: Tile) -> None:
        """Remember, and forget what was used longest ago."""
        old = self._tiles.pop(key, None)
        self.size += tile.size - (old.size if old else 0)
        self._tiles[key] = tile
        while self.size > self._limit and self._tiles:
            self.size -= self._tiles.popitem(last=False)[1].size

    def clear(self) -> None:
        """Forget everything."""
        self._tiles.clear()
        self.size = 0

    def __len__(self) -> int:
        return len(self._tiles)


class Shelf:
    """Tiles that were dear to make, in files that all processes of a machine share.

    A file's name hashes the database's identity, the question and the audience; it begins with the version.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._written = 0
        folder.mkdir(parents=True, exist_ok=True)
        # Of use to nobody but the server: other people's tiles lie here too.
        folder.chmod(0o700)

    def _path(self, identity: str, audience: str, query: TileQuery) -> Path:
        name = hashlib.blake2b(repr((identity, audience, query)).encode(), digest_size=20).hexdigest()
        return self._folder / name[:2] / name[2:]

    def get(self, identity: str, audience: str, query: TileQuery, version: int) -> tuple[int, bytes] | None:
        """Version and bytes, where they are no older than ``version``."""
        try:
            data = self._path(identity, audience, query).read_bytes()
        except OSError:
            return None
        known = int.from_bytes(data[:16], "big", signed=True)
        digest, body = data[16:32], data[32:]
        whole = hashlib.blake2b(body, digest_size=16).digest() == digest
        return (known, body) if whole and known >= version else None

    def put(self, identity: str, audience: str, query: TileQuery, version: int, body: bytes) -> None:
        """Write at once or not at all; a full disk costs speed, not the answer."""
        path = self._path(identity, audience, query)
        own = path.with_suffix(f".{os.getpid()}")
        digest = hashlib.blake2b(body, digest_size=16).digest()
        try:
            path.parent.mkdir(exist_ok=True)
            own.write_bytes(version.to_bytes(16, "big", signed=True) + digest + body)
            own.replace(path)
        except OSError:
            return
        self._written += len(body)
        if self._written > self._limit // 8:
            self._written = 0
            self.trim()

    def trim(self) -> int:
        """Remove the files written longest ago until the folder is within its limit; the bytes that are left."""
        found = sorted(self._files(), key=lambda item: item[0], reverse=True)
        total = 0
        for _, size, path in found:
            total += size
            if total > self._limit:
                total -= size
                path.unlink(missing_ok=True)
        return total

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._folder.glob("*/*"):
            try:
                stat = path.stat()
            except OSError:
                continue
            if path.suffix and time.time() - stat.st_mtime > 60:
                path.unlink(missing_ok=True)
            else:
                yield stat.st_mtime, stat.st_size, path
