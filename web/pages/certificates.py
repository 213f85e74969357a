"""Log-in by the certificate that the reverse proxy has checked, and its binding to the account."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts import certificates
from accounts.errors import AccountsError
from geo.coroutine import in_place
from web.pages.login import step
from web.pages.profile import shown
from web.visitor import (
    CallerDep,
    DatabaseDep,
    OriginDep,
    PersonDep,
    SettingsDep,
    go_on,
    own_path,
    settings_of,
)

router = APIRouter()
Text = Annotated[str, Form(max_length=500)]


def certificate_of(request: Request) -> certificates.Certificate | AccountsError:
    """The certificate of this request, or what is wrong with it."""
    settings = settings_of(request)
    peer = request.client.host if request.client else ""
    value = request.headers.get(settings.certificate_header, "") if settings.certificate_header else ""
    try:
        return certificates.shown(peer, value, settings)
    except AccountsError as err:
        return err


CertificateDep = Annotated[certificates.Certificate | AccountsError, Depends(in_place(certificate_of))]


@router.post("/login/certificate")
async def log_in(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    origin: OriginDep,
    *,
    certificate: CertificateDep,
    next: Text = "",  # noqa: A002 - the name in the form
) -> Response:
    """Log in by it."""
    try:
        if isinstance(certificate, AccountsError):
            raise certificate
        ticket = await certificates.log_in(database, certificate, origin, settings)
    except AccountsError as err:
        return step(request, "login", 403, error=err, name="", next=own_path(next))
    return go_on(request, ticket, next)


@router.post("/profile/certificate")
async def bind(
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    database: DatabaseDep,
    certificate: CertificateDep,
    *,
    act: Text = "bind",
) -> Response:
    """Bind the certificate that the browser shows, or unbind all."""
    try:
        async with database.transaction(caller) as connection:
            if act == "drop":
                await certificates.drop(connection, person)
            elif isinstance(certificate, AccountsError):
                raise certificate
            else:
                await certificates.bind(connection, person, certificate)
    except AccountsError as err:
        data = {"person": person, "bound": False, "passkeys": [], "certificates": set(), "error": err}
        return shown(request, "security", data, 422)
    return RedirectResponse("/profile/security", 303)
