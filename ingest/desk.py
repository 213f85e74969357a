"""The registrar's desk: what the worker does with an uploaded file, step by step, so that a page can follow it."""

import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from geo.errors import MezhaError
from geo.session import connect
from geo.settings import OBJECT_MB
from ingest import door, pipeline, references
from ingest.pipeline import Options, Result
from ingest.reference_profile import ReferenceProfile
from ingest.undo import undo as undo_run

# Progress is written so often at most, in seconds.
PACE = 0.5


def _upload(url: str, number: int) -> dict[str, Any]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        row = connection.execute("SELECT * FROM ingest.uploads WHERE id = %s", [number]).fetchone()
    if row is None:
        raise LookupError(f"There is no upload {number}.")
    return row


def _note(url: str, number: int, **values: Any) -> None:
    """Write columns of an upload; seen by the page at once."""
    names = ", ".join(f"{name} = %({name})s" for name in values)
    with connect(url, autocommit=True) as connection:
        connection.execute(
            f"UPDATE ingest.uploads SET {names}, changed_at = clock_timestamp() WHERE id = %(number)s".encode(),
            values | {"number": number},
        )


def read(url: str, number: int, reports: Path | None = None, *, object_mb: float = OBJECT_MB) -> None:
    """Read an upload up to the comparison; it then waits for the registrar's word, or is refused with the reason.

    ``reports``: the folder that takes the report of the run. ``object_mb``: most that one object may take in the file.
    """
    upload = _upload(url, number)
    _note(url, number, status="reading")
    last = 0.0

    def progress(_stage: str, rows: int) -> None:
        nonlocal last
        if time.monotonic() - last > PACE:
            last = time.monotonic()
            _note(url, number, rows_read=rows)

    def refused(result: Result) -> None:
        leave_report(result, reports, url)
        _note(url, number, run=result.run)

    try:
        found = door.find(upload["profile"])
        options = Options(
            crs=upload["crs"],
            # A list is small: it is compared now and read again when it is applied.
            dry=isinstance(found, ReferenceProfile),
            hold=True,
            account=upload["account"],
            file_name=upload["file_name"],
            object_mb=object_mb,
            progress=progress,
            refused=refused,
        )
        result = door.ingest(url, found, Path(upload["path"]), options)
    except MezhaError as err:
        _note(url, number, status="refused", message=str(err))
        return
    leave_report(result, reports, url)
    _note(url, number, status="waiting", run=result.run, rows_read=result.counts["read"])


def leave_report(result: Result, folder: Path | None, url: str) -> None:
    """Write what a run found where the office looks for it."""
    if folder is None:
        return
    # The map of a report is a heavy library; the worker needs it only where there is something to tell.
    from ingest import report

    report.write(result, folder, url)


def apply(url: str, number: int, *, confirm_gone: bool = False, object_mb: float = OBJECT_MB) -> None:
    """Load an upload that waits; where the register refuses it, it waits again with the reason."""
    upload = _upload(url, number)
    run = upload["run"]
    try:
        found = door.find(upload["profile"])
        if isinstance(found, ReferenceProfile):
            options = Options(
                confirm_gone=confirm_gone,
                account=upload["account"],
                file_name=upload["file_name"],
                object_mb=object_mb,
            )
            run = references.ingest(url, found, Path(upload["path"]), options).run
        else:
            pipeline.apply(url, run, confirm_gone=confirm_gone)
    except MezhaError as err:
        _note(url, number, status="waiting", message=str(err))
        return
    _note(url, number, status="applied", message=None, run=run)


def drop(url: str, number: int) -> None:
    """Refuse an upload that waits."""
    upload = _upload(url, number)
    try:
        if not isinstance(door.find(upload["profile"]), ReferenceProfile):
            pipeline.drop(url, upload["run"])
    except MezhaError as err:
        _note(url, number, status="dropped", message=str(err))
        return
    _note(url, number, status="dropped")


def undo(url: str, run: int, account: int | None) -> None:
    """Undo a run; a refusal is left as a refused run with its reason."""
    try:
        undo_run(url, run, account)
    except MezhaError as err:
        with connect(url) as connection:
            connection.execute("UPDATE ingest.runs SET message = %s WHERE id = %s", [str(err), run])
