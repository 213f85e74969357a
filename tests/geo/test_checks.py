"""The checks find what is wrong, and nothing where all is well."""

from typing import Any

import psycopg
import pytest

from geo import checks
from tests.conftest import make_object


def fault(db: psycopg.Connection[Any], title: str) -> str | None:
    return next(f.fault for f in checks.run(db) if f.title.startswith(title))


def test_a_fresh_database_is_healthy(db: psycopg.Connection[Any]) -> None:
    assert [f for f in checks.run(db) if f.fault] == []


@pytest.mark.parametrize(
    ("title", "harm"),
    [
        ("The structure", "UPDATE public.alembic_version SET version_num = '0000'"),
        ("Row-level", "ALTER TABLE register.zones NO FORCE ROW LEVEL SECURITY"),
        ("Every index", "DROP INDEX register.ix_zones_current_geom_3857"),
        (
            "No import",
            "INSERT INTO ingest.runs (profile, layer, file_name, sha256, size, status, stage, started_at)"
            " VALUES ('p', 'zones', 'f', '', 1, 'running', 'open', now() - interval '2 days')",
        ),
    ],
)
def test_harm_is_found(db: psycopg.Connection[Any], title: str, harm: str) -> None:
    db.execute(harm)
    assert fault(db, title)


def test_overlapping_slices_are_found(db: psycopg.Connection[Any]) -> None:
    identity = make_object(db, "zones", key="twice", valid_from="2020-01-01")
    make_object(db, "zones", key="twice", id=identity, valid_from="2021-01-01")
    assert fault(db, "No object")
