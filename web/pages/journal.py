"""The journal as people read it: everybody what concerns him and his parties, staff what concerns their regions."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from accounts import excerpt, journal
from accounts.action import TITLES, Action
from accounts.errors import DeniedError
from accounts.person import Person
from geo.access import Caller
from geo.coroutine import in_place
from geo.db import Database
from geo.identifiers import whole_number
from geo.layers import all_layers
from web.pages.profile import shown
from web.templating import locale_of
from web.visitor import CallerDep, DatabaseDep, OriginDep, PersonDep, person_of

router = APIRouter()
PAGE = 50
LAST_PAGE = 100_000


def asked(
    since: str = "", until: str = "", action: str = "", account: str = "", page: str = "1"
) -> journal.Question:
    """The question of the filter; what is no day, action or number is as if it were not given."""
    return journal.Question(
        first=_day(since),
        last=_day(until),
        action=Action(action) if action in TITLES else None,
        account=whole_number(account),
        limit=PAGE + 1,
        offset=PAGE * (min(max(whole_number(page) or 1, 1), LAST_PAGE) - 1),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def staff_of(request: Request) -> Person:
    """Somebody with a duty in an office; DeniedError for everybody else."""
    person = person_of(request)
    if not person.duties:
        raise DeniedError("This page is for the staff of offices.", "Ask an administrator for a duty.")
    return person


AskedDep = Annotated[journal.Question, Depends(in_place(asked))]
StaffDep = Annotated[Person, Depends(in_place(staff_of))]


@router.get("/profile/journal")
async def own(
    request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep, question: AskedDep
) -> Response:
    """What concerns the person and the parties for which he acts."""
    return await _shown(request, person, caller, database, question=replace(question, own=True))


@router.get("/office/journal")
async def office(
    request: Request,
    person: StaffDep,
    caller: CallerDep,
    database: DatabaseDep,
    *,
    question: AskedDep,
    origin: OriginDep,
) -> Response:
    """What concerns the regions of the office; that it was read is an entry too."""
    async with database.transaction(caller) as connection:
        await journal.was_read(connection, caller, question, address=origin.address)
    return await _shown(request, person, caller, database, question=question)


@router.get("/profile/journal/excerpt")
async def own_excerpt(
    person: PersonDep, caller: CallerDep, database: DatabaseDep, question: AskedDep, origin: OriginDep
) -> Response:
    """An excerpt that can be checked anywhere."""
    return await _excerpt(caller, database, replace(question, own=True), origin.address)


@router.get("/office/journal/excerpt")
async def office_excerpt(
    person: StaffDep, caller: CallerDep, database: DatabaseDep, question: AskedDep, origin: OriginDep
) -> Response:
    """An excerpt of the region's journal."""
    return await _excerpt(caller, database, question, origin.address)


async def _shown(
    request: Request, person: Person, caller: Caller, database: Database, *, question: journal.Question
) -> Response:
    async with database.transaction(caller) as connection:
        found = await journal.read(connection, question)
    locale = locale_of(request)
    data = {
        "person": person,
        "entries": found[:PAGE],
        "page": question.offset // PAGE + 1,
        "more": len(found) > PAGE,
        "question": question,
        "actions": [(action.value, titles[locale]) for action, titles in TITLES.items()],
        "titles": {action.value: titles[locale] for action, titles in TITLES.items()},
        "layers": {name: layer.title[locale] for name, layer in all_layers().items()},
    }
    return shown(request, "journal", data)


async def _excerpt(caller: Caller, database: Database, question: journal.Question, address: str) -> Response:
    async with database.transaction(caller) as connection:
        await journal.was_read(connection, caller, question, address=address, taken=True)

    async def lines() -> AsyncIterator[str]:
        async with database.raw(caller) as connection:
            async for line in excerpt.lines(connection, question, whole=False):
                yield line

    headers = {
        "content-disposition": 'attachment; filename="journal.jsonl"',
        "cache-control": "no-store",
    }
    return StreamingResponse(lines(), media_type="application/jsonl; charset=utf-8", headers=headers)
