"""Migrations: bring a database to the newest structure, and tell whether it is there."""

from importlib.resources import files
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.rows import TupleRow

from geo.access import publish_statement
from geo.crs import seed_statements
from geo.db import connect
from geo.errors import DatabaseMissingError

# Two servers that start at once must not both migrate.
LOCK = 7_305_115_210


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(str(files("migrations").joinpath("env.py"))).parent))
    config.attributes["url"] = url
    return config


def newest() -> str:
    """Revision that this code needs."""
    head = ScriptDirectory.from_config(_config("")).get_current_head()
    if head is None:
        raise DatabaseMissingError("There are no migrations.", "Reinstall Mezha.")
    return head


def current(connection: psycopg.Connection[TupleRow]) -> str | None:
    """Revision of the database, None where it is empty."""
    if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
        return None
    row = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
    return row[0] if row else None


def migrate(url: str, publish: frozenset[str]) -> str:
    """Migrate to `newest`, seed the coordinate systems, publish the layers; safe to repeat, one at a time.

    ``url`` is the owner's. Returns the revision that the database had before, "" where it was empty.
    """
    with connect(url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        before = current(connection)
        connection.commit()
        if before != newest():
            command.upgrade(_config(url), "head")
        for statement, values in seed_statements():
            connection.execute(statement, values)
        connection.execute(publish_statement(publish))
        connection.commit()
        connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    return before or ""
