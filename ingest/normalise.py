"""From source columns to fields: types, units, dictionaries, identifiers. Whole columns; each refusal has its place."""

import re
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.identifiers import cadastral_number, inn_is_valid, licence_number
from geo.layers import layer
from ingest.batch import Batch
from ingest.cells import as_json, joined, mapped, numbers_of, texts_of
from ingest.errors import RefusedError
from ingest.problem import Problem
from ingest.profile import UNITS, FieldRule, Profile

# A register speaks of rights of our time; a year outside is a slip of the pen (20240, 0204).
YEARS = (1700, 2200)
# What a whole number of the register can hold.
LARGEST = 2**31 - 1
_ISO = re.compile(r"(\d{4,5})[-/.](\d{1,2})[-/.](\d{1,2})")
_RUSSIAN = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4,5})")
_PLAIN_NUMBER = r"\A-?[0-9]{1,15}(\.[0-9]{1,15})?\z"
_KINDS = {"integer": pa.int64(), "number": pa.float64(), "date": pa.date32()}
_LAYER_KINDS = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "date": pa.date32()}


@dataclass
class Normalised:
    """Fields of a batch, one row a source row, and the problems met on the way."""

    fields: pa.Table
    problems: list[Problem] = field(default_factory=list)

    def column(self, name: str) -> pa.Array:
        """One field of every row; null everywhere where the layer has no such field."""
        if name not in self.fields.column_names:
            return pa.nulls(self.fields.num_rows)
        return self.fields.column(name).combine_chunks()

    def take(self, positions: NDArray[np.int64]) -> "Normalised":
        """Some of the rows, by position, with all problems."""
        if len(positions) == self.fields.num_rows:
            return self
        return Normalised(self.fields.take(pa.array(positions)), self.problems)


def _number(value: str) -> float:
    cleaned = re.sub(r"[\s  ]", "", value)
    cleaned = re.sub(r"(га|ha|м2|м²|км2|км²|km2|m2)\.?$", "", cleaned, flags=re.IGNORECASE)
    if "," in cleaned and "." in cleaned:
        cleaned = (
            cleaned.replace(",", "") if cleaned.rfind(".") > cleaned.rfind(",") else cleaned.replace(".", "")
        )
    number = float(cleaned.replace(",", "."))
    if not np.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _integer(value: str) -> int:
    number = round(_number(value))
    if abs(number) > LARGEST:
        raise ValueError("it is too large")
    return number


def _date(value: str) -> date:
    iso, russian = _ISO.match(value), _RUSSIAN.match(value)
    if iso:
        year, month, day = (int(g) for g in iso.groups())
    elif russian:
        day, month, year = (int(g) for g in russian.groups())
    else:
        raise ValueError("not a date")
    if not YEARS[0] <= year <= YEARS[1]:
        raise ValueError(f"the year {year} cannot be meant")
    return date(year, month, day)


def _inn(value: str) -> str:
    if not inn_is_valid(value):
        raise ValueError("wrong checksum")
    return value


_CONVERT: dict[str, tuple[Callable[[str], Any], str]] = {
    "integer": (_integer, "Write a whole number."),
    "number": (_number, "Write a number such as 12.5 or 12,5."),
    "date": (_date, "Write the date as 2024-02-28 or 28.02.2024."),
    "inn": (_inn, "Check the INN: 10 or 12 digits with a control digit."),
    "licence_number": (licence_number, "Write the number as «НОВ 12345 ТЭ»."),
    "cadastral_number": (cadastral_number, "Write the number as 54:35:091435:12."),
}


def _convert(
    texts: pa.Array, rule: FieldRule, name: str, rows: NDArray[np.int64], problems: list[Problem]
) -> pa.Array:
    """Convert each distinct text once; a text that does not convert is a problem of its rows."""
    if rule.as_ == "text":
        return texts
    if rule.as_ == "number" and pc.all(pc.match_substring_regex(texts, _PLAIN_NUMBER)).as_py():
        return texts.cast(pa.float64())
    convert, remedy = _CONVERT[rule.as_]
    kept = rule.bad == "warn" and rule.as_ in ("inn", "licence_number", "cadastral_number")
    reasons: dict[str, str] = {}

    def converted(text: str) -> Any:
        try:
            return convert(text)
        except ValueError as err:
            reasons[text] = str(err)
            return text if kept else None

    values = mapped(texts, converted, _KINDS.get(rule.as_, pa.string()))
    for position in _positions(pc.is_in(texts, pa.array(list(reasons), pa.string()))) if reasons else ():
        value = texts[position].as_py()
        problems.append(
            Problem(
                int(rows[position]),
                f"bad-{rule.as_.replace('_', '-')}",
                name,
                value[:200],
                f"{name}: “{value[:80]}” is no {rule.as_.replace('_', ' ')}: {reasons[value]}.",
                remedy,
                warning=rule.bad == "warn",
            )
        )
    return values


def _positions(flags: pa.Array) -> list[int]:
    """Where a column of flags is true."""
    return np.flatnonzero(pc.fill_null(flags, False).to_numpy(zero_copy_only=False)).tolist()


class _Gaps(string.Formatter):
    """A template in which a missing column counts as empty."""

    def get_value(self, key: Any, args: Any, kwargs: Any) -> Any:
        value = kwargs.get(key)
        return "" if value is None else value


def template_columns(template: str) -> list[str]:
    """Names of the source columns that a template such as ``{quarter}/{stand}`` takes."""
    return [n for _, n, _, _ in string.Formatter().parse(template) if n]


def filled(template: str, columns: pd.DataFrame) -> pa.Array:
    """A template such as ``{quarter}/{stand}`` filled for every row; null where every part is empty."""
    names = template_columns(template)
    for name in names:
        if name not in columns.columns:
            raise RefusedError(
                f"The file has no column “{name}”.",
                f"It has: {', '.join(map(str, columns.columns[:40]))}. Choose another profile or edit it.",
                field="profile",
                value=name,
            )
    parts = {n: texts_of(columns[n]) for n in names}
    pieces = list(string.Formatter().parse(template))
    if any(form or conversion for _, _, form, conversion in pieces):
        return _formatted(template, parts)
    shown: list[pa.Array | str] = []
    for literal, column, _, _ in pieces:
        shown += [literal] if literal else []
        shown += [parts[column]] if column else []
    return joined(shown, len(columns))


def _formatted(template: str, parts: dict[str, pa.Array]) -> pa.Array:
    """A template that pads or cuts its parts, row by row."""
    gaps = _Gaps()
    rows = zip(*(p.to_pylist() for p in parts.values()), strict=True)
    return pa.array(
        [
            None
            if all(v is None for v in row)
            else gaps.vformat(template, (), dict(zip(parts, row, strict=True)))
            for row in rows
        ],
        pa.string(),
    )


def _sourced(rule: FieldRule, columns: pd.DataFrame) -> pa.Array:
    if rule.constant is not None:
        return pa.repeat(pa.scalar(str(rule.constant)), len(columns))
    if rule.template is not None:
        return filled(rule.template, columns)
    found = [texts_of(columns[name]) for name in rule.sources if name in columns.columns]
    return pc.coalesce(*found) if found else pa.nulls(len(columns), pa.string())


def _numeric(rule: FieldRule, columns: pd.DataFrame) -> pa.Array | None:
    """A number that the source has as a number: it need not be written and read again."""
    if rule.as_ != "number" or rule.constant is not None or rule.template is not None or rule.values:
        return None
    found = [columns[name] for name in rule.sources if name in columns.columns]
    return numbers_of(found[0]) if len(found) == 1 else None


def field_of(rule: FieldRule, name: str, batch: Batch, problems: list[Problem]) -> pa.Array:
    """One field for every row of a batch."""
    values = _numeric(rule, batch.columns)
    texts = values
    if values is None or texts is None:
        texts = _sourced(rule, batch.columns)
        if rule.values:
            texts = _from_dictionary(rule, name, texts, batch=batch, problems=problems)
        values = _convert(texts, rule, name, batch.rows, problems)
    if rule.default is not None:
        values = pc.fill_null(values, pa.scalar(rule.default).cast(values.type))
    if rule.unit:
        values = pc.multiply(values.cast(pa.float64()), UNITS[rule.unit])
    if rule.required and values.null_count:
        for position in _positions(pc.and_(values.is_null(), texts.is_null())):
            problems.append(
                Problem(
                    int(batch.rows[position]),
                    "missing-value",
                    name,
                    "",
                    f"{name} is empty.",
                    "Fill it in at the source.",
                )
            )
    return values


def _from_dictionary(
    rule: FieldRule, name: str, texts: pa.Array, *, batch: Batch, problems: list[Problem]
) -> pa.Array:
    """The profile's words for the source's; a word that the profile does not know stays and is a warning."""
    lowered = {k.lower(): v for k, v in rule.values.items()}
    known = mapped(texts, lambda v: lowered.get(v.lower(), rule.default), pa.string())
    if known.null_count > texts.null_count:
        for position in _positions(pc.and_(texts.is_valid(), known.is_null())):
            value = texts[position].as_py()
            problems.append(
                Problem(
                    int(batch.rows[position]),
                    "unknown-value",
                    name,
                    value[:200],
                    f"{name}: the profile does not know “{value[:80]}”.",
                    "Add it to the profile's values.",
                    warning=True,
                )
            )
    return pc.coalesce(known, texts)


def normalise(batch: Batch, profile: Profile) -> Normalised:
    """Fields of the profile's layer for every row of a batch, and what was wrong on the way."""
    problems: list[Problem] = []
    fields: dict[str, pa.Array] = {}
    for name, rule in profile.fields.items():
        fields[name] = field_of(rule, name, batch, problems)
    fields["key"] = filled(profile.key, batch.columns)
    for position in _positions(fields["key"].is_null()):
        problems.append(
            Problem(
                int(batch.rows[position]),
                "missing-key",
                "key",
                "",
                f"The key {profile.key} is empty.",
                "Every object needs the number by which the register knows it.",
            )
        )
    fields["region"] = field_of(profile.region, "region", batch, problems)
    count = len(batch.rows)
    columns = {
        p.name: fields[p.name].cast(_LAYER_KINDS[p.type])
        if p.name in fields
        else pa.nulls(count, _LAYER_KINDS[p.type])
        for p in layer(profile.layer).properties
    }
    if profile.keep_rest:
        used = {s for rule in profile.fields.values() for s in rule.sources}
        columns["extra"] = rest_of(batch.columns, used)
    return Normalised(pa.table(columns), problems)


def rest_of(columns: pd.DataFrame, used: set[str]) -> pa.Array:
    """Source columns that no field took, as JSON text: nothing submitted is lost.

    Columns that Mezha itself added to a file of rejected rows are left out: a row once mended is the row it was.
    """
    left = [c for c in columns.columns if c not in used and not str(c).startswith("mezha_")]
    return as_json({str(c): texts_of(columns[c]) for c in left}, len(columns))
