"""Imports as the office sees them: uploads, runs, what they found, and the word that applies, drops or undoes them.

The pipeline itself runs in the worker; here it is only asked for. Connections are the registrar's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.errors import ParameterError, UnknownObjectError
from geo.jobs import enqueue

# Jobs of one lock run one after another, so that progress is honest and the disk is not torn.
LOCK = "imports"
SHOWN = 2_000


# What the worker leaves of a run: the page that opens without internet, the data, the rows that were turned away.
REPORTS = {"html": "run-{}.html", "json": "run-{}.json", "gpkg": "run-{}-rejected.gpkg"}


def reports_folder(home: Path) -> Path:
    """Where the worker leaves the reports of its runs."""
    return home / "reports"


def reports(home: Path, run: int) -> list[str]:
    """Kinds of report that the worker left of a run."""
    return [kind for kind in REPORTS if _report(home, run, kind).is_file()]


def report(home: Path, run: int, kind: str) -> Path:
    """The file of a report; UnknownObjectError where the run left none of that kind."""
    found = _report(home, run, kind) if kind in REPORTS else None
    if found is None or not found.is_file():
        raise UnknownObjectError(
            f"Run {run} left no report of the kind “{kind[:20]}”.",
            "Look at the page of the run.",
            field="kind",
            value=kind[:20],
        )
    return found


def _report(home: Path, run: int, kind: str) -> Path:
    return reports_folder(home) / REPORTS[kind].format(run)


@dataclass(frozen=True)
class NewUpload:
    """A file that a registrar sent: where it lies and how it is to be read; ``size`` in bytes."""

    account: int | None
    profile: str
    crs: str | None
    file_name: str
    path: str
    size: int


async def enter(connection: AsyncConnection, upload: NewUpload) -> int:
    """Enter an upload and ask the worker to read it; returns its number."""
    statement = text(
        "INSERT INTO ingest.uploads (account, profile, crs, file_name, path, size, status)"
        " VALUES (:account, :profile, :crs, :file_name, :path, :size, 'queued') RETURNING id"
    )
    number = int((await connection.execute(statement, vars(upload))).scalar_one())
    await enqueue(connection, "ingest.read", {"upload": number}, queue="imports", lock=LOCK)
    return number


_UPLOADS = """
SELECT u.*, r.counts, r.layer FROM ingest.uploads u LEFT JOIN ingest.runs r ON r.id = u.run
"""


async def uploads(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Uploads of the last month, newest first."""
    statement = text(
        f"{_UPLOADS} WHERE u.created_at > now() - interval '30 days' ORDER BY u.id DESC LIMIT 50"
    )
    return (await connection.execute(statement)).mappings().all()


async def upload(connection: AsyncConnection, number: int) -> RowMapping:
    """One upload; UnknownObjectError where there is none."""
    row = (
        (await connection.execute(text(f"{_UPLOADS} WHERE u.id = :number"), {"number": number}))
        .mappings()
        .first()
    )
    if row is None:
        raise UnknownObjectError(
            f"There is no upload {number}.", "Look at the list of uploads.", field="upload", value=str(number)
        )
    return row


async def decide(connection: AsyncConnection, number: int, word: str, *, confirm_gone: bool = False) -> None:
    """Apply or drop an upload that waits; ParameterError where it does not wait or the word is another."""
    if word not in ("apply", "drop"):
        raise ParameterError(
            f"“{word[:20]}” is no decision.", "Apply the upload or drop it.", field="word", value=word[:20]
        )
    statement = text(
        "UPDATE ingest.uploads SET status = 'applying', changed_at = clock_timestamp() WHERE id = :number AND status = 'waiting' RETURNING id"
    )
    if (await connection.execute(statement, {"number": number})).first() is None:
        raise ParameterError(
            f"Upload {number} does not wait for a word.",
            "Look at its state again.",
            field="upload",
            value=str(number),
        )
    arguments = {"upload": number} | ({"confirm_gone": confirm_gone} if word == "apply" else {})
    await enqueue(connection, f"ingest.{word}", arguments, queue="imports", lock=LOCK)


async def undo(connection: AsyncConnection, run: int, account: int | None) -> None:
    """Ask the worker to undo a finished run."""
    await enqueue(
        connection,
        "ingest.undo",
        {"run": run, "account": account},
        queue="imports",
        lock=LOCK,
        once=f"undo-{run}",
    )


async def runs(
    connection: AsyncConnection, *, before: int | None = None, limit: int = 50
) -> Sequence[RowMapping]:
    """Runs, newest first; a page ends before run ``before``."""
    statement = text(
        "SELECT r.*, u.id AS undone_by FROM ingest.runs r LEFT JOIN ingest.runs u ON u.undoes = r.id AND u.status = 'done'"
        " WHERE CAST(:before AS bigint) IS NULL OR r.id < :before ORDER BY r.id DESC LIMIT :limit"
    )
    return (await connection.execute(statement, {"before": before, "limit": limit})).mappings().all()


async def run(connection: AsyncConnection, number: int) -> RowMapping:
    """One run; UnknownObjectError where there is none."""
    statement = text(
        "SELECT r.*, u.id AS undone_by FROM ingest.runs r LEFT JOIN ingest.runs u ON u.undoes = r.id AND u.status = 'done' WHERE r.id = :number"
    )
    row = (await connection.execute(statement, {"number": number})).mappings().first()
    if row is None:
        raise UnknownObjectError(
            f"There is no run {number}.", "Look at the history of runs.", field="run", value=str(number)
        )
    return row


async def problems(connection: AsyncConnection, number: int, *, limit: int = 200) -> Sequence[RowMapping]:
    """What a run found wrong, rejected rows first."""
    statement = text(
        "SELECT row, code, field, value, message, remedy, warning, lon, lat FROM ingest.rejects WHERE run = :number ORDER BY warning, row LIMIT :limit"
    )
    return (await connection.execute(statement, {"number": number, "limit": limit})).mappings().all()


async def differences(connection: AsyncConnection, number: int) -> dict[str, Any]:
    """What a run changes, as GeoJSON: pieces won, lost and gone, and the outlines of new objects of a run that waits."""
    statement = text(
        "SELECT action, key, fields, added_m2, removed_m2, ST_AsGeoJSON(added, 6)::json AS added, ST_AsGeoJSON(removed, 6)::json AS removed"
        " FROM ingest.differences WHERE run = :number ORDER BY id LIMIT :shown"
    )
    rows = (await connection.execute(statement, {"number": number, "shown": SHOWN})).mappings().all()
    features = [
        _feature(row["action"] if part == "removed" and row["action"] == "gone" else part, row, part)
        for row in rows
        for part in ("added", "removed")
        if row[part]
    ]
    return {
        "type": "FeatureCollection",
        "features": [*features, *await _new(connection, number)],
        "changes": [_change(r) for r in rows],
    }


def _change(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in ("action", "key", "fields", "added_m2", "removed_m2")}


def _feature(kind: str, row: RowMapping, part: str) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": row[part],
        "properties": {"kind": kind, "key": row["key"], "area_m2": row[f"{part}_m2"]},
    }


async def _new(connection: AsyncConnection, number: int) -> list[dict[str, Any]]:
    stage, compare = f"ingest.stage_{int(number)}", f"ingest.compare_{int(number)}"
    there = (
        await connection.execute(
            text("SELECT to_regclass(:stage) IS NOT NULL, to_regclass(:compare) IS NOT NULL"),
            {"stage": stage, "compare": compare},
        )
    ).one()
    if not there[0]:
        return []
    # Of a first load nothing was compared: all of it is new.
    chosen = f"JOIN {compare} c USING (stage_row) WHERE c.action = 'new' AND" if there[1] else "WHERE"
    statement = text(
        f"SELECT s.key, ST_AsGeoJSON(s.geom, 6)::json AS geometry FROM {stage} s {chosen} s.geom IS NOT NULL"
        " ORDER BY stage_row LIMIT :shown"
    )
    rows = (await connection.execute(statement, {"shown": SHOWN})).mappings().all()
    return [
        {"type": "Feature", "geometry": r["geometry"], "properties": {"kind": "new", "key": r["key"]}}
        for r in rows
    ]
