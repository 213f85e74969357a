"""A visit of somebody who is logged in: who asks, over which database, and how a form's change is made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from accounts.person import Person
from geo.access import Caller
from geo.coroutine import in_place
from geo.db import Database
from geo.errors import MezhaError
from web.visitor import AdministratorDep, CallerDep, DatabaseDep, PersonDep


@dataclass(frozen=True)
class Visit:
    """Who asks for a page, and the database as he sees it."""

    request: Request
    person: Person
    caller: Caller
    database: Database

    async def change(
        self,
        act: Callable[[Any], Awaitable[object]],
        *,
        then: str,
        again: Callable[[MezhaError], Awaitable[Response]],
    ) -> Response:
        """Make a change in one transaction and go on; what is refused is told by ``again``, the page it came from."""
        try:
            async with self.database.transaction(self.caller) as connection:
                await act(connection)
        except MezhaError as err:
            return await again(err)
        return RedirectResponse(then, 303)


def _visit(request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep) -> Visit:
    return Visit(request, person, caller, database)


def _administration(
    request: Request, person: AdministratorDep, caller: CallerDep, database: DatabaseDep
) -> Visit:
    return Visit(request, person, caller, database)


VisitDep = Annotated[Visit, Depends(in_place(_visit))]
AdministrationDep = Annotated[Visit, Depends(in_place(_administration))]
