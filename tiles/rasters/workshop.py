"""The workshop: has a file made into a COG by a child process, follows it, and ends it where nobody wants it any more."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from geo.problem import error_of
from geo.rasters.errors import RasterFileError
from geo.sentence import Sentence

SECONDS = 3600
# How often it is asked whether the work is still wanted, seconds.
PACE = 0.5
Watch = Callable[[str, float], bool]


class DroppedError(Exception):
    """Nobody wants the result any more."""


def make(file: Path, folder: Path, name: str, *, alone: bool, watch: Watch) -> dict[str, Any]:
    """Facts of the COG made of ``file`` in ``folder``; ``name`` is what people call the file.

    ``watch`` hears the stage and its share every half second and says whether to go on; DroppedError where it says no.
    RasterFileError names what is wrong with the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tiles.rasters.converter", str(file), str(folder), name]
    child = subprocess.Popen(
        [*command, *(["--alone"] if alone else [])],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return _follow(child, name, watch)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout:
            child.stdout.close()


def _follow(child: "subprocess.Popen[bytes]", name: str, watch: Watch) -> dict[str, Any]:
    stage, share, told, until = "checking", 0.0, 0.0, time.monotonic() + SECONDS
    for line in _lines(child):
        if line:
            said = json.loads(line)
            if problem := said.get("problem"):
                raise error_of(problem, RasterFileError)
            if made := said.get("made"):
                found: dict[str, Any] = made
                return found
            stage, share = said["stage"], said["share"]
        now = time.monotonic()
        if now > until:
            break
        if now - told > PACE:
            told = now
            if not watch(stage, share):
                raise DroppedError
    raise RasterFileError(
        Sentence("%(file)s: the work on it broke off, for it takes too much time or memory.", file=name),
        Sentence("Cut it into sheets of one collection."),
        field="file",
        value=name,
    )


def _lines(child: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """Lines of the child until it ends; an empty one where it has been silent for a while."""
    if child.stdout is None:
        return
    descriptor, held = child.stdout.fileno(), b""
    while True:
        if not select.select([descriptor], [], [], PACE)[0]:
            yield b""
            continue
        block = os.read(descriptor, 1 << 16)
        if not block:
            return
        *whole, held = (held + block).split(b"\n")
        yield from whole
