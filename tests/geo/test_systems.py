"""Coordinate systems have numbers in the database, which mean what their definitions say."""

from typing import Any

import psycopg
import pytest

_MOVED = "SELECT ST_X(g), ST_Y(g) FROM ST_Transform('SRID=4326;POINT(83 55)'::geometry, {}) g"


def test_every_system_has_a_number_of_its_own(db: psycopg.Connection[Any]) -> None:
    without = db.execute(
        "SELECT code FROM register.crs_definitions c WHERE srid IS NULL"
        " OR NOT EXISTS (SELECT FROM spatial_ref_sys s WHERE s.srid = c.srid)"
    ).fetchall()
    assert not without
    shared = db.execute(
        "SELECT srid FROM register.crs_definitions GROUP BY srid HAVING count(DISTINCT definition) > 1"
    ).fetchall()
    assert not shared


@pytest.mark.parametrize(
    "code", ["EPSG:20908", "EPSG:28414", "EPSG:7683", "EPSG:20013", "MSK-54/3", "MSK-70/2"]
)
def test_a_number_means_what_the_definition_says(db: psycopg.Connection[Any], code: str) -> None:
    row = db.execute(
        "SELECT definition, srid FROM register.crs_definitions WHERE code = %s", (code,)
    ).fetchone()
    assert row
    by_definition = db.execute(_MOVED.format("%s::text"), (row[0],)).fetchone()
    by_number = db.execute(_MOVED.format("%s::integer"), (row[1],)).fetchone()
    assert by_number == pytest.approx(by_definition, abs=1e-6)


def test_another_definition_gets_another_number(db: psycopg.Connection[Any]) -> None:
    """A session that used the old one keeps it by its number: the new one must not be mistaken for it."""
    asked = "SELECT srid FROM register.crs_definitions WHERE code = 'MSK-54/3'"
    before = db.execute(asked).fetchone()
    old = db.execute(_MOVED.format(f"({asked})")).fetchone()
    db.execute(
        "UPDATE register.crs_definitions SET definition = replace(definition, '+x_0=', '+x_0=1') WHERE code = 'MSK-54/3'"
    )
    assert db.execute(asked).fetchone() != before
    assert db.execute(_MOVED.format(f"({asked})")).fetchone() != old


def test_a_system_of_an_administrator_is_numbered_too(db: psycopg.Connection[Any]) -> None:
    db.execute(
        "INSERT INTO register.crs_definitions (code, title, definition, kind, spellings, source, control_points) VALUES"
        " ('LOCAL-1', 'Местная', '+proj=tmerc +lon_0=83 +x_0=5000 +ellps=krass +towgs84=0,0,0', 'local', '[]', 'test', '[]')"
    )
    moved = db.execute(
        _MOVED.format("(SELECT srid FROM register.crs_definitions WHERE code = 'LOCAL-1')")
    ).fetchone()
    assert moved
    assert moved[0] == pytest.approx(5000, abs=5)
