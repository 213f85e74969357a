"""The visitor of a page: who he is, where he comes from, where he wants to go."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Form, Path, Request
from fastapi.responses import RedirectResponse

from accounts.errors import DeniedError, LogInNeededError
from accounts.origin import Origin, origin_of
from accounts.person import Person
from accounts.sessions import Ticket
from geo.access import ANONYMOUS, Caller
from geo.coroutine import in_place
from geo.db import Database
from geo.identifiers import whole_number
from geo.settings import Settings

# Ids, in a path and in a form: what is larger is none, and is refused before the database is asked.
LARGEST = 2**53
Number = Annotated[int, Path(ge=1, lt=LARGEST)]
NumberField = Annotated[int, Form(ge=1, lt=LARGEST)]
STEPS = {"second": "/login/second", "renew": "/login/renew", "consent": "/consent"}


def person_of(request: Request) -> Person:
    """Who is logged in; LogInNeededError where nobody is."""
    person: Person | None = request.scope["state"].get("person")
    if person is None:
        raise LogInNeededError("This page is for people who are logged in.", "Log in.")
    return person


def entry_of(request: Request) -> Person:
    """Who is logged in or on the way to it: the password was right, a step is missing."""
    entry: Person | None = request.scope["state"].get("entry") or request.scope["state"].get("person")
    if entry is None:
        raise LogInNeededError("This page is for people who are logged in.", "Log in.")
    return entry


def party_of(text: str) -> int | None:
    """The party that a form names, None where it names none; DeniedError where it cannot be one."""
    number = whole_number(text)
    if text and number is None:
        raise DeniedError("You do not act for that party.", "Choose one of yours.", field="party")
    return number


def administrator_of(request: Request) -> Person:
    """An administrator; DeniedError for everybody else."""
    person = person_of(request)
    if not person.administrator:
        raise DeniedError("This page is for administrators.", "Ask an administrator for the duty.")
    return person


def registrar_of(request: Request) -> Person:
    """A registrar or an administrator; DeniedError for everybody else."""
    person = person_of(request)
    if not (person.serves("registrar") or person.administrator):
        raise DeniedError("This page is for registrars.", "Ask an administrator for the duty.")
    return person


def office_of(request: Request) -> Database:
    """The database as the writing role: for pages of the office only."""
    database: Database = request.app.state.writer
    return database


def caller_of(request: Request) -> Caller:
    """Who asks, as the composition root established it."""
    caller: Caller = request.scope["state"].get("caller", ANONYMOUS)
    return caller


def entry_caller(request: Request) -> Caller:
    """The account of a log-in that is not complete, with no rights but to itself."""
    return Caller(account=entry_of(request).account)


def database_of(request: Request) -> Database:
    """The database of this process."""
    database: Database = request.app.state.database
    return database


def settings_of(request: Request) -> Settings:
    """The settings of this process."""
    settings: Settings = request.app.state.settings
    return settings


def origin(request: Request) -> Origin:
    """Address and device of the visitor."""
    peer = request.client.host if request.client else "unknown"
    return origin_of(peer, request.headers, settings_of(request).trusted_proxies)


PersonDep = Annotated[Person, Depends(in_place(person_of))]
EntryDep = Annotated[Person, Depends(in_place(entry_of))]
AdministratorDep = Annotated[Person, Depends(in_place(administrator_of))]
RegistrarDep = Annotated[Person, Depends(in_place(registrar_of))]
OfficeDep = Annotated[Database, Depends(in_place(office_of))]
CallerDep = Annotated[Caller, Depends(in_place(caller_of))]
EntryCallerDep = Annotated[Caller, Depends(in_place(entry_caller))]
DatabaseDep = Annotated[Database, Depends(in_place(database_of))]
SettingsDep = Annotated[Settings, Depends(in_place(settings_of))]
OriginDep = Annotated[Origin, Depends(in_place(origin))]


def own_path(wanted: str | None) -> str:
    """A path of this site to go on to; anything that leads elsewhere becomes the profile."""
    if wanted and wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable():
        return wanted
    return "/profile"


def base_of(request: Request) -> str:
    """Address of this site as people know it, without a slash at the end."""
    return (settings_of(request).base_url or str(request.base_url)).rstrip("/")


def is_https(request: Request) -> bool:
    """Whether people reach the server over https, directly or through a proxy."""
    return request.url.scheme == "https" or settings_of(request).base_url.startswith("https:")


def go_on(request: Request, ticket: Ticket, wanted: str | None) -> RedirectResponse:
    """To the next step of a log-in, or to where the visitor wanted, with the session's new cookie."""
    target = own_path(wanted)
    if ticket.stage in STEPS:
        target = f"{STEPS[ticket.stage]}?next={quote(target)}"
    response = RedirectResponse(target, 303)
    secure = is_https(request)
    name = "__Host-mezha" if secure else "mezha_session"
    hours = settings_of(request).session_hours
    response.set_cookie(
        name, ticket.secret, max_age=hours * 3600, path="/", secure=secure, httponly=True, samesite="lax"
    )
    return response
