"""A source: the submitted bytes, their hash, and what they are called."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq
import pyogrio

from geo.settings import OBJECT_MB
from ingest.errors import RefusedError

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """A file with its SHA-256; side files of a shapefile or MapInfo table stand beside ``path``.

    ``name``: what its sender calls it. ``largest``: bytes that one of its objects may take, in the file or as a
    boundary in memory.
    """

    path: Path
    name: str
    size: int
    head: bytes
    largest: int

    @classmethod
    def open(cls, path: Path, *, name: str | None = None, object_mb: float = OBJECT_MB) -> "Source":
        """Open a file, which its sender may call otherwise; RefusedError where it is missing, empty or a folder."""
        if not path.exists():
            raise RefusedError(f"There is no file {path}.", "Check the path.", field="file", value=str(path))
        if path.is_dir():
            raise RefusedError(
                f"{path} is a folder.", "Name the file inside it.", field="file", value=str(path)
            )
        with path.open("rb") as stream:
            head = stream.read(_CHUNK)
        size = path.stat().st_size
        if size == 0:
            raise RefusedError(
                f"{name or path.name} is empty.",
                "Ask its sender for the file again.",
                field="file",
                value=name or path.name,
            )
        return cls(path, name or path.name, size, head, int(object_mb * 2**20))

    @cached_property
    def sha256(self) -> str:
        """Hash of everything submitted, in hexadecimal; made once, by whoever asks first; another thread waits."""
        digest = hashlib.sha256()
        with self.path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        for side in _side_files(self.path):
            digest.update(side.read_bytes())
        return digest.hexdigest()

    @property
    def zipped(self) -> bool:
        """Whether the bytes are a zip archive."""
        return self.head.startswith(b"PK\x03\x04")


def _side_files(path: Path) -> list[Path]:
    """Files that belong to a shapefile or a MapInfo table: part of what was submitted, so part of its hash."""
    families = {".shp": (".dbf", ".shx", ".prj", ".cpg"), ".tab": (".dat", ".map", ".id"), ".mif": (".mid",)}
    suffixes = families.get(path.suffix.lower(), ())
    stem = path.with_suffix("")
    found = (s for suffix in suffixes for s in (stem.with_suffix(suffix), stem.with_suffix(suffix.upper())))
    return sorted(side for side in found if side.exists())


def rows_of(path: Path) -> int | None:
    """How many rows a file says it has, where its format says so without being read; None elsewhere."""
    if path.suffix.lower() not in (".gpkg", ".shp", ".fgb", ".parquet"):
        return None
    try:
        if path.suffix.lower() == ".parquet":
            return int(pq.ParquetFile(path).metadata.num_rows)
        layers = pyogrio.list_layers(path)
        return int(pyogrio.read_info(path, layer=layers[0][0])["features"]) if len(layers) == 1 else None
    except (RuntimeError, OSError, ValueError):
        return None
