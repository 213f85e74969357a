"""Imports with every check, comparison, version and provenance, against `ogr2ogr -f PostgreSQL` with COPY of the same file.

Our time is the pipeline's in a running process, from opening the file to the durable commit: the worker runs all the
time. Python's own start is a row of its own. The cluster keeps its promises to the disk (fsync on). Each finished row is
kept in ``.mezha/bench/imports.json`` for the commit that it was measured on, so that a run that was broken off goes on.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import psycopg
import pyogrio
import shapely

from geo.cluster import Cluster
from geo.migration import migrate
from tests.benchmarks.row import Row

ROOT = Path(__file__).parent.parent.parent
SHARED = ROOT.parent / "shared" / "data"
KEPT = ROOT / ".mezha" / "bench" / "imports.json"
SMALL, LARGE = 100_000, 1_000_000
KPT_BYTES = 100_000_000
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
# Runs imports in a process of their own: seconds of each, the process's peak memory in MB.
PROGRAM = r"""
import json, re, sys, time
from pathlib import Path
from ingest.pipeline import Options, ingest
from ingest.profile import profile
url, name, path, times = sys.argv[1:]
found, spent = profile(name), []
for _ in range(int(times)):
    begin = time.perf_counter()
    ingest(url, found, Path(path), Options(confirm_gone=True))
    spent.append(time.perf_counter() - begin)
# What getrusage tells would count the memory of the parent before the program began.
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"seconds": spent, "peak": peak}))
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


def write_kpt(real: Path, path: Path, size: int) -> int:
    """A KPT of at least ``size`` bytes: the parcels of a real one again and again, each with a number of its own."""
    text = real.read_text("utf-8")
    begin, end = text.index("<land_record>"), text.rindex("</land_record>") + len("</land_record>")
    body, count = text[begin:end], 0
    with path.open("w", encoding="utf-8") as stream:
        stream.write(text[:begin])
        while stream.tell() < size:
            stream.write(body.replace(":1003001:", f":{2_000_000 + count:07d}:"))
            count += 1
        stream.write(text[end:])
    return count * body.count("<land_record>")


@contextmanager
def database() -> Iterator[str]:
    """Owner's URL of a migrated database in a cluster that keeps its promises to the disk."""
    made = Cluster.temporary()
    cluster = replace(made, throw_away=False)
    cluster.start()
    try:
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE mezha")
        migrate(cluster.url(), frozenset())
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute("ALTER ROLE mezha_registrar LOGIN")
            connection.execute("CREATE SCHEMA bare")
            connection.execute("CHECKPOINT")
        yield cluster.url()
    finally:
        made.destroy()


def bare(url: str, path: Path, name: str) -> float:
    """Seconds of the bare load."""
    command = ["ogr2ogr", "-f", "PostgreSQL", f"PG:{url}", str(path), "-nln", f"bare.{name}"]
    command += ["-nlt", "PROMOTE_TO_MULTI", "-t_srs", "EPSG:4326", "--config", "PG_USE_COPY", "YES"]
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin


def ours(url: str, name: str, path: Path, times: int = 1) -> dict[str, Any]:
    """Seconds of the pipeline and the peak memory (MB) of a process that does nothing else."""
    registrar = url.replace("//postgres@", "//mezha_registrar@")
    command = [sys.executable, "-c", PROGRAM, registrar, name, str(path), str(times)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def _empty(url: str, layer: str) -> None:
    """Make a layer empty again, as the owner of a throw-away database may."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER TABLE register.{layer} DISABLE TRIGGER ALL".encode())
        connection.execute(f"TRUNCATE register.{layer}".encode())
        connection.execute(f"ALTER TABLE register.{layer} ENABLE TRIGGER ALL".encode())


def _real(name: str, layer: str, path: Path) -> list[Row]:
    """A small real file: five loads into an empty layer by each side, in turn; medians, our first one left out."""
    base, full = [], []
    program = PROGRAM.replace("for _ in range(int(times)):", "for _ in sys.stdin:").replace(
        "spent.append(time.perf_counter() - begin)", "print(time.perf_counter() - begin, flush=True)"
    )
    with database() as url:
        registrar = url.replace("//postgres@", "//mezha_registrar@")
        command = [sys.executable, "-c", program, registrar, name, str(path), "0"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdin is not None and worker.stdout is not None
            for turn in range(6):
                base.append(bare(url, path, f"turn_{turn}"))
                _empty(url, layer)
                worker.stdin.write("\n")
                worker.stdin.flush()
                full.append(float(worker.stdout.readline()))
            worker.stdin.close()
            worker.stdout.read()
    one, other = statistics.median(full[1:]), statistics.median(base[1:])
    return [
        Row(
            f"{name}: {path.name}, median of 5", f"{one:.2f} s", f"ogr2ogr {other:.2f} s", one / other, "≤ 2"
        ),
        Row(f"{name}: the first load of a process", f"{full[0]:.2f} s"),
    ]


def _large(count: int, folder: Path) -> list[Row]:
    """A large file: the first load and the unchanged second one, each in a process of its own."""
    path, yaml = folder / "stands.gpkg", folder / "stands.yaml"
    yaml.write_text(STANDS, "utf-8")
    write_stands(count, path)
    with database() as url:
        base = bare(url, path, "stands")
        first, second = ours(url, str(yaml), path), ours(url, str(yaml), path)
    path.unlink()
    one, two = first["seconds"][0], second["seconds"][0]
    peak = max(first["peak"], second["peak"])
    return [
        Row(
            f"{count:,} polygons of 25 vertices, first load",
            f"{one:.1f} s, {count / one:,.0f} rows/s",
            f"ogr2ogr {base:.1f} s",
            one / base,
            "≤ 1.5, aim 1.0",
        ),
        Row(
            f"{count:,} polygons, unchanged second load",
            f"{two:.1f} s",
            f"ogr2ogr {base:.1f} s",
            two / base,
            "≤ 0.5",
        ),
        Row(f"{count:,} polygons, cost of a row", f"{one / count * 1e6:.0f} µs"),
        Row(f"{count:,} polygons, peak memory of the process", f"{peak:.0f} MB", goal="≤ 1,500 MB"),
    ]


def _compared(small: list[Row], large: list[Row]) -> list[Row]:
    """What grows with the number of rows."""
    cost, peak = ([float(rows[i].ours.split()[0]) for rows in (small, large)] for i in (2, 3))
    return [
        Row(
            "cost of a row, 1,000,000 against 100,000",
            large[2].ours,
            small[2].ours,
            cost[1] / cost[0],
            "≤ 1.3",
        ),
        Row(
            "peak memory, 1,000,000 against 100,000", large[3].ours, small[3].ours, peak[1] / peak[0], "flat"
        ),
    ]


def _kpt(folder: Path) -> list[Row]:
    """A KPT of 100 MB, and one of a tenth for its memory."""
    real = SHARED / "rosreestr-kpt-xml" / "kpt11_fragment_24_21_1003001_full.xml"
    peaks: list[float] = []
    for size in (KPT_BYTES // 10, KPT_BYTES):
        path = folder / "kpt.xml"
        count = write_kpt(real, path, size)
        with database() as url:
            done = ours(url, "rosreestr-kpt", path)
        peaks.append(done["peak"])
        spent = done["seconds"][0]
    return [
        Row(f"KPT of 100 MB, {count:,} parcels", f"{spent:.1f} s, {KPT_BYTES / 1e6 / spent:.1f} MB/s"),
        Row(
            "KPT: peak memory at 100 MB",
            f"{peaks[1]:.0f} MB",
            f"at 10 MB {peaks[0]:.0f} MB",
            peaks[1] / peaks[0],
            "flat",
        ),
    ]


def _start() -> list[Row]:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "api.cli", "profiles"], check=True, capture_output=True)
    return [Row("start of the `mezha` command", f"{time.perf_counter() - begin:.1f} s")]


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def rows() -> list[Row]:
    """Every row; those that were measured on this commit already are taken as they are."""
    licences = SHARED / "rosnedra-licence-blocks-ru" / "license_blocks_rosnedra_orders.gpkg"
    stands = SHARED / "bc-forest-stands-k3z" / "vri_k3z.shp"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # What is measured, and about how many seconds it takes on two quiet cores.
        steps: list[tuple[str, int, Callable[[], list[Row]]]] = [
            ("licences", 25, lambda: _real("rosnedra-licences", "licences", licences)),
            ("stands", 25, lambda: _real("bc-stands", "stands", stands)),
            ("kpt", 60, lambda: _kpt(folder)),
            ("small", 50, lambda: _large(SMALL, folder)),
            ("large", 330, lambda: _large(LARGE, folder)),
            ("start", 2, _start),
        ]
        kept = _kept()
        for number, (step, _, measure) in enumerate(steps):
            left = sum(s for name_, s, _ in steps[number:] if name_ not in kept)
            if step not in kept:
                print(
                    f"imports: {step}; about {left // 60} min {left % 60:02d} s left",
                    file=sys.stderr,
                    flush=True,
                )
                kept[step] = measure()
                KEPT.parent.mkdir(parents=True, exist_ok=True)
                saved = {"commit": _commit(), "rows": {k: [asdict(r) for r in v] for k, v in kept.items()}}
                KEPT.write_text(json.dumps(saved, ensure_ascii=False, indent=1), "utf-8")
    made = [r for step, _, _ in steps for r in kept[step]]
    return [*made, *_compared(kept["small"], kept["large"])]


def _kept() -> dict[str, list[Row]]:
    """Rows measured on this very commit by a run that was broken off."""
    if not KEPT.exists():
        return {}
    saved = json.loads(KEPT.read_text("utf-8"))
    if saved["commit"] != _commit() or len(saved["rows"]) >= 6:
        return {}
    return {k: [Row(**r) for r in v] for k, v in saved["rows"].items()}
