"""Staging: checked rows go by binary COPY into an unlogged table, where set-based SQL takes over."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import psycopg
import shapely
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from geo.layers import Layer
from ingest.check import Checked, provenance
from ingest.normalise import Normalised
from ingest.profile import Profile

Connection = psycopg.Connection[TupleRow]
_TYPES = {"text": "text", "integer": "int4", "number": "float8", "date": "date"}
# Fixed keys: the digest of a row must be the same in every run and release.
_DIGEST_KEYS = ("mezha-digest-one", "mezha-digest-two")


def table_of(run: int, kind: str = "stage") -> sql.Identifier:
    """Name of a run's staging (``stage``) or comparison (``compare``) table."""
    return sql.Identifier("ingest", f"{kind}_{run}")


def columns_of(layer: Layer) -> dict[str, str]:
    """Columns of a staging table and their types, in COPY order."""
    own = {p.name: _TYPES[p.type] for p in layer.properties}
    return {
        "stage_row": "int4",
        **own,
        "valid_from": "date",
        "valid_to": "date",
        "visibility": "int2",
        "extra": "jsonb",
        "source_crs": "text",
        "source_geom": "bytea",
        "repair": "text",
        "digest": "uuid",
        "geom": "bytea",
    }


def create(connection: Connection, layer: Layer, run: int) -> None:
    """Make the staging table of a run; the geometry column takes plain WKB and stamps it 4326."""
    kind = "Point" if layer.geometry == "POINT" else "MultiPolygon"
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(
            sql.Identifier(name), sql.SQL(f"geometry({kind},4326)" if name == "geom" else kind_of)
        )
        for name, kind_of in columns_of(layer).items()
    )
    connection.execute(sql.SQL("CREATE UNLOGGED TABLE {} ({})").format(table_of(run), columns))


def drop(connection: Connection, run: int) -> None:
    """Drop what a run staged."""
    for kind in ("compare", "stage"):
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table_of(run, kind)))


def frame_of(
    normalised: Normalised, checked: Checked, profile: Profile, layer: Layer, rows: NDArray[np.int64]
) -> pd.DataFrame:
    """Rows as they will stand in the register, with the digest by which a change is seen."""
    fields = normalised.fields
    frame = pd.concat([fields, provenance(checked).set_index(fields.index)], axis=1)
    frame["area_m2"] = [None if np.isnan(a) else float(a) for a in checked.area_m2]
    frame["area_method"] = checked.area_method
    frame["valid_from"] = fields[profile.valid_from] if profile.valid_from else None
    frame["valid_to"] = fields[profile.valid_to] if profile.valid_to else None
    frame["visibility"] = profile.visibility
    if "extra" not in frame:
        frame["extra"] = None
    frame["geom"] = shapely.to_wkb(checked.geometries, include_srid=False)
    frame["stage_row"] = rows.astype(int)
    frame["digest"] = digests(frame, layer)
    return frame[list(columns_of(layer))]


def digests(frame: pd.DataFrame, layer: Layer) -> "pd.Series[Any]":
    """A 128-bit fingerprint of what a row says: its fields, moments and submitted geometry; order matters."""
    said = [p.name for p in layer.properties if p.name not in ("area_m2", "area_method")]
    source = frame["source_geom"].where(frame["source_geom"].notna(), frame["geom"])
    parts = frame[[*said, "valid_from", "valid_to", "visibility", "extra", "source_crs"]].astype(object)
    text = parts.map(lambda v: None if pd.isna(v) else v if isinstance(v, str) else repr(v)).assign(
        geometry=source
    )
    halves = [pd.util.hash_pandas_object(text, index=False, hash_key=key).to_numpy() for key in _DIGEST_KEYS]
    return pd.Series(
        [f"{a:016x}{b:016x}" for a, b in zip(*halves, strict=True)], index=frame.index, dtype=object
    )


def copy(connection: Connection, layer: Layer, run: int, frame: pd.DataFrame) -> int:
    """COPY rows into the staging table; returns their number."""
    columns = columns_of(layer)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        table_of(run), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        # Geometry is sent as bytea: binary WKB is what the type reads.
        stream.set_types(list(columns.values()))
        for row in _rows(frame, columns):
            stream.write_row(row)
    return len(frame)


_MAKE: dict[str, Callable[[Any], Any]] = {
    "int4": int,
    "int2": int,
    "float8": float,
    "uuid": UUID,
    "jsonb": lambda v: Jsonb(json.loads(v)),
}


def _rows(frame: pd.DataFrame, columns: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    ready = []
    for name, kind in columns.items():
        values = frame[name].astype(object).where(frame[name].notna(), None).tolist()
        make = _MAKE.get(kind)
        ready.append(values if make is None else [None if v is None else make(v) for v in values])
    return zip(*ready, strict=True)


def settle(connection: Connection, run: int) -> None:
    """Fill the open ends of validity, so that every comparison is plain equality."""
    connection.execute(
        sql.SQL(
            "UPDATE {} SET valid_from = coalesce(valid_from, '-infinity'), valid_to = coalesce(valid_to, 'infinity')"
            " WHERE valid_from IS NULL OR valid_to IS NULL"
        ).format(table_of(run))
    )


def duplicates(connection: Connection, run: int) -> list[tuple[int, str, int]]:
    """Rows whose key and first day stand earlier in the file already: (row, key, earlier row); they are removed."""
    return connection.execute(
        sql.SQL(
            "WITH ranked AS (SELECT stage_row, key, row_number() OVER w AS n, first_value(stage_row) OVER w AS first"
            "  FROM {stage} WINDOW w AS (PARTITION BY key, valid_from ORDER BY stage_row)),"
            " gone AS (DELETE FROM {stage} s USING ranked r WHERE s.stage_row = r.stage_row AND r.n > 1)"
            " SELECT stage_row, key, first FROM ranked WHERE n > 1 ORDER BY stage_row"
        ).format(stage=table_of(run))
    ).fetchall()
