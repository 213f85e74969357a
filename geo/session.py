"""A plain connection for a command or a load, and the SQL that stands in files."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

import psycopg
from psycopg.rows import TupleRow

from geo.errors import DatabaseMissingError


@cache
def sql_of(package: str, noun: str) -> str:
    """Text of ``<package>/sql/<noun>.sql``, read once a process."""
    return files(package).joinpath("sql", f"{noun}.sql").read_text("utf-8")


@contextmanager
def connect(url: str, *, autocommit: bool = False) -> Iterator[psycopg.Connection[TupleRow]]:
    """A psycopg connection for a command or a load; DatabaseMissingError where nobody answers."""
    try:
        connection = psycopg.connect(url, autocommit=autocommit, connect_timeout=10)
    except psycopg.OperationalError as err:
        raise DatabaseMissingError(
            f"The database does not answer: {str(err).strip().splitlines()[-1]}.",
            "Start it with `make run`, or correct MEZHA_DATABASE_URL.",
        ) from err
    with connection:
        yield connection
