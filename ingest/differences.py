"""Differences: what an import changes, object by object: fields, and the ground won and lost."""

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from geo.layers import Layer
from geo.session import sql_of
from ingest import load
from ingest.profile import Profile
from ingest.staging import compared, table_of

Connection = psycopg.Connection[TupleRow]
# Columns of a staged row that say nothing about the object itself.
_IGNORED = ["stage_row", "known", "digest", "geom", "source_geom", "area_m2"]


def write(connection: Connection, layer: Layer, profile: Profile, run: int, outcome: load.Outcome) -> None:
    """Enter the differences of a compared run, replacing those of an earlier comparison."""
    connection.execute("DELETE FROM ingest.differences WHERE run = %s", [run])
    if outcome.changed:
        _write_changed(connection, layer, run)
    if outcome.gone:
        _write_gone(connection, layer, profile, run)


def _write_changed(connection: Connection, layer: Layer, run: int) -> None:
    connection.execute(
        sql.SQL(sql_of("ingest", "differences")).format(
            run=sql.Literal(run),
            ignored=sql.Literal(_IGNORED),
            stage=table_of(run),
            compare=compared(run),
            layer=sql.Identifier("register", layer.name),
        )
    )


def _write_gone(connection: Connection, layer: Layer, profile: Profile, run: int) -> None:
    connection.execute(
        sql.SQL(
            "INSERT INTO ingest.differences (run, action, object, key, removed, removed_m2)"
            " SELECT {run}, 'gone', o.id, o.key, o.geom, ST_Area(o.geom::geography)"
            " FROM ({gone}) g JOIN {layer} o USING (version) LIMIT 20000"
        ).format(
            run=sql.Literal(run),
            gone=load.gone(layer, profile, run),
            layer=sql.Identifier("register", layer.name),
        ),
        {"profile": profile.name},
    )
