"""Looking into a file from outside: the child does it, here are its bounds and what its answer means."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cases.documents.errors import FileRefusedError, refused
from cases.file_format import EXTENSIONS, Format, extension_of

_SECONDS = 30


@dataclass(frozen=True)
class Examined:
    """What a file is, by its content, and what is in it: pages, dpi, entries."""

    format: Format
    facts: dict[str, Any] = field(default_factory=dict)


async def examine(path: Path, name: str) -> Examined:
    """Look into the file that somebody calls ``name``; FileRefusedError where it cannot be taken."""
    return await asyncio.to_thread(_examine, path, name)


def _examine(path: Path, name: str) -> Examined:
    command = [sys.executable, "-m", "cases.documents.examine", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise refused("bomb", name=name) from None
    if done.returncode < 0 or not done.stdout:
        # Killed by its own bounds, or by what it read.
        raise refused("bomb" if done.returncode < 0 else "damaged", name=name)
    answer = json.loads(done.stdout)
    if fault := answer.get("fault"):
        raise _fault(fault, name)
    found = Format(answer["format"])
    if extension_of(name) not in EXTENSIONS[found]:
        raise refused("lies", name=name, named=extension_of(name).upper() or "?", found=found.upper())
    return Examined(found, answer["facts"])


def _fault(fault: str, name: str) -> FileRefusedError:
    """What the child found; a name that promises a known format makes of “unknown” a lie."""
    extension = extension_of(name)
    if fault == "unknown" and any(extension in known for known in EXTENSIONS.values()):
        return refused("lies", name=name, named=extension.upper(), found="?")
    return refused(fault, name=name)
