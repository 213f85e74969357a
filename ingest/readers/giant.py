"""Giants: objects whose boundary would take everybody's memory; turned away before they are held whole where the format allows."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.errors import RefusedError
from ingest.problem import Problem
from ingest.source import Source

REMEDY = "Split the object, simplify its boundary, or allow more with MEZHA_OBJECT_MB."


def refuse(source: Source, size: int) -> None:
    """RefusedError where an object takes ``size`` bytes and that is more than is allowed."""
    if size > source.largest:
        raise RefusedError(
            f"One object of {source.name} takes {_mb(size)} MB; {_mb(source.largest)} MB are allowed.",
            REMEDY,
            field="file",
            value=source.name,
        )


def _mb(size: int) -> str:
    return f"{round(size / 2**20, 2):g}"


def problem(source: Source, size: int) -> Problem:
    """The problem of a record that was not kept because it takes ``size`` bytes of the file."""
    return Problem(
        0,
        "giant-object",
        "geometry",
        f"{_mb(size)} MB",
        f"The object takes {_mb(size)} MB of the file; {_mb(source.largest)} MB are allowed.",
        REMEDY,
    )


def refuse_blobs(source: Source, blobs: NDArray[np.object_]) -> None:
    """The largest of some geometries (WKB), before their points become objects; None where a row has none."""
    refuse(source, max((len(blob) for blob in blobs if blob is not None), default=0))


def refuse_index(source: Source, index: Path) -> None:
    """The largest record that a Shapefile's index (.shx) declares, before the shapes themselves are read."""
    lengths = np.fromfile(index, dtype=">i4", offset=min(100, index.stat().st_size))[1::2]
    # In words of 16 bits.
    refuse(source, int(lengths.max(initial=0)) * 2)
