"""From source columns to fields: types, units, dictionaries, identifiers. Vectorised; each refusal has its place."""

import re
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import orjson
import pandas as pd

from geo.identifiers import cadastral_number, inn_is_valid, licence_number
from geo.layers import layer
from ingest.batch import Batch
from ingest.errors import RefusedError
from ingest.problem import Problem
from ingest.profile import UNITS, FieldRule, Profile

# A register speaks of rights of our time; a year outside is a slip of the pen (20240, 0204).
YEARS = (1700, 2200)
_EMPTY = {"", "nan", "none", "null", "-", "—", "<na>", "nat"}
_BLANKS = re.compile(r"[ \t\u00a0]+")
_ISO = re.compile(r"(\d{4,5})[-/.](\d{1,2})[-/.](\d{1,2})")
_RUSSIAN = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4,5})")


@dataclass
class Normalised:
    """Fields of a batch, one row a source row, and the problems met on the way."""

    fields: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)

    def take(self, positions: "np.ndarray[Any, np.dtype[np.int64]]") -> "Normalised":
        """Some of the rows, by position, with all problems."""
        return Normalised(self.fields.iloc[positions].reset_index(drop=True), self.problems)


def _objects(values: Iterable[Any], like: "pd.Series[Any] | pd.DataFrame") -> "pd.Series[Any]":
    """A column of plain Python objects: None stays None, whatever pandas would make of it."""
    return pd.Series(list(values), index=like.index, dtype=object)


def plain(value: Any) -> str | None:
    """A cell as text, untrimmed; whole floats lose their «.0», as they do in keys."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _text_of(value: Any) -> str | None:
    if value is None or pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = _BLANKS.sub(" ", str(value).replace("\x00", "")).strip()
    return None if text.lower() in _EMPTY else text


def _text(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Values as trimmed text, None where there is nothing; each distinct value is cleaned once."""
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    cleaned = np.empty(len(distinct) + 1, dtype=object)
    cleaned[:-1] = [_text_of(v) for v in distinct]
    # Code -1 means missing and so picks the last place, which is None.
    return pd.Series(cleaned[codes], index=values.index, dtype=object)


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
    "integer": (lambda v: round(_number(v)), "Write a whole number."),
    "number": (_number, "Write a number such as 12.5 or 12,5."),
    "date": (_date, "Write the date as 2024-02-28 or 28.02.2024."),
    "inn": (_inn, "Check the INN: 10 or 12 digits with a control digit."),
    "licence_number": (licence_number, "Write the number as «НОВ 12345 ТЭ»."),
    "cadastral_number": (cadastral_number, "Write the number as 54:35:091435:12."),
}


def _convert(
    texts: "pd.Series[Any]", rule: FieldRule, name: str, rows: Any, problems: list[Problem]
) -> "pd.Series[Any]":
    """Convert each distinct text once; a text that does not convert is a problem of its rows."""
    if rule.as_ == "text":
        return texts
    convert, remedy = _CONVERT[rule.as_]
    known: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for value in texts.dropna().unique():
        try:
            known[value] = convert(value)
        except ValueError as err:
            reasons[value] = str(err)
    for position in np.flatnonzero(texts.isin(list(reasons)).to_numpy()) if reasons else ():
        value = texts.iloc[position]
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
    kept = (
        {k: k for k in reasons}
        if rule.bad == "warn" and rule.as_ in ("inn", "licence_number", "cadastral_number")
        else {}
    )
    return _objects((None if v is None else known.get(v, kept.get(v)) for v in texts.tolist()), texts)


class _Gaps(string.Formatter):
    """A template in which a missing column counts as empty."""

    def get_value(self, key: Any, args: Any, kwargs: Any) -> Any:
        value = kwargs.get(key)
        return "" if value is None else value


def template_columns(template: str) -> list[str]:
    """Names of the source columns that a template such as ``{quarter}/{stand}`` takes."""
    return [n for _, n, _, _ in string.Formatter().parse(template) if n]


def filled(template: str, columns: pd.DataFrame) -> "pd.Series[Any]":
    """A template such as ``{quarter}/{stand}`` filled for every row; None where every part is empty."""
    names = template_columns(template)
    for name in names:
        if name not in columns.columns:
            raise RefusedError(
                f"The file has no column “{name}”.",
                f"It has: {', '.join(map(str, columns.columns[:40]))}. Choose another profile or edit it.",
                field="profile",
                value=name,
            )
    parts = {n: _text(columns[n]) for n in names}
    if names and template == "{" + names[0] + "}":
        return parts[names[0]]
    if not names:
        return _objects([template] * len(columns), columns)
    gaps = _Gaps()
    rows = zip(*(p.tolist() for p in parts.values()), strict=True)
    return _objects(
        (
            None
            if all(v is None for v in row)
            else gaps.vformat(template, (), dict(zip(names, row, strict=True)))
            for row in rows
        ),
        columns,
    )


def _sourced(rule: FieldRule, columns: pd.DataFrame) -> "pd.Series[Any]":
    if rule.constant is not None:
        return pd.Series([str(rule.constant)] * len(columns), index=columns.index, dtype=object)
    if rule.template is not None:
        return filled(rule.template, columns)
    texts = pd.Series([None] * len(columns), index=columns.index, dtype=object)
    for name in rule.sources:
        if name in columns.columns:
            texts = _objects(
                (
                    a if a is not None else b
                    for a, b in zip(texts.tolist(), _text(columns[name]).tolist(), strict=True)
                ),
                texts,
            )
    return texts


def field_of(rule: FieldRule, name: str, batch: Batch, problems: list[Problem]) -> "pd.Series[Any]":
    """One field for every row of a batch."""
    texts = _sourced(rule, batch.columns)
    if rule.values:
        lowered = {k.lower(): v for k, v in rule.values.items()}
        mapped = _objects(
            (None if v is None else lowered.get(v.lower(), rule.default) for v in texts.tolist()), texts
        )
        strange = np.flatnonzero((texts.notna() & mapped.isna()).to_numpy())
        for position in strange:
            value = texts.iloc[position]
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
        texts = _objects(
            (m if m is not None else t for m, t in zip(mapped.tolist(), texts.tolist(), strict=True)), texts
        )
    values = _convert(texts, rule, name, batch.rows, problems)
    if rule.default is not None:
        values = _objects((rule.default if v is None else v for v in values.tolist()), values)
    if rule.unit:
        values = _objects((None if v is None else v * UNITS[rule.unit] for v in values.tolist()), values)
    if rule.required:
        for position in np.flatnonzero(values.isna().to_numpy()):
            if texts.iloc[position] is None:
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


def normalise(batch: Batch, profile: Profile) -> Normalised:
    """Fields of the profile's layer for every row of a batch, and what was wrong on the way."""
    problems: list[Problem] = []
    fields: dict[str, Any] = {}
    for name, rule in profile.fields.items():
        fields[name] = field_of(rule, name, batch, problems)
    keys = filled(profile.key, batch.columns)
    for position in np.flatnonzero(keys.isna().to_numpy()):
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
    fields["key"] = keys
    fields["region"] = field_of(profile.region, "region", batch, problems)
    frame = pd.DataFrame(
        {n: fields.get(n) for n in [p.name for p in layer(profile.layer).properties]},
        index=batch.columns.index,
        dtype=object,
    )
    if profile.keep_rest:
        used = {s for rule in profile.fields.values() for s in rule.sources}
        frame["extra"] = rest_of(batch.columns, used)
    return Normalised(frame, problems)


def rest_of(columns: pd.DataFrame, used: set[str]) -> "pd.Series[Any]":
    """Source columns that no field took, as JSON text: nothing submitted is lost.

    Columns that Mezha itself added to a file of rejected rows are left out: a row once mended is the row it was.
    """
    left = [c for c in columns.columns if c not in used and not str(c).startswith("mezha_")]
    if not left:
        return pd.Series([None] * len(columns), index=columns.index, dtype=object)
    texts = {c: _text(columns[c]) for c in left}
    rows = zip(*(texts[c].tolist() for c in left), strict=True)
    names = [str(c) for c in left]
    return _objects(
        (
            orjson.dumps({k: v for k, v in zip(names, row, strict=True) if v is not None}).decode()
            for row in rows
        ),
        columns,
    )
