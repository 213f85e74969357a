"""Staging: checked rows go by COPY into an unlogged table, where set-based SQL takes over.

Rows that the register holds already, word for word, are staged with their key alone.
"""

from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import TupleRow
from pyarrow import csv

from geo.layers import Layer
from ingest.check import Checked, provenance
from ingest.normalise import Normalised
from ingest.profile import Profile

Connection = psycopg.Connection[TupleRow]
_SQL = {"text": "text", "integer": "int4", "number": "float8", "date": "date"}
# A moment is a date whose open end is written out, so that every comparison is plain equality.
_TYPES = {"moment": "date"}
_ARROW = {
    "text": pa.string(),
    "int4": pa.int32(),
    "int2": pa.int16(),
    "float8": pa.float64(),
    "date": pa.date32(),
    "moment": pa.string(),
    "jsonb": pa.string(),
    "uuid": pa.string(),
    "bytea": pa.string(),
    "geometry": pa.string(),
}
# Fixed keys: the digest of a row must be the same in every run and release.
_DIGEST_KEYS = ("mezha-digest-one", "mezha-digest-two")
_MIX = np.uint64(1_000_003)


def table_of(run: int, kind: str = "stage") -> sql.Identifier:
    """Name of a run's staging (``stage``) or comparison (``compare``) table."""
    return sql.Identifier("ingest", f"{kind}_{run}")


def columns_of(layer: Layer) -> dict[str, str]:
    """Columns of a staging table and their types, in COPY order."""
    own = {p.name: _SQL[p.type] for p in layer.properties}
    return {
        "stage_row": "int4",
        **own,
        "valid_from": "moment",
        "valid_to": "moment",
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
        sql.SQL("CREATE UNLOGGED TABLE {} ({}, known boolean NOT NULL DEFAULT false)").format(
            table_of(run), columns
        )
    )


def drop(connection: Connection, run: int) -> None:
    """Drop what a run staged."""
    for kind in ("compare", "stage"):
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table_of(run, kind)))


def identities(
    normalised: Normalised, wkb: NDArray[np.object_], crs: str, *, profile: Profile, layer: Layer
) -> pd.DataFrame:
    """Key, validity and digest of every row: enough to see whether the register holds it already."""
    fields = normalised.fields
    nothing = pd.Series([None] * len(fields), index=fields.index, dtype=object)
    frame = pd.DataFrame(
        {
            "key": fields["key"],
            "valid_from": _moments(
                fields[profile.valid_from] if profile.valid_from else nothing, "-infinity"
            ),
            "valid_to": _moments(fields[profile.valid_to] if profile.valid_to else nothing, "infinity"),
        }
    )
    said = [fields[p.name] for p in layer.properties if p.name not in ("area_m2", "area_method")]
    said += [frame["valid_from"], frame["valid_to"], fields.get("extra", nothing)]
    frame["digest"] = _digests([_as_text(column) for column in said], wkb, f"{crs}|{profile.visibility}")
    return frame


def _moments(days: "pd.Series[Any]", end: str) -> "pd.Series[Any]":
    return pd.Series(
        [end if d is None else d.isoformat() for d in days.tolist()], index=days.index, dtype=object
    )


def _as_text(values: "pd.Series[Any]") -> NDArray[np.object_]:
    return np.array(
        [v if v is None or isinstance(v, str) else repr(v) for v in values.tolist()], dtype=object
    )


def _hashed(values: NDArray[np.object_], key: str) -> NDArray[np.uint64]:
    return np.asarray(pd.util.hash_array(values, hash_key=key, categorize=True))


def _digests(said: list[NDArray[np.object_]], wkb: NDArray[np.object_], context: str) -> list[str]:
    """A 128-bit fingerprint of what each row says: its fields, moments and submitted geometry; order matters."""
    halves = []
    for key in _DIGEST_KEYS:
        total = np.repeat(_hashed(np.array([context], dtype=object), key), len(wkb))
        for column in (*said, wkb):
            total = total * _MIX + _hashed(column, key)
        halves.append(total)
    return [f"{a:016x}{b:016x}" for a, b in zip(*(half.tolist() for half in halves), strict=True)]


def known(connection: Connection, layer: Layer, frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows the register holds already with the same digest."""
    probe = frame.assign(stage_row=np.arange(len(frame)))
    connection.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS probe (stage_row int4, key text, valid_from date, digest uuid)"
    )
    connection.execute("TRUNCATE probe")
    _copy(
        connection,
        sql.Identifier("probe"),
        probe,
        {"stage_row": "int4", "key": "text", "valid_from": "moment", "digest": "uuid"},
    )
    rows = connection.execute(
        sql.SQL(
            "SELECT p.stage_row FROM probe p JOIN {} c ON c.key = p.key AND c.digest = p.digest"
            " AND c.valid_from = p.valid_from AND c.sys_to = 'infinity'"
        ).format(sql.Identifier("register", layer.name))
    ).fetchall()
    found = np.zeros(len(frame), dtype=bool)
    found[[row for (row,) in rows]] = True
    return found


def frame_of(
    normalised: Normalised, checked: Checked, identity: pd.DataFrame, *, profile: Profile, layer: Layer
) -> pd.DataFrame:
    """Rows as they will stand in the register."""
    fields = normalised.fields
    frame = pd.concat(
        [fields.drop(columns=["area_m2", "area_method"]), provenance(checked).set_index(fields.index)], axis=1
    )
    frame["area_m2"] = checked.area_m2
    frame["area_method"] = checked.area_method
    frame[["valid_from", "valid_to", "digest"]] = identity[["valid_from", "valid_to", "digest"]]
    frame["visibility"] = profile.visibility
    if "extra" not in frame:
        frame["extra"] = None
    frame["geom"] = shapely.to_wkb(checked.geometries, hex=True, include_srid=False)
    return frame.reindex(columns=[name for name in columns_of(layer) if name != "stage_row"])


def copy(connection: Connection, layer: Layer, run: int, frame: pd.DataFrame) -> int:
    """COPY whole rows into the staging table; returns their number."""
    _copy(connection, table_of(run), frame, columns_of(layer))
    return len(frame)


def copy_known(connection: Connection, run: int, frame: pd.DataFrame) -> int:
    """COPY the keys of rows that the register holds already; returns their number."""
    types = {"stage_row": "int4", "key": "text", "valid_from": "moment", "digest": "uuid", "known": "text"}
    _copy(connection, table_of(run), frame.assign(known="t"), types)
    return len(frame)


def _copy(connection: Connection, table: sql.Identifier, frame: pd.DataFrame, types: dict[str, str]) -> None:
    """COPY as CSV, which Arrow writes and PostgreSQL reads faster than any loop over rows."""
    if frame.empty:
        return
    arrays = [_arrow(frame[name], kind) for name, kind in types.items()]
    block = pa.BufferOutputStream()
    csv.write_csv(
        pa.table(arrays, names=list(types)),
        block,
        csv.WriteOptions(include_header=False, quoting_style="needed"),
    )
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        table, sql.SQL(", ").join(map(sql.Identifier, types))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        stream.write(memoryview(block.getvalue()))


def _arrow(values: "pd.Series[Any]", kind: str) -> pa.Array:
    if kind == "bytea":
        values = pd.Series([None if v is None else f"\\x{v.hex()}" for v in values.tolist()], dtype=object)
    return pa.array(values, type=_ARROW[kind], from_pandas=True)


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
