"""The pipeline: open → read → map → normalise → check → stage → compare → load → report.

Everything up to *stage* happens in an unlogged table beside the register; *load* is one transaction. A run
that dies before it changes nothing, and the next run of the same file takes up what was staged.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import shapely
import structlog
from psycopg import sql
from psycopg.rows import TupleRow

from geo.crs import Catalogue
from geo.errors import MezhaError
from geo.layers import Layer, layer
from geo.session import connect
from geo.settings import OBJECT_MB
from ingest import declared_area, differences, load, neighbours, runs, staging
from ingest.batch import Batch
from ingest.cells import plain
from ingest.check import Checked, check
from ingest.errors import RefusedError
from ingest.normalise import Normalised, normalise
from ingest.placement import Placement, placement_of
from ingest.prefetch import prefetched
from ingest.problem import Problem
from ingest.profile import Profile
from ingest.profile import profile as find_profile
from ingest.readers.catalogue import reader_for
from ingest.source import Source

Connection = psycopg.Connection[TupleRow]
# A batch as it stands in the file, and its fields, which are being made.
_Read = tuple[Batch, Future[Normalised]]
STAGES = ("open", "read", "map", "normalise", "check", "stage", "compare", "load", "report")
log = structlog.get_logger("ingest")


@dataclass(frozen=True)
class Options:
    """How to run: dry changes nothing; ``moment`` backdates an archive and needs the owner's connection."""

    crs: str | None = None
    dry: bool = False
    # Keep what was staged and compared for a person to look at; `apply` or `drop` ends such a run.
    hold: bool = False
    confirm_gone: bool = False
    account: int | None = None
    # What the sender calls the file, where it is stored under another name.
    file_name: str | None = None
    # Most that one object may take in the file, in megabytes.
    object_mb: float = OBJECT_MB
    moment: datetime | None = None
    progress: Callable[[str, int], None] = lambda stage, rows: None
    # Called with what a refused run had found, when everything else of it is rolled back.
    refused: "Callable[[Result], None]" = lambda result: None
    # Called after each stage; the fault tests kill the process here.
    after: Callable[[str], None] = lambda stage: None


@dataclass
class Result:
    """What a run found and did; ``counts`` has read, staged, rejected, warnings, new, changed, unchanged, gone."""

    run: int
    profile: str
    layer: str
    file: str
    sha256: str
    status: str = "running"
    crs: list[str] = field(default_factory=list)
    # What was decided by evidence or by order: encodings, delimiters, axis order, an overridden system.
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    resumed: bool = False

    def refuse(self, err: MezhaError) -> None:
        """The reason of a refusal, before everything else that was found."""
        self.status = "refused"
        self.problems.insert(0, Problem(0, err.code, err.field or "file", err.value, err.message, err.remedy))


@dataclass
class _Work:
    """What every stage of one run needs."""

    connection: Connection
    profile: Profile
    layer: Layer
    options: Options
    result: Result


@dataclass(frozen=True)
class _Prepared:
    """A batch with its fields and what tells its rows from others; ``checked`` where its check has begun already."""

    batch: Batch
    system: Placement | None
    fields: Normalised
    wkb: Any
    identity: pa.Table
    checked: Future[Checked] | None


@dataclass(frozen=True)
class _Staged:
    """A batch ready to be written: whole rows, rows that the register holds already, problems and their rows."""

    rows: pa.Table
    known: pa.Table
    problems: list[Problem]
    data: dict[int, tuple[Any, bytes | None, str]]


def ingest(url: str, profile: Profile, path: Path, options: Options | None = None) -> Result:
    """Run a file through every stage. ``url`` is the registrar's (the owner's where ``moment`` is set).

    MezhaError refuses the file: nothing was changed.
    """
    options = options or Options()
    source = Source.open(path, name=options.file_name, object_mb=options.object_mb)
    with ThreadPoolExecutor(3) as reading:
        # The first rows are read and normalised, and the file is hashed, while the database is asked.
        batches = prefetched(_batches(source, profile, reading), reading)
        reading.submit(getattr, source, "sha256")
        with connect(url) as connection, runs.exclusive(connection, profile.layer):
            return _run(connection, profile, options, source, batches)


def _batches(source: Source, profile: Profile, reading: Executor) -> Iterator[_Read]:
    for batch in reader_for(source, profile.reader, profile.read).batches(source, profile.source_layer):
        yield batch, reading.submit(normalise, batch, profile)


def _run(
    connection: Connection, profile: Profile, options: Options, source: Source, batches: Iterator[_Read]
) -> Result:
    """A run under its lock; what it refuses is rolled back, recorded and told."""
    # What is staged is no promise yet; only the load itself waits for the disk.
    connection.execute("SET synchronous_commit = off")
    # Long texts and boundaries are compressed in the way that costs less, where the server knows it.
    connection.execute(
        "DO $$ BEGIN SET default_toast_compression = 'lz4'; EXCEPTION WHEN invalid_parameter_value THEN NULL; END $$"
    )
    run, resumed = _begin(connection, profile, source, options)
    result = Result(run, profile.name, profile.layer, source.name, source.sha256, resumed=resumed)
    try:
        _stages(_Work(connection, profile, layer(profile.layer), options, result), batches, source)
    except MezhaError as err:
        connection.rollback()
        staging.drop(connection, run)
        runs.end(connection, run, "refused", {}, str(err))
        connection.commit()
        result.refuse(err)
        options.refused(result)
        raise
    return result


def _begin(connection: Connection, profile: Profile, source: Source, options: Options) -> tuple[int, bool]:
    """A new run, or a dead one of the same file whose rows are all still staged."""
    for run, sha256, stage, staged in runs.interrupted(connection, profile):
        if (
            stage == "stage"
            and sha256 == source.sha256
            and not options.dry
            and staged == _staged_rows(connection, run)
        ):
            log.info("resume", run=run, rows=staged)
            return run, True
        runs.clear_away(connection, run)
    return runs.begin(
        connection, profile, source, crs=options.crs, dry=options.dry, account=options.account
    ), False


def _staged_rows(connection: Connection, run: int) -> int:
    # The unlogged table is empty after a crash of the database: the count tells.
    if connection.execute("SELECT to_regclass(%s)", [f"ingest.stage_{run}"]).fetchone() == (None,):
        return -2
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(staging.table_of(run))).fetchone()
    return int(row[0]) if row else -2


def _stages(work: _Work, batches: Iterator[_Read], source: Source) -> None:
    connection, options, result = work.connection, work.options, work.result
    options.after("open")
    if not result.resumed:
        _stage_rows(work, batches, source)
    if options.hold:
        outcome = load.compare(connection, work.layer, work.profile, result.run)
        differences.write(connection, work.layer, work.profile, result.run, outcome)
        result.counts |= outcome.as_counts()
        result.status = "waiting"
        runs.end(connection, result.run, "waiting", result.counts)
        connection.commit()
        return
    _finish(work)


def _finish(work: _Work) -> None:
    """Compare what is staged, load it unless the run is dry, and clear up; one transaction."""
    connection, options, result = work.connection, work.options, work.result
    outcome = load.compare(connection, work.layer, work.profile, result.run)
    options.after("compare")
    result.counts |= outcome.as_counts()
    load.refuse_if_too_much_is_gone(outcome, work.profile, confirmed=options.confirm_gone)
    differences.write(connection, work.layer, work.profile, result.run, outcome)
    if options.dry:
        result.status = "dry"
    else:
        load.write(connection, work.layer, result.run, outcome, moment=options.moment)
        load.verify(connection, work.layer, result.run, outcome)
        runs.journal(connection, result.run, options.account, result.layer, evidence(result))
        result.status = "done"
        options.after("load")
    staging.drop(connection, result.run)
    runs.reach(connection, result.run, "report")
    runs.end(connection, result.run, result.status, result.counts)
    connection.execute("SET LOCAL synchronous_commit = on")
    connection.commit()
    options.after("report")


def apply(url: str, run: int, *, confirm_gone: bool = False) -> Result:
    """Load a run that waits for its registrar; it is compared with the register of this moment.

    RefusedError where it does not wait, or too much would be closed: nothing was changed then.
    """
    with connect(url) as connection:
        found = runs.waiting(connection, run)
        target = layer(found.layer)
        # The unlogged table is empty after a crash of the database: nothing staged must not mean that all is gone.
        if _staged_rows(connection, run) != found.counts.get("staged"):
            raise RefusedError(
                f"What run {run} had staged was lost.", "Upload the file again.", field="run", value=str(run)
            )
        with runs.exclusive(connection, found.layer):
            result = Result(
                run,
                found.profile,
                found.layer,
                found.file_name,
                found.sha256,
                counts=found.counts,
                resumed=True,
            )
            options = Options(confirm_gone=confirm_gone)
            try:
                _finish(_Work(connection, find_profile(found.profile), target, options, result))
            except MezhaError:
                connection.rollback()
                raise
            return result


def drop(url: str, run: int) -> None:
    """Refuse a run that waits: what was staged goes, the record stays."""
    with connect(url) as connection:
        runs.waiting(connection, run)
        staging.drop(connection, run)
        runs.end(connection, run, "refused", {}, "Refused by the registrar; nothing was changed.")
        connection.commit()


def evidence(result: Result) -> dict[str, Any]:
    """What the journal keeps of a load."""
    return {
        "profile": result.profile,
        "file": result.file,
        "sha256": result.sha256,
        "counts": dict(result.counts),
    }


def _stage_rows(work: _Work, batches: Iterator[_Read], source: Source) -> None:
    """Map, normalise, check and stage every batch; commits once, when all rows are staged."""
    connection, result = work.connection, work.result
    read, staged = _stage_batches(work, batches)
    if read == 0:
        raise RefusedError(
            f"{source.name} holds no rows"
            + (f" of “{work.profile.source_layer}”." if work.profile.source_layer else "."),
            "Ask its sender for the file again.",
            field="file",
            value=source.name,
        )
    staged -= _reject_duplicates(work)
    beside = neighbours.warnings(connection, staging.table_of(result.run), work.profile.geometry.neighbours)
    runs.reject(connection, result.run, beside, {})
    result.problems += beside
    if staged == 0:
        codes = Counter(p.code for p in result.problems if not p.warning)
        common = next(p for p in result.problems if p.code == codes.most_common(1)[0][0])
        raise RefusedError(
            f"Not one of {read} rows of {source.name} can be loaded; the commonest problem: {common.message}",
            common.remedy,
            field="file",
            value=source.name,
        )
    rejected = {p.row for p in result.problems if not p.warning}
    if rejected and work.profile.bad_rows == "refuse":
        first = next(p for p in result.problems if not p.warning)
        raise RefusedError(
            f"{len(rejected)} of {read} rows of {source.name} are bad, and {work.profile.name} takes whole files only; "
            f"row {first.row}: {first.message}",
            first.remedy,
            field="file",
            value=source.name,
        )
    warnings = sum(p.warning for p in result.problems)
    result.counts |= {"read": read, "staged": staged, "rejected": len(rejected), "warnings": warnings}
    runs.reach(connection, result.run, "stage", dict(result.counts))
    connection.commit()
    work.options.after("stage")


def _stage_batches(work: _Work, batches: Iterator[_Read]) -> tuple[int, int]:
    """Rows read and rows staged; one batch is read, one prepared, one checked and one written at a time."""
    connection, result = work.connection, work.result
    catalogue = Catalogue.load(connection)
    fresh = load.nothing_current(connection, work.layer)
    read = staged = 0
    with (
        ThreadPoolExecutor(1) as writer,
        ThreadPoolExecutor(1) as preparing,
        ThreadPoolExecutor(2) as checking,
    ):
        pending: Future[int] | None = None
        made = (_prepare(work, each, catalogue, checking if fresh else None) for each in batches)
        ready = prefetched(made, preparing)
        # A new unlogged table waits for the disk; the first batch is prepared meanwhile.
        staging.create(connection, work.layer, result.run)
        load.warm(connection)
        for prepared in ready:
            read += len(prepared.batch.rows)
            if pending and not fresh:
                staged, pending = staged + pending.result(), None
            whole = _stage_batch(work, prepared)
            result.problems += whole.problems
            staged += pending.result() if pending else 0
            pending = writer.submit(_write_batch, work, whole)
            work.options.progress("stage", read)
        staged += pending.result() if pending else 0
    return read, staged


def _reject_duplicates(work: _Work) -> int:
    """Turn away rows whose key stands earlier in the file; returns their number."""
    found = staging.duplicates(work.connection, work.result.run)
    for row, key, first in found:
        problem = Problem(
            row,
            "duplicate-key",
            "key",
            key,
            f"The key {key} stands in row {first} already.",
            "Keep one of the two rows.",
        )
        work.result.problems.append(problem)
        runs.reject(work.connection, work.result.run, [problem], {row: ({"key": key}, None, "")})
    return len(found)


def _prepare(work: _Work, read: _Read, catalogue: Catalogue, checking: Executor | None) -> _Prepared:
    """Place a batch and tell its rows from others; ``checking`` begins its check meanwhile, for the register holds
    nothing yet."""
    (batch, coming), result, options = read, work.result, work.options
    options.after("read")
    system = placement_of(batch, work.profile, catalogue, options.crs)
    if system and system.code not in result.crs:
        result.crs.append(system.code)
    said = (*batch.notes, *([system.note] if system and system.note else []))
    result.notes += [n for n in said if n not in result.notes]
    wkb = np.asarray(shapely.to_wkb(batch.geometries, include_srid=False), dtype=object)
    checked = None
    if checking:
        checked = checking.submit(check, batch, work.profile, work.layer, system, wkb=wkb)
    fields = coming.result()
    options.after("normalise")
    where = system.identity if system else batch.crs
    identity = staging.identities(fields, wkb, where, rows=batch.rows, profile=work.profile, layer=work.layer)
    return _Prepared(batch, system, fields, wkb, identity, checked)


def _stage_batch(work: _Work, prepared: _Prepared) -> _Staged:
    """Everything that can be done to a batch without writing; only rows that the register does not hold are checked."""
    batch, normalised, identity = prepared.batch, prepared.fields, prepared.identity
    known = np.zeros(len(batch.rows), bool)
    if prepared.checked is None:
        known = staging.known(work.connection, work.layer, identity)
    rest = np.flatnonzero(~known)
    part, fields = batch.take(rest), normalised.take(rest)
    checked = (
        prepared.checked.result()
        if prepared.checked
        else check(
            part, work.profile, work.layer, prepared.system, wkb=prepared.wkb[rest], known=int(known.sum())
        )
    )
    work.options.after("check")
    areas = declared_area.differences(fields, checked.area_m2, work.profile, rows=part.rows)
    problems = [*batch.problems, *normalised.problems, *checked.problems, *areas]
    bad = {p.row for p in problems if not p.warning}
    rows = staging.rows_of(
        fields, checked, identity.take(pa.array(rest)), profile=work.profile, layer=work.layer
    )
    data = _data(batch, normalised.column("key"), bad) if bad else {}
    if bad:
        rows = rows.filter(pa.array(~np.isin(part.rows, list(bad))))
        known &= ~np.isin(batch.rows, list(bad))
    return _Staged(rows, identity.filter(pa.array(known)), problems, data)


def _write_batch(work: _Work, staged: _Staged) -> int:
    """Write what `_stage_batch` made; returns the number of rows staged."""
    if staged.problems:
        runs.reject(work.connection, work.result.run, staged.problems, staged.data)
    whole = staging.copy(work.connection, work.layer, work.result.run, staged.rows)
    return whole + staging.copy_known(work.connection, work.result.run, staged.known)


def _data(batch: Batch, keys: pa.Array, bad: set[int]) -> dict[int, tuple[Any, bytes | None, str]]:
    """What the reject table keeps of each row turned away: its columns and its geometry as they were."""
    found = {}
    for position in (p for p, row in enumerate(batch.rows) if int(row) in bad):
        columns = batch.columns.iloc[position].items()
        values = {str(k): plain(v) for k, v in columns}
        geometry = batch.geometries[position]
        wkb = None if geometry is None else shapely.to_wkb(geometry)
        found[int(batch.rows[position])] = (
            {"key": keys[position].as_py(), "columns": values},
            wkb,
            batch.crs,
        )
    return found
