"""Cells of a column as text: whole columns say what one cell at a time would say."""

from datetime import date, datetime
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cells import as_json, joined, numbers_of, texts_of, trimmed

BLANKS = " \t\x00\x0b\x1c\x85\u00a0\u2003\u3000"
TEXTS = st.one_of(
    st.none(),
    st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(BLANKS)), max_size=12),
)


@given(st.lists(st.one_of(TEXTS, st.sampled_from([" nan", "NULL", "—", "-", "<NA>"])), max_size=20))
def test_a_column_of_texts_says_what_its_cells_say(values: list[str | None]) -> None:
    expected = [trimmed(v) for v in values]
    assert texts_of(pd.Series(values, dtype=object)).to_pylist() == expected
    assert texts_of(pd.Series(values, dtype="str")).to_pylist() == expected


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(-(2**60), 2**60).map(float)), max_size=20))
def test_a_column_of_numbers_says_what_its_cells_say(values: list[float | None]) -> None:
    column = pd.Series(values, dtype=float)
    assert texts_of(column).to_pylist() == [trimmed(v) for v in column]


MOMENTS = st.one_of(
    st.none(),
    st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)),
    st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)).map(lambda m: m.replace(microsecond=0)),
    st.sampled_from([datetime(2024, 9, 10), datetime(999, 1, 1), datetime(9999, 12, 31, 23, 59, 59)]),
)


@given(
    st.lists(MOMENTS, max_size=5),
    st.sampled_from(["s", "ms", "us"]),
    st.sampled_from([None, "UTC", "Asia/Tomsk"]),
)
def test_a_column_of_moments_says_what_its_cells_say(
    values: list[datetime | None], unit: str, zone: str | None
) -> None:
    column = pd.Series(values, dtype=f"datetime64[{unit}]")
    column = column.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT") if zone else column
    assert texts_of(column).to_pylist() == [trimmed(v) for v in column]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2**62, -3], ["1", str(2**62), "-3"]),
        ([True, False], ["True", "False"]),
        ([date(2024, 2, 28), None], ["2024-02-28", None]),
        (["a", 1, 2.0, None, " b  c "], ["a", "1", "2", None, "b c"]),
    ],
)
def test_cells_of_other_kinds_are_written_as_python_writes_them(
    values: list[Any], expected: list[Any]
) -> None:
    assert texts_of(pd.Series(values)).to_pylist() == expected


def test_a_number_stays_a_number_unless_it_is_endless() -> None:
    made = numbers_of(pd.Series([1.5, np.nan, 3]))
    assert made is not None
    assert made.to_pylist() == [1.5, None, 3.0]
    assert numbers_of(pd.Series([1.5, np.inf])) is None
    assert numbers_of(pd.Series(["1.5"])) is None


def test_a_template_is_null_only_where_every_part_is_missing() -> None:
    a, b = pa.array(["1", None, None]), pa.array(["x", "y", None])
    assert joined(["№", a, "/", b], 3).to_pylist() == ["№1/x", "№/y", None]
    assert joined(["54"], 2).to_pylist() == ["54", "54"]


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=10))
def test_the_rest_of_a_row_is_the_json_of_what_it_says(rows: list[tuple[str | None, str | None]]) -> None:
    columns = {
        'a"\\': pa.array([r[0] for r in rows], pa.string()),
        "я": pa.array([r[1] for r in rows], pa.string()),
    }
    expected = [
        orjson.dumps({k: v for k, v in zip(columns, row, strict=True) if v is not None}).decode()
        for row in rows
    ]
    assert as_json(columns, len(rows)).to_pylist() == expected


def test_one_column_that_says_nothing_keeps_every_row() -> None:
    assert as_json({"a": pa.array([None, "b", None], pa.string())}, 3).to_pylist() == [
        "{}",
        '{"a":"b"}',
        "{}",
    ]
