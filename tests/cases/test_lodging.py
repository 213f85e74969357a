"""Lodging under stress: one order without gaps, nothing half done when a process dies, any walk stays lawful."""

import asyncio
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from cases import record, service, submission
from cases.desk import Actor, Desk
from cases.drafts import Change
from cases.lifecycle import TRANSITIONS, Action, State, move
from cases.record import Case
from cases.service import Given
from geo.db import Database
from geo.errors import MezhaError
from geo.settings import Settings
from tests.cases.kill import killed
from tests.cases.region import APPLICANT, CLOCK, FOREIGN, OFFICER, RIVAL, Region, act, declaration

SPOT = (83.03, 55.01, 83.035, 55.015)


async def test_many_submissions_on_one_spot_make_one_order(
    settings: Settings, writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    drafts = [await declaration(writer, desk, region, corners=SPOT, volume_m3=1) for _ in range(60)]
    # As many at once as there are connections; the bench lodges two hundred.
    gate = asyncio.Semaphore(16)

    async def lodge(case: int) -> Case:
        async with gate:
            return await act(writer, desk, APPLICANT, "submit", case)

    done = await asyncio.gather(*(lodge(d.id) for d in drafts))
    assert len({c.number for c in done}) == 60
    ordered = sorted(done, key=lambda c: c.lodged_order or 0)
    sequence = [int((c.number or "0")[-6:]) for c in ordered]
    assert sequence == list(range(sequence[0], sequence[0] + 60))
    instants = [c.lodged_at for c in ordered]
    assert instants == sorted(instants, key=str)
    # Each is told of every earlier one (at most fifty are named), and of no later one.
    rows = owner.execute(
        "SELECT c.lodged_order, jsonb_array_length(f.objects) FROM cases.findings f"
        " JOIN cases.checks k ON k.id = f.check_id JOIN cases.cases c ON c.id = k.case_id"
        " WHERE f.rule = 'claimed' AND c.id = ANY (%s) ORDER BY 1",
        [[c.id for c in done]],
    ).fetchall()
    assert [told for _, told in rows] == [min(n, 50) for n in range(60)]
    # Asked again, each finds what it found, those too who were lodged while it waited for its place.
    checks = owner.execute(
        "SELECT id FROM cases.checks WHERE case_id = ANY (%s) ORDER BY id", [[c.id for c in done]]
    ).fetchall()
    async with writer.transaction(OFFICER.caller) as connection:
        assert all([(await submission.replay(connection, OFFICER, check)).same for (check,) in checks])
    events = owner.execute(
        "SELECT count(*) FROM cases.events WHERE case_id = ANY (%s)", [[c.id for c in done]]
    ).fetchone()
    assert events == (60,)


def _traces(owner: psycopg.Connection[Any], case: int) -> tuple[Any, ...]:
    row = owner.execute(
        "SELECT c.state, c.number, (SELECT count(*) FROM cases.events e WHERE e.case_id = c.id),"
        " (SELECT count(*) FROM cases.checks k WHERE k.case_id = c.id),"
        " (SELECT count(*) FROM cases.ground g WHERE g.case_id = c.id AND g.until = 'infinity'),"
        " (SELECT count(*) FROM register.cutting_areas r WHERE r.extra ->> 'case' = c.number),"
        " (SELECT count(*) FROM journal.entries j WHERE j.subject = 'cases' AND j.object = c.id)"
        " FROM cases.cases c WHERE c.id = %s",
        [case],
    ).fetchone()
    assert row
    return row


async def test_a_process_that_dies_leaves_all_or_nothing(
    settings: Settings, writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    case = await declaration(writer, desk, region, corners=(83.055, 55.02, 83.06, 55.025))
    before = _traces(owner, case.id)
    for step in ("lodge", "terms"):
        assert killed(settings, "submit", case.id, step) == -9, step
        assert _traces(owner, case.id) == before, step
    done = await act(writer, desk, APPLICANT, "submit", case.id)
    assert done.state == "submitted"
    assert _traces(owner, case.id)[2] == before[2] + 1


@pytest.mark.parametrize("step", ["take", "examine", "lodge", "check", "event", "terms"])
async def test_a_submission_that_breaks_leaves_nothing(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any], *, step: str
) -> None:
    def after(done: str) -> None:
        if done == step:
            raise RuntimeError(step)

    case = await declaration(writer, desk, region, corners=(83.075, 55.02, 83.08, 55.025))
    before = _traces(owner, case.id)
    with pytest.raises(RuntimeError, match=step):
        await act(
            writer, Desk(desk.region, desk.time_zone, desk.catalogue, after), APPLICANT, "submit", case.id
        )
    assert _traces(owner, case.id) == before


ACTORS: dict[str, Actor] = {
    "applicant": APPLICANT,
    "officer": OFFICER,
    "rival": RIVAL,
    "foreign": FOREIGN,
    "clock": CLOCK,
}


@bounds(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    walk=st.lists(
        st.tuples(st.sampled_from(list(Action)), st.sampled_from(list(ACTORS))), min_size=4, max_size=14
    )
)
async def test_any_walk_stays_on_the_table(
    writer: Database, desk: Desk, region: Region, *, walk: list[tuple[Action, str]]
) -> None:
    case = await declaration(writer, desk, region, corners=(83.01, 55.01, 83.0105, 55.0105), volume_m3=0)
    state = case.state
    # A lawful beginning, so that short walks reach the far states too.
    for action, name in [
        (Action.submit, "applicant"),
        (Action.accept, "officer"),
        (Action.review, "officer"),
        *walk,
    ]:
        actor = ACTORS[name]
        role = actor.role_in(case.party_inn, case.region)
        lawful = role is not None and move(
            state, action, role, desk.catalogue.service(case.service, desk.today()).actions
        )
        try:
            async with writer.transaction(actor.caller) as connection:
                given_ = Given(reason="потому что", change=Change())
                done = await service.perform(connection, desk, actor, case.id, action, given=given_)
                # What an action answers is the row, although it does not read it again.
                assert done == await record.load(connection, case.id)
        except MezhaError as err:
            # What the table allows may still be held back by a guard, and only by one.
            assert not lawful or err.code in ("incomplete", "term"), (state, action, name, err)
            continue
        assert lawful, (state, action, name)
        assert done.state == TRANSITIONS[state, action].to
        state = State(done.state)
