"""Tables of corner points: one row a point, many rows an object; decimal, D-M-S text, or columns of D, M and S."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from geo import angle
from ingest.batch import Batch
from ingest.errors import RefusedError
from ingest.problem import Problem
from ingest.profile import ReadRule
from ingest.readers.record import Record, bad_coordinate, batches_of
from ingest.readers.rings import joined, polygons
from ingest.readers.table import TableReader
from ingest.source import Source

MAX_POINTS = 5_000_000
_ORDER = re.compile(r"(№|номер|n|num|no)?[\s_]*(точк\w*|point|corner|угл\w*)([\s_]*(n|no|№))?", re.I)
# In Russian tables of planar coordinates X is north and Y east; longitude and latitude say what they are.
_NORTH = re.compile(r"(северн\w*\s*)?широт\w*|lat(itude)?|x,?\s*(м|m)?|с\.?\s*ш\.?|north(ing)?", re.I)
_EAST = re.compile(r"(восточн\w*\s*)?долгот\w*|lon(gitude)?|lng|y,?\s*(м|m)?|в\.?\s*д\.?|east(ing)?", re.I)
_CONTOUR = re.compile(r"(№\s*|номер\s*)?контур\w*|contour|part|block_n", re.I)
_RING = re.compile(r"(№\s*|номер\s*)?кольц\w*|ring(_n)?|hole", re.I)


def _named(columns: list[str], pattern: re.Pattern[str]) -> list[str]:
    return [c for c in columns if pattern.fullmatch(c.strip())]


def completed(rule: ReadRule, columns: list[str]) -> ReadRule | None:
    """The rule with what the names of the columns tell; None where they tell no corner-point table."""
    order = rule.order or next(iter(_named(columns, _ORDER)), None)
    x, y = rule.x or _named(columns, _EAST)[:1], rule.y or _named(columns, _NORTH)[:1]
    if not x or not y or not (order or rule.group):
        return None
    contour = rule.contour or next(iter(_named(columns, _CONTOUR)), None)
    ring = rule.ring or next(iter(_named(columns, _RING)), None)
    taken = {*x, *y, order, contour, ring}
    group = rule.group or [c for c in columns if c not in taken][:1]
    return rule.model_copy(
        update={"order": order, "x": x, "y": y, "contour": contour, "ring": ring, "group": group}
    )


@dataclass(frozen=True)
class CornersReader:
    """Objects of a corner-point table, with holes and several contours."""

    rule: ReadRule = field(default_factory=ReadRule)
    name: ClassVar[str] = "corners"

    def recognises(self, source: Source) -> bool:
        """Whether the header has a point number and two coordinates."""
        table = TableReader(self.rule)
        if not table.recognises(source) or len(table.layers(source)) != 1:
            return False
        return completed(self.rule, table.sheet(source, None).columns) is not None

    def layers(self, source: Source) -> list[str]:
        """Sheets of the workbook; a CSV file has one layer."""
        return TableReader(self.rule).layers(source)

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Objects; each is numbered by the row of its first point."""
        frames, numbers, notes, problems = [], [], [], []
        for frame, rows, sheet, bad in TableReader(self.rule).frames(source, layer):
            frames.append(frame)
            numbers.append(rows)
            notes = sheet.notes
            problems += bad
            if sum(map(len, frames)) > MAX_POINTS:
                raise RefusedError(
                    f"{source.name} holds more than {MAX_POINTS} points.",
                    "Send it in parts.",
                    field="file",
                )
        if not frames:
            return
        table = pd.concat(frames, ignore_index=True)
        rule = completed(self.rule, [str(c) for c in table.columns])
        self._check(source, rule, table)
        assert rule is not None  # noqa: S101  (_check refused the file otherwise)
        table["row"] = np.concatenate(numbers)
        by_row = {p.row: p for p in problems}
        order = f"corner points: {' '.join(rule.y)} is north, {' '.join(rule.x)} is east"
        yield from batches_of(_objects(table, rule, by_row), (*notes, order))

    def _check(self, source: Source, rule: ReadRule | None, table: pd.DataFrame) -> None:
        wanted = (
            [] if rule is None else [*rule.x, *rule.y, *rule.group, *filter(None, (rule.contour, rule.ring))]
        )
        lacking = [c for c in wanted if c not in table.columns]
        if rule is None or lacking:
            raise RefusedError(
                f"{source.name} is no table of corner points"
                + (f": it has no column {', '.join(lacking)}." if lacking else "."),
                "It needs a number of the point and two coordinates; "
                f"it has: {', '.join(map(str, table.columns[:30]))}.",
                field="file",
                value=source.name,
            )


def _objects(table: pd.DataFrame, rule: ReadRule, bad: dict[int, Problem]) -> Iterator[Record]:
    easts, east_errors = coordinates(table, rule.x, "lon")
    norths, north_errors = coordinates(table, rule.y, "lat")
    table = table.assign(east=easts, north=norths)
    errors = {**east_errors, **north_errors}
    parts = [c for c in (rule.contour, rule.ring) if c]
    kept = [
        c for c in table.columns if c not in {*rule.x, *rule.y, *parts, rule.order, "row", "east", "north"}
    ]
    for _, points in table.groupby([table[c].astype(str) for c in rule.group], sort=False):
        problems = [_with_row(errors[i], int(points.at[i, "row"])) for i in points.index if i in errors]
        problems += [bad[int(r)] for r in points["row"] if int(r) in bad]
        problems += _reordered(points, rule)
        geometry = None if any(not p.warning for p in problems) else _geometry(points, rule)
        columns = {str(c): points[c].iloc[0] for c in kept}
        yield Record(columns, geometry, "", tuple(problems), int(points["row"].iloc[0]))


def _with_row(reason: str, row: int) -> Problem:
    return bad_coordinate(f"row {row}: {reason}")


def _geometry(points: pd.DataFrame, rule: ReadRule) -> Any:
    """Contours one after another; the rings of a contour are shells and holes by where they lie."""
    contours = _runs(points, rule.contour)
    rings = [
        [list(zip(ring["east"], ring["north"], strict=True)) for ring in _runs(contour, rule.ring)]
        for contour in contours
    ]
    return joined([polygon for contour in rings for polygon in polygons(contour)])


def _runs(points: pd.DataFrame, column: str | None) -> list[pd.DataFrame]:
    if column is None:
        return [points]
    return [part for _, part in points.groupby(points[column].astype(str), sort=False)]


def _reordered(points: pd.DataFrame, rule: ReadRule) -> list[Problem]:
    """A warning where numbers run backwards inside a ring: the points are joined in the order of the file."""
    parts = [c for c in (rule.contour, rule.ring) if c]
    if rule.order is None:
        return []
    groups = (
        [points]
        if not parts
        else [g for _, g in points.groupby([points[c].astype(str) for c in parts], sort=False)]
    )
    for ring in groups:
        numbers = pd.to_numeric(ring[rule.order], errors="coerce").tolist()
        if any(b < a for a, b in pairwise(numbers[:-1])):
            row = int(ring["row"].iloc[0])
            return [
                Problem(
                    0,
                    "corners-out-of-order",
                    rule.order,
                    "",
                    f"From row {row} the numbers of the points do not ascend; they are joined in the order of the file.",
                    "Check the order of the points.",
                    warning=True,
                )
            ]
    return []


def coordinates(table: pd.DataFrame, columns: list[str], axis: angle.Axis) -> tuple[Any, dict[int, str]]:
    """Numbers of one coordinate and the reasons of those that cannot be read, by index of the row."""
    texts = table[columns].map(lambda v: "" if v is None else str(v).strip().replace(",", "."))
    numbers = texts.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    if len(columns) == 3:
        return _of_parts(numbers, texts)
    values = numbers[:, 0].copy()
    errors: dict[int, str] = {}
    for position in np.flatnonzero(~np.isfinite(values)):
        raw = str(table[columns[0]].iloc[position] or "")
        try:
            values[position] = _of_axis(raw, axis)
        except ValueError as err:
            errors[int(table.index[position])] = str(err)
    return values, errors


def _of_axis(text: str, axis: angle.Axis) -> float:
    found = angle.parse(text)
    if found.axis not in (None, axis):
        raise ValueError(f"“{text[:40]}” stands in the column of the other axis")
    return found.degrees


def _of_parts(numbers: Any, texts: pd.DataFrame) -> tuple[Any, dict[int, str]]:
    degrees, minutes, seconds = numbers.T
    sign = np.where(np.signbit(degrees) | texts.iloc[:, 0].str.startswith("-").to_numpy(), -1.0, 1.0)
    values = sign * (np.abs(degrees) + minutes / 60 + seconds / 3600)
    sound = np.isfinite(values) & (minutes >= 0) & (minutes < 60) & (seconds >= 0) & (seconds < 60)
    return values, {
        int(texts.index[i]): f"“{' '.join(texts.iloc[i])}” are no degrees, minutes and seconds"
        for i in np.flatnonzero(~sound)
    }
