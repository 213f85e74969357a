"""A row of docs/benchmarks.md: a figure, what it is measured against, and the ratio that must hold."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured line; ``goal`` is written as the issue has it, such as «≥ 0.5 of pgbench»."""

    what: str
    ours: str
    against: str = ""
    ratio: float | None = None
    goal: str = ""


def seconds(work: Callable[[], object], *, runs: int = 3) -> float:
    """Median wall time of a piece of work after one warm-up, in seconds."""
    work()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)
