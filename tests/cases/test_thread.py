"""The thread: both sides read and write it, the other side is told, nobody else knows of it."""

from typing import Any

import psycopg
import pytest

from cases import service, thread
from cases.desk import Desk
from cases.errors import NotAllowedError, ReasonMissingError, UnknownCaseError, WrongStateError
from geo.db import Database
from geo.settings import Settings
from tests.cases.people import COLLEAGUE, settle
from tests.cases.region import APPLICANT, FOREIGN, OFFICER, RIVAL, STRANGER, Region, act, declaration, lodged
from tests.cases.test_messages import inbox
from tests.conftest import client_of


@pytest.fixture(scope="module", autouse=True)
def people(settings: Settings) -> None:
    """Everybody has an account."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        settle(connection)


@pytest.mark.requirement("C-19")
async def test_both_sides_write_and_are_told(
    settings: Settings, writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    case = await lodged(writer, desk, region)
    path = f"/api/v1/cases/{case.id}/thread"
    async with client_of(settings, OFFICER.caller) as office, client_of(settings, APPLICANT.caller) as party:
        asked = await office.post(
            path, json={"text": "  Пришлите схему. "}, headers={"idempotency-key": "question-1"}
        )
        assert asked.status_code == 201
        again = await office.post(
            path, json={"text": "  Пришлите схему. "}, headers={"idempotency-key": "question-1"}
        )
        assert again.json() == asked.json()
        await party.post(path, json={"text": "Схема приложена.\r\nС уважением"})
        for reader in (office, party):
            found = (await reader.get(path)).json()["remarks"]
            assert [(r["role"], r["text"]) for r in found] == [
                ("officer", "Пришлите схему."),
                ("applicant", "Схема приложена.\nС уважением"),
            ]
    told = [m for m in await inbox(writer, COLLEAGUE) if m["topic"] == "thread"]
    assert [m["title"]["ru"] for m in told] == [
        f"Новое сообщение в переписке: Лесная декларация {case.number}"
    ]
    assert told[0]["body"]["ru"].endswith("Пришлите схему.")
    assert [m["case_id"] for m in await inbox(writer, OFFICER) if m["topic"] == "thread"] == [case.id]
    journalled = owner.execute(
        "SELECT count(*) FROM journal.entries WHERE action = 'message' AND object = %s", [str(case.id)]
    ).fetchone()
    assert journalled == (2,)


async def test_nobody_else_reads_or_writes(
    settings: Settings, writer: Database, desk: Desk, region: Region
) -> None:
    case = await lodged(writer, desk, region, corners=(83.03, 55.01, 83.04, 55.02))
    async with writer.transaction(APPLICANT.caller) as connection:
        await thread.write(connection, desk, APPLICANT, case.id, "Только для органа")
    for other in (RIVAL, FOREIGN, STRANGER):
        async with writer.transaction(other.caller) as connection:
            assert await thread.read(connection, case.id) == []
            with pytest.raises(UnknownCaseError):
                await thread.write(connection, desk, other, case.id, "Пустите")
        async with client_of(settings, other.caller) as client:
            assert (await client.get(f"/api/v1/cases/{case.id}/thread")).status_code == 404
    # Nobody writes in another's name, whatever the code above the database does.
    async with writer.transaction(APPLICANT.caller) as connection:
        with pytest.raises(Exception, match="row-level security"):
            await connection.exec_driver_sql(
                "INSERT INTO cases.remarks (case_id, role, author, words) VALUES (%s, 'officer', 'x', 'x')",
                (case.id,),
            )


async def test_a_draft_and_a_finished_case_have_no_thread(
    writer: Database, desk: Desk, region: Region
) -> None:
    draft = await declaration(writer, desk, region, corners=(83.05, 55.01, 83.06, 55.02))
    async with writer.transaction(APPLICANT.caller) as connection:
        with pytest.raises(WrongStateError):
            await thread.write(connection, desk, APPLICANT, draft.id, "рано")
    await act(writer, desk, APPLICANT, "submit", draft.id)
    async with writer.transaction(APPLICANT.caller) as connection:
        for words in ("", "   ", "x" * 4001):
            with pytest.raises(ReasonMissingError):
                await thread.write(connection, desk, APPLICANT, draft.id, words)
        await service.withdraw(connection, desk, APPLICANT, draft.id)
        with pytest.raises(WrongStateError):
            await thread.write(connection, desk, APPLICANT, draft.id, "поздно")


async def test_a_federal_officer_is_on_no_side(writer: Database, desk: Desk, region: Region) -> None:
    from cases.desk import Actor
    from geo.access import Caller

    case = await lodged(writer, desk, region, corners=(83.07, 55.01, 83.08, 55.02))
    above = Actor(Caller(account=24, rank=3), name="Администратор")
    async with writer.transaction(above.caller) as connection:
        with pytest.raises(NotAllowedError):
            await thread.write(connection, desk, above, case.id, "Сверху виднее")
