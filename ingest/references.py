"""Reference lists: classifiers and calendars that registers refer to, loaded with versions and without geometry."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from psycopg.rows import TupleRow

from accounts.action import Action
from accounts.journal import Entry, enter
from geo.errors import MezhaError
from geo.session import connect, sql_of
from ingest import runs
from ingest.batch import Batch, Reader
from ingest.errors import RefusedError
from ingest.normalise import field_of, filled, rest_of
from ingest.pipeline import Options, Result, evidence
from ingest.problem import Problem
from ingest.readers.catalogue import reader_for
from ingest.reference_profile import LAYER, ReferenceProfile
from ingest.source import Source

Connection = psycopg.Connection[TupleRow]
_DIGEST_KEY = "mezha-refer-key1"


def ingest(url: str, profile: ReferenceProfile, path: Path, options: Options | None = None) -> Result:
    """Load a list in one transaction; MezhaError refuses the file and changes nothing."""
    options = options or Options()
    source = Source.open(path, name=options.file_name, object_mb=options.object_mb)
    reader = reader_for(source, profile.reader, profile.read)
    with connect(url) as connection, runs.exclusive(connection, f"{LAYER}:{profile.list}"):
        run = runs.begin(connection, profile, source, crs=None, dry=options.dry, account=options.account)
        result = Result(run, profile.name, LAYER, source.name, source.sha256)
        try:
            entries = _entries(connection, profile, (source, reader), result)
            _load(connection, profile, entries, result=result, options=options)
        except MezhaError as err:
            connection.rollback()
            runs.end(connection, run, "refused", {}, str(err))
            connection.commit()
            result.refuse(err)
            options.refused(result)
            raise
        return result


def _entries(
    connection: Connection, profile: ReferenceProfile, opened: tuple[Source, Reader], result: Result
) -> pd.DataFrame:
    """Entries of the whole file; lists are small, so they are held at once. Bad rows are entered as rejects."""
    source, reader = opened
    parts = []
    for batch in reader.batches(source, profile.source_layer):
        result.notes += [n for n in batch.notes if n not in result.notes]
        result.problems += batch.problems
        parts.append(_mapped(profile, batch, result.problems))
    if not parts:
        raise RefusedError(
            f"{source.name} holds no rows.", "Ask its sender for the file again.", field="file"
        )
    entries = pd.concat(parts, ignore_index=True)
    twice = entries["code"].duplicated() & entries["code"].notna()
    result.problems += [_twice(int(e.row), str(e.code)) for e in entries[twice].itertuples()]
    bad = {p.row for p in result.problems if not p.warning}
    runs.reject(connection, result.run, result.problems, {})
    warnings = sum(p.warning for p in result.problems)
    result.counts |= {"read": len(entries), "rejected": len(bad), "warnings": warnings}
    kept = entries[~entries["row"].isin(bad)]
    if kept.empty:
        first = result.problems[0]
        raise RefusedError(
            f"Not one of {len(entries)} rows can be loaded: {first.message}", first.remedy, field="file"
        )
    return kept


def _mapped(profile: ReferenceProfile, batch: Batch, problems: list[Problem]) -> pd.DataFrame:
    codes = filled(profile.code, batch.columns)
    titles = field_of(profile.entry, "title", batch, problems)
    parents = (
        field_of(profile.parent, "parent", batch, problems)
        if profile.parent
        else pa.nulls(len(codes), pa.string())
    )
    lacking = pc.or_(codes.is_null(), titles.is_null()).to_numpy(zero_copy_only=False)
    for position in np.flatnonzero(lacking):
        lacks = "title" if codes[position].is_valid else "code"
        problems.append(
            Problem(
                int(batch.rows[position]),
                f"missing-{lacks}",
                lacks,
                "",
                f"The {lacks} is empty.",
                "Fill it in.",
            )
        )
    data = rest_of(batch.columns, set())
    columns = {"code": codes, "title": titles, "parent": parents, "data": data}
    said = pd.DataFrame({n: pd.Series(c.to_pylist(), dtype=object) for n, c in columns.items()})
    return said.assign(row=batch.rows, digest=_digests([said[n] for n in columns]))


def _digests(columns: "list[pd.Series[Any]]") -> list[str]:
    frame = pd.concat([c.reset_index(drop=True).astype(object).fillna("") for c in columns], axis=1)
    halves = [
        pd.util.hash_pandas_object(frame, index=False, hash_key=key).to_numpy()
        for key in (_DIGEST_KEY, _DIGEST_KEY[::-1])
    ]
    return [f"{a:016x}{b:016x}" for a, b in zip(*halves, strict=True)]


def _twice(row: int, code: str) -> Problem:
    return Problem(
        row,
        "duplicate-key",
        "code",
        code,
        f"The code {code} stands in the list already.",
        "Keep one of the two rows.",
    )


def _load(
    connection: Connection,
    profile: ReferenceProfile,
    entries: pd.DataFrame,
    *,
    result: Result,
    options: Options,
) -> None:
    connection.execute(
        "CREATE TEMPORARY TABLE incoming (source_row int, code text, title text, parent text, data jsonb, digest uuid)"
        " ON COMMIT DROP"
    )
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY incoming (source_row, code, title, parent, data, digest) FROM STDIN") as stream,
    ):
        for entry in entries.itertuples(index=False):
            stream.write_row(
                (int(entry.row), entry.code, entry.title, entry.parent, entry.data or "{}", entry.digest)
            )
    values = {"list": profile.list, "run": result.run, "full": profile.snapshot == "full"}
    row = connection.execute(sql.SQL(sql_of("ingest", "reference_compare")), values).fetchone()
    new, changed, unchanged, gone = row or (0, 0, 0, 0)
    result.counts |= {"new": new, "changed": changed, "unchanged": unchanged, "gone": gone}
    held = changed + unchanged + gone
    if held and gone > 5 and gone / held > profile.gone_limit and not options.confirm_gone:
        raise RefusedError(
            f"{gone} of {held} entries would be closed because the file does not hold them.",
            "If the list really shrank so much, repeat with --confirm-gone.",
            field="file",
            value=str(gone),
        )
    result.status = "dry" if options.dry else "done"
    if not options.dry:
        connection.execute(
            "UPDATE ingest.runs SET loaded_at = transaction_timestamp() WHERE id = %s", [result.run]
        )
        connection.execute(sql.SQL(sql_of("ingest", "reference_close")), values)
        connection.execute(sql.SQL(sql_of("ingest", "reference_add")), values)
        details = {"list": profile.list, **evidence(result)}
        enter(
            connection,
            Entry(Action.imported, options.account, subject=LAYER, object=result.run, details=details),
        )
    runs.end(connection, result.run, result.status, result.counts)
    connection.commit()
