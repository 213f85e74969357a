"""Imports with every check, comparison, version and provenance, against `ogr2ogr -f PostgreSQL` with COPY of the same file.

Our time is the pipeline's, from opening the file to the commit; Python's own start is a row of its own.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import psycopg
import pyogrio
import shapely

from geo.cluster import Cluster
from geo.migration import migrate
from ingest.pipeline import ingest
from ingest.profile import profile
from tests.benchmarks.row import Row

SHARED = Path(__file__).parent.parent.parent.parent / "shared" / "data"
STANDS = """
name: benchmark-stands
title: {ru: Замер, en: Benchmark}
layer: stands
snapshot: full
key: "{uid}"
region: {constant: "54"}
crs: {policy: declared, extent: [0, 40, 60, 75]}
geometry: {broken: repair, missing: reject}
fields:
  quarter: {from: quarter}
  number: {from: number, required: true}
  species: {from: species, values: {pine: pine, spruce: spruce, birch: birch, aspen: aspen}}
  age: {from: age, as: integer}
  stock_m3_ha: {from: stock, as: number}
  inventoried_on: {from: inventoried, as: date}
"""


def write_stands(count: int, path: Path) -> None:
    """Stands of 25 vertices in a Gauss–Krüger zone, as GeoPackage."""
    random = np.random.default_rng(1)
    side = int(np.ceil(np.sqrt(count)))
    index = np.arange(count)
    angle = np.linspace(0, 2 * np.pi, 25)[:-1]
    radius = 60 + 30 * random.random((count, 24))
    xy = np.empty((count, 25, 2))
    xy[:, :24, 0] = 4_400_000 + (index % side)[:, None] * 200.0 + radius * np.cos(angle)
    xy[:, :24, 1] = 6_000_000 + (index // side)[:, None] * 200.0 + radius * np.sin(angle)
    xy[:, 24] = xy[:, 0]
    frame = gpd.GeoDataFrame(
        {
            "uid": np.char.add("s", index.astype(str)),
            "quarter": (index // 100).astype(str),
            "number": (index % 100).astype(str),
            "species": np.array(["pine", "spruce", "birch", "aspen"])[random.integers(0, 4, count)],
            "age": random.integers(1, 200, count),
            "stock": random.random(count).round(2) * 300,
            "inventoried": "2020-05-01",
        },
        geometry=shapely.polygons(xy),
        crs="EPSG:28404",
    )
    pyogrio.write_dataframe(frame, path, driver="GPKG", layer="stands")


@contextmanager
def database() -> Iterator[str]:
    """Owner's URL of a migrated database in a cluster that keeps its promises to the disk."""
    cluster = Cluster.temporary()
    cluster.start()
    try:
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE mezha")
        migrate(cluster.url(), frozenset())
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute("ALTER ROLE mezha_registrar LOGIN")
            connection.execute("CREATE SCHEMA bare")
        yield cluster.url()
    finally:
        cluster.destroy()


def bare(url: str, path: Path, name: str) -> float:
    """Seconds of the bare load."""
    begin = time.perf_counter()
    command = [
        "ogr2ogr",
        "-f",
        "PostgreSQL",
        f"PG:{url}",
        str(path),
        "-nln",
        f"bare.{name}",
        "-nlt",
        "PROMOTE_TO_MULTI",
    ]
    subprocess.run(
        [*command, "-t_srs", "EPSG:4326", "--config", "PG_USE_COPY", "YES"], check=True, capture_output=True
    )
    return time.perf_counter() - begin


def ours(url: str, name: str, path: Path) -> float:
    """Seconds of the pipeline."""
    begin = time.perf_counter()
    ingest(url.replace("//postgres@", "//mezha_registrar@"), profile(name), path)
    return time.perf_counter() - begin


def _memory(url: str, name: str, path: Path) -> float:
    """Peak memory in MB of a process that does one import."""
    program = f"from ingest.pipeline import ingest; from ingest.profile import profile; from pathlib import Path; ingest({url!r}, profile({name!r}), Path({str(path)!r}))"
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    subprocess.run([sys.executable, "-c", program], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(before, after) / 1024


def _real(url: str) -> Iterator[Row]:
    files = {
        "rosnedra-licences": SHARED / "rosnedra-licence-blocks-ru" / "license_blocks_rosnedra_orders.gpkg",
        "bc-stands": SHARED / "bc-forest-stands-k3z" / "vri_k3z.shp",
    }
    for name, path in files.items():
        if path.exists():
            base, full = bare(url, path, f"x_{name.replace('-', '_')}"), ours(url, name, path)
            yield Row(f"{name}: {path.name}", f"{full:.2f} s", f"ogr2ogr {base:.2f} s", full / base, "≤ 2")


def _large(folder: Path, yaml: Path) -> Iterator[Row]:
    per_row: dict[int, float] = {}
    peaks: dict[int, float] = {}
    for count in (100_000, 1_000_000):
        path = folder / f"stands_{count}.gpkg"
        write_stands(count, path)
        with database() as url:
            base = bare(url, path, "stands")
            first, second = ours(url, str(yaml), path), ours(url, str(yaml), path)
            peaks[count] = _memory(url, str(yaml), path)
        per_row[count] = first / count
        yield Row(
            f"{count:,} polygons of 25 vertices, first load",
            f"{first:.1f} s, {count / first:,.0f} rows/s",
            f"ogr2ogr {base:.1f} s",
            first / base,
            "≤ 1.5, aim 1.0",
        )
        yield Row(
            f"{count:,} polygons, unchanged second load",
            f"{second:.1f} s",
            f"ogr2ogr {base:.1f} s",
            second / base,
            "≤ 0.5",
        )
        path.unlink()
    small, large = sorted(per_row)
    yield Row(
        "cost of a row at 1,000,000",
        f"{per_row[large] * 1e6:.0f} µs",
        f"at 100,000 {per_row[small] * 1e6:.0f} µs",
        per_row[large] / per_row[small],
        "≤ 1.3",
    )
    yield Row(
        "peak memory at 1,000,000",
        f"{peaks[large]:.0f} MB",
        f"at 100,000 {peaks[small]:.0f} MB",
        peaks[large] / peaks[small],
        "≤ 1,500 MB, flat",
    )


def _start() -> Row:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "api.cli", "profiles"], check=True, capture_output=True)
    return Row("start of the `mezha` command", f"{time.perf_counter() - begin:.1f} s")


def rows() -> list[Row]:
    """Every row."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yaml = folder / "stands.yaml"
        yaml.write_text(STANDS, "utf-8")
        with database() as url:
            found = list(_real(url))
        return [*found, *_large(folder, yaml), _start()]
