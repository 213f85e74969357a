"""Neighbours of one layer: where staged objects overlap and where they leave gaps, found set-based, told as warnings."""

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from geo.session import sql_of
from ingest.problem import Problem
from ingest.profile import NeighbourRule

# A layer that overlaps everywhere needs no longer list than this to be seen for what it is.
MOST = 1_000


def warnings(
    connection: psycopg.Connection[TupleRow], stage: sql.Identifier, rule: NeighbourRule
) -> list[Problem]:
    """Warnings on the rows of a staging table; nothing where the profile does not ask.

    Only rows that this run brings are compared: what the register holds unchanged was compared when it came.
    """
    if rule.overlap_m2 is None and rule.sliver_m2 is None:
        return []
    # The name of an index lives in the schema of its table: a run has one staging table, so it cannot clash.
    connection.execute(sql.SQL("CREATE INDEX ON {} USING gist (geom)").format(stage))
    connection.execute(sql.SQL("ANALYZE {}").format(stage))
    found: list[Problem] = []
    if rule.overlap_m2 is not None:
        found += _overlaps(connection, stage, rule.overlap_m2)
    if rule.sliver_m2 is not None:
        found += _slivers(connection, stage, rule.sliver_m2)
    return found


def _overlaps(connection: psycopg.Connection[TupleRow], stage: sql.Identifier, least: float) -> list[Problem]:
    rows = connection.execute(
        sql.SQL(sql_of("ingest", "neighbours_overlaps")).format(stage=stage), {"least": least, "most": MOST}
    ).fetchall()
    return [
        Problem(
            row,
            "neighbour-overlap",
            "geometry",
            f"{lon:.7f} {lat:.7f}",
            f"The object of this row and that of row {other} cover the same {area:,.1f} m².",
            "Decide which of the two has the ground.",
            warning=True,
            lon=lon,
            lat=lat,
        )
        for row, other, area, lon, lat in rows
    ]


def _slivers(
    connection: psycopg.Connection[TupleRow], stage: sql.Identifier, most_area: float
) -> list[Problem]:
    rows = connection.execute(
        sql.SQL(sql_of("ingest", "neighbours_slivers")).format(stage=stage),
        {"most_area": most_area, "most": MOST},
    ).fetchall()
    return [
        Problem(
            row,
            "neighbour-sliver",
            "geometry",
            f"{lon:.7f} {lat:.7f}",
            f"This object and its neighbours enclose a gap of {area:,.1f} m².",
            "Draw the common boundary through the same points.",
            warning=True,
            lon=lon,
            lat=lat,
        )
        for row, area, lon, lat in rows
    ]
