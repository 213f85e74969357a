"""Messages: one row a recipient and event, nobody else's eyes, live without a gap."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import orjson
import psycopg
import pytest

from accounts.errors import TokenError
from api import stream
from cases import messages, service
from cases.desk import Actor, Desk
from cases.messages import CHANNEL, Wanted
from geo.access import Caller
from geo.bell import Bell, TooManyWaitingError
from geo.db import Database
from geo.settings import Settings
from tests.cases.people import ADMINISTRATOR, COLLEAGUE, CONTRACTOR, SECOND, settle
from tests.cases.region import APPLICANT, OFFICER, RIVAL, STRANGER, Region, act, declaration, lodged
from tests.conftest import client_of


@pytest.fixture(scope="module", autouse=True)
def people(settings: Settings) -> None:
    """Everybody has an account."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        settle(connection)


@pytest.fixture
async def bell(settings: Settings) -> AsyncIterator[Bell]:
    """A bell of a test's own."""
    made = Bell(settings.url_for("app"), CHANNEL, most=3, most_each=2)
    yield made
    assert made.waiting == 0


async def inbox(writer: Database, actor: Actor, **wanted: Any) -> list[dict[str, Any]]:
    """What somebody finds in his cabinet, oldest first."""
    async with writer.transaction(actor.caller) as connection:
        found = await messages.page(connection, Wanted(**{"limit": 200} | wanted))
    return [dict(m) for m in reversed(found)]


async def told(writer: Database, actor: Actor, case: int) -> list[str]:
    """Titles of what somebody was told of a case, before the name of the service."""
    return [m["title"]["ru"].partition(": ")[0] for m in await inbox(writer, actor) if m["case_id"] == case]


@pytest.mark.requirement("C-19", "F-25")
async def test_both_sides_are_told_and_nobody_else(writer: Database, desk: Desk, region: Region) -> None:
    case = await lodged(writer, desk, region)
    assert await told(writer, SECOND, case.id) == ["Поступило"]
    await act(writer, desk, OFFICER, "accept", case.id)
    await act(writer, desk, OFFICER, "ask_correction", case.id, reason="Уточните контур")
    await act(writer, desk, APPLICANT, "answer", case.id)
    await act(writer, desk, OFFICER, "review", case.id)
    await act(writer, desk, OFFICER, "reject", case.id, reason="Нет права на участок")
    of_party = [m for m in await inbox(writer, COLLEAGUE) if m["case_id"] == case.id]
    assert len(of_party) == 6
    assert await told(writer, APPLICANT, case.id) == await told(writer, COLLEAGUE, case.id)
    assert [m["kind"] for m in of_party] == ["operative"] * 5 + ["final"]
    asked = of_party[2]
    assert asked["title"]["ru"] == f"Нужно исправить: Лесная декларация {case.number}"
    assert asked["body"]["ru"].startswith(
        "Орган просит исправить заявление. Указано: Уточните контур. Ответьте до "
    )
    assert asked["body"]["en"].startswith(
        "The office asks for a correction. It says: Уточните контур. Answer by "
    )
    # Whoever acted has read it already; the number of his application he is told all the same.
    own = [m for m in await inbox(writer, APPLICANT) if m["case_id"] == case.id]
    assert [m["read_at"] is None for m in own] == [True, True, True, False, True, True]
    # The officer who took the case is told alone from then on.
    assert len(await told(writer, OFFICER, case.id)) == 2
    assert len(await told(writer, SECOND, case.id)) == 1
    for stranger in (RIVAL, CONTRACTOR, STRANGER, ADMINISTRATOR):
        assert await told(writer, stranger, case.id) == []


async def test_no_event_without_its_message_and_no_message_without_its_event(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    draft = await declaration(writer, desk, region, corners=(83.03, 55.01, 83.04, 55.02))

    def stop(step: str) -> None:
        if step == "told":
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        await act(
            writer, Desk(desk.region, desk.time_zone, desk.catalogue, stop), APPLICANT, "submit", draft.id
        )
    assert await told(writer, COLLEAGUE, draft.id) == []
    await act(writer, desk, APPLICANT, "submit", draft.id)
    untold = owner.execute(
        "SELECT count(*) FROM cases.events e JOIN cases.cases c ON c.id = e.case_id WHERE c.number IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM cases.messages m WHERE m.event = e.id AND m.account = 13)"
    ).fetchone()
    assert untold == (0,)


async def test_tellers_at_once_neither_wait_in_a_circle_nor_leave_gaps(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    # Somebody of the party who is an officer too, and the other way round: mailboxes cross.
    owner.execute(
        "INSERT INTO accounts.staff (account, office, region, duty) SELECT 12, id, '54', 'officer' FROM accounts.offices"
    )
    own = [
        await lodged(writer, desk, region, corners=(83.041 + i * 0.002, 55.011, 83.042 + i * 0.002, 55.012))
        for i in range(4)
    ]
    rivals = [
        await lodged(
            writer,
            desk,
            region,
            actor=RIVAL,
            corners=(83.061 + i * 0.002, 55.011, 83.062 + i * 0.002, 55.012),
        )
        for i in range(4)
    ]
    await asyncio.gather(*(act(writer, desk, OFFICER, "accept", c.id) for c in (*own, *rivals)))
    await asyncio.gather(
        *(act(writer, desk, APPLICANT, "withdraw", c.id, reason="передумали") for c in own),
        *(act(writer, desk, RIVAL, "withdraw", c.id, reason="передумали") for c in rivals),
    )
    gaps = owner.execute(
        "SELECT account FROM cases.messages GROUP BY account HAVING max(seq) <> count(*)"
    ).fetchall()
    assert gaps == []


async def test_a_teller_must_be_on_a_side(writer: Database, desk: Desk, region: Region) -> None:
    case = await lodged(writer, desk, region, corners=(83.081, 55.011, 83.082, 55.012))
    for caller in (RIVAL.caller, Caller(account=99, rank=1)):
        with pytest.raises(Exception, match="no side of case"):
            async with writer.transaction(caller) as connection:
                await messages.tell(
                    connection,
                    case,
                    messages.Told("event", {"applicant": {"title": {}, "body": {}}}, "x", {}),
                )


@pytest.mark.requirement("F-26")
async def test_messages_are_listed_confirmed_and_put_away(
    settings: Settings, writer: Database, desk: Desk, region: Region
) -> None:
    await lodged(writer, desk, region, corners=(83.083, 55.011, 83.084, 55.012))
    async with client_of(settings, COLLEAGUE.caller) as client:
        found = (await client.get("/api/v1/messages?status=new&limit=2")).json()
        assert len(found["messages"]) == 2
        assert found["next_before"] == found["messages"][-1]["seq"]
        first = found["messages"][0]
        assert first["href"] == f"/cabinet/cases/{first['case']}"
        marked = await client.post(
            "/api/v1/messages/marks", json={"mark": "receipt", "messages": [first["id"]]}
        )
        assert marked.json() == {"changed": 1, "unread": found["unread"] - 1}
        # Again changes nothing; another's message is nobody's.
        again = await client.post(
            "/api/v1/messages/marks", json={"mark": "receipt", "messages": [first["id"]]}
        )
        assert again.json()["changed"] == 0
        done = (await client.get("/api/v1/messages?status=done")).json()
        assert [m["id"] for m in done["messages"]] == [first["id"]]
        assert done["messages"][0]["status"] == "done"
        await client.post("/api/v1/messages/marks", json={"mark": "archive", "messages": [first["id"]]})
        assert (await client.get("/api/v1/messages?status=done")).json()["messages"] == []
        kept = (await client.get("/api/v1/messages?status=archive")).json()["messages"]
        assert [m["id"] for m in kept] == [first["id"]]
        everything = await client.post("/api/v1/messages/marks", json={"mark": "receipt", "messages": "all"})
        assert everything.json()["unread"] == 0
        for wrong in ("?status=lost", "?kind=loud", "?before=-1", "?since=1"):
            assert (await client.get(f"/api/v1/messages{wrong}")).status_code == 400
    async with client_of(settings, RIVAL.caller) as rival:
        stolen = await rival.post(
            "/api/v1/messages/marks", json={"mark": "archive", "messages": [first["id"]]}
        )
        assert stolen.json()["changed"] == 0
    async with client_of(settings, Caller(rank=1, inns=APPLICANT.caller.inns)) as system:
        assert (await system.get("/api/v1/messages")).status_code == 401


class Listener:
    """Reads a stream as a browser does."""

    def __init__(self, database: Database, bell: Bell, actor: Actor, last: int | None = None) -> None:
        self.caller = actor.caller
        self._frames = stream.frames(database, actor.caller, bell, last=last, again=self.again)

    async def again(self) -> Caller:
        """Whoever he is now."""
        return self.caller

    async def next(self, name: str, seconds: float = 10) -> tuple[int, Any]:
        """Number and data of the next event of that name; comments and others are passed over."""
        async with asyncio.timeout(seconds):
            async for frame in self._frames:
                lines = dict(line.split(": ", 1) for line in frame.decode().splitlines() if ": " in line)
                if lines.get("event") == name:
                    return int(lines["id"]), orjson.loads(lines["data"])
        raise AssertionError("the stream ended")

    def closing(self) -> Any:
        """Closes the stream at the end of a block."""
        return aclosing(self._frames)


async def test_a_stream_tells_at_once_resumes_and_survives_a_lost_connection(
    writer: Database, desk: Desk, region: Region, bell: Bell, owner: psycopg.Connection[Any]
) -> None:
    case = await lodged(writer, desk, region, corners=(83.085, 55.011, 83.086, 55.012))
    listener = Listener(writer, bell, COLLEAGUE)
    async with listener.closing():
        start, _ = await listener.next("unread")
        await act(writer, desk, OFFICER, "accept", case.id)
        seq, message = await listener.next("message")
        assert seq == start + 1
        assert message["title"]["ru"].startswith("На проверке: ")
        # The listening connection dies; the next one catches up with what was told meanwhile.
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
            " AND datname = current_database()"
        )
        await act(writer, desk, OFFICER, "review", case.id)
        assert (await listener.next("message"))[0] == start + 2
    async with (broken := Listener(writer, bell, COLLEAGUE, last=start)).closing():
        assert [(await broken.next("message"))[0] for _ in range(2)] == [start + 1, start + 2]
    # A number that was never given begins with what comes.
    async with (late := Listener(writer, bell, COLLEAGUE, last=10**6)).closing():
        assert (await late.next("unread"))[0] == start + 2


async def test_a_stream_beats_and_ends_with_the_log_in(
    writer: Database, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.05)

    class LoggedOut(Listener):
        async def again(self) -> Caller:
            raise TokenError("The session was ended.", "Log in.")

    listener = LoggedOut(writer, bell, COLLEAGUE)
    frames = [frame async for frame in listener._frames]
    assert frames[0] == b"retry: 3000\n\n"
    assert frames[-1] == b": still here\n\n"


async def test_streams_are_bounded(bell: Bell) -> None:
    with bell.waits("1"), bell.waits("1"):
        with pytest.raises(TooManyWaitingError, match="yours"):
            bell.admit("1")
        with bell.waits("2"), pytest.raises(TooManyWaitingError, match="Too many pages are open"):
            bell.admit("3")


async def test_a_stream_refuses_what_is_no_number(settings: Settings) -> None:
    async with client_of(settings, COLLEAGUE.caller) as client:
        for wrong in ("-1", "x", "9" * 30):
            answer = await client.get("/api/v1/messages/stream", headers={"last-event-id": wrong})
            assert answer.status_code == 400
    async with client_of(settings, Caller()) as nobody:
        assert (await nobody.get("/api/v1/messages/stream")).status_code == 401


async def test_a_draft_that_is_thrown_away_is_told_to_nobody(
    writer: Database, desk: Desk, region: Region
) -> None:
    draft = await declaration(writer, desk, region, corners=(83.087, 55.011, 83.088, 55.012))
    async with writer.transaction(APPLICANT.caller) as connection:
        await service.discard(connection, desk, APPLICANT, draft.id)
    assert await told(writer, COLLEAGUE, draft.id) == []
