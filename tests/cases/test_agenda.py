"""Terms and ends of rights: reminded of once, shown to their own side, fed to calendars by a secret address."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from icalendar import Calendar

from accounts import tokens
from accounts.person import Person
from cases import agenda, reminders, service, terms
from cases.desk import Desk
from geo.db import Database
from geo.settings import Settings
from tests.cases.people import COLLEAGUE, SECOND, settle
from tests.cases.region import APPLICANT, OFFICER, RIVAL, Region, act, lodged
from tests.cases.test_messages import inbox
from tests.conftest import client_of, make_object


@pytest.fixture(scope="module", autouse=True)
def people(settings: Settings) -> None:
    """Everybody has an account."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        settle(connection)


def on(desk: Desk, day: date) -> Desk:
    """The desk on another day, at noon."""
    return replace(desk, clock=lambda: datetime(day.year, day.month, day.day, 12, tzinfo=UTC))


async def reminded(writer: Database, *who: Any) -> list[list[str]]:
    """Bodies of the reminders that each got."""
    return [[m["body"]["ru"] for m in await inbox(writer, x) if m["topic"] == "reminder"] for x in who]


@pytest.mark.requirement("C-20", "C-46", "F-17")
async def test_each_side_is_reminded_of_its_own_terms_once(
    writer: Database, desk: Desk, region: Region
) -> None:
    case = await lodged(writer, desk, region)
    async with writer.transaction(OFFICER.caller) as connection:
        await service.accept(connection, desk, OFFICER, case.id)
        await service.ask_correction(connection, desk, OFFICER, case.id, reason="Уточните контур")
        running = {t["term"]: t["due_on"] for t in await terms.of_case(connection, case.id) if t["due_on"]}
    (due,) = running.values()
    assert await reminders.terms_due(writer, desk) == 0
    last = on(desk, due)
    # The worker stood still for days: several reminders of one term are due and one is told.
    assert await reminders.terms_due(writer, last) == 1
    assert await reminders.terms_due(writer, last) == 0
    party, office = await reminded(writer, COLLEAGUE, SECOND)
    assert party == [party[0]]
    assert party[0].endswith(f"срок истекает {due:%d.%m.%Y}.")
    assert office == []


async def test_a_term_that_is_over_is_reminded_of_no_longer(
    writer: Database, desk: Desk, region: Region
) -> None:
    case = await lodged(writer, desk, region, corners=(83.03, 55.01, 83.04, 55.02))
    await act(writer, desk, OFFICER, "accept", case.id)
    before = await reminded(writer, OFFICER)
    assert await reminders.terms_due(writer, on(desk, desk.today() + timedelta(days=300))) == 0
    assert await reminded(writer, OFFICER) == before


@pytest.mark.requirement("C-20")
async def test_holders_are_told_once_at_each_distance(writer: Database, desk: Desk, region: Region) -> None:
    # The licence of the region ends on 2027-06-01.
    end = date(2027, 6, 1)
    for days, told in ((200, 0), (170, 1), (169, 0), (90, 1), (20, 1), (7, 1), (1, 0)):
        assert await reminders.rights_ending(writer, on(desk, end - timedelta(days=days))) == told, days
    (found,) = await reminded(writer, COLLEAGUE)
    ends = [m for m in found if m.startswith("Последний день 01.06.2027")]
    assert [m.rpartition(": ")[2] for m in ends] == ["170.", "90.", "20.", "7."]
    assert await reminded(writer, RIVAL) == [[]]


@pytest.mark.requirement("C-46")
async def test_the_calendar_shows_terms_and_rights_of_ones_own(
    settings: Settings, writer: Database, desk: Desk, region: Region
) -> None:
    case = await lodged(writer, desk, region, corners=(83.05, 55.01, 83.06, 55.02))
    async with client_of(settings, APPLICANT.caller) as client:
        found = (await client.get("/api/v1/calendar?last=2027-09-01")).json()["entries"]
        own = [e for e in found if e["href"] == f"/cabinet/cases/{case.id}"]
        assert own
        assert not own[0]["mine"], "the office's term"
        assert [e["on"] for e in found if e["kind"] == "right"] == ["2027-06-01"]
        assert [e["on"] for e in found] == sorted(e["on"] for e in found)
        for wrong in ("first=x", "first=2027-01-01&last=2026-01-01", "last=2999-01-01", "when=now"):
            assert (await client.get(f"/api/v1/calendar?{wrong}")).status_code == 400
    async with client_of(settings, OFFICER.caller) as office:
        found = (await office.get("/api/v1/calendar")).json()["entries"]
        assert [e["mine"] for e in found if e["href"] == f"/office/cases/{case.id}"] == [True]
        assert [e for e in found if e["kind"] == "right"] == []
    async with client_of(settings, RIVAL.caller) as rival:
        assert (await rival.get("/api/v1/calendar")).json()["entries"] == []


@pytest.mark.requirement("C-46")
async def test_a_feed_opens_the_calendar_alone_and_ends_when_revoked(
    settings: Settings, writer: Database, desk: Desk, region: Region
) -> None:
    case = await lodged(writer, desk, region, corners=(83.07, 55.01, 83.08, 55.02))
    person = Person(account=11, name="Лесник")
    app = Database(settings)
    async with app.transaction(APPLICANT.caller) as connection:
        secret = await tokens.make(
            connection, person, label="Календарь", days=30, settings=settings, scope=tokens.CALENDAR
        )
    async with client_of(settings) as anybody:
        answer = await anybody.get(f"/api/v1/calendar/{secret}.ics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/calendar")
        read = Calendar.from_ical(answer.content)
        summaries = [str(e["summary"]) for e in read.walk("VEVENT")]
        assert any(str(case.number) in s for s in summaries)
        assert len({str(e["uid"]) for e in read.walk("VEVENT")}) == len(summaries)
        for path in ("/api/v1/cases", "/api/v1/messages", "/api/v1/calendar"):
            refused = await anybody.get(path, headers={"authorization": f"Bearer {secret}"})
            assert refused.status_code == 403, path
        async with app.transaction(APPLICANT.caller) as connection:
            (number,) = [t["id"] for t in await tokens.live(connection) if tokens.CALENDAR in t["scopes"]]
            await tokens.revoke(connection, person, number)
            plain = await tokens.make(connection, person, label="GIS", days=30, settings=settings)
        for wrong in (secret, plain, "x", "mzh_" + "0" * 43):
            assert (await anybody.get(f"/api/v1/calendar/{wrong}.ics")).status_code == 404
    await app.engine.dispose()


def test_a_calendar_file_bears_any_name(owner: psycopg.Connection[Any]) -> None:
    make_object(owner, "licences", number="НОВ;,\\ 1\r\nEND:VCALENDAR", holder_inn="5406000001")
    nasty = agenda.Entry(
        "right",
        date(2027, 1, 1),
        agenda.Text(ru="Истекает", en="Ends"),
        agenda.Text(ru="a;b,c\\d\r\nEND:VCALENDAR" + "ж" * 200, en="x"),
        "/map",
        True,
        "k-1",
    )
    file = agenda.ical([nasty], locale="ru", base="https://mezha.test", now=datetime.now(UTC))
    (event,) = Calendar.from_ical(file).walk("VEVENT")
    assert "END:VCALENDAR" in str(event["summary"])
    assert all(len(line) <= 75 for line in file.split(b"\r\n"))
