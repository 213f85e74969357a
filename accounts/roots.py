"""Roots of the journal: closed once a day, published, so that outsiders can tell whether it was edited.

A root covers every entry since the root before, strand by strand. docs/decisions/0041 has the format.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.merkle import Accumulator
from geo.errors import MezhaError
from geo.session import sql_of

Connection = psycopg.Connection[TupleRow]
# What a strand contributes to a root: its first and last number, and the hash of the last.
Strands = Mapping[str, Sequence[Any]]
_COLUMNS = "name, position, sealed_at, entries, strands, merkle, heads, previous, root"
_SEALER = 7_305_118


class UnknownRootError(MezhaError):
    """There is no root of that name."""

    code = "unknown-root"


@dataclass(frozen=True)
class Root:
    """A published root; ``digest`` is what must be equal outside, ``previous`` the digest of the root before."""

    name: str
    position: int
    sealed_at: datetime
    entries: int
    strands: Strands
    merkle: bytes
    heads: bytes
    previous: bytes
    digest: bytes

    def expected(self) -> bytes:
        """The digest that these contents must have."""
        return digest_of(self.document())

    def document(self) -> dict[str, Any]:
        """What is published."""
        return {
            "name": self.name,
            "position": self.position,
            "sealed_at": self.sealed_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "entries": self.entries,
            "merkle": self.merkle.hex(),
            "heads": self.heads.hex(),
            "previous": self.previous.hex(),
            "root": self.digest.hex(),
            "strands": dict(self.strands),
        }


def heads_of(strands: Strands) -> bytes:
    """Hash over the last hash of every strand."""
    return sha256(json.dumps(dict(strands), sort_keys=True, separators=(",", ":")).encode()).digest()


def digest_of(document: Mapping[str, Any]) -> bytes:
    """Digest of a root's document."""
    fields = ("name", "position", "sealed_at", "entries", "merkle", "heads", "previous")
    return sha256(b"\x03" + "\x1f".join(["1", *(str(document[f]) for f in fields)]).encode()).digest()


def _root(row: Sequence[Any]) -> Root:
    return Root(row[0], row[1], row[2], row[3], row[4], *(bytes(v) for v in row[5:9]))


def stored(connection: Connection) -> list[Root]:
    """Every root, oldest first."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM journal.roots ORDER BY position")
    return [_root(row) for row in rows]


async def rows_of(connection: psycopg.AsyncConnection[TupleRow]) -> list[Root]:
    """`stored` for an excerpt's connection."""
    cursor = await connection.execute(f"SELECT {_COLUMNS} FROM journal.roots ORDER BY position")
    return [_root(row) for row in await cursor.fetchall()]


async def newest(connection: AsyncConnection, *, limit: int = 400) -> list[Root]:
    """The newest roots, newest first."""
    statement = text(f"SELECT {_COLUMNS} FROM journal.roots ORDER BY position DESC LIMIT :limit")
    return [_root(tuple(row)) for row in await connection.execute(statement, {"limit": limit})]


async def named(connection: AsyncConnection, name: str) -> Root:
    """The root of that name; UnknownRootError."""
    statement = text(f"SELECT {_COLUMNS} FROM journal.roots WHERE name = :name")
    row = (await connection.execute(statement, {"name": name})).first()
    if row is None:
        raise UnknownRootError(
            f"There is no root “{name[:40]}”.",
            "Roots are named after their day, like 2026-11-22.",
            field="name",
            value=name[:40],
        )
    return _root(tuple(row))


def folder(home: Path) -> Path:
    """Where the published files lie."""
    return home / "journal" / "roots"


def publish(root: Root, place: Path) -> Path:
    """Write the file of a root; what is there already stays, because a published root never changes."""
    place.mkdir(parents=True, exist_ok=True)
    file = place / f"{root.name}.json"
    if not file.exists():
        file.write_text(json.dumps(root.document(), indent=1, sort_keys=True) + "\n", "utf-8")
    return file


def published(place: Path) -> list[dict[str, Any]]:
    """Documents of the published files, in their order."""
    found = [json.loads(file.read_text("utf-8")) for file in place.glob("*.json")]
    return sorted(found, key=lambda document: int(document["position"]))


def seal(connection: Connection, day: str, place: Path) -> Root:
    """Close everything that is committed into a root, store and publish it; the connection is the worker's.

    ``day`` names it; a second root of one day gets the name ``DAY.2`` and so on. Commits.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_SEALER])
    before = stored(connection)
    same = sum(1 for root in before if root.name.partition(".")[0] == day)
    previous = before[-1].digest if before else b""
    strands: dict[str, list[Any]] = {
        strand: [last + 1, last, head]
        for strand, (_, last, head) in (before[-1].strands if before else {}).items()
    }
    merkle = Accumulator()
    values = {"strands": Jsonb(strands)}
    for strand, number, leaf, link in connection.execute(
        sql_of("accounts", "journal_unsealed"), values, binary=True
    ):
        span = strands.setdefault(str(strand), [number, number, ""])
        span[1], span[2] = number, link.hex()
        merkle.add(leaf)
    root = Root(
        name=f"{day}.{same + 1}" if same else day,
        position=len(before) + 1,
        sealed_at=datetime.now(UTC),
        entries=merkle.size,
        strands=strands,
        merkle=merkle.root(),
        heads=heads_of(strands),
        previous=previous,
        digest=b"",
    )
    return _store(connection, root, place)


def _store(connection: Connection, draft: Root, place: Path) -> Root:
    root = Root(**{**draft.__dict__, "digest": draft.expected()})
    connection.execute(
        "SELECT journal.publish(%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            root.name,
            root.sealed_at,
            root.entries,
            Jsonb(root.strands),
            root.merkle,
            root.heads,
            root.previous,
            root.digest,
        ],
    )
    connection.commit()
    publish(root, place)
    return root


def yesterday(zone: str, now: datetime | None = None) -> str:
    """The last day that has ended in a time zone."""
    local = (now or datetime.now(UTC)).astimezone(ZoneInfo(zone))
    return (local.date() - timedelta(days=1)).isoformat()


def seal_yesterday(connection: Connection, zone: str, place: Path) -> Root | None:
    """The root of the day that ended last, unless it is there; files that are missing are written again."""
    day = yesterday(zone)
    roots = stored(connection)
    for root in roots:
        publish(root, place)
    if any(root.name.partition(".")[0] >= day for root in roots):
        connection.rollback()
        return None
    return seal(connection, day, place)
