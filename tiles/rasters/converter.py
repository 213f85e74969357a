"""The child that makes a COG of one file, within bounds of memory, disk and time: a hostile file hurts nobody but itself.

``python -m tiles.rasters.converter FILE FOLDER NAME [--alone]`` prints JSON, a line each: stages with their share, then
what was made or what is wrong. ``--alone``: the file came from outside, so nothing that lies beside it is read.
"""

import json
import os
import re
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO, cast

from geo.errors import MezhaError
from geo.problem import problem_of
from geo.rasters.errors import RasterFileError
from geo.sentence import Sentence

MEMORY = 6 << 30
SECONDS = 3600


def say(**what: Any) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Progress:
    """What the conversion writes its progress bar to: tells each new percent."""

    def __init__(self) -> None:
        self._last = -1

    def isatty(self) -> bool:
        """A bar is drawn only where somebody looks."""
        return True

    def write(self, text: str) -> int:
        """Take a piece of the bar."""
        found = re.findall(r"(\d+)%", text)
        if found and int(found[-1]) > self._last:
            self._last = int(found[-1])
            say(stage="converting", share=self._last / 100)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def make(file: Path, folder: Path, name: str, *, alone: bool) -> dict[str, Any]:
    """Check a file, make its COG in ``folder``, measure it; RasterFileError where it cannot be."""
    from tiles.rasters import conversion, ranges

    say(stage="checking", share=0)
    conversion.driver(file, name, alone=alone)
    facts = conversion.facts(file, name)
    conversion.check_room(facts, folder, name)
    sha256, size = conversion.convert(file, folder, cast("TextIO", Progress()), name)
    say(stage="proving", share=1)
    made = {"sha256": sha256, "bytes": size, "source_sha256": conversion.digest(file)}
    return asdict(facts) | made | {"ranges": ranges.measure(folder / f"{sha256}.tif")}


def main() -> int:
    """Convert the file of the command line."""
    file, folder, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    alone = "--alone" in sys.argv[4:]
    if alone:
        os.environ["GDAL_DISABLE_READDIR_ON_OPEN"] = "EMPTY_DIR"
        os.environ["GDAL_PAM_ENABLED"] = "NO"
    os.environ["GDAL_CACHEMAX"] = "256"
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        say(made=make(file, folder, name, alone=alone))
    except MezhaError as err:
        say(problem=problem_of(err))
    except (MemoryError, RecursionError):
        large = RasterFileError(
            Sentence("%(file)s: it needs too much memory.", file=name),
            Sentence("Cut it into sheets of one collection."),
            field="file",
        )
        say(problem=problem_of(large))
    return 0


if __name__ == "__main__":
    sys.exit(main())
