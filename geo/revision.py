"""Whether a database is prepared for this release: asked at every start, so without heavy imports."""

from collections.abc import Iterable
from importlib.resources import files

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow


def newest() -> str:
    """Revision that this code needs: the greatest number among the migrations."""
    names = (f.name for f in files("migrations").joinpath("versions").iterdir())
    return max(name.partition("_")[0] for name in names if name[:4].isdecimal())


def mark(publish: Iterable[str]) -> str:
    """What a prepared database remembers of itself."""
    return f"{newest()} {','.join(sorted(publish))}"


def prepared(connection: psycopg.Connection[TupleRow], publish: Iterable[str]) -> bool:
    """Whether migrations and publication have been done for this release and these settings."""
    row = connection.execute("SELECT current_setting('mezha.prepared', true)").fetchone()
    return row is not None and row[0] == mark(publish)


def remember(connection: psycopg.Connection[TupleRow], publish: Iterable[str]) -> None:
    """Let the database remember; sessions that begin later see it."""
    name = connection.info.dbname
    connection.execute(
        sql.SQL("ALTER DATABASE {} SET mezha.prepared = {}").format(
            sql.Identifier(name), sql.Literal(mark(publish))
        )
    )
