"""What a reader yields: source columns and source geometries of some thousand rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.problem import Problem
from ingest.source import Source


@dataclass(frozen=True)
class Batch:
    """Rows of a source as they stand there.

    ``columns`` holds the source's columns, ``geometries`` shapely objects easting–northing in the system that
    ``crs`` names ("" where the source does not say), ``rows`` the 1-based row numbers in the source. ``notes`` say
    what the reader decided by evidence (encoding, delimiter, axis order); ``problems`` what it could not read.
    """

    columns: pd.DataFrame
    geometries: NDArray[np.object_]
    rows: NDArray[np.int64]
    crs: str
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def take(self, positions: NDArray[np.int64]) -> "Batch":
        """Some of the rows, by position."""
        if len(positions) == len(self.rows):
            return self
        columns = self.columns.iloc[positions].reset_index(drop=True)
        return Batch(columns, self.geometries[positions], self.rows[positions], self.crs)


class Reader(Protocol):
    """A format: tells by content whether a source is its own, and reads it."""

    name: ClassVar[str]

    def recognises(self, source: Source) -> bool:
        """Whether the bytes are of this format, whatever the file is called."""
        ...

    def layers(self, source: Source) -> list[str]:
        """Names of the layers or record kinds inside."""
        ...

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """The rows of one layer; None where there is only one."""
        ...
