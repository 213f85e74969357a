"""Excerpts of the journal: entries with the path from each to a published root, one JSON document a line.

`accounts/verify_excerpt.py` checks such a file with nothing but the standard library.
"""

import json
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from accounts.journal import Question
from accounts.merkle import Tree
from accounts.roots import Root, rows_of
from geo.errors import DatabaseMissingError
from geo.session import sql_of

Connection = psycopg.AsyncConnection[TupleRow]
FORMAT = "mezha-journal-excerpt/1"
FIELDS = (
    "strand", "number", "at", "action", "account", "concerned", "subject", "object",
    "region", "inn", "address", "details", "salt",
)  # fmt: skip
_LEAVES = sql_of("accounts", "journal_leaves")
# Trees that are kept while the entries, which come in the order of time, pass from one root to the next.
_KEPT = 2
STRANDS = 128


@dataclass(frozen=True)
class _Cover:
    """A root's tree, and where each strand begins in it."""

    tree: Tree
    offsets: dict[int, int]


class _Proofs:
    """Paths of entries; loads a root's leaves when an entry first needs them."""

    def __init__(self, connection: Connection, roots: list[Root]) -> None:
        self._connection = connection
        self._roots = roots
        self._covers: OrderedDict[int, _Cover] = OrderedDict()
        # For each strand, the last number under each root: a root that knows nothing of it ends at 0.
        self._lasts = {
            strand: [root.strands.get(str(strand), (1, 0))[1] for root in roots] for strand in range(STRANDS)
        }

    def _position(self, strand: int, number: int) -> int | None:
        position = bisect_left(self._lasts[strand], number)
        return position if position < len(self._roots) else None

    async def _cover(self, position: int) -> _Cover:
        if position not in self._covers:
            root = self._roots[position]
            cursor = await self._connection.execute(_LEAVES, {"strands": Jsonb(dict(root.strands))})
            leaves = await cursor.fetchall()
            offsets: dict[int, int] = {}
            for index, (strand, number, _) in enumerate(leaves):
                offsets.setdefault(strand, index - number)
            self._covers[position] = _Cover(Tree([bytes(leaf) for _, _, leaf in leaves]), offsets)
            while len(self._covers) > _KEPT:
                self._covers.popitem(last=False)
        return self._covers[position]

    async def of(self, strand: int, number: int) -> dict[str, Any]:
        """Root, index and path of an entry; root null where no root covers it yet."""
        position = self._position(strand, number)
        if position is None:
            return {"root": None}
        cover = await self._cover(position)
        index = cover.offsets[strand] + number
        path = [sibling.hex() for sibling in cover.tree.path(index)]
        return {"root": self._roots[position].name, "index": index, "path": path}


async def lines(connection: Connection, question: Question, *, whole: bool = True) -> AsyncIterator[str]:
    """Lines of an excerpt: a head with the roots, then the entries that the caller may read, oldest first.

    Not ``whole``: without entries that hold an address which the caller may not read.
    """
    roots = await rows_of(connection)
    yield _line({"format": FORMAT, "roots": {root.name: root.document() for root in roots}})
    proofs = _Proofs(connection, roots)
    values = {
        "first": question.first,
        "past": None if question.last is None else question.last + timedelta(days=1),
        "action": question.action.value if question.action else None,
        "account": question.account,
        "own": question.own,
        "whole": whole,
    }
    async with connection.cursor("journal_excerpt") as cursor:
        await cursor.execute(sql_of("accounts", "journal_excerpt"), values)
        while batch := await cursor.fetchmany(5_000):
            for row in batch:
                entry = dict(zip(FIELDS, row, strict=True))
                entry["at"] = entry["at"].astimezone(UTC).isoformat(timespec="microseconds")
                entry["salt"] = str(entry["salt"])
                yield _line(entry | await proofs.of(entry["strand"], entry["number"]))


def _line(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


async def write(url: str, question: Question, file: Path) -> int:
    """Write an excerpt of everything that the role of ``url`` may read; returns the number of entries."""
    try:
        connection = await psycopg.AsyncConnection.connect(url)
    except psycopg.OperationalError as err:
        raise DatabaseMissingError(
            f"The database does not answer: {str(err).strip().splitlines()[-1]}.", "Start it with `make run`."
        ) from err
    count = -1
    async with connection:
        with file.open("w", encoding="utf-8") as stream:
            async for line in lines(connection, question):
                stream.write(line)
                count += 1
    return count
