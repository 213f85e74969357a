"""The way of a case: from draft to decision and register, and everything that must not happen on it."""

from typing import Any

import psycopg
import pytest

from cases import events, record
from cases.desk import Desk
from geo.db import Database
from tests.cases.region import APPLICANT, OFFICER, Region, act, declaration, lodged


@pytest.mark.requirement("F-12", "F-13", "F-15", "C-13", "C-16")
async def test_a_declaration_goes_from_draft_to_register(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    draft = await declaration(writer, desk, region)
    assert draft.number is None
    case = await act(writer, desk, APPLICANT, "submit", draft.id)
    assert case.number == f"ЛД-54-{desk.today().year}-000001"
    for action in ("accept", "review", "approve"):
        case = await act(writer, desk, OFFICER, action, case.id)
    assert case.state == "approved"
    row = owner.execute(
        "SELECT declaration, lease, holder_inn, status, volume_m3, round(area_m2), extra ->> 'case', source_crs"
        " FROM register.cutting_areas WHERE declaration = %s",
        [case.number],
    ).fetchone()
    assert row is not None
    assert row[:5] == (case.number, "12-К", "5406000001", "declared", 5000.0)
    assert row[6] == case.number
    async with writer.transaction(APPLICANT.caller) as connection:
        steps = [
            (e["action"], e["to_state"], e["account"]) for e in await events.of_case(connection, case.id)
        ]
        assert (await record.load(connection, case.id)).state == "approved"
    assert steps == [
        ("submit", "submitted", 11),
        ("accept", "accepted", 21),
        ("review", "in_review", 21),
        ("approve", "approved", 21),
    ]


async def test_numbers_have_no_gaps(writer: Database, desk: Desk, region: Region) -> None:
    first = await lodged(writer, desk, region, corners=(83.03, 55.01, 83.04, 55.02))
    broken = await declaration(writer, desk, region, corners=(83.05, 55.01, 83.06, 55.02))
    with pytest.raises(RuntimeError, match="stop"):
        await act(writer, _stopping(desk, "event"), APPLICANT, "submit", broken.id)
    second = await lodged(writer, desk, region, corners=(83.07, 55.01, 83.08, 55.02))
    assert first.number
    assert second.number
    assert int(second.number[-6:]) == int(first.number[-6:]) + 1


def _stopping(desk: Desk, step: str) -> Desk:
    def after(done: str) -> None:
        if done == step:
            raise RuntimeError("stop")

    return Desk(desk.region, desk.time_zone, desk.catalogue, after)
