"""Blocks: rows in PostgreSQL's binary COPY format, put together by Arrow column by column, never row by row."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TAIL = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_FIXED = {
    "int2": (pa.int16(), ">i2"),
    "int4": (pa.int32(), ">i4"),
    "int8": (pa.int64(), ">i8"),
    "float8": (pa.float64(), ">f8"),
    "boolean": (pa.uint8(), "u1"),
}
# PostgreSQL counts days from the year 2000; its ends of time are the ends of the type.
_EPOCH = 10_957
_ENDS = {"since": -(2**31), "until": 2**31 - 1}
_VARIABLE = pa.large_binary()


def block(columns: Mapping[str, pa.Array], types: Mapping[str, str]) -> memoryview:
    """All rows as one COPY message. Types: text, jsonb, bytea, geometry (WKB), uuid, int2, int4, int8, float8,
    boolean, date, and the dates ``since`` and ``until``, whose null is the beginning and the end of time.
    """
    parts: list[pa.Array | bytes] = [len(types).to_bytes(2, "big")]
    for name, kind in types.items():
        parts += _field(columns[name], kind)
    joined = pc.binary_join_element_wise(*_merged(parts), pa.scalar(b"", _VARIABLE))
    if isinstance(joined, pa.Scalar):
        # Every field of every row is null.
        return memoryview(_HEAD + joined.as_py() * len(next(iter(columns.values()))) + _TAIL)
    _, offsets, data = joined.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[joined.offset : joined.offset + len(joined) + 1]
    return memoryview(b"".join((_HEAD, memoryview(data)[ends[0] : ends[-1]], _TAIL)))


def _merged(parts: Sequence[pa.Array | bytes]) -> list[pa.Array | pa.Scalar]:
    """Neighbouring constants as one."""
    made: list[pa.Array | pa.Scalar] = []
    constant = b""
    for part in parts:
        if isinstance(part, bytes):
            constant += part
            continue
        if constant:
            made.append(pa.scalar(constant, _VARIABLE))
        made.append(part)
        constant = b""
    return [*made, pa.scalar(constant, _VARIABLE)] if constant else made


def _field(values: pa.Array, kind: str) -> list[pa.Array | bytes]:
    """A column as lengths and contents."""
    if kind in _ENDS:
        days = values.cast(pa.date32()).cast(pa.int32())
        numbers = np.where(values.is_null().to_numpy(zero_copy_only=False), _ENDS[kind], _days(days))
        return [_fixed(numbers.astype(">i4"))]
    if values.null_count == len(values):
        return [_NULL]
    if kind == "date":
        return _nullable(_fixed(_days(values.cast(pa.date32()).cast(pa.int32())).astype(">i4")), values)
    if kind in _FIXED:
        arrow, layout = _FIXED[kind]
        numbers = values.cast(arrow).fill_null(0).to_numpy(zero_copy_only=False)
        return _nullable(_fixed(numbers.astype(layout)), values)
    contents = values.cast(pa.large_string() if pa.types.is_string(values.type) else _VARIABLE).cast(
        _VARIABLE
    )
    prefix = b"\x01" if kind == "jsonb" else b""
    lengths = pc.fill_null(pc.add(pc.binary_length(contents), len(prefix)), -1).to_numpy(zero_copy_only=False)
    parts: list[pa.Array | bytes] = [_bytes_of(lengths.astype(">i4"))]
    if prefix:
        parts += (
            _nullable(_bytes_of(np.ones(len(values), "u1")), values, b"") if values.null_count else [prefix]
        )
    return [*parts, contents.fill_null(b"") if values.null_count else contents]


def _days(days: pa.Array) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.asarray(days.fill_null(_EPOCH).to_numpy(zero_copy_only=False), dtype=np.int64) - _EPOCH


def _fixed(numbers: "np.ndarray[tuple[int], np.dtype[np.generic]]") -> pa.Array:
    """Numbers of one width, each with its length before it."""
    width = numbers.dtype.itemsize
    raw = np.empty((len(numbers), 4 + width), dtype="u1")
    raw[:, :4] = np.frombuffer(width.to_bytes(4, "big"), dtype="u1")
    raw[:, 4:] = np.ascontiguousarray(numbers).view("u1").reshape(len(numbers), width)
    return _bytes_of(raw.reshape(-1), 4 + width)


def _bytes_of(raw: "np.ndarray[tuple[int], np.dtype[np.generic]]", width: int = 0) -> pa.Array:
    """Pieces of one width as binary values."""
    width = width or raw.dtype.itemsize
    flat = np.ascontiguousarray(raw).view("u1")
    count = len(flat) // width
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int64)
    return pa.LargeBinaryArray.from_buffers(
        _VARIABLE, count, [None, pa.py_buffer(offsets), pa.py_buffer(flat)]
    )


def _nullable(made: pa.Array, values: pa.Array, nothing: bytes = _NULL) -> list[pa.Array | bytes]:
    if not values.null_count:
        return [made]
    return [pc.if_else(values.is_valid(), made, pa.scalar(nothing, _VARIABLE))]
