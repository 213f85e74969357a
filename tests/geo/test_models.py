"""The migrations make the tables that the models describe."""

from typing import Any

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

import ingest.models  # noqa: F401 (declares its tables)
from geo.models import Base
from geo.settings import Settings

SCHEMAS = {"register", "ingest"}


def _differences(settings: Settings) -> list[Any]:
    engine = create_engine(settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1))

    def ours(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name in SCHEMAS
        return kind not in {"index", "unique_constraint", "foreign_key_constraint"}

    def known(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        return not (reflected and other is None and kind == "table")

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": ours,
                "include_object": known,
                "compare_type": False,
            },
        )
        found = compare_metadata(context, Base.metadata)
    engine.dispose()
    return [
        d
        for d in found
        if d[0] in {"add_table", "add_column", "remove_column"}
        and getattr(d[-1], "schema", d[1]) in SCHEMAS | {None}
    ]


def test_models_and_migrations_agree(settings: Settings) -> None:
    assert _differences(settings) == []


def test_a_version_must_be_valid_geometry(db: psycopg.Connection[Any]) -> None:
    import pytest

    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute(
            "INSERT INTO register.zones (number, key, region, digest, geom) VALUES ('1', 'bow', '54', gen_random_uuid(),"
            " ST_Multi(ST_GeomFromText('POLYGON((0 0,1 1,1 0,0 1,0 0))', 4326)))"
        )
