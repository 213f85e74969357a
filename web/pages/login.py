"""Log-in with its steps, and log-out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts import consent, esia, login, passwords, second_factor, sessions
from accounts.errors import AccountsError, UnconfirmedError
from accounts.person import Person
from web.templating import page
from web.visitor import (
    CallerDep,
    DatabaseDep,
    EntryCallerDep,
    EntryDep,
    OriginDep,
    SettingsDep,
    base_of,
    go_on,
    own_path,
)

router = APIRouter()
Text = Annotated[str, Form(max_length=500)]
# What a step of the log-in shows is nobody else's.
NO_STORE = {"cache-control": "no-store"}


def step(request: Request, template: str, status: int = 200, **data: object) -> Response:
    """A page of the way in: never kept by caches."""
    response = page(request, f"accounts/{template}.html", {"error": None, **data}, status)
    response.headers.update(NO_STORE)
    return response


@router.get("/login")
async def ask(request: Request, next: str | None = None) -> Response:  # noqa: A002 - the name in the address
    """The form; somebody who is logged in already goes on."""
    if request.scope["state"].get("person"):
        return RedirectResponse(own_path(next), 303)
    return step(request, "login", name="", next=own_path(next))


@router.post("/login")
async def log_in(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    origin: OriginDep,
    *,
    name: Text = "",
    password: Text = "",
    next: Text = "",  # noqa: A002 - the name in the form
) -> Response:
    """Log in by name and password."""
    try:
        ticket = await login.by_password(database, name, password, origin, settings)
    except UnconfirmedError as err:
        return step(request, "confirm_email", 403, error=err, name=name)
    except AccountsError as err:
        return step(request, "login", 403, error=err, name=name, next=own_path(next))
    return go_on(request, ticket, next)


@router.post("/logout")
async def log_out(
    request: Request, database: DatabaseDep, caller: CallerDep, origin: OriginDep, settings: SettingsDep
) -> Response:
    """End this session, and the log-in at ESIA where it came from there."""
    state = request.scope["state"]
    entry: Person | None = state.get("entry")
    secret = state.get("secret")
    if secret:
        async with database.transaction(caller) as connection:
            await sessions.leave(connection, secret, entry, origin)
        state["stale"] = True
    outside = esia.log_out_address(settings, base_of(request)) if entry and entry.method == "esia" else None
    return RedirectResponse(outside or "/", 303)


@router.get("/consent")
async def ask_consent(request: Request, entry: EntryDep, next: str | None = None) -> Response:  # noqa: A002
    """The terms, at the first entry and whenever they change."""
    return step(request, "consent", next=own_path(next), edition=consent.EDITION)


@router.post("/consent")
async def give_consent(
    request: Request,
    entry: EntryDep,
    caller: EntryCallerDep,
    database: DatabaseDep,
    settings: SettingsDep,
    *,
    origin: OriginDep,
    agreed: Text = "",
    next: Text = "",  # noqa: A002
) -> Response:
    """Record the consent and go on."""
    if agreed != "yes" or entry.account is None:
        return step(request, "consent", 422, next=own_path(next), edition=consent.EDITION, missing=True)
    async with database.transaction(caller) as connection:
        await consent.give(connection, entry.account, origin)
        ticket = await sessions.proceed(connection, request.scope["state"]["secret"], entry, settings)
    return go_on(request, ticket, next)


@router.get("/login/renew")
async def ask_password(request: Request, entry: EntryDep, next: str | None = None) -> Response:  # noqa: A002
    """A new password, because the old one is too old or was given by somebody else."""
    return step(request, "renew", next=own_path(next))


@router.post("/login/renew")
async def renew_password(
    request: Request,
    entry: EntryDep,
    caller: EntryCallerDep,
    database: DatabaseDep,
    settings: SettingsDep,
    *,
    password: Text = "",
    next: Text = "",  # noqa: A002
) -> Response:
    """Change the password and go on; every other session of the account ends."""
    secret = request.scope["state"]["secret"]
    try:
        async with database.transaction(caller) as connection:
            await passwords.change(connection, entry, password, keep=secret)
            ticket = await sessions.proceed(connection, secret, entry, settings)
    except AccountsError as err:
        return step(request, "renew", 422, error=err, next=own_path(next))
    return go_on(request, ticket, next)


@router.get("/login/second")
async def ask_second(request: Request, entry: EntryDep, next: str | None = None) -> Response:  # noqa: A002
    """The second factor: a code of the app, a code by e-mail, or a passkey."""
    return step(request, "second", next=own_path(next), entry=entry, sent=False)


@router.post("/login/second/letter")
async def send_second(
    request: Request,
    entry: EntryDep,
    caller: EntryCallerDep,
    database: DatabaseDep,
    *,
    next: Text = "",  # noqa: A002
) -> Response:
    """Have a code sent by e-mail."""
    async with database.transaction(caller) as connection:
        await second_factor.ask_letter(connection, entry)
    return step(request, "second", 202, next=own_path(next), entry=entry, sent=True)


@router.post("/login/second")
async def show_second(
    request: Request,
    entry: EntryDep,
    caller: EntryCallerDep,
    database: DatabaseDep,
    settings: SettingsDep,
    *,
    code: Text = "",
    next: Text = "",  # noqa: A002
) -> Response:
    """Check the code and go on under a new secret."""
    secret = request.scope["state"]["secret"]
    try:
        async with database.transaction(caller) as connection:
            error: AccountsError | None = await second_factor.check(connection, entry, code, settings)
            ticket = error or await sessions.proceed(connection, secret, entry, settings, strong=True)
    except AccountsError as err:
        error = ticket = err
    if isinstance(ticket, AccountsError):
        return step(request, "second", 422, error=error, next=own_path(next), entry=entry, sent=False)
    return go_on(request, ticket, next)
