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
        with runs.exclusive(connection, name):
            number = _enter(connection, run, found, account)
            counts = _revert(connection, name, run, number)
            details = {"undoes": run, "counts": counts}
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
        "INSERT INTO ingest.runs (profile, layer, file_name, sha256, size, account, status, stage, undoes)"
        " SELECT profile, layer, file_name, sha256, size, %s, 'running', 'open', id FROM ingest.runs WHERE id = %s RETURNING id",
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
    later = [version for version, current in added if not current]
    if later:
        raise RefusedError(
            f"{len(later)} objects of run {run} were changed after it.",
            "Undo the later runs first.",
            field="run",
            value=str(run),
        )
    ended = connection.execute(
        sql.SQL(
            "SELECT version FROM {} WHERE sys_to = (SELECT loaded_at FROM ingest.runs WHERE id = %s)"
        ).format(table),
        [run],
    ).fetchall()
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
