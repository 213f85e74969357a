"""Runs: what is known of every import, and the lock that keeps two of them apart."""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from accounts.action import Action
from accounts.journal import Entry, enter
from ingest import staging
from ingest.errors import BusyError, RefusedError
from ingest.problem import Problem
from ingest.profile import Profile
from ingest.source import Source

Connection = psycopg.Connection[TupleRow]


@contextmanager
def exclusive(connection: Connection, layer: str) -> Iterator[None]:
    """Hold the layer's import lock; BusyError where another run has it. A dead session's lock is free."""
    key = zlib.crc32(f"mezha-import-{layer}".encode())
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
    connection.commit()
    if row != (True,):
        raise BusyError(
            f"Another import writes to {layer} just now.",
            "Wait for it to end and start again.",
            field="layer",
            value=layer,
        )
    try:
        yield
    finally:
        if not connection.closed:
            connection.rollback()
            connection.execute("SELECT pg_advisory_unlock(%s)", [key])
            connection.commit()


def interrupted(connection: Connection, profile: Profile) -> list[tuple[int, str, str, int]]:
    """Runs of this profile's layer that died: (id, sha256, stage, staged rows). Call it under the layer's lock."""
    return connection.execute(
        "SELECT id, sha256, stage, coalesce((counts ->> 'staged')::int, -1) FROM ingest.runs"
        " WHERE layer = %s AND status = 'running' ORDER BY id",
        [profile.layer],
    ).fetchall()


class Register(Protocol):
    """What a run is of: a profile of a layer or of a reference list."""

    @property
    def name(self) -> str:
        """Name of the profile."""
        ...

    @property
    def layer(self) -> str:
        """What it writes to."""
        ...


def begin(
    connection: Connection,
    profile: Register,
    source: Source,
    *,
    crs: str | None,
    dry: bool,
    account: int | None,
) -> int:
    """Enter a run; it is visible to others at once."""
    row = connection.execute(
        "INSERT INTO ingest.runs (profile, layer, file_name, sha256, size, crs_override, dry, account, status, stage)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'running', 'open') RETURNING id",
        [profile.name, profile.layer, source.name, source.sha256, source.size, crs, dry, account],
    ).fetchone()
    connection.commit()
    if row is None:
        raise BusyError("The run could not be entered.", "Start it again.")
    return int(row[0])


def reach(connection: Connection, run: int, stage: str, counts: dict[str, Any] | None = None) -> None:
    """Note the stage that a run has completed."""
    connection.execute(
        "UPDATE ingest.runs SET stage = %s, counts = counts || %s WHERE id = %s",
        [stage, Jsonb(counts or {}), run],
    )


def end(
    connection: Connection, run: int, status: str, counts: dict[str, Any], message: str | None = None
) -> None:
    """Note how a run ended: ``done``, ``refused``, ``dry`` or ``interrupted``."""
    connection.execute(
        "UPDATE ingest.runs SET status = %s, counts = counts || %s, message = %s, finished_at = clock_timestamp() WHERE id = %s",
        [status, Jsonb(counts), message, run],
    )


def journal(
    connection: Connection, run: int, account: int | None, layer: str, details: dict[str, Any]
) -> None:
    """Write the load to the journal, in its own transaction; of one region's rows, for that region's staff too.

    ``account`` None: whoever entered the run.
    """
    row = connection.execute(
        sql.SQL(
            "SELECT coalesce(%s, r.account), min(s.region), max(s.region) FROM ingest.runs r LEFT JOIN {} s ON true WHERE r.id = %s GROUP BY 1"
        ).format(staging.table_of(run)),
        [account, run],
    ).fetchone()
    actor, first, last = row or (account, None, None)
    region = first if first == last else None
    entry = Entry(Action.imported, actor, subject=layer, object=run, region=region or "", details=details)
    enter(connection, entry)


def reject(
    connection: Connection,
    run: int,
    problems: Iterable[Problem],
    data: dict[int, tuple[Any, bytes | None, str]],
) -> int:
    """Enter problems; ``data`` gives (columns, source WKB, CRS) of each row turned away. Returns their number."""
    count = 0
    problems = list(problems)
    if not problems:
        return 0
    columns = (
        "run, row, code, field, value, message, remedy, warning, lon, lat, data, source_geom, source_crs"
    )
    with connection.cursor() as cursor, cursor.copy(f"COPY ingest.rejects ({columns}) FROM STDIN") as stream:
        for p in problems:
            row_data, wkb, crs = data.get(p.row, (None, None, None))
            stream.write_row(
                (
                    run,
                    p.row,
                    p.code,
                    p.field,
                    p.value,
                    p.message,
                    p.remedy,
                    p.warning,
                    p.lon,
                    p.lat,
                    None if row_data is None else Jsonb(row_data),
                    wkb,
                    crs,
                )
            )
            count += 1
    return count


@dataclass(frozen=True)
class Waiting:
    """A run that is staged and compared, and waits for a person's word."""

    profile: str
    layer: str
    file_name: str
    sha256: str
    counts: dict[str, int]


def waiting(connection: Connection, run: int) -> Waiting:
    """The waiting run of that number; RefusedError where it does not wait (any more)."""
    row = connection.execute(
        "SELECT profile, layer, file_name, sha256, counts, status FROM ingest.runs WHERE id = %s FOR UPDATE",
        [run],
    ).fetchone()
    staged = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f"ingest.stage_{run}"]).fetchone()
    if row is None or row[5] != "waiting" or staged != (True,):
        raise RefusedError(
            f"Run {run} does not wait for a word.", "Upload the file again.", field="run", value=str(run)
        )
    return Waiting(*row[:5])


def clear_away(connection: Connection, run: int) -> None:
    """End a run that died: drop what it staged, keep its record."""
    staging.drop(connection, run)
    end(connection, run, "interrupted", {}, "The process ended before the load; nothing was changed.")
    connection.commit()
