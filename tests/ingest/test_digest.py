"""Digests: the same row has the same fingerprint in every run and release, another row another one."""

from datetime import date

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ingest.digest import digests

# Computed by the first release that had digests, row by row.
GOLDEN = [
    "22942450eebed46b03ab0358b20f1353",
    "e00b1f63da5b4fb6d5d9f3f286e96265",
]


def made(*columns: pa.Array, wkb: list[bytes | None], context: str = "") -> list[str]:
    return [d.hex() for d in digests(columns, np.array(wkb, dtype=object), context).to_pylist()]


def test_the_fingerprint_is_that_of_earlier_releases() -> None:
    columns = (
        pa.array(["выдел", None]),
        pa.array([7, None]),
        pa.array([date(2020, 5, 1), None]),
        pa.array([1.5, None]),
    )
    assert made(*columns, wkb=[b"\x01\x02", None], context="EPSG:4326|0") == GOLDEN


@given(
    st.lists(
        st.tuples(st.none() | st.text(max_size=3), st.none() | st.integers(0, 3)), min_size=2, max_size=8
    )
)
def test_rows_share_a_fingerprint_only_where_they_say_the_same(
    rows: list[tuple[str | None, int | None]],
) -> None:
    rows = [(None if a is None or "\ud800" <= max(a, default="") <= "\udfff" else a, b) for a, b in rows]
    columns = (pa.array([a for a, _ in rows], pa.string()), pa.array([b for _, b in rows], pa.int64()))
    found = made(*columns, wkb=[b"x"] * len(rows))
    for one, first in zip(rows, found, strict=True):
        for other, second in zip(rows, found, strict=True):
            assert (one == other) == (first == second)


def test_another_shape_system_or_order_is_another_fingerprint() -> None:
    a, b = pa.array(["1"]), pa.array(["2"])
    found = [
        made(a, b, wkb=[b"x"]),
        made(b, a, wkb=[b"x"]),
        made(a, b, wkb=[b"y"]),
        made(a, b, wkb=[None]),
        made(a, b, wkb=[b"x"], context="EPSG:28404"),
    ]
    assert len({f[0] for f in found}) == len(found)
