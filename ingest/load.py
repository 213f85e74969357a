"""Loading: compare what is staged with the register and write versions, in one transaction."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from geo.layers import Layer
from geo.session import sql_of
from ingest.errors import RefusedError
from ingest.profile import Profile
from ingest.staging import columns_of, compared, table_of

# From so many rows on, a first load drops the indexes and builds them after.
BULK_ROWS = 20_000
Connection = psycopg.Connection[TupleRow]
# How many rows were staged, and how many of them the register holds now.
_FOUND = (
    "SELECT count(*), count(c.version) FROM {stage} s LEFT JOIN {layer} c"
    " ON c.key = s.key AND c.valid_from = s.valid_from AND c.sys_to = 'infinity' AND c.digest = s.digest"
)
# The same of a first load: all that the register holds, where its rows are those that were staged, else one fewer.
_CHECKSUM = (
    "SELECT s.rows, c.rows - (s.sum <> c.sum)::int"
    " FROM (SELECT count(*) AS rows, bit_xor(hash_record_extended(ROW(key, valid_from, digest), 0)) AS sum FROM {stage}) s,"
    " (SELECT count(*) AS rows, bit_xor(hash_record_extended(ROW(key, valid_from, digest), 0)) AS sum FROM {layer}) c"
)


@dataclass
class Outcome:
    """What a load did, or would do."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    # The register held nothing of the layer before.
    first: bool = False
    gone_keys: list[str] = field(default_factory=list)
    # Versions that end: those of changed objects and those of objects that are gone.
    closing: list[int] = field(default_factory=list)

    def as_counts(self) -> dict[str, int]:
        """The numbers of a report."""
        return {"new": self.new, "changed": self.changed, "unchanged": self.unchanged, "gone": self.gone}


def _register(layer: Layer) -> sql.Identifier:
    return sql.Identifier("register", layer.name)


def nothing_current(connection: Connection, layer: Layer) -> bool:
    """Whether the register holds no version of this layer, current or past."""
    row = connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(_register(layer))).fetchone()
    return row == (False,)


def warm(connection: Connection) -> None:
    """Make this session ready for the insert, while it has nothing else to do: projections are looked up once a session."""
    connection.execute("SELECT register.mercator(ST_SetSRID(ST_Point(0, 0), 4326))")


def compare(connection: Connection, layer: Layer, profile: Profile, run: int) -> Outcome:
    """Classify every staged row, and find what is gone from a full snapshot."""
    if nothing_current(connection, layer):
        return Outcome(new=_count(connection, table_of(run)), first=True)
    names = {"stage": table_of(run), "compare": compared(run), "layer": _register(layer)}
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {compare}").format(**names))
    connection.execute(sql.SQL(sql_of("ingest", "compare")).format(**names))
    row = connection.execute(
        sql.SQL(
            "SELECT count(*) FILTER (WHERE action = 'new'), count(*) FILTER (WHERE action = 'changed'),"
            " count(*) FILTER (WHERE known), (SELECT count(*) FROM {stage}) FROM {compare}"
        ).format(**names)
    ).fetchone()
    new, changed, forgotten, staged = row or (0, 0, 0, 0)
    if forgotten:
        raise RefusedError(
            f"{forgotten} objects of {layer.name} were changed by somebody else after the file was read.",
            "Nothing was changed; load the file again.",
            field="file",
        )
    outcome = Outcome(new, changed, staged - new - changed)
    if profile.snapshot == "full":
        missing = connection.execute(gone(layer, profile, run), {"profile": profile.name}).fetchall()
        outcome.gone, outcome.gone_keys = len(missing), [key for key, _ in missing[:1000]]
        outcome.closing = [version for _, version in missing]
    if outcome.changed:
        ended = sql.SQL("SELECT version FROM {compare} WHERE action = 'changed'").format(**names)
        outcome.closing += [version for (version,) in connection.execute(ended)]
    return outcome


def _count(connection: Connection, table: sql.Identifier) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
    return int(row[0]) if row else 0


def gone(layer: Layer, profile: Profile, run: int) -> sql.Composed:
    """Current objects of this profile, within the scope of the file, whose key the file does not hold."""
    scope = sql.SQL("").join(
        sql.SQL(" AND c.{0} IN (SELECT {0} FROM {1})").format(sql.Identifier(name), table_of(run))
        for name in profile.scope
    )
    return sql.SQL(
        "SELECT c.key, c.version FROM {layer} c JOIN ingest.runs r ON r.id = c.run"
        " WHERE c.sys_to = 'infinity' AND r.profile = %(profile)s{scope}"
        " AND NOT EXISTS (SELECT FROM {stage} s WHERE s.key = c.key AND s.valid_from = c.valid_from)"
        " AND NOT EXISTS (SELECT FROM ingest.rejects j WHERE j.run = {run} AND NOT j.warning AND j.data ->> 'key' = c.key)"
    ).format(layer=_register(layer), stage=table_of(run), scope=scope, run=sql.Literal(run))


def refuse_if_too_much_is_gone(outcome: Outcome, profile: Profile, *, confirmed: bool) -> None:
    """A snapshot that lacks more than the profile allows is more likely broken than true."""
    held = outcome.unchanged + outcome.changed + outcome.gone
    if held and not confirmed and outcome.gone > 5 and outcome.gone / held > profile.gone_limit:
        raise RefusedError(
            f"{outcome.gone} of {held} objects would be closed because the file does not hold them.",
            "If the register really shrank so much, repeat with --confirm-gone.",
            field="file",
            value=str(outcome.gone),
        )


def write(
    connection: Connection, layer: Layer, run: int, outcome: Outcome, *, moment: datetime | None = None
) -> None:
    """Write the versions: close what changed or is gone, add what is new or changed. The caller commits.

    ``outcome`` is what `compare` found in this transaction. ``moment`` backdates the knowledge and needs the owner's
    connection: only the archive of a region that is being set up may say when things were known.
    """
    connection.execute(
        "UPDATE ingest.runs SET loaded_at = coalesce(%s, transaction_timestamp()) WHERE id = %s",
        [moment, run],
    )
    _close(connection, layer, outcome.closing, moment)
    if not outcome.new and not outcome.changed:
        return
    fresh = nothing_current(connection, layer)
    # Building the indexes anew costs less than filling them row by row.
    bulk = fresh and moment is None and outcome.new >= BULK_ROWS
    if bulk:
        connection.execute("SELECT history.begin_bulk(%s)", [layer.name])
    own = [name for name in columns_of(layer) if name != "stage_row"]
    added = sql.SQL("{} s").format(table_of(run))
    identity: sql.Composable = sql.SQL("nextval('register.object_id')")
    if not fresh:
        added = sql.SQL("{} JOIN {} c USING (stage_row) ORDER BY s.stage_row").format(added, compared(run))
        identity = sql.SQL("coalesce(c.id, {})").format(identity)
    connection.execute(
        sql.SQL(
            "INSERT INTO {layer} ({columns}, id, run, source_row{since}) SELECT {staged}, {id}, {run}, s.stage_row{value} FROM {added}"
        ).format(
            layer=_register(layer),
            columns=sql.SQL(", ").join(map(sql.Identifier, own)),
            staged=sql.SQL(", ").join(sql.SQL("s.{}").format(sql.Identifier(n)) for n in own),
            id=identity,
            run=sql.Literal(run),
            added=added,
            since=sql.SQL(", sys_from" if moment else ""),
            value=sql.SQL(", {}::timestamptz").format(sql.Literal(moment)) if moment else sql.SQL(""),
        )
    )
    if bulk:
        connection.execute("SELECT history.end_bulk(%s)", [layer.name])


def _close(connection: Connection, layer: Layer, versions: list[int], moment: Any) -> None:
    if not versions:
        return
    if moment is None:
        connection.execute("SELECT history.close(%s, %s)", [layer.name, versions])
    else:
        connection.execute(
            sql.SQL("UPDATE {} SET sys_to = %s WHERE version = ANY (%s)").format(_register(layer)),
            [moment, versions],
        )


def verify(connection: Connection, layer: Layer, run: int, outcome: Outcome) -> None:
    """Compare the register with what was staged, digest by digest; RefusedError rolls everything back.

    After a first load both are the same set, which count and checksum show; else each staged row is looked up.
    Where this transaction wrote nothing, `compare` has just found every staged row in the register by its digest.
    """
    if not outcome.new and not outcome.closing:
        return
    statement = _CHECKSUM if outcome.first else _FOUND
    row = connection.execute(
        sql.SQL(statement).format(stage=table_of(run), layer=_register(layer))
    ).fetchone()
    staged, found = row if row else (0, -1)
    if staged != found:
        raise RefusedError(
            f"After the load the register holds {found} of {staged} rows.",
            "Nothing was changed; run it again.",
            field="file",
        )
