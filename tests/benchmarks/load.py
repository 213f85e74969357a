"""Load: `wrk` walks a recorded list of addresses, `pgbench` the same tiles; neither is the bottleneck."""

import asyncio
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
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

    @classmethod
    def mean(cls, turns: "Sequence[Seen]") -> "Seen":
        """Of turns of the same length; their failures together."""
        rate, p95 = (
            statistics.fmean(values) for values in zip(*((t.rate, t.p95) for t in turns), strict=True)
        )
        return cls(rate, p95, sum(t.errors for t in turns))


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


@dataclass(frozen=True)
class Rush:
    """What became of many clients who want the same at once: seconds until the last answer, the slowest one, failures."""

    seconds: float
    slowest: float
    errors: int


def stampede(server: str, paths: list[str], *, clients: int) -> Rush:
    """Every client asks for every path, all at once."""

    async def all_of_them() -> Rush:
        host, port = server.removeprefix("http://").split(":")
        begin = time.perf_counter()
        times = await asyncio.gather(*(_client(host, int(port), paths) for _ in range(clients)))
        flat = [t for some in times for t in some]
        return Rush(time.perf_counter() - begin, max(flat), sum(t < 0 for t in flat))

    return asyncio.run(all_of_them())


async def _client(host: str, port: int, paths: list[str]) -> list[float]:
    """Seconds of each answer, -1 where it failed; one connection."""
    reader, writer = await asyncio.open_connection(host, port)
    times = []
    for path in paths:
        begin = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        times.append(
            time.perf_counter() - begin if head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")) else -1.0
        )
    writer.close()
    return times


def floor(
    cluster: Cluster,
    database: str,
    sql: str,
    tiles: list[tuple[int, int, int]],
    seconds: float,
    *,
    once: bool = False,
) -> float:
    """The same statement for the same tiles through `pgbench`, as the serving role, per second.

    ``sql`` has $1 zoom, $2 column, $3 row; every client walks the list from a place of its own. What takes seconds a
    tile is asked for three times by two clients.
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
        command = [str(bin_folder() / "pgbench"), "-n", "-M", "prepared", "-j", "1"]
        command += ["-c", "2", "-t", "3"] if once else ["-c", "4", "-T", f"{seconds:g}"]
        command += ["-D", "c=0", "-D", f"z={tiles[0][0]}", "-f", str(script)]
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
