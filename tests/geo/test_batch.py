"""Batches: statements sent together are each their own, in order, and a failure is told as it is."""

from collections import deque
from typing import Any

import pytest
from psycopg import _pipeline_base
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geo.access import Caller
from geo.batch import Ask, answered, attempt, order, together
from geo.db import Database
from geo.settings import Settings

SOMEBODY = Caller(account=11, rank=1, inns=("5406000001",))
WHO = text(
    "SELECT current_setting('mezha.account', true) AS account, current_setting('mezha.rank', true) AS rank"
)


def _value(words: str, **values: object) -> Ask[object]:
    return Ask(text(words), values, lambda rows: rows[0]["v"])


async def test_all_are_answered_in_order_and_parameters_are_named(settings: Settings) -> None:
    database = Database(settings, role="registrar")
    twice = _value("SELECT CAST(:a AS int) * 10 + CAST(:b AS int) + CAST(:a AS int) AS v", a=4, b=2)
    percent = _value("SELECT '50%' || CAST(:a AS text) AS v", a="!")
    nothing = Ask(text("SELECT 1 AS v WHERE false"), {}, len)
    async with database.transaction(SOMEBODY) as connection:
        await together(connection)
        await together(connection, twice, order(text("SELECT 1")), percent, nothing)
    await database.close()
    assert (twice.answer, percent.answer, nothing.answer) == (46, "50%!", 0)


async def test_each_statement_sees_what_the_one_before_it_did(settings: Settings) -> None:
    database = Database(settings, role="registrar")
    async with database.transaction(SOMEBODY) as connection:
        seen = Ask(WHO, {}, lambda rows: rows[0]["rank"])
        await together(connection, order(text("SELECT set_config('mezha.rank', '3', true)")), seen)
        assert seen.answer == "3"
    async with database.transaction(SOMEBODY) as connection:
        assert await answered(connection, Ask(WHO, {}, lambda rows: tuple(rows[0].values()))) == ("11", "1")
    await database.close()


@pytest.mark.parametrize("place", range(3))
async def test_the_first_failure_is_told_and_nothing_after_it_is_done(
    settings: Settings, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(settings, role="registrar")
    asks = [order(text("SELECT 1")) for _ in range(3)]
    asks[place] = order(text("SELECT 1 / 0"))
    with pytest.raises(DBAPIError) as failure:
        async with database.transaction(SOMEBODY) as connection:
            await together(connection, *asks)
    assert type(failure.value.orig).__name__ == "DivisionByZero"
    assert not caplog.records
    async with database.transaction(SOMEBODY) as connection:
        assert await answered(connection, _value("SELECT 1 AS v")) == 1
    await database.close()


async def test_an_attempt_that_fails_leaves_the_transaction_as_it_was(settings: Settings) -> None:
    database = Database(settings, role="registrar")
    change = order(text("SELECT set_config('mezha.rank', '3', true)"))
    for _ in range(3):
        async with database.transaction(SOMEBODY) as connection:
            for _ in range(3):
                with pytest.raises(DBAPIError):
                    await attempt(connection, change, order(text("SELECT 1 / 0")))
                assert await answered(connection, Ask(WHO, {}, lambda rows: rows[0]["rank"])) == "1"
            await attempt(connection, change)
            assert await answered(connection, Ask(WHO, {}, lambda rows: rows[0]["rank"])) == "3"
    await database.close()


def test_an_answer_before_sending_is_a_mistake_of_ours() -> None:
    with pytest.raises(RuntimeError, match="not sent"):
        _ = _value("SELECT 1 AS v").answer


async def test_a_batch_goes_out_in_one_piece(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    database, sent = Database(settings, role="registrar"), []

    def counted(pgconn: Any, commands: deque[Any]) -> Any:
        sent.append(len(commands))
        return send(pgconn, commands)

    send = _pipeline_base.pipeline_communicate
    async with database.transaction(SOMEBODY) as connection:
        monkeypatch.setattr(_pipeline_base, "pipeline_communicate", counted)
        await together(connection, *(_value("SELECT CAST(:a AS int) AS v", a=n) for n in range(5)))
    await database.close()
    assert len(sent) == 1 and sent[0] > 5
