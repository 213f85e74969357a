"""Checks an excerpt of Mezha's journal against published roots: one file, Python's standard library only.

    python verify_excerpt.py EXCERPT.jsonl ROOT.json [ROOT.json …]

ROOT.json is a daily root as it was published (/api/v1/journal/roots/DAY), or better your own older copy of it.
Exit 0: every entry is proven. 1: an entry or a root was altered. 2: some entries lie under no root given here.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

FIELDS = (
    "strand", "number", "at", "action", "account", "concerned", "subject", "object",
    "region", "inn", "address", "details", "salt",
)  # fmt: skip
ROOT_FIELDS = ("name", "position", "sealed_at", "entries", "merkle", "heads", "previous")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def leaf(entry: Mapping[str, Any]) -> bytes:
    """Hash of an entry: its fields, time as microseconds since 1970, joined by the unit separator."""
    moment = datetime.fromisoformat(entry["at"]) - EPOCH
    values = {**entry, "at": moment // timedelta(microseconds=1)}
    parts = ["1", *("" if values[name] is None else str(values[name]) for name in FIELDS)]
    return sha256(b"\x00" + "\x1f".join(parts).encode()).digest()


def climb(found: bytes, index: int, size: int, path: Sequence[str]) -> bytes:
    """Root that a leaf leads to; b"" where the path has not the length that the tree demands."""
    siblings = [bytes.fromhex(text) for text in path]
    while size > 1:
        if index % 2 or index + 1 < size:
            if not siblings:
                return b""
            sibling = siblings.pop(0)
            pair = sibling + found if index % 2 else found + sibling
            found = sha256(b"\x01" + pair).digest()
        index, size = index // 2, (size + 1) // 2
    return found if not siblings and index == 0 else b""


def fault_of_root(root: Mapping[str, Any]) -> str:
    """What is wrong with a root's document; "" where it has its digest."""
    text = "\x1f".join(["1", *(str(root[name]) for name in ROOT_FIELDS)])
    heads = json.dumps(root["strands"], sort_keys=True, separators=(",", ":"))
    if sha256(heads.encode()).hexdigest() != root["heads"]:
        return "its strands were altered"
    return "" if sha256(b"\x03" + text.encode()).hexdigest() == root["root"] else "its contents were altered"


def fault_of_entry(entry: Mapping[str, Any], roots: Mapping[str, Mapping[str, Any]]) -> str:
    """What is wrong with an entry; "" where it is proven. Its root is among ``roots``."""
    root = roots[entry["root"]]
    first, last, _ = root["strands"].get(str(entry["strand"]), (1, 0, ""))
    if not first <= entry["number"] <= last:
        return "its number is not one that the root covers"
    if climb(leaf(entry), entry["index"], root["entries"], entry["path"]).hex() != root["merkle"]:
        return "it is not what the root covers: the entry or its path was altered"
    return ""


def check(excerpt: Sequence[str], roots: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], int, int]:
    """Faults, number of entries proven, number under no root given."""
    faults = [f"root {name}: {what}" for name, root in roots.items() if (what := fault_of_root(root))]
    proven = open_ = 0
    for position, line in enumerate(excerpt[1:], start=2):
        try:
            entry = json.loads(line)
            if entry["root"] not in roots:
                open_ += 1
                continue
            what = fault_of_entry(entry, roots)
        except (ValueError, KeyError, TypeError, AttributeError) as err:
            what = f"it cannot be read ({err!r})"
        if what:
            faults.append(f"line {position}: {what}")
        else:
            proven += 1
    return faults, proven, open_


def main(arguments: Sequence[str]) -> int:
    """Check the files named and say what was found."""
    if len(arguments) < 2:
        sys.stderr.write(__doc__ or "")
        return 2
    excerpt = Path(arguments[0]).read_bytes().decode("utf-8", "replace").removesuffix("\n").split("\n")
    roots = {r["name"]: r for r in (json.loads(Path(p).read_text("utf-8")) for p in arguments[1:])}
    faults, proven, open_ = check(excerpt, roots)
    for fault in faults:
        sys.stdout.write(f"ALTERED {fault}\n")
    sys.stdout.write(f"{proven} entries proven, {len(faults)} faults, {open_} under no root given here\n")
    return 1 if faults else 2 if open_ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
