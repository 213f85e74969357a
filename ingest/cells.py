"""Cells of a source: what stands in a column, as trimmed text, whole columns at a time."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_EMPTY = ("", "nan", "none", "null", "-", "—", "<na>", "nat")
# In bytes, whichever case they are written in.
_LONGEST_EMPTY = max(len(v.encode()) for v in _EMPTY)
_BLANKS = re.compile(r"[ \t\u00a0]+")
# What Python's strip() takes for a blank; RE2's \s knows only ASCII.
_SPACE = r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
# What JSON writes in two characters and texts often hold; the backslash first.
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ENDS = "".join(c for c in map(chr, range(0x3001)) if c.isspace())
_RUNS = r"[ \t\x{a0}]+"
_UNCLEAN = rf"[\x00\t\x{{a0}}]|  |\A[{_SPACE}]|[{_SPACE}]\z"


def plain(value: Any) -> str | None:
    """A cell as text, untrimmed; whole floats lose their «.0», as they do in keys."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def trimmed(value: Any) -> str | None:
    """A cell as text with single blanks; None where it says nothing."""
    text = plain(value)
    if text is None:
        return None
    text = _BLANKS.sub(" ", text.replace("\x00", "")).strip()
    return None if text.lower() in _EMPTY else text


def texts_of(values: "pd.Series[Any]") -> pa.Array:
    """A column as trimmed texts, null where a cell says nothing."""
    column = _arrow(values)
    if column is not None and pa.types.is_integer(column.type):
        return column.cast(pa.string())
    if column is not None and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return _by_value(_cleaned, column.cast(pa.string()))
    moments = _of_moments(column) if column is not None and pa.types.is_timestamp(column.type) else None
    if moments is not None:
        return moments
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    rule = _of_float if column is not None and pa.types.is_floating(column.type) else trimmed
    cleaned = pa.array([rule(v) for v in distinct.tolist()], pa.string())
    return cleaned.take(pa.array(codes, mask=codes < 0))


def _of_moments(moments: pa.Array) -> pa.Array | None:
    """Moments of whole seconds as Python writes them; None where they are finer, or of another zone than UTC."""
    if moments.type.tz not in (None, "UTC"):
        return None
    whole = moments.cast(pa.timestamp("s", moments.type.tz), safe=False)
    finer = pc.not_equal(whole.cast(moments.type), moments)
    # Arrow writes years before 1000 and after 9999 in its own way.
    odd = pc.or_(pc.less(pc.year(whole), 1000), pc.greater(pc.year(whole), 9999))
    if pc.any(pc.or_(finer, odd)).as_py():
        return None
    texts = whole.cast(pa.timestamp("s")).cast(pa.string())
    return pc.binary_join_element_wise(texts, pa.scalar("+00:00"), "") if moments.type.tz else texts


def _of_float(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)


def numbers_of(values: "pd.Series[Any]") -> pa.Array | None:
    """A column of finite numbers as float64, null where a cell is empty; None where the column is of another kind."""
    if not isinstance(values.dtype, np.dtype) or values.dtype.kind not in "iuf":
        return None
    numbers = values.to_numpy(dtype=np.float64)
    if np.isinf(numbers).any():
        return None
    return pa.array(numbers, from_pandas=True)


def _arrow(values: "pd.Series[Any]") -> pa.Array | None:
    """The column as Arrow knows it; None where its cells are of several kinds."""
    try:
        made = pa.Array.from_pandas(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None
    if isinstance(made, pa.ChunkedArray):
        made = made.combine_chunks()
    return made


def _by_value(rule: Callable[[pa.Array], pa.Array], texts: pa.Array) -> pa.Array:
    """A rule of whole columns, applied to the distinct texts where most of them stand there again and again."""
    coded = texts.dictionary_encode()
    if len(coded.dictionary) * 2 > len(texts):
        return rule(texts)
    return rule(coded.dictionary).take(coded.indices)


def _cleaned(texts: pa.Array) -> pa.Array:
    """`trimmed`, for a whole column."""
    unclean = pc.match_substring_regex(texts, _UNCLEAN)
    if pc.any(unclean).as_py():
        mended = pc.replace_substring(texts.filter(unclean), "\0", "")
        mended = pc.utf8_trim(pc.replace_substring_regex(mended, _RUNS, " "), _ENDS)
        texts = pc.replace_with_mask(texts, pc.fill_null(unclean, False), mended)
    short = pc.less_equal(pc.binary_length(texts), _LONGEST_EMPTY)
    if not pc.any(short).as_py():
        return texts
    empty = pc.is_in(pc.utf8_lower(pc.if_else(short, texts, None)), pa.array(_EMPTY))
    return pc.if_else(empty, None, texts) if pc.any(empty).as_py() else texts


def mapped(texts: pa.Array, rule: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
    """Each text by a rule, which is asked once for each distinct one; null stays null."""
    coded = texts.dictionary_encode()
    return pa.array([rule(v) for v in coded.dictionary.to_pylist()], kind).take(coded.indices)


def joined(parts: "list[pa.Array | str]", length: int) -> pa.Array:
    """Texts put together row by row; a missing part counts as empty, null where every part is missing."""
    columns = [p for p in parts if not isinstance(p, str)]
    if not columns:
        return pa.repeat(pa.scalar("".join(map(str, parts))), length)
    made = pc.binary_join_element_wise(
        *(pa.scalar(p) if isinstance(p, str) else p for p in parts),
        "",
        null_handling="replace",
        null_replacement="",
    )
    missing = columns[0].is_null()
    for column in columns[1:]:
        missing = pc.and_(missing, column.is_null())
    return pc.if_else(missing, None, made)


def as_json(columns: dict[str, pa.Array], length: int) -> pa.Array:
    """Each row as a JSON object of the columns that say something."""
    if not columns:
        return pa.nulls(length, pa.string())
    pairs = [_pair(name, texts) for name, texts in columns.items()]
    # Arrow drops rows where it shall skip nulls and finds nothing else, so nulls become empty texts.
    body = pc.binary_join_element_wise(*pairs, "", null_handling="replace", null_replacement="")
    opened = pc.utf8_replace_slice(body, start=0, stop=1, replacement="{")
    return pc.binary_join_element_wise(opened, pa.scalar("}"), "")


def _pair(name: str, texts: pa.Array) -> pa.Array:
    """The JSON of one column with a comma before it."""
    return _by_value(partial(_quoted, name), texts)


def _quoted(name: str, texts: pa.Array) -> pa.Array:
    escaped = texts
    for character, written in _ESCAPES.items():
        escaped = pc.replace_substring(escaped, character, written)
    control = pc.match_substring_regex(escaped, r"[\x00-\x1f]")
    if pc.any(control).as_py():
        rare = mapped(texts.filter(control), lambda v: orjson.dumps(v).decode()[1:-1], pa.string())
        escaped = pc.replace_with_mask(escaped, pc.fill_null(control, False), rare)
    label = "," + orjson.dumps(name).decode() + ':"'
    return pc.binary_join_element_wise(pa.scalar(label), escaped, pa.scalar('"'), "")
