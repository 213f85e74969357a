"""Records: what a reader that goes object by object yields, gathered into batches by coordinate system."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from ingest.batch import Batch
from ingest.problem import Problem

BATCH_ROWS = 5_000


@dataclass(frozen=True)
class Record:
    """One record of a file: its columns, its geometry (easting–northing) and the system it names.

    ``problems`` have row 0: the row is known only when records are numbered. ``row`` numbers a record by its own.
    """

    columns: Mapping[str, Any]
    geometry: Any
    crs: str
    problems: tuple[Problem, ...] = field(default=())
    row: int | None = None


def batches_of(records: Iterable[Record], notes: tuple[str, ...] = ()) -> Iterator[Batch]:
    """Records in batches of one coordinate system each, numbered as they come."""
    pending: list[tuple[int, Record]] = []
    for number, record in enumerate(records, start=1):
        pending.append((record.row or number, record))
        if len(pending) >= BATCH_ROWS:
            yield from _grouped(pending, notes)
            pending = []
    yield from _grouped(pending, notes)


def _grouped(pending: list[tuple[int, Record]], notes: tuple[str, ...]) -> Iterator[Batch]:
    ordered = sorted(pending, key=lambda item: item[1].crs)
    for crs, group in groupby(ordered, key=lambda item: item[1].crs):
        items = list(group)
        geometries = np.empty(len(items), dtype=object)
        geometries[:] = [record.geometry for _, record in items]
        yield Batch(
            pd.DataFrame([dict(record.columns) for _, record in items], dtype=object),
            geometries,
            np.array([number for number, _ in items], dtype=np.int64),
            crs,
            notes,
            tuple(
                Problem(number, p.code, p.field, p.value, p.message, p.remedy, p.warning)
                for number, record in items
                for p in record.problems
            ),
        )


def bad_coordinate(reason: str, value: str = "") -> Problem:
    """The problem of a record whose coordinates cannot be read."""
    return Problem(
        0, "bad-coordinate", "geometry", value[:200], f"A coordinate cannot be read: {reason}.", "Correct it."
    )
