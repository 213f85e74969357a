"""Reports: what a run found and did, as JSON and for the eye."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ingest.pipeline import Result

COUNTS = ("read", "new", "changed", "unchanged", "gone", "rejected", "warnings")


def document(result: Result) -> dict[str, Any]:
    """The result as plain data."""
    return {
        "run": result.run,
        "profile": result.profile,
        "layer": result.layer,
        "file": result.file,
        "sha256": result.sha256,
        "status": result.status,
        "crs": result.crs,
        "resumed": result.resumed,
        "counts": result.counts,
        "problems": [vars(p) for p in result.problems],
    }


def write(result: Result, folder: Path) -> Path:
    """Write ``run-N.json`` into a folder and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"run-{result.run}.json"
    path.write_text(json.dumps(document(result), ensure_ascii=False, indent=1), "utf-8")
    return path


def show(result: Result, console: Console) -> None:
    """Print the counts and the kinds of problem."""
    console.print(
        f"{result.file} → {result.layer} ({result.profile}), {result.status}; CRS {', '.join(result.crs) or '—'}",
        highlight=False,
    )
    table = Table(*COUNTS)
    table.add_row(*(str(result.counts.get(name, 0)) for name in COUNTS))
    console.print(table)
    for (code, warning), count in Counter((p.code, p.warning) for p in result.problems).most_common(12):
        first = next(p for p in result.problems if p.code == code)
        console.print(
            f"{'warning' if warning else 'rejected'}  {code} × {count}: row {first.row}: {first.message} {first.remedy}",
            highlight=False,
        )
