"""Blocks of COPY: what PostgreSQL reads back is what was put in, nulls and ends of time too."""

from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.block import block

TYPES = {
    "t": "text",
    "j": "jsonb",
    "b": "bytea",
    "u": "uuid",
    "s": "int2",
    "i": "int4",
    "l": "int8",
    "f": "float8",
    "o": "boolean",
    "d": "date",
}
ARROW = {
    "t": pa.string(),
    "j": pa.string(),
    "b": pa.binary(),
    "u": pa.binary(16),
    "s": pa.int16(),
    "i": pa.int32(),
    "l": pa.int64(),
    "f": pa.float64(),
    "o": pa.bool_(),
    "d": pa.date32(),
}
VALUES = {
    "t": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    "j": st.sampled_from(["{}", '{"я":"\\"a\\""}']),
    "b": st.binary(max_size=8),
    "u": st.uuids().map(lambda u: u.bytes),
    "s": st.integers(-(2**15), 2**15 - 1),
    "i": st.integers(-(2**31), 2**31 - 1),
    "l": st.integers(-(2**63), 2**63 - 1),
    "f": st.floats(allow_nan=False),
    "o": st.booleans(),
    "d": st.dates(),
}
ROWS = st.lists(st.fixed_dictionaries({n: st.none() | v for n, v in VALUES.items()}), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_the_database_reads_back_what_was_written(
    db: psycopg.Connection[Any], rows: list[dict[str, Any]]
) -> None:
    columns = {n: pa.array([r[n] for r in rows], ARROW[n]) for n in TYPES}
    own = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    copy = f"COPY held ({', '.join(TYPES)}) FROM STDIN (FORMAT binary)"
    with db.transaction(force_rollback=True), db.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE held ({own}, place serial)".encode())
        with cursor.copy(copy.encode()) as stream:
            stream.write(block(columns, TYPES))
        found = cursor.execute(f"SELECT {', '.join(TYPES)} FROM held ORDER BY place".encode()).fetchall()
    for row, held in zip(rows, found, strict=True):
        said = row | {"j": None if row["j"] is None else {"{}": {}}.get(row["j"], {"я": '"a"'})}
        said["u"] = None if row["u"] is None else UUID(bytes=row["u"])
        assert dict(zip(TYPES, held, strict=True)) == said


def test_an_open_moment_is_an_end_of_time(db: psycopg.Connection[Any]) -> None:
    days = pa.array([None, date(2024, 2, 29)])
    db.execute("CREATE TEMPORARY TABLE moments (a date, b date)")
    with db.cursor() as cursor, cursor.copy("COPY moments (a, b) FROM STDIN (FORMAT binary)") as stream:
        stream.write(block({"a": days, "b": days}, {"a": "since", "b": "until"}))
    assert db.execute("SELECT a::text, b::text FROM moments").fetchall() == [
        ("-infinity", "infinity"),
        ("2024-02-29", "2024-02-29"),
    ]
