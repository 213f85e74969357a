"""Giants: objects whose boundary would take everybody's memory; refused by what the file declares, where it declares it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.errors import RefusedError
from ingest.source import Source

# No plot has a boundary of 64 million points.
MAX_FEATURE = 1 << 30


def refuse(source: Source, size: int) -> None:
    """RefusedError where a geometry of ``size`` bytes is larger than is allowed."""
    if size > MAX_FEATURE:
        raise RefusedError(
            f"One object of {source.path.name} has a geometry of {size / 2**20:.0f} MB; "
            f"{MAX_FEATURE >> 20} MB are allowed.",
            "Split the object, or simplify its boundary.",
            field="file",
            value=source.path.name,
        )


def refuse_blobs(source: Source, blobs: NDArray[np.object_]) -> None:
    """The largest of some geometries (WKB), before their points become objects; None where a row has none."""
    refuse(source, max((len(blob) for blob in blobs if blob is not None), default=0))


def refuse_index(source: Source, index: Path) -> None:
    """The largest record that a Shapefile's index (.shx) declares, before the shapes themselves are read."""
    lengths = np.fromfile(index, dtype=">i4", offset=min(100, index.stat().st_size))[1::2]
    # In words of 16 bits.
    refuse(source, int(lengths.max(initial=0)) * 2)
