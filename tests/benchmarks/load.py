"""Load: `wrk` walks a recorded list of addresses, `pgbench` the same tiles; neither is the bottleneck."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from geo.cluster import Cluster, bin_folder

_LIST = """
local paths, at, number = {}, 0, 0
function setup(thread) thread:set("number", number); number = number + 1 end
function init(args)
  for line in io.lines(args[1]) do paths[#paths + 1] = wrk.format("GET", line) end
  at = math.floor(number * #paths / 2)
end
function request() at = at + 1; return paths[(at - 1) % #paths + 1] end
function done(summary, latency, requests)
  print("SEEN", summary.requests / summary.duration * 1e6, latency:percentile(95) / 1000,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout)
end
"""


@dataclass(frozen=True)
class Seen:
    """Requests a second, 95th percentile in milliseconds, failed requests."""

    rate: float
    p95: float
    errors: int


def missing() -> str:
    """Name of a tool of the benchmark that is not installed, "" where all are there."""
    return next(
        (t for t in ("wrk", "nginx") if not shutil.which(t) and not Path(f"/usr/sbin/{t}").exists()), ""
    )


def walk(server: str, paths: list[str], seconds: float, *, clients: int = 16) -> Seen:
    """Walk the list over and over for so long."""
    with tempfile.TemporaryDirectory() as folder:
        script, addresses = Path(folder, "list.lua"), Path(folder, "paths")
        script.write_text(_LIST, "utf-8")
        addresses.write_text("\n".join(paths) + "\n", "utf-8")
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "30s", "-s", str(script)]
        done = subprocess.run(
            [*command, server, "--", str(addresses)], capture_output=True, text=True, check=True
        )
    found = re.search(r"SEEN\s+(\S+)\s+(\S+)\s+(\S+)", done.stdout)
    if not found:
        raise RuntimeError(done.stdout + done.stderr)
    return Seen(float(found[1]), float(found[2]), int(float(found[3])))


def floor(
    cluster: Cluster, database: str, sql: str, tiles: list[tuple[int, int, int]], seconds: float
) -> float:
    """The same statement for the same tiles through `pgbench`, as the serving role, per second.

    ``sql`` has $1 zoom, $2 column, $3 row; every client walks the list from a place of its own.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        script = Path(folder, "floor.sql")
        # pgbench has no lists: the numbers of a tile follow from its place in a rectangle.
        xs, ys = sorted({x for _, x, _ in tiles}), sorted({y for _, _, y in tiles})
        if len(xs) * len(ys) != len(tiles):
            raise ValueError("the tiles are no rectangle")
        lines = [
            rf"\set i permute((:c + :client_id * {len(tiles) // 4}) % {len(tiles)}, {len(tiles)})",
            r"\set c :c + 1",
            rf"\set x {xs[0]} + :i % {len(xs)}",
            rf"\set y {ys[0]} + :i / {len(xs)}",
            sql.replace("$1", ":z").replace("$2", ":x").replace("$3", ":y") + ";",
        ]
        script.write_text("\n".join(lines) + "\n", "utf-8")
        command = [str(bin_folder() / "pgbench"), "-n", "-M", "prepared", "-c", "4", "-j", "1"]
        command += ["-T", f"{seconds:g}", "-D", "c=0", "-D", f"z={tiles[0][0]}", "-f", str(script)]
        done = subprocess.run(
            [*command, "-h", str(cluster.socket), "-U", "mezha_app", database],
            capture_output=True,
            text=True,
            check=True,
            env={"PGOPTIONS": "-c plan_cache_mode=force_generic_plan", "PATH": "/usr/bin:/bin"},
        )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if not found:
        raise RuntimeError(done.stdout + done.stderr)
    return float(found[1])
