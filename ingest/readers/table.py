"""Tables: CSV by evidence (encoding, delimiter, header), XLSX, XLS and ODS with merged header cells.

A geometry comes from a column of well-known text or from two columns of coordinates; a table without is a register
of attributes only.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import python_calamine
import shapely

from ingest.batch import Batch
from ingest.encoding import Encoding, decide
from ingest.errors import RefusedError
from ingest.problem import Problem
from ingest.profile import ReadRule
from ingest.readers import archive
from ingest.source import Source

BATCH_ROWS = 50_000
# A cell with a licence's corner points may be long; one of 32 MB is no cell.
MAX_CELL = 32 << 20
_DELIMITERS = ";\t,|"
_OTHER_TEXT = (b"{", b"[", b"<", b"Version", b"!table", b"VERSION", b"  0\n", b"  0\r")
_WKT = re.compile(
    r"\s*(?:SRID=(\d+);)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON|SURFACE|GEOMETRYCOLLECTION)", re.I
)
_WKT_NAMES = ("wkt", "wkt_geom", "geom", "geometry", "the_geom")
_X_NAMES = ("lon", "lng", "long", "longitude", "долгота")
_Y_NAMES = ("lat", "latitude", "широта")
Rows = list[list[Any]]


@dataclass
class Sheet:
    """Rows below the header with their numbers in the file, the header, and what was decided on the way."""

    columns: list[str]
    rows: Iterator[tuple[int, list[Any]]]
    notes: list[str] = field(default_factory=list)


def _refuse(source: Source, message: str, remedy: str) -> RefusedError:
    return RefusedError(message, remedy, field="file", value=source.name)


def delimiter_of(sample: str) -> str | None:
    """The delimiter that cuts the first records most evenly; None where none cuts them at all."""
    best: tuple[float, int, str] | None = None
    for delimiter in _DELIMITERS:
        try:
            widths = [len(r) for r in islice(csv.reader(io.StringIO(sample), delimiter=delimiter), 200) if r]
        except csv.Error:
            continue
        widths = widths[:-1] or widths
        if not widths:
            continue
        width, count = Counter(widths).most_common(1)[0]
        if width > 1 and (best is None or (count / len(widths), width) > best[:2]):
            best = (count / len(widths), width, delimiter)
    return best[2] if best and best[0] >= 0.5 else None


def _is_number(cell: Any) -> bool:
    if isinstance(cell, (int, float)):
        return True
    try:
        float(str(cell).replace(",", "."))
    except ValueError:
        return False
    return True


def _filled(row: Sequence[Any]) -> list[Any]:
    return [c for c in row if c not in (None, "")]


def _is_title(row: Sequence[Any]) -> bool:
    """Whether every cell is a word: what a header has and a row of data has not."""
    cells = _filled(row)
    return bool(cells) and all(isinstance(c, str) and not _is_number(c) for c in cells)


def _merged(above: list[Any], below: list[Any]) -> list[Any]:
    """Two rows of a header as one: a cell that spans several columns stands before each of them."""
    joined, last = [], ""
    for upper, lower in zip(above, below, strict=True):
        last = str(upper).strip() if upper not in (None, "") else last
        if lower in (None, ""):
            joined.append(str(upper or "").strip() or last)
        else:
            own = str(lower).strip()
            joined.append(own if not last or last == own else f"{last} / {own}")
    return joined


def header_of(rows: Rows, wanted: int | None) -> tuple[list[str], int]:
    """Column names and the number of rows above the data; merged cells and a title over the table are seen through."""
    width = max((len(r) for r in rows), default=0)
    padded = [[*r, *[""] * (width - len(r))] for r in rows]
    start = 0
    while wanted is None and start < len(padded) and len(_filled(padded[start])) < min(2, width):
        start += 1
    if wanted is None and (start >= len(padded) or not _is_title(padded[start])):
        return [], 0
    depth = wanted if wanted is not None else _depth(padded[start:])
    names: list[Any] = padded[start] if depth else []
    for row in padded[start + 1 : start + depth]:
        names = _merged(names, row)
    # Padding makes no columns: a row of data that is wider than its header is a broken row.
    own = max((len(r) for r in rows[start : start + depth]), default=0)
    return _distinct([re.sub(r"\s+", " ", str(n or "")).strip() for n in names[:own]]), start + depth


def _depth(rows: Rows) -> int:
    """Rows of a header: one more for each row of words that fills gaps of the row above."""
    depth = 1
    while depth < min(4, len(rows)):
        above, below = rows[depth - 1], rows[depth]
        gaps = [i for i, c in enumerate(above) if c in (None, "")]
        fills = [i for i in gaps if below[i] not in (None, "")]
        if not (gaps and fills and _is_title(below)):
            break
        # A row of data fills the cells under the names; a second header row stands under the gaps and their left.
        under = sum(below[i] not in (None, "") for i in range(len(above)) if i not in gaps)
        if under > len(fills) + 1:
            break
        depth += 1
    return depth


def _distinct(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    result = []
    for position, name in enumerate(names, start=1):
        own = name or f"column {position}"
        seen[own] += 1
        result.append(own if seen[own] == 1 else f"{own} ({seen[own]})")
    return result


@dataclass(frozen=True)
class TableReader:
    """CSV, XLSX, XLS and ODS, under the rule of a profile where the content does not say."""

    rule: ReadRule = field(default_factory=ReadRule)
    name: ClassVar[str] = "table"

    def recognises(self, source: Source) -> bool:
        """Whether it is a workbook or a text that one delimiter cuts evenly."""
        if _is_workbook(source):
            return True
        head = source.head[:200_000]
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(_OTHER_TEXT) or (
            b"\x00" in head and head[:2] not in (b"\xff\xfe", b"\xfe\xff")
        ):
            return False
        return bool(self.rule.delimiter) or delimiter_of(_text(source, decide(source.head))) is not None

    def layers(self, source: Source) -> list[str]:
        """Sheets that hold something; a CSV file has one layer."""
        if not _is_workbook(source):
            return [source.path.stem]
        book = _workbook(source)
        return [n for n in book.sheet_names if book.get_sheet_by_name(n).total_height > 0]

    def sheet(self, source: Source, layer: str | None) -> Sheet:
        """The table with its header, whatever it is packed in."""
        if _is_workbook(source):
            return self._workbook_sheet(source, layer)
        return self._text_sheet(source)

    def frames(
        self, source: Source, layer: str | None
    ) -> Iterator[tuple[pd.DataFrame, Any, Sheet, list[Problem]]]:
        """Frames of rows with their numbers; rows of a wrong width are problems."""
        sheet = self.sheet(source, layer)
        width = len(sheet.columns)
        while chunk := list(islice(sheet.rows, BATCH_ROWS)):
            problems = [_bad_width(n, row, width) for n, row in chunk if len(row) != width]
            cells = [[*row[:width], *[None] * (width - len(row))] for _, row in chunk]
            frame = pd.DataFrame(cells, columns=sheet.columns, dtype=object)
            yield frame, np.array([n for n, _ in chunk], dtype=np.int64), sheet, problems

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Rows with their geometry, where the table has one."""
        for frame, rows, sheet, problems in self.frames(source, layer):
            geometries, crs, bad = self._geometries(frame, rows)
            yield Batch(frame, geometries, rows, crs, tuple(sheet.notes), (*problems, *bad))

    def _geometries(self, frame: pd.DataFrame, rows: Any) -> tuple[Any, str, list[Problem]]:
        lowered = {str(c).lower(): c for c in frame.columns}
        wkt = self.rule.wkt or next((lowered[n] for n in _WKT_NAMES if n in lowered), None)
        if wkt and wkt in frame.columns and (self.rule.wkt or _holds_wkt(frame[wkt])):
            return from_wkt(frame, wkt, rows)
        x = self.rule.x or [lowered[n] for n in _X_NAMES if n in lowered][:1]
        y = self.rule.y or [lowered[n] for n in _Y_NAMES if n in lowered][:1]
        if x and y and len(x) == 1:
            return _points(frame, x[0], y[0], rows)
        return np.full(len(frame), None, dtype=object), "", []

    def _workbook_sheet(self, source: Source, layer: str | None) -> Sheet:
        names = self.layers(source)
        if layer is None and len(names) > 1:
            raise _refuse(
                source,
                f"{source.name} holds {len(names)} layers: {', '.join(names[:20])}.",
                "Name one in the profile as source_layer, or send one sheet a file.",
            )
        name = layer or (names[0] if names else "")
        if name not in names:
            raise _refuse(source, f"{source.name} has no sheet “{name}”.", f"It has: {', '.join(names)}.")
        sheet = _workbook(source).get_sheet_by_name(name)
        rows = sheet.to_python(skip_empty_area=False)
        columns, start = self._header([list(r) for r in rows[:30]])
        return Sheet(
            columns or _distinct([""] * (len(rows[0]) if rows else 0)),
            iter([(n, list(r)) for n, r in enumerate(rows[start:], start=start + 1) if _filled(r)]),
            [f"sheet {name}", f"header: {start} rows"],
        )

    def _header(self, rows: Rows) -> tuple[list[str], int]:
        if self.rule.columns:
            return list(self.rule.columns), self.rule.header_rows or 0
        return header_of(rows, self.rule.header_rows)

    def _text_sheet(self, source: Source) -> Sheet:
        encoding = (
            Encoding(self.rule.encoding, "the profile says so") if self.rule.encoding else decide(source.head)
        )
        found = delimiter_of(_text(source, encoding))
        delimiter = self.rule.delimiter or found or ","
        records = _records(source, encoding.name, delimiter)
        first = list(islice(records, 30))
        columns, start = self._header([row for _, row in first])
        if self.rule.delimiter and found and found != delimiter and len(columns) < 2:
            raise _refuse(
                source,
                f"The profile reads {source.name} with the delimiter {delimiter!r}, which leaves one column.",
                f"The text is cut evenly by {found!r}: correct the profile or the file.",
            )
        if not columns:
            columns = _distinct([""] * max((len(r) for _, r in first), default=0))
        body = chain(first[start:], records)
        return Sheet(
            columns,
            ((n, row) for n, row in body if _filled(row)),
            [encoding.note, f"delimiter {delimiter!r}", f"header: {start} rows"],
        )


def _is_workbook(source: Source) -> bool:
    if source.head.startswith(b"\xd0\xcf\x11\xe0"):
        return True
    if not source.zipped:
        return False
    names = {info.filename for info in archive.members(source)}
    return "xl/workbook.xml" in names or ("content.xml" in names and "mimetype" in names)


def _workbook(source: Source) -> Any:
    try:
        return python_calamine.CalamineWorkbook.from_path(str(source.path))
    except (python_calamine.CalamineError, OSError, ValueError) as err:
        raise _refuse(
            source, f"{source.name} is a damaged workbook ({err}).", "Save it anew as XLSX."
        ) from err


def _text(source: Source, encoding: Encoding) -> str:
    return source.head[:200_000].decode(encoding.name, errors="replace")


def _records(source: Source, encoding: str, delimiter: str) -> Iterator[tuple[int, list[Any]]]:
    """Records with the number of their line in the file; RefusedError where the text breaks."""
    csv.field_size_limit(MAX_CELL)
    number = 0
    try:
        with source.path.open(encoding=encoding, newline="") as stream:
            for number, row in enumerate(csv.reader(stream, delimiter=delimiter), start=1):
                yield number, list(row)
    except LookupError as err:
        raise _refuse(source, f"There is no encoding “{encoding}”.", "Correct the profile.") from err
    except UnicodeDecodeError as err:
        raise _refuse(
            source,
            f"{source.name} is not {encoding} throughout: it breaks after row {number}.",
            "Save the whole file in one encoding, UTF-8 best.",
        ) from err
    except csv.Error as err:
        raise _refuse(
            source,
            f"{source.name} breaks off as a table after row {number} ({err}).",
            "Save it anew as CSV.",
        ) from err


def _bad_width(row: int, cells: list[Any], width: int) -> Problem:
    return Problem(
        row,
        "bad-field-count",
        "row",
        str(len(cells)),
        f"The row has {len(cells)} cells, the header {width}.",
        "Put texts that hold the delimiter or a line break in quotes.",
    )


def _holds_wkt(values: "pd.Series[Any]") -> bool:
    first = next((v for v in values.tolist() if isinstance(v, str) and v.strip()), None)
    return bool(first and _WKT.match(first))


def from_wkt(frame: pd.DataFrame, column: str, rows: Any) -> tuple[Any, str, list[Problem]]:
    """Geometries of a column of well-known text, the system that EWKT names, and the texts that are none."""
    if column not in frame.columns:
        raise RefusedError(
            f"The file has no column “{column}”.", "Correct the profile.", field="profile", value=column
        )
    texts = [v.strip() if isinstance(v, str) and v.strip() else None for v in frame.pop(column).tolist()]
    srids = {m[1] for t in texts if t and (m := _WKT.match(t)) and m[1]}
    bare = np.array(
        [None if t is None else t.partition(";")[2] if t.upper().startswith("SRID") else t for t in texts],
        dtype=object,
    )
    geometries = np.asarray(shapely.from_wkt(bare, on_invalid="ignore"), dtype=object)
    problems = [
        Problem(
            int(rows[i]),
            "bad-wkt",
            column,
            t[:200],
            f"{column}: “{t[:60]}” is no well-known text.",
            "Correct it.",
        )
        for i, t in enumerate(texts)
        if t is not None and geometries[i] is None
    ]
    return geometries, f"EPSG:{srids.pop()}" if len(srids) == 1 else "", problems


def _points(frame: pd.DataFrame, x: str, y: str, rows: Any) -> tuple[Any, str, list[Problem]]:
    texts = frame[[x, y]].map(lambda v: str(v).strip().replace(",", ".") if v is not None else "")
    numbers = texts.apply(pd.to_numeric, errors="coerce")
    given = (texts != "").any(axis=1).to_numpy()
    sound = np.isfinite(numbers.to_numpy()).all(axis=1)
    geometries = np.full(len(frame), None, dtype=object)
    if sound.any():
        geometries[sound] = shapely.points(numbers.to_numpy()[sound])
    problems = [
        Problem(
            int(rows[i]),
            "bad-coordinate",
            x,
            f"{texts[x].iloc[i]} {texts[y].iloc[i]}",
            f"“{texts[x].iloc[i]}”, “{texts[y].iloc[i]}” are no coordinates.",
            "Write numbers such as 83.1234.",
        )
        for i in np.flatnonzero(given & ~sound)
    ]
    return geometries, "", problems
