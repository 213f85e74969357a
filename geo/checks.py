"""Health checks of an installation: the docstring of each is its title, its finding names the cure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from geo.layers import all_layers
from geo.revision import newest

Connection = psycopg.Connection[TupleRow]
Check = Callable[[Connection], str | None]
CHECKS: list[Check] = []


@dataclass(frozen=True)
class Finding:
    """The answer of one check: ``fault`` is None where all is well, else what is wrong and the cure."""

    title: str
    fault: str | None


def _check(function: Check) -> Check:
    CHECKS.append(function)
    return function


def _one(connection: Connection, statement: LiteralString | sql.Composed) -> object:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None


@_check
def _structure(connection: Connection) -> str | None:
    """The structure fits this release"""
    if _one(connection, "SELECT to_regclass('public.alembic_version')") is None:
        return "The database is empty. Run `mezha migrate`."
    found = _one(connection, "SELECT version_num FROM public.alembic_version")
    return (
        None
        if found == newest()
        else f"It is at {found}, this release needs {newest()}. Run `mezha migrate`."
    )


@_check
def _postgis(connection: Connection) -> str | None:
    """PostGIS is 3.3 or newer"""
    found = str(_one(connection, "SELECT extversion FROM pg_extension WHERE extname = 'postgis'"))
    ok = tuple(int(part) for part in found.split(".")[:2]) >= (3, 3)
    return None if ok else f"It is {found}. Upgrade PostGIS and run ALTER EXTENSION postgis UPDATE."


@_check
def _collation(connection: Connection) -> str | None:
    """Russian sorts rightly"""
    right = _one(connection, "SELECT 'ёж' < 'жук' AND 'апрель' < 'Ель'")
    return (
        None
        if right
        else "The database has no ICU collation. Create it with LOCALE_PROVIDER icu ICU_LOCALE 'ru-RU'."
    )


@_check
def _policies(connection: Connection) -> str | None:
    """Row-level security is forced on every layer"""
    open_ = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'register'::regnamespace AND relkind = 'r'"
        " AND relname = ANY (%s) AND NOT (relrowsecurity AND relforcerowsecurity)",
        [list(all_layers())],
    ).fetchall()
    names = ", ".join(name for (name,) in open_)
    return f"Not on {names}. Run ALTER TABLE … FORCE ROW LEVEL SECURITY." if names else None


@_check
def _indexes(connection: Connection) -> str | None:
    """Every index is there and valid"""
    broken = connection.execute(
        "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indrelid"
        " WHERE c.relnamespace = 'register'::regnamespace AND NOT indisvalid"
    ).fetchall()
    missing = connection.execute(
        "SELECT l FROM unnest(%s::text[]) l WHERE to_regclass('register.ix_' || l || '_current_geom_3857') IS NULL",
        [list(all_layers())],
    ).fetchall()
    names = ", ".join(name for (name,) in (*broken, *missing))
    return f"Broken or missing: {names}. REINDEX them, or run `mezha migrate`." if names else None


@_check
def _runs(connection: Connection) -> str | None:
    """No import is left half-way"""
    lost = _one(
        connection,
        "SELECT count(*) FROM ingest.runs WHERE status = 'running' AND started_at < now() - interval '1 day'",
    )
    return (
        f"{lost} runs began over a day ago. Load the files again: the next run takes them up."
        if lost
        else None
    )


@_check
def _slices(connection: Connection) -> str | None:
    """No object has two current slices of validity that overlap"""
    found = []
    for name in all_layers():
        table = sql.Identifier("register", name)
        count = _one(
            connection,
            sql.SQL(
                "SELECT count(*) FROM {0} a JOIN {0} b ON a.id = b.id AND a.version < b.version"
                " AND a.sys_to = 'infinity' AND b.sys_to = 'infinity'"
                " AND a.valid_from < b.valid_to AND b.valid_from < a.valid_to"
            ).format(table),
        )
        if count:
            found.append(f"{name} ({count})")
    return f"In {', '.join(found)}. Load the register's newest snapshot." if found else None


def run(connection: Connection) -> list[Finding]:
    """Every check in order; the first that finds no structure ends them."""
    findings = []
    for check in CHECKS:
        findings.append(Finding((check.__doc__ or "").strip(), check(connection)))
        if check is _structure and findings[-1].fault:
            break
    return findings
