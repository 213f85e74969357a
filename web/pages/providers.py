"""Log-in at an identity provider: out to it and back."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from accounts import esia, oidc
from accounts.errors import AccountsError, ProviderError
from geo.settings import Settings
from web.csrf import secret_of
from web.pages.login import step
from web.visitor import DatabaseDep, OriginDep, SettingsDep, base_of, go_on, own_path

router = APIRouter()


def provider_of(request: Request) -> oidc.Provider:
    """The OpenID Connect provider of this process; ProviderError where the installation has none."""
    settings: Settings = request.app.state.settings
    if not settings.oidc_issuer:
        raise ProviderError("This installation has no identity provider.", "Log in by name and password.")
    found: oidc.Provider | None = getattr(request.app.state, "oidc", None)
    if found is None:
        found = request.app.state.oidc = oidc.Provider(settings)
    return found


@router.get("/login/oidc")
async def to_oidc(request: Request, database: DatabaseDep, next: str | None = None) -> Response:  # noqa: A002
    """Go to the provider."""
    try:
        address = await provider_of(request).begin(
            database,
            redirect=f"{base_of(request)}/login/oidc/back",
            binding=secret_of(request),
            onward=own_path(next),
        )
    except AccountsError as err:
        return step(request, "login", 502, error=err, name="", next=own_path(next))
    return RedirectResponse(address, 303)


@router.get("/login/oidc/back")
async def from_oidc(
    request: Request,
    database: DatabaseDep,
    origin: OriginDep,
    *,
    state: str = "",
    code: str = "",
    iss: str | None = None,
    error: str | None = None,
) -> Response:
    """Come back from the provider."""
    answer = oidc.Answer(state, code, iss, error)
    try:
        ticket, onward = await provider_of(request).finish(
            database, answer, binding=secret_of(request), origin=origin
        )
    except AccountsError as err:
        return step(request, "login", 403, error=err, name="", next="/profile")
    return go_on(request, ticket, onward)


@router.get("/login/esia")
async def to_esia(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    next: str | None = None,  # noqa: A002
) -> Response:
    """Go to Gosuslugi."""
    if not settings.esia_url:
        raise ProviderError("This installation is not connected to ESIA.", "Log in by name and password.")
    address = await esia.begin(
        database,
        settings,
        redirect=f"{base_of(request)}/login/esia/back",
        binding=secret_of(request),
        onward=own_path(next),
    )
    return RedirectResponse(address, 303)


@router.get("/login/esia/back")
async def from_esia(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    origin: OriginDep,
    *,
    state: str = "",
    code: str = "",
) -> Response:
    """Come back from Gosuslugi."""
    try:
        ticket, onward = await esia.finish(
            database, settings, state=state, code=code, binding=secret_of(request), origin=origin
        )
    except AccountsError as err:
        return step(request, "login", 403, error=err, name="", next="/profile")
    return go_on(request, ticket, onward)
