"""Access: the gate and the policy behind it say the same, and the gate keeps the spatial index."""

from typing import Any

import psycopg
import pytest
from psycopg import sql

from geo.access import ANONYMOUS, IDENTIFY, Caller, publish_statement
from geo.layers import all_layers
from tests.conftest import make_object

CALLERS = {
    "anonymous": ANONYMOUS,
    "registered": Caller(account=1, rank=1),
    "holder": Caller(account=2, rank=1, inns=("7707083893",)),
    "inspector here": Caller(account=3, rank=1, regions=("54",)),
    "inspector elsewhere": Caller(account=4, rank=1, regions=("70",)),
    "administrator": Caller(account=5, rank=3),
}


def seen(db: psycopg.Connection[Any], schema: str, layer: str, caller: Caller) -> set[int]:
    """Ids that the serving role sees for a caller, through the gate or on the bare table."""
    with db.transaction(force_rollback=True):
        db.execute("SET LOCAL ROLE mezha_app")
        db.execute(IDENTIFY, caller.settings())
        return {i for (i,) in db.execute(sql.SQL("SELECT id FROM {}").format(sql.Identifier(schema, layer)))}


@pytest.mark.parametrize("layer", list(all_layers()))
def test_gate_and_policy_agree_for_every_caller(db: psycopg.Connection[Any], layer: str) -> None:
    held = {"holder_inn": "7707083893"} if all_layers()[layer].held else {}
    make_object(db, layer)
    make_object(db, layer, visibility=3)
    make_object(db, layer, visibility=1, region="70")
    make_object(db, layer, visibility=2, region="24", **held)
    shared = make_object(db, layer, visibility=3, region="24")
    for name, caller in {**CALLERS, "guest": Caller(account=6, rank=0, objects=(shared,))}.items():
        assert seen(db, "gate", layer, caller) == seen(db, "register", layer, caller), name


def test_restricted_layer_hides_from_strangers_and_shows_to_its_own(db: psycopg.Connection[Any]) -> None:
    mine = make_object(db, "licences", holder_inn="7707083893", region="54")
    assert mine not in seen(db, "gate", "licences", CALLERS["anonymous"])
    assert mine not in seen(db, "gate", "licences", CALLERS["registered"])
    assert mine not in seen(db, "gate", "licences", CALLERS["inspector elsewhere"])
    for name in ("holder", "inspector here", "administrator"):
        assert mine in seen(db, "gate", "licences", CALLERS[name]), name


def test_publishing_opens_the_layer_but_not_narrower_objects(db: psycopg.Connection[Any]) -> None:
    plain, narrow = make_object(db, "licences"), make_object(db, "licences", visibility=2)
    db.execute(publish_statement(frozenset({"licences"})))
    found = seen(db, "gate", "licences", ANONYMOUS)
    assert plain in found
    assert narrow not in found


def test_gate_keeps_the_spatial_index(db: psycopg.Connection[Any]) -> None:
    db.execute(
        "INSERT INTO register.parcels (number, key, region, digest, geom) SELECT 'n', 'plan:' || i, '54', gen_random_uuid(),"
        " ST_Multi(ST_Expand(ST_SetSRID(ST_Point(80 + random() * 5, 50 + random() * 5), 4326), 0.001)) FROM generate_series(1, 5000) i"
    )
    db.execute("ANALYZE register.parcels")
    db.execute("SET LOCAL ROLE mezha_app")
    plan = db.execute(
        "EXPLAIN SELECT id FROM gate.parcels WHERE geom_3857 && ST_TileEnvelope(12, 2970, 1400) AND sys_to = 'infinity'"
    ).fetchall()
    assert any("ix_parcels_current_geom_3857" in line for (line,) in plan), plan


@pytest.mark.parametrize("role", ["mezha_app", "mezha_registrar", "mezha_owner"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE register.leases SET number = 'forged'",
        "UPDATE register.leases SET sys_from = sys_from - interval '1 day'",
        "DELETE FROM register.leases",
        "TRUNCATE register.leases",
    ],
)
def test_nobody_rewrites_a_version(db: psycopg.Connection[Any], role: str, statement: str) -> None:
    make_object(db, "leases")
    db.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.IntegrityConstraintViolation)):
        db.execute(statement)


def test_registrar_cannot_backdate(db: psycopg.Connection[Any]) -> None:
    db.execute("SET LOCAL ROLE mezha_registrar")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute(
            "INSERT INTO register.deposits (name, key, region, digest, sys_from) VALUES ('x', 'x', '54', gen_random_uuid(), '2020-01-01')"
        )


def test_a_closed_version_stays_closed(db: psycopg.Connection[Any]) -> None:
    make_object(db, "leases", sys_from="2020-01-01", sys_to="2021-01-01")
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        db.execute("UPDATE register.leases SET sys_to = 'infinity'")
