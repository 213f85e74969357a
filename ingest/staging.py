"""Staging: checked rows go by COPY into an unlogged table, where set-based SQL takes over.

Rows that the register holds already, word for word, are staged with their key alone.
"""

from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import TupleRow

from geo.geometry import multi_wkb
from geo.layers import Layer
from ingest.block import block
from ingest.check import Checked, provenance
from ingest.digest import digests
from ingest.normalise import Normalised
from ingest.profile import Profile

Connection = psycopg.Connection[TupleRow]
Geometries = NDArray[np.object_]
Rows = NDArray[np.int64]
_SQL = {"text": "text", "integer": "int4", "number": "float8", "date": "date"}
# A moment is a date whose open end is written out, so that every comparison is plain equality.
_TYPES = {"since": "date", "until": "date"}
# Properties that Mezha computes; the source does not say them.
_COMPUTED = ("area_m2", "area_method")


def table_of(run: int) -> sql.Identifier:
    """Name of a run's staging table."""
    return sql.Identifier("ingest", f"stage_{run}")


def compared(run: int) -> sql.Identifier:
    """Name of a run's table of comparison; a first load has none, for all of it is new."""
    return sql.Identifier("ingest", f"compare_{run}")


def columns_of(layer: Layer) -> dict[str, str]:
    """Columns of a staging table and their types, in COPY order."""
    own = {p.name: _SQL[p.type] for p in layer.properties}
    return {
        "stage_row": "int4",
        **own,
        "valid_from": "since",
        "valid_to": "until",
        "visibility": "int2",
        "extra": "jsonb",
        "source_crs": "text",
        "source_geom": "bytea",
        "repair": "text",
        "digest": "uuid",
        "geom": "geometry",
    }


def create(connection: Connection, layer: Layer, run: int) -> None:
    """Make the staging table of a run; the geometry column takes plain WKB and stamps it 4326."""
    kind = "Point" if layer.geometry == "POINT" else "MultiPolygon"
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(
            sql.Identifier(name),
            sql.SQL(f"geometry({kind},4326)" if name == "geom" else _TYPES.get(of_type, of_type)),
        )
        for name, of_type in columns_of(layer).items()
    )
    connection.execute(
        sql.SQL(
            "CREATE UNLOGGED TABLE {} ({}, known boolean NOT NULL DEFAULT false)"
            # Rows stand here for a moment: the longer ones are not worth to be compressed and set apart.
            " WITH (toast_tuple_target = 8160)"
        ).format(table_of(run), columns)
    )


def drop(connection: Connection, run: int) -> None:
    """Drop what a run staged."""
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}, {}").format(compared(run), table_of(run)))


def identities(
    normalised: Normalised, wkb: Geometries, crs: str, *, rows: Rows, profile: Profile, layer: Layer
) -> pa.Table:
    """Number, key, validity and digest of every row: enough to see whether the register holds it already."""
    days = {
        "valid_from": normalised.column(profile.valid_from or "").cast(pa.date32()),
        "valid_to": normalised.column(profile.valid_to or "").cast(pa.date32()),
    }
    said = [normalised.column(p.name) for p in layer.properties if p.name not in _COMPUTED]
    said += [pc.fill_null(days["valid_from"].cast(pa.string()), "-infinity")]
    said += [pc.fill_null(days["valid_to"].cast(pa.string()), "infinity")]
    said += [normalised.column("extra")]
    made = digests(said, wkb, f"{crs}|{profile.visibility}")
    return pa.table(
        {"stage_row": pa.array(rows, pa.int32()), "key": normalised.column("key"), **days, "digest": made}
    )


def known(connection: Connection, layer: Layer, identity: pa.Table) -> NDArray[np.bool_]:
    """Which rows the register holds already with the same digest."""
    connection.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS probe (stage_row int4, key text, valid_from date, digest uuid)"
    )
    connection.execute("TRUNCATE probe")
    places = pa.array(np.arange(identity.num_rows), pa.int32())
    probe = identity.set_column(0, "stage_row", places)
    types = {"stage_row": "int4", "key": "text", "valid_from": "since", "digest": "uuid"}
    _copy(connection, sql.Identifier("probe"), probe, types)
    rows = connection.execute(
        sql.SQL(
            "SELECT p.stage_row FROM probe p JOIN {} c ON c.key = p.key AND c.digest = p.digest"
            " AND c.valid_from = p.valid_from AND c.sys_to = 'infinity'"
        ).format(sql.Identifier("register", layer.name))
    ).fetchall()
    found = np.zeros(identity.num_rows, dtype=bool)
    found[[row for (row,) in rows]] = True
    return found


def rows_of(
    normalised: Normalised, checked: Checked, identity: pa.Table, *, profile: Profile, layer: Layer
) -> pa.Table:
    """Rows as they will stand in the register."""
    count = identity.num_rows
    made: dict[str, Any] = {n: normalised.column(n) for n in normalised.fields.column_names}
    made |= provenance(checked)
    made |= {n: identity.column(n).combine_chunks() for n in identity.column_names}
    made |= {
        "area_m2": pa.array(checked.area_m2, from_pandas=True),
        "area_method": pa.array(checked.area_method, pa.string()),
        "visibility": pa.array(np.full(count, profile.visibility)),
        "geom": multi_wkb(checked.geometries),
    }
    return pa.table({n: made[n] if n in made else pa.nulls(count) for n in columns_of(layer)})


def copy(connection: Connection, layer: Layer, run: int, rows: pa.Table) -> int:
    """COPY whole rows into the staging table; returns their number."""
    return _copy(connection, table_of(run), rows, columns_of(layer))


def copy_known(connection: Connection, run: int, identity: pa.Table) -> int:
    """COPY the keys of rows that the register holds already; returns their number."""
    types = {"stage_row": "int4", "key": "text", "valid_from": "since", "digest": "uuid", "known": "boolean"}
    known = pa.array(np.ones(identity.num_rows, dtype=bool))
    return _copy(connection, table_of(run), identity.append_column("known", known), types)


def _copy(connection: Connection, table: sql.Identifier, rows: pa.Table, types: dict[str, str]) -> int:
    """Binary COPY of a block that Arrow put together: no loop over rows on either side."""
    if rows.num_rows:
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
            table, sql.SQL(", ").join(map(sql.Identifier, types))
        )
        with connection.cursor() as cursor, cursor.copy(statement) as stream:
            stream.write(block({n: rows.column(n).combine_chunks() for n in types}, types))
    return int(rows.num_rows)


def duplicates(connection: Connection, run: int) -> list[tuple[int, str, int]]:
    """Rows whose key and first day stand earlier in the file already: (row, key, earlier row); they are removed."""
    return connection.execute(
        sql.SQL(
            "WITH twice AS (SELECT key, valid_from FROM {stage} GROUP BY key, valid_from HAVING count(*) > 1),"
            " ranked AS (SELECT stage_row, key, row_number() OVER w AS n, first_value(stage_row) OVER w AS first"
            "  FROM {stage} JOIN twice USING (key, valid_from) WINDOW w AS (PARTITION BY key, valid_from ORDER BY stage_row)),"
            " gone AS (DELETE FROM {stage} s USING ranked r WHERE s.stage_row = r.stage_row AND r.n > 1)"
            " SELECT stage_row, key, first FROM ranked WHERE n > 1 ORDER BY stage_row"
        ).format(stage=table_of(run))
    ).fetchall()
