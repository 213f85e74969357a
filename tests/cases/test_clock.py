"""The clock: a correction that nobody answers lapses, once and only when its term is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cases import clock, record
from cases.desk import Desk
from cases.errors import TermOverError
from geo.db import Database
from tests.cases.region import APPLICANT, CLOCK, OFFICER, Region, act, lodged


def _later(desk: Desk, days: int) -> Desk:
    return replace(desk, clock=lambda: datetime.now(UTC) + timedelta(days=days))


@pytest.mark.requirement("C-18")
async def test_a_correction_that_nobody_answers_lapses(writer: Database, desk: Desk, region: Region) -> None:
    case = await lodged(writer, desk, region, corners=(83.055, 55.01, 83.06, 55.015))
    await act(writer, desk, OFFICER, "ask_correction", case.id, reason="Исправьте границу")
    assert await clock.lapsed(writer, desk) == []
    with pytest.raises(TermOverError):
        await act(writer, desk, CLOCK, "lapse", case.id)
    assert await clock.lapsed(writer, _later(desk, 60)) == [case.id]
    assert await clock.lapsed(writer, _later(desk, 60)) == []
    async with writer.transaction(APPLICANT.caller) as connection:
        assert (await record.load(connection, case.id)).state == "rejected"


async def test_an_appeal_has_its_term(writer: Database, desk: Desk, region: Region) -> None:
    case = await lodged(writer, desk, region, corners=(83.065, 55.01, 83.07, 55.015))
    for action in ("accept", "review"):
        await act(writer, desk, OFFICER, action, case.id)
    await act(writer, desk, OFFICER, "reject", case.id, reason="Нет оснований")
    with pytest.raises(TermOverError):
        await act(writer, _later(desk, 90), APPLICANT, "appeal", case.id, reason="Не согласен")
    appealed = await act(writer, desk, APPLICANT, "appeal", case.id, reason="Не согласен")
    assert appealed.state == "appealed"
    again = await act(writer, desk, OFFICER, "reopen", case.id)
    assert again.state == "in_review"
