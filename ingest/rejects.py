"""Rejected rows as a GeoPackage with their reasons: mended in QGIS, it is loaded again under the same profile."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pyogrio
import shapely
from psycopg.rows import TupleRow
from pyproj import CRS
from pyproj.exceptions import ProjError

from geo.crs import Catalogue
from ingest.profile import built_in

Connection = psycopg.Connection[TupleRow]
# Columns that Mezha adds begin with this; the next load leaves them out.
OWN = "mezha_"


@dataclass(frozen=True)
class Rejected:
    """One row turned away: its columns and its geometry as they were, and every reason."""

    row: int
    columns: dict[str, Any]
    geometry: Any
    crs: str
    codes: str
    messages: str
    remedies: str


def of_run(connection: Connection, run: int) -> list[Rejected]:
    """Rows that a run turned away, with everything that was wrong with each."""
    rows = connection.execute(
        "SELECT row, (array_agg(data) FILTER (WHERE data IS NOT NULL))[1],"
        " (array_agg(source_geom) FILTER (WHERE source_geom IS NOT NULL))[1], coalesce(max(source_crs), ''),"
        " string_agg(DISTINCT code, '; '), string_agg(message, ' ' ORDER BY id), string_agg(DISTINCT remedy, ' ')"
        " FROM ingest.rejects WHERE run = %s GROUP BY row HAVING bool_or(NOT warning) ORDER BY row",
        [run],
    ).fetchall()
    return [
        Rejected(r, (data or {}).get("columns", {}), shapely.from_wkb(wkb) if wkb else None, crs, *texts)
        for r, data, wkb, crs, *texts in rows
    ]


def write(connection: Connection, run: int, profile: str, path: Path) -> int:
    """Write a run's rejected rows; returns their number. One layer a coordinate system, the first takes rows without."""
    rejected = of_run(connection, run)
    if not rejected:
        return 0
    catalogue = Catalogue.load(connection)
    known = built_in().get(profile)
    name = (known.source_layer if known else None) or "rejected"
    systems = sorted({r.crs for r in rejected if r.geometry is not None}) or [""]
    path.unlink(missing_ok=True)
    for number, system in enumerate(systems):
        part = [r for r in rejected if r.crs == system or (number == 0 and r.geometry is None)]
        layer = name if number == 0 else f"{name}_{number + 1}"
        _write_layer(path, layer, part, wkt_of(system, known.crs.aliases if known else {}, catalogue))
    return len(rejected)


def wkt_of(system: str, aliases: dict[str, str], catalogue: Catalogue) -> str | None:
    """The system as WKT that carries its name in the catalogue, so that the next load knows it again."""
    bare = system.rpartition(":")[2] if system[:3].rstrip(":").isdigit() else system
    found = catalogue.find(aliases.get(system, bare)) if system else None
    if found is None:
        try:
            return str(CRS.from_user_input(system).to_wkt()) if system else None
        except ProjError:
            return None
    if found.kind != "local":
        return str(found.crs.to_wkt())
    document = found.crs.to_json_dict()
    document.get("source_crs", document)["name"] = found.title
    return str(CRS.from_json_dict(document).to_wkt())


def _write_layer(path: Path, layer: str, rows: list[Rejected], wkt: str | None) -> None:
    frame = pd.DataFrame([r.columns for r in rows], dtype=object)
    frame.columns = [str(c) for c in frame.columns]
    for name, values in (
        ("row", [r.row for r in rows]),
        ("problem", [r.codes for r in rows]),
        ("message", [r.messages for r in rows]),
        ("remedy", [r.remedies for r in rows]),
    ):
        frame[f"{OWN}{name}"] = values
    geometries = np.array([r.geometry for r in rows], dtype=object)
    texts = {
        c: frame[c].map(lambda v: v if v is None or isinstance(v, (str, int)) else str(v)) for c in frame
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyogrio.raw.write(
            path,
            shapely.to_wkb(geometries),
            [
                np.array(
                    texts[c].where(texts[c].notna(), None).tolist(),
                    dtype=object if c != f"{OWN}row" else np.int64,
                )
                for c in frame
            ],
            [str(c) for c in frame],
            layer=layer,
            driver="GPKG",
            geometry_type="Unknown",
            crs=wkt,
            append=path.exists(),
            layer_options={"FID": f"{OWN}fid"},
        )
