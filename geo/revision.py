"""Whether a database is prepared for this release: asked at every start, so without heavy imports."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

_LINK = re.compile(r'^(revision|down_revision) = "(\d{4})"', re.MULTILINE)


@cache
def newest() -> str:
    """Revision that this code needs: the end of the chain of migrations, whatever their numbers."""
    scripts = files("migrations").joinpath("versions").iterdir()
    found = [_LINK.findall(f.read_text("utf-8")) for f in scripts if f.name[:4].isdecimal()]
    links: list[dict[str, str]] = [dict(pairs) for pairs in found]
    ends = {link["revision"] for link in links} - {link.get("down_revision") for link in links}
    return max(ends)


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
