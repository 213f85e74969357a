"""Migrations: bring a database to the newest structure, and tell whether it is there."""

from importlib.resources import files
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from psycopg.rows import TupleRow
from sqlalchemy.exc import DBAPIError

from geo.access import publish_statement
from geo.crs import seed_statements
from geo.errors import DatabaseMissingError
from geo.revision import newest, remember
from geo.session import connect

# Two servers that start at once must not both migrate.
LOCK = 7_305_115_210


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(str(files("migrations").joinpath("env.py"))).parent))
    config.attributes["url"] = url
    return config


def current(connection: psycopg.Connection[TupleRow]) -> str | None:
    """Revision of the database, None where it is empty."""
    if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
        return None
    row = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
    return row[0] if row else None


def _upgrade(url: str, before: str | None) -> None:
    try:
        command.upgrade(_config(url), "head")
    except DBAPIError as err:
        reason = str(err.orig).strip().splitlines()[0]
        raise DatabaseMissingError(
            f"The database cannot be brought from {before or 'nothing'} to {newest()}: {reason}.",
            "It stays as it was. Restore a backup of this release's line, or start with an empty database.",
        ) from err
    except CommandError as err:
        raise DatabaseMissingError(
            f"The database is at {before}, which this release does not know ({err}).",
            "It was made by a newer release: use that one.",
        ) from err


def migrate(url: str, publish: frozenset[str]) -> str:
    """Migrate to `newest`, seed the coordinate systems, publish the layers; safe to repeat, one at a time.

    ``url`` is the owner's. Returns the revision that the database had before, "" where it was empty.
    """
    with connect(url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        before = current(connection)
        connection.commit()
        if before != newest():
            _upgrade(url, before)
        for statement, values in seed_statements():
            connection.execute(statement, values)
        connection.execute(publish_statement(publish))
        remember(connection, publish)
        connection.commit()
        connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    return before or ""
