"""The lifecycle: the table of the code is that of the database, and no other move passes in either."""

from itertools import product
from typing import Any

import psycopg
import pytest

from cases.lifecycle import FINAL, TRANSITIONS, Action, Role, State, actions, dead_ends, move, reachable
from geo.access import IDENTIFY, Caller

INN = "5406000001"
CALLERS = {
    Role.applicant: Caller(account=1, rank=1, inns=(INN,)),
    Role.officer: Caller(account=2, rank=1, regions=("54",), decides=("54",)),
    Role.inspector: Caller(account=4, rank=1, regions=("54",)),
    Role.system: Caller(rank=3),
}


def test_every_state_is_reachable_and_has_a_way_out() -> None:
    assert reachable(Action) == set(State)
    assert not dead_ends(Action)
    assert not any(start in FINAL for start, _ in TRANSITIONS)


def test_the_database_holds_the_same_table(db: psycopg.Connection[Any]) -> None:
    rows = db.execute("SELECT from_state, action, to_state, role FROM cases.transitions").fetchall()
    ours = {
        (start.value, action.value, target.to.value, role.value)
        for (start, action), target in TRANSITIONS.items()
        for role in target.roles
    }
    assert set(rows) == ours


@pytest.mark.parametrize("state", list(State))
def test_only_the_table_passes(state: State) -> None:
    for action, role in product(Action, Role):
        found = move(state, action, role)
        expected = TRANSITIONS.get((state, action))
        assert (found is not None) == (expected is not None and role in expected.roles)
        assert (action in actions(state, role)) == (found is not None)
    assert move(state, Action.submit, Role.applicant, [Action.close]) is None


def _case_in(db: psycopg.Connection[Any], state: State) -> int:
    """A case put into a state past every guard, as only the owner of the database could."""
    db.execute(
        "INSERT INTO cases.definitions (digest, kind, name, version, body) VALUES ('d', 'service', 's', 1, '{}')"
        " ON CONFLICT DO NOTHING"
    )
    numbered = state != State.draft
    row = db.execute(
        "INSERT INTO cases.cases (service, service_version, service_digest, region, party_inn, state, number,"
        " number_year, number_seq, lodged_order, lodged_at, evidence_sha256)"
        " VALUES ('s', 1, 'd', '54', %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        [INN, state.value, *(("n", 2026, 1, 1, "2026-01-01", "x") if numbered else (None,) * 6)],
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("state", list(State))
def test_the_database_refuses_every_other_move(db: psycopg.Connection[Any], state: State) -> None:
    case = _case_in(db, state)
    allowed = 0
    for action, role, target in product(Action, Role, State):
        expected = TRANSITIONS.get((state, action))
        fine = expected is not None and role in expected.roles and expected.to == target
        if not fine and target not in (state, expected.to if expected else State.closed):
            continue  # one wrong target a pair tells as much as eleven
        with db.transaction(force_rollback=True):
            db.execute("SET LOCAL ROLE mezha_registrar")
            db.execute(IDENTIFY, CALLERS[role].settings())
            insert = (
                "INSERT INTO cases.events (case_id, seq, action, from_state, to_state, role)"
                " VALUES (%s, 0, %s, %s, %s, %s)"
            )
            try:
                db.execute(insert, [case, action.value, state.value, target.value, role.value])
                passed = True
            except psycopg.Error:
                passed = False
        assert passed == (fine and (state != State.draft or target == State.withdrawn)), (
            action,
            role,
            target,
        )
        allowed += passed
    assert allowed or state in FINAL


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cases.events SET reason = 'forged'",
        "DELETE FROM cases.events",
        "UPDATE cases.cases SET state = 'approved'",
        "UPDATE cases.cases SET number = 'ЛД-1'",
        "UPDATE cases.cases SET party_inn = '5406000002'",
        "DELETE FROM cases.cases",
        "UPDATE cases.geometries SET source = ''",
        "UPDATE cases.findings SET outcome = 'clear'",
        "DELETE FROM cases.ground",
        "TRUNCATE cases.checks CASCADE",
    ],
)
def test_the_writing_role_rewrites_nothing(db: psycopg.Connection[Any], statement: str) -> None:
    _case_in(db, State.submitted)
    db.execute("SET LOCAL ROLE mezha_registrar")
    db.execute(IDENTIFY, CALLERS[Role.system].settings())
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.IntegrityError)):
        db.execute(statement)


def test_a_role_cannot_be_claimed(db: psycopg.Connection[Any]) -> None:
    case = _case_in(db, State.in_review)
    db.execute("SET LOCAL ROLE mezha_registrar")
    both = Caller(account=5, rank=1, inns=(INN,), regions=("54",), decides=("54",))
    db.execute(IDENTIFY, both.settings())
    with pytest.raises(psycopg.errors.CheckViolation, match="not officer"):
        db.execute(
            "INSERT INTO cases.events (case_id, seq, action, from_state, to_state, role)"
            " VALUES (%s, 0, 'approve', 'in_review', 'approved', 'officer')",
            [case],
        )


@pytest.mark.parametrize("claimed", [Role.officer, Role.inspector])
def test_an_inspector_looks_and_decides_nothing(db: psycopg.Connection[Any], claimed: Role) -> None:
    case = _case_in(db, State.in_review)
    db.execute("SET LOCAL ROLE mezha_registrar")
    db.execute(IDENTIFY, CALLERS[Role.inspector].settings())
    assert db.execute("SELECT number FROM cases.cases WHERE id = %s", [case]).fetchone() == ("n",)
    with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.ForeignKeyViolation)):
        db.execute(
            "INSERT INTO cases.events (case_id, seq, action, from_state, to_state, role)"
            " VALUES (%s, 0, 'approve', 'in_review', 'approved', %s)",
            [case, claimed.value],
        )


def test_a_draft_with_a_number_cannot_be_committed(db: psycopg.Connection[Any]) -> None:
    case = _case_in(db, State.draft)
    db.execute("SET LOCAL ROLE mezha_registrar")
    db.execute(IDENTIFY, CALLERS[Role.applicant].settings())
    db.execute("SELECT cases.lodge(%s, 'ЛД', 'Asia/Novosibirsk', 'x')", [case])
    with pytest.raises(psycopg.errors.CheckViolation, match="has a number and is a draft"):
        db.execute("SET CONSTRAINTS ALL IMMEDIATE")
