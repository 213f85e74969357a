"""The migrated cluster that test runs copy: making it anew takes longer than most tests do.

It lies in ``.mezha`` under the digest of all that goes into it, so that a change of the structure makes another.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import psycopg

from geo.cluster import Cluster, bin_folder
from geo.migration import migrate

TEMPLATE = "mezha_template"
_ROOT = Path(__file__).parent.parent
_HOME = _ROOT / ".mezha"


# A file system in memory; what two test processes put there at most, with as much again for those who test.
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of a random name is made in it
_ROOM = 8 << 30


def _ground() -> Path | None:
    """Memory, where there is plenty: databases are made and thrown away by the dozen."""
    if not _MEMORY.is_dir():
        return None
    meminfo = Path("/proc/meminfo").read_text(encoding="ascii")
    available = int(meminfo.partition("MemAvailable:")[2].split()[0]) << 10
    return _MEMORY if min(available, shutil.disk_usage(_MEMORY).free) > _ROOM else None


def _digest() -> str:
    found = hashlib.sha256(str(bin_folder()).encode())
    for room in ("migrations", "geo"):
        for path in sorted((_ROOT / room).rglob("*")):
            if path.is_file() and path.suffix in {".py", ".sql", ".yaml"}:
                found.update(str(path.relative_to(_ROOT)).encode() + path.read_bytes())
    return found.hexdigest()[:16]


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)


def _make(cluster: Cluster) -> None:
    """A new cluster with the migrated template in it."""
    cluster.start()
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate(cluster.url(TEMPLATE), frozenset())
    with psycopg.connect(cluster.url(TEMPLATE), autocommit=True) as connection:
        connection.execute("ALTER ROLE mezha_app LOGIN")
        connection.execute("ALTER ROLE mezha_registrar LOGIN")


def _keep(cluster: Cluster, seed: Path) -> None:
    """Keep a stopped cluster as the seed; runs side by side may both make it, and the first one's stays."""
    fresh = seed.with_name(f"{seed.name}.{os.getpid()}")
    _copy(cluster.data, fresh)
    try:
        fresh.rename(seed)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
    for old in _HOME.glob("test-seed-*"):
        if not old.name.startswith(seed.name):
            shutil.rmtree(old, ignore_errors=True)


def start() -> Cluster:
    """A running throw-away cluster with the migrated template."""
    _HOME.mkdir(exist_ok=True)
    seed = _HOME / f"test-seed-{_digest()}"
    cluster = Cluster.temporary(_ground())
    if seed.exists():
        _copy(seed, cluster.data)
    else:
        _make(cluster)
        cluster.stop()
        _keep(cluster, seed)
    cluster.start()
    return cluster
