"""The working roles have no right past the policies: what they may do is enumerated from the catalogue."""

from typing import Any

import psycopg
import pytest

WORKING = ("mezha_app", "mezha_registrar")
_PRIVILEGES = """
SELECT n.nspname || '.' || c.relname, p.privilege, c.relrowsecurity AND c.relforcerowsecurity, c.relkind
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p(privilege)
WHERE (n.nspname = ANY (%s) OR %s AND n.nspname NOT IN ('pg_catalog', 'information_schema')) AND c.relkind IN ('r', 'v', 'm', 'p') AND has_table_privilege(%s, c.oid, p.privilege)
"""
PROTECTED = ["register", "gate", "access", "history", "journal"]
# Tables without policies that anybody may read, in whatever room: nothing in them is anybody's own.
OPEN = {
    "access.layers", "cases.calendar_day", "cases.definitions", "cases.outages", "cases.transitions",
    "history.layer_changes", "public.alembic_version", "public.spatial_ref_sys", "register.crs_definitions",
    "register.reference_entries", "spatial.conflict_kinds", "spatial.pending", "tiles.changes", "tiles.chunks",
    "tiles.overviewed",
}  # fmt: skip
# What the writing role adds beside versions of objects (which it adds by column): entries of reference lists.
ADDED = {("register.reference_entries", "INSERT")}
# The pipeline stages each run in a table of its own.
MADE = {"mezha_app": [], "mezha_registrar": [("ingest",)]}


def rights(
    db: psycopg.Connection[Any], role: str, *, everywhere: bool = False
) -> list[tuple[str, str, bool, str]]:
    return db.execute(_PRIVILEGES, [PROTECTED, everywhere, role]).fetchall()


@pytest.mark.requirement("R-17")
@pytest.mark.parametrize("role", WORKING)
def test_nothing_protected_is_changed_past_a_function(db: psycopg.Connection[Any], role: str) -> None:
    beyond = {(table, right) for table, right, _, _ in rights(db, role) if right != "SELECT"}
    assert beyond <= (ADDED if role == "mezha_registrar" else set())


@pytest.mark.requirement("R-17", "R-18")
def test_the_serving_role_reads_only_what_a_policy_guards(db: psycopg.Connection[Any]) -> None:
    found = rights(db, "mezha_app", everywhere=True)
    bare = {t for t, _, forced, kind in found if kind != "v" and not forced}
    assert bare <= OPEN


@pytest.mark.parametrize("role", WORKING)
def test_a_working_role_is_nothing_special(db: psycopg.Connection[Any], role: str) -> None:
    row = db.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,"
        " EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid), EXISTS (SELECT FROM pg_class WHERE relowner = r.oid),"
        " EXISTS (SELECT FROM pg_proc WHERE proowner = r.oid) FROM pg_roles r WHERE rolname = %s",
        [role],
    ).fetchone()
    assert row == (False,) * 8


@pytest.mark.parametrize("role", WORKING)
def test_a_working_role_makes_nothing(db: psycopg.Connection[Any], role: str) -> None:
    found = db.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%%' AND has_schema_privilege(%s, oid, 'CREATE')",
        [role],
    ).fetchall()
    assert found == MADE[role]


def test_functions_with_the_owners_rights_fix_their_search_path(db: psycopg.Connection[Any]) -> None:
    loose = db.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prosecdef"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'public')"
        " AND NOT coalesce(array_to_string(p.proconfig, ','), '') LIKE '%%search_path=%%'"
    ).fetchall()
    assert loose == []


def test_the_owner_of_the_tables_is_held_by_the_policies_too(db: psycopg.Connection[Any]) -> None:
    """FORCE: a table whose policies were dropped shows nothing even to its owner."""
    db.execute(
        "INSERT INTO register.zones (name, number, key, region, digest) VALUES ('a', 'a', 'a', '54', gen_random_uuid())"
    )
    db.execute("DROP POLICY keeper ON register.zones")
    db.execute("SET LOCAL ROLE mezha_owner")
    assert db.execute("SELECT count(*) FROM register.zones").fetchone() == (0,)
