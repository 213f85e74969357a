"""Stand cards («карточки таксации») in the old text exchange: cp866, one line a stand, no geometry.

«1.3.3.3.7:2.8.25:3.Б.2.СЛТР.С3:10.1.8.Б.65.21.24.3.5.0,7..200:…?»: records separated by «:», fields by «.», closed by
«?». The first line names the file; record 0 the quarter; 1 stand, area in ha, land category; 3
leading species, site class, forest type; 10 storey, share, species, age, height, diameter, …, density, stock.
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import ClassVar

from ingest.batch import Batch
from ingest.encoding import decide
from ingest.problem import Problem
from ingest.readers.record import Record, batches_of
from ingest.source import Source

_HEADER = re.compile(r"\d{6,10}\.\d{2}\?\s*")
_STAND = re.compile(r"1\.\d+\.[^?]*\?\s*")


class TaxationReader:
    """Stands of a quarter: area, leading species, age, height, density, stock and the formula of the storey."""

    name: ClassVar[str] = "taxation"

    def recognises(self, source: Source) -> bool:
        """Whether the first line names a quarter's file and stand lines follow."""
        lines = source.head[:4000].decode("cp866").splitlines()
        return len(lines) > 2 and bool(_HEADER.fullmatch(lines[0])) and any(map(_STAND.fullmatch, lines[2:]))

    def layers(self, source: Source) -> list[str]:
        """Stands only."""
        return ["stands"]

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Stands in the order of the file; a line that is none is a problem."""
        encoding = decide(source.head)
        yield from batches_of(_records(source, encoding.name), (encoding.note,))


def _records(source: Source, encoding: str) -> Iterator[Record]:
    code = tract = quarter = ""
    with source.path.open(encoding=encoding, errors="replace", newline=None) as lines:
        for number, line in enumerate(lines, start=1):
            text = line.strip("\r\n\x1a ")
            if number == 1:
                code = text.rstrip("?")
                continue
            if text.startswith("0."):
                # «0.84.1.1:1.2.…»: the quarter's own record stands before that of its first stand.
                head, _, text = text.partition(":")
                _, tract, quarter, *_ = (*head.split("."), "", "")
            if text:
                yield _stand({"file": code, "tract": tract, "quarter": quarter, "card": text}, text, number)


def _stand(columns: dict[str, str | None], text: str, number: int) -> Record:
    if not _STAND.fullmatch(text):
        problem = Problem(
            0,
            "bad-card",
            "card",
            text[:200],
            f"Line {number} is no stand card.",
            "Send the file as it was made.",
        )
        return Record(columns, None, "", (problem,), number)
    storeys: list[list[str]] = []
    for record in text.rstrip("?").split(":"):
        values = record.split(".")
        kind, fields = values[0], [*values[1:], *[""] * 12]
        if kind == "1":
            columns |= {"stand": fields[0], "area": fields[1], "land": fields[2]}
        elif kind == "3":
            columns |= {"species": fields[0], "site_class": fields[1], "forest_type": fields[2]}
        elif kind == "10":
            storeys.append(fields)
    return Record(columns | _storey(storeys), None, "", (), number)


def _storey(storeys: list[list[str]]) -> dict[str, str | None]:
    """The first storey: its number stands before its leading species only, the next number begins the next storey."""
    if not storeys:
        return {}
    first = storeys[0]
    own = [first, *takewhile(lambda s: not s[0], storeys[1:])]
    shares = [f"{s[1] or '+'}{s[2]}" for s in own if s[2]]
    return {
        "formula": "".join(shares) or None,
        "age": first[3] or None,
        "height": first[4] or None,
        "diameter": first[5] or None,
        "density": first[8] or None,
        "stock": first[10] or None,
    }
