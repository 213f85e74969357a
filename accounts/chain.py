"""The proof of the journal: reads all of it and names every row that is not as it was written."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from heapq import merge
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from accounts.merkle import Accumulator
from accounts.roots import Root, digest_of, heads_of, stored
from geo.session import sql_of

Connection = psycopg.Connection[TupleRow]
# strand, number, canonical bytes, whether the entry is there, previous hash, leaf, hash
Row = tuple[int, int, bytes, bool, bytes | None, bytes | None, bytes | None]
BATCH = 20_000
MOST_FAULTS = 1000


@dataclass(frozen=True)
class Fault:
    """A row that was tampered with: ``table`` is entries, links or roots, ``row`` its key, ``what`` happened to it."""

    table: str
    row: str
    what: str

    def __str__(self) -> str:
        return f"journal.{self.table} {self.row}: {self.what}"


@dataclass
class Report:
    """What the proof found; ``sealed`` of ``entries`` are covered by ``roots`` roots, ``outside`` of which were compared."""

    entries: int = 0
    sealed: int = 0
    roots: int = 0
    outside: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether everything is as it was written."""
        return not self.faults


def _removed(count: int) -> str:
    return "removed" if count == 1 else f"removed, with {count - 1} more after it"


class _Strand:
    """One chain while it is walked."""

    def __init__(self, number: int, report: Report) -> None:
        self._strand = number
        self._report = report
        self.last = 0
        self.hash: bytes | None = b""
        # A row that is named already is not blamed again by the next one.
        self._blamed = False

    def _blame(self, table: str, number: int, what: str) -> None:
        self._blamed = True
        if len(self._report.faults) < MOST_FAULTS:
            self._report.faults.append(Fault(table, f"{self._strand}/{number}", what))

    def step(self, row: Row) -> None:
        """Check the next row."""
        _, number, canonical, there, previous, leaf, link = row
        if not (
            there
            and number == self.last + 1
            and previous is not None
            and leaf is not None
            and previous == self.hash
            and sha256(b"\x00" + canonical).digest() == leaf
            and sha256(b"\x02" + previous + leaf).digest() == link
        ):
            self._examine(row)
        elif self._blamed:
            self._blamed = False
        self.last = number
        self.hash = link

    def _examine(self, row: Row) -> None:
        """Find what is wrong with a row that does not fit, or with the one before it."""
        _, number, canonical, there, previous, leaf, link = row
        before, self._blamed = self._blamed, False
        if number != self.last + 1:
            self._blame("entries", self.last + 1, _removed(number - self.last - 1))
            before = True
        if not there:
            self._blame("entries", number, "removed; its link remains")
        elif leaf is None or previous is None or link is None:
            self._blame("links", number, "removed; its entry remains")
        elif sha256(b"\x00" + canonical).digest() != leaf:
            self._blame("entries", number, "altered: its contents do not have the hash that was chained")
        elif sha256(b"\x02" + previous + leaf).digest() != link:
            self._blame("links", number, "altered: it does not continue the chain")
        elif previous != self.hash and not before:
            # This row agrees with itself, so it is the one before that was written anew together with its link.
            what = "altered together with its link: the next row continues another hash"
            self._blame("entries", number - 1, what)

    def missing(self, last: int) -> None:
        """Name rows that a root covers and that are gone from the end."""
        if last > self.last:
            self._blame("entries", self.last + 1, _removed(last - self.last))


class _Roots:
    """Roots while the rows that they cover pass by."""

    def __init__(self, roots: Sequence[Root]) -> None:
        self._roots = roots
        self._trees = [Accumulator() for _ in roots]
        self._heads: list[dict[str, str]] = [{} for _ in roots]
        self._spans: dict[str, list[tuple[int, int]]] = {}
        for position, root in enumerate(roots):
            for strand, (_, last, _) in root.strands.items():
                self._spans.setdefault(strand, []).append((last, position))

    def spans(self, strand: int) -> list[tuple[int, int]]:
        """Last number of a strand under each root, and the root's position."""
        return self._spans.get(str(strand), [])

    def strands(self) -> set[int]:
        """Strands that roots know of."""
        return {int(strand) for strand in self._spans}

    def add(self, position: int, strand: int, rows: Sequence[Row]) -> None:
        """Take all rows of a strand that belong to a root."""
        self._trees[position].extend([row[5] or b"" for row in rows])
        if rows and (link := rows[-1][6]) is not None:
            self._heads[position][str(strand)] = link.hex()

    def check(self, report: Report) -> None:
        """Compare every root with the rows that passed by and with the root before it."""
        previous = b""
        for root, tree, heads in zip(self._roots, self._trees, self._heads, strict=True):
            if root.expected() != root.digest or heads_of(root.strands) != root.heads:
                report.faults.append(
                    Fault("roots", root.name, "altered: its contents do not have its digest")
                )
            if root.previous != previous:
                report.faults.append(
                    Fault("roots", root.name, "does not continue the root before: one was removed or altered")
                )
            if tree.root() != root.merkle or any(root.strands[s][2] != head for s, head in heads.items()):
                report.faults.append(
                    Fault(
                        "roots", root.name, "does not cover these rows: some were altered after it was closed"
                    )
                )
            previous = root.digest
            report.sealed += tree.size
        report.roots = len(self._roots)


def _batches(connection: Connection) -> Iterator[list[Row]]:
    """The scan in batches; the next is fetched while the caller works on one."""
    with connection.cursor("journal_scan", binary=True) as cursor, ThreadPoolExecutor(1) as ahead:
        cursor.execute(sql_of("accounts", "journal_scan"))
        coming = ahead.submit(cursor.fetchmany, BATCH)
        while batch := coming.result():
            coming = ahead.submit(cursor.fetchmany, BATCH)
            yield batch


def _rows(connection: Connection) -> Iterator[Row]:
    unlinked = connection.execute(sql_of("accounts", "journal_unlinked"), binary=True).fetchall()
    scan = chain.from_iterable(_batches(connection))
    return merge(scan, unlinked, key=itemgetter(0, 1)) if unlinked else scan


def verify(connection: Connection, published: Sequence[Mapping[str, Any]] = ()) -> Report:
    """Prove the journal, and compare its roots with those ``published`` outside; the connection is the owner's.

    Faults are in the order of strand and number; those of the roots follow.
    """
    report = Report()
    roots = stored(connection)
    covered = _Roots(roots)
    absent = covered.strands()
    for number, rows in groupby(_rows(connection), key=itemgetter(0)):
        absent.discard(number)
        _walk(number, rows, covered, report)
    for number in sorted(absent):
        _walk(number, iter(()), covered, report)
    covered.check(report)
    _compare(report, roots, published)
    return report


def _walk(number: int, rows: Iterator[Row], covered: _Roots, report: Report) -> None:
    strand = _Strand(number, report)
    spans = covered.spans(number)
    ends = iter([*spans, (sys.maxsize, -1)])
    until, position = next(ends)
    gathered: list[Row] = []
    for row in rows:
        strand.step(row)
        while row[1] > until:
            covered.add(position, number, gathered)
            gathered = []
            until, position = next(ends)
        report.entries += 1
        if position >= 0:
            gathered.append(row)
    if position >= 0:
        covered.add(position, number, gathered)
    strand.missing(max((last for last, _ in spans), default=0))


def _compare(report: Report, roots: Sequence[Root], published: Sequence[Mapping[str, Any]]) -> None:
    """Compare the stored roots with documents from outside."""
    known = {root.name: root for root in roots}
    for document in published:
        name = str(document["name"])
        root = known.get(name)
        report.outside += 1
        if digest_of(document).hex() != document["root"]:
            report.faults.append(
                Fault("roots", name, "the published file was altered: its contents do not have its digest")
            )
        elif root is None:
            report.faults.append(
                Fault("roots", name, "removed: it was published, and the journal does not have it")
            )
        elif root.digest.hex() != document["root"]:
            strands = [
                s for s, span in document["strands"].items() if list(root.strands.get(s, [])) != list(span)
            ]
            spans = ", ".join(f"{s}/{document['strands'][s][0]}–{document['strands'][s][1]}" for s in strands)
            report.faults.append(
                Fault(
                    "roots",
                    name,
                    f"differs from what was published; rewritten rows lie in {spans or 'the root itself'}",
                )
            )
