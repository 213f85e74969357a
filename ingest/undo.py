"""Undo of a run: a new version that says what the register said before, never a deletion."""

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from accounts.action import Action
from accounts.journal import Entry, enter
from geo.layers import layer
from geo.session import connect, sql_of
from ingest import runs
from ingest.errors import RefusedError
from ingest.reference_profile import LAYER
from ingest.staging import columns_of

Connection = psycopg.Connection[TupleRow]


def undo(url: str, run: int, account: int | None = None) -> int:
    """Undo a finished run; returns the number of the run that did it. ``url`` is the registrar's.

    RefusedError where the run is not the last word on its objects, is undone already, or did not load.
    """
    with connect(url) as connection:
        found = connection.execute(
            "SELECT layer, status, profile, file_name FROM ingest.runs WHERE id = %s", [run]
        ).fetchone()
        if found is None or found[1] != "done":
            raise RefusedError(
                f"Run {run} did not load anything.", "Choose a finished run.", field="run", value=str(run)
            )
        name = found[0]
        entries = _list_of(connection, run) if name == LAYER else ""
        with runs.exclusive(connection, f"{LAYER}:{entries}" if name == LAYER else name):
            number = _enter(connection, run, found, account)
            if name == LAYER:
                counts = _revert_list(connection, entries, run, number)
            else:
                counts = _revert(connection, name, run, number)
            details = {"undoes": run, "counts": counts} | ({"list": entries} if entries else {})
            enter(connection, Entry(Action.undo, account, subject=name, object=number, details=details))
            runs.end(connection, number, "done", counts)
            connection.commit()
            return number


def _enter(connection: Connection, run: int, found: TupleRow, account: int | None) -> int:
    if connection.execute(
        "SELECT 1 FROM ingest.runs WHERE undoes = %s AND status = 'done'", [run]
    ).fetchone():
        raise RefusedError(
            f"Run {run} is undone already.",
            "Load the file again if it was right after all.",
            field="run",
            value=str(run),
        )
    row = connection.execute(
        "INSERT INTO ingest.runs (profile, layer, file_name, sha256, size, account, status, stage, undoes, loaded_at)"
        " SELECT profile, layer, file_name, sha256, size, %s, 'running', 'open', id, transaction_timestamp() FROM ingest.runs WHERE id = %s RETURNING id",
        [account, run],
    ).fetchone()
    if row is None:
        raise RefusedError(
            f"Run {run} did not load anything.", "Choose a finished run.", field="run", value=str(run)
        )
    return int(row[0])


def _revert(connection: Connection, name: str, run: int, number: int) -> dict[str, int]:
    table = sql.Identifier("register", name)
    added = connection.execute(
        sql.SQL("SELECT version, sys_to = 'infinity' FROM {} WHERE run = %s").format(table), [run]
    ).fetchall()
    _refuse_if_changed(sum(not current for _, current in added), run)
    ended = connection.execute(
        sql.SQL(
            "SELECT version FROM {} WHERE sys_to = (SELECT loaded_at FROM ingest.runs WHERE id = %s)"
        ).format(table),
        [run],
    ).fetchall()
    again = connection.execute(
        sql.SQL(
            "SELECT count(*) FROM {0} b JOIN {0} c ON c.key = b.key AND c.valid_from = b.valid_from"
            " AND c.sys_to = 'infinity' AND c.run <> %s WHERE b.version = ANY (%s)"
        ).format(table),
        [run, [version for (version,) in ended]],
    ).fetchone()
    _refuse_if_changed(again[0] if again else 0, run)
    connection.execute("SELECT history.close(%s, %s)", [name, [version for version, _ in added]])
    own = [c for c in columns_of(layer(name)) if c != "stage_row"] + ["source_row"]
    connection.execute(
        sql.SQL(sql_of("ingest", "undo")).format(
            layer=table,
            columns=sql.SQL(", ").join(map(sql.Identifier, own)),
            before=sql.SQL(", ").join(sql.SQL("b.{}").format(sql.Identifier(c)) for c in own),
            run=sql.Literal(number),
        ),
        {"restore": [version for (version,) in ended]},
    )
    return {"closed": len(added), "restored": len(ended)}


def _refuse_if_changed(later: int, run: int) -> None:
    """A run can only be taken back while it has the last word on its objects."""
    if later:
        raise RefusedError(
            f"{later} objects of run {run} were changed after it.",
            "Undo the later runs first.",
            field="run",
            value=str(run),
        )


_RUN_OF_LIST = """
SELECT coalesce(r.loaded_at, min(e.sys_from)) AS loaded_at
FROM ingest.runs r LEFT JOIN register.reference_entries e ON e.run = r.id WHERE r.id = %(run)s GROUP BY r.id
"""


def _list_of(connection: Connection, run: int) -> str:
    """Name of the list that a run loaded; empty where the run changed nothing of any."""
    row = connection.execute(
        f"WITH r AS ({_RUN_OF_LIST}) SELECT min(e.list) FROM register.reference_entries e, r"
        " WHERE e.run = %(run)s OR e.sys_to = r.loaded_at",
        {"run": run},
    ).fetchone()
    return str(row[0] or "") if row else ""


def _revert_list(connection: Connection, name: str, run: int, number: int) -> dict[str, int]:
    """Close the entries that a run added to a list, and add again those that it had closed."""
    row = connection.execute(_RUN_OF_LIST, {"run": run}).fetchone()
    values = {"list": name, "run": run, "number": number, "loaded_at": row[0] if row else None}
    # An entry of the run that does not hold any more, or one that it closed and that somebody entered again.
    later = connection.execute(
        "SELECT count(DISTINCT e.code) FROM register.reference_entries e WHERE e.list = %(list)s AND"
        " (e.run = %(run)s AND e.sys_to < 'infinity' OR e.run <> %(run)s AND e.sys_to = 'infinity' AND EXISTS ("
        "  SELECT FROM register.reference_entries b WHERE b.list = e.list AND b.code = e.code AND b.sys_to = %(loaded_at)s))",
        values,
    ).fetchone()
    _refuse_if_changed(later[0] if later else 0, run)
    closed = connection.execute(
        "UPDATE register.reference_entries SET sys_to = transaction_timestamp() WHERE list = %(list)s AND run = %(run)s",
        values,
    ).rowcount
    restored = connection.execute(sql.SQL(sql_of("ingest", "reference_restore")), values).rowcount
    return {"closed": closed, "restored": restored}
