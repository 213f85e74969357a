"""Mixed load for minutes: memory of each server process and failures (MEZHA_BENCH_MINUTES, else 1.5)."""

import os
import random
import threading
import time
from pathlib import Path

from tests.benchmarks import servers
from tests.benchmarks.bench_tiles import OURS, paths, tiles_of
from tests.benchmarks.ground import Ground, cluster, sides
from tests.benchmarks.load import walk
from tests.benchmarks.row import Row

MINUTES = float(os.environ.get("MEZHA_BENCH_MINUTES", "1.5"))


def mixed(ground: Ground) -> list[str]:
    """Addresses of every kind, in a seeded order."""
    dice = random.Random(3)
    west, south, east, north = ground.coverage.box
    found = [p for zoom in (8, 10, 12, 14) for p in paths(tiles_of(ground.coverage, zoom)[:1500], OURS)]
    for _ in range(1500):
        x, y = dice.uniform(west, east), dice.uniform(south, north)
        found.append(f"/api/v1/spatial/at?lon={x:.6f}&lat={y:.6f}")
        found.append(f"/ogc/collections/stands/items/{dice.randrange(ground.count) + 1}")
        found.append(
            f"/ogc/collections/stands/items?limit=100&bbox={x:.4f},{y:.4f},{x + 0.05:.4f},{y + 0.05:.4f}"
        )
    dice.shuffle(found)
    return found


def _resident(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _workers() -> list[int]:
    """Server processes below this one: those that hold most, one for each worker."""
    found: list[int] = []
    open_ = [os.getpid()]
    while open_:
        pid = open_.pop()
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            children = [int(c) for c in task.read_text("ascii").split()]
            open_ += children
            found += [c for c in children if b"serve" in Path(f"/proc/{c}/cmdline").read_bytes()]
    return sorted(found, key=_resident)[-2:]


def rows() -> list[Row]:
    """The rows of the section."""
    place = cluster()
    try:
        ground = Ground.of(place, sides()[1])
        addresses = mixed(ground)
        sizes: list[list[int]] = []
        done = threading.Event()
        with servers.mezha(ground.settings) as server:
            workers = _workers()

            def watch() -> None:
                while not done.wait(1):
                    sizes.append([_resident(pid) for pid in workers])

            watcher = threading.Thread(target=watch)
            watcher.start()
            begin = time.monotonic()
            seen = walk(server, addresses, MINUTES * 60, clients=16)
            took = time.monotonic() - begin
            done.set()
            watcher.join()
    finally:
        place.stop()
    third = len(sizes) // 3
    top = max(max(s) for s in sizes) / 2**20
    early, late = (max(max(s) for s in part) / 2**20 for part in (sizes[: third * 2], sizes[third * 2 :]))
    return [
        Row(
            f"mixed load of {took:.0f} s over {ground.count:,} stands, 16 clients",
            f"most in one process {top:.0f} MB; {seen.rate:,.0f} answers/s, p95 {seen.p95:.0f} ms, {seen.errors} errors",
            f"two thirds through {early:.0f} MB, after {late:.0f} MB",
            late / early,
            "≤ 400 MB, flat, 0 errors",
        )
    ]
