"""Passkeys: bound in the profile, shown at log-in; the browser's part is static/js/passkey.js."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from accounts import passkeys, sessions
from accounts.errors import AccountsError
from geo.access import ANONYMOUS
from web import language
from web.csrf import secret_of
from web.templating import locale_of
from web.visitor import (
    CallerDep,
    DatabaseDep,
    NumberField,
    OriginDep,
    PersonDep,
    SettingsDep,
    base_of,
    go_on,
    own_path,
)

router = APIRouter()
Answer = Annotated[dict[str, Any], Body()]


def _refused(request: Request, err: AccountsError) -> JSONResponse:
    title, detail = language.problem(locale_of(request), err.code, err.message, err.remedy)
    return JSONResponse({"code": err.code, "title": title, "detail": detail}, 422)


@router.post("/profile/passkeys/options")
async def binding_options(
    request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep
) -> Response:
    """Options for a new passkey."""
    try:
        async with database.transaction(caller) as connection:
            options = await passkeys.begin_binding(
                connection, person, base=base_of(request), binding=secret_of(request)
            )
    except AccountsError as err:
        return _refused(request, err)
    return JSONResponse(options)


@router.post("/profile/passkeys")
async def bind(
    request: Request, person: PersonDep, caller: CallerDep, database: DatabaseDep, *, answer: Answer
) -> Response:
    """Keep a new passkey."""
    try:
        async with database.transaction(caller) as connection:
            await passkeys.bind(
                connection,
                person,
                answer.get("credential") or {},
                base=base_of(request),
                binding=secret_of(request),
                label=str(answer.get("label", "")),
            )
    except AccountsError as err:
        return _refused(request, err)
    return JSONResponse({"next": "/profile/security"}, 201)


@router.post("/profile/passkeys/remove")
async def remove(
    person: PersonDep, caller: CallerDep, database: DatabaseDep, *, passkey: NumberField
) -> Response:
    """Remove a passkey."""
    async with database.transaction(caller) as connection:
        await passkeys.remove(connection, person, passkey)
    return RedirectResponse("/profile/security", 303)


@router.post("/login/passkey/options")
async def options(request: Request, database: DatabaseDep) -> Response:
    """Options for a log-in by passkey."""
    async with database.transaction(ANONYMOUS) as connection:
        made = await passkeys.begin(connection, base=base_of(request), binding=secret_of(request))
    return JSONResponse(made)


@router.post("/login/passkey")
async def log_in(
    request: Request, database: DatabaseDep, settings: SettingsDep, origin: OriginDep, *, answer: Answer
) -> Response:
    """Log in by passkey; it is strong by itself."""
    try:
        async with database.transaction(ANONYMOUS) as connection:
            account = await passkeys.check(
                connection, answer.get("credential") or {}, base=base_of(request), binding=secret_of(request)
            )
            entrance = sessions.Entrance(account, "passkey", strong=True)
            ticket = await sessions.enter(connection, entrance, origin, settings)
    except AccountsError as err:
        return _refused(request, err)
    onward = go_on(request, ticket, own_path(str(answer.get("next", ""))))
    response = JSONResponse({"next": onward.headers["location"]})
    response.headers["set-cookie"] = onward.headers["set-cookie"]
    return response
