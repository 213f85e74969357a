"""`make bench`: run the benchmark modules named (all but the millions by default) and renew their sections of docs/benchmarks.md.

A benchmark is a module ``tests/benchmarks/bench_NOUN.py`` with a docstring and ``rows() -> list[Row]``; it makes
its own throw-away cluster. Machines are noisy: ratios within one run are what counts.
"""

import importlib
import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.row import Row

# Recorded once: too long for every run.
ONCE = ("millions",)
HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Each section is written by one command; ratios are taken within one run on one machine, so they hold where absolute
figures drift. `make bench` renews all of them, `.venv/bin/python -m tests.benchmarks NOUN` one.

The benches of the map and of spatial questions (`tiles features spatial endurance`) share a forest of 1,000,000 stands
with their past, made once and kept in `.mezha/bench`; `MEZHA_BENCH_SIDE=300` makes one of 90,000. `millions` asks one of
10,000,000, which takes up to an hour and 40 GB of disk to make, so it runs only when it is named. `MEZHA_BENCH_MINUTES=10`
is the long mixed load.
"""


def machine() -> str:
    """What the figures were measured on."""
    found = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text("utf-8"))
    memory = int(found[1]) // 1_048_576 if found else 0
    return (
        f"{os.cpu_count()} cores, {memory} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def section(noun: str, title: str, rows: list[Row]) -> str:
    """Markdown of one benchmark."""
    lines = [
        f"## {noun}",
        "",
        title.strip().splitlines()[0],
        "",
        f"`.venv/bin/python -m tests.benchmarks {noun}` · {datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {machine()}",
        "",
        "| what | ours | against | ratio | goal |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.what} | {r.ours} | {r.against} | {'' if r.ratio is None else f'{r.ratio:.2f}'} | {r.goal} |"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


def replace(page: str, noun: str, text: str) -> str:
    """The page with one section renewed or added."""
    parts = re.split(r"(?m)^(?=## )", page)
    kept = [p for p in parts[1:] if not p.startswith(f"## {noun}\n")]
    return "\n".join([parts[0].rstrip() + "\n", *sorted([*(p.rstrip() + "\n" for p in kept), text])])


def main() -> None:
    """Run and write."""
    known = sorted(p.stem.removeprefix("bench_") for p in HERE.glob("bench_*.py"))
    wanted = sys.argv[1:] or [noun for noun in known if noun not in ONCE]
    unknown = set(wanted) - set(known)
    if unknown:
        sys.exit(f"There is no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(known)}.")
    for noun in wanted:
        module = importlib.import_module(f"tests.benchmarks.bench_{noun}")
        rows: list[Row] = module.rows()
        text = section(noun, module.__doc__ or noun, rows)
        page = PAGE.read_text("utf-8") if PAGE.exists() else HEAD
        PAGE.write_text(replace(page, noun, text), "utf-8")
        print(text)


if __name__ == "__main__":
    main()
