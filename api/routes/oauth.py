"""The token endpoint for other systems: OAuth 2.0 client credentials."""

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Form, Header, Request
from fastapi.responses import JSONResponse

from accounts import clients
from accounts.errors import ClientError, ProviderError
from accounts.oidc import Provider
from accounts.origin import origin_of
from api.params import DatabaseDep, SettingsDep

router = APIRouter(prefix="/api/v1/oauth", tags=["access"])
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


def credentials(header: str | None, client: str, secret: str) -> tuple[str, str]:
    """Client and secret of a Basic header, else of the form."""
    kind, _, rest = (header or "").partition(" ")
    if kind.lower() != "basic":
        return client, secret
    try:
        name, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


@router.post("/token")
async def token(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    *,
    grant_type: Annotated[str, Form(max_length=100)] = "",
    client_id: Annotated[str, Form(max_length=200)] = "",
    client_secret: Annotated[str, Form(max_length=200)] = "",
    scope: Annotated[str, Form(max_length=200)] = "",
    authorization: Annotated[str | None, Header()] = None,
) -> JSONResponse:
    """An access token for client credentials (RFC 6749 §4.4); errors are those of §5.2."""
    if grant_type != "client_credentials":
        return JSONResponse({"error": "unsupported_grant_type"}, 400, NO_STORE)
    name, secret = credentials(authorization, client_id, client_secret)
    peer = request.client.host if request.client else ""
    address = origin_of(peer, request.headers, settings.trusted_proxies).address
    try:
        grant = await clients.grant(database, name, secret, scope, address=address, settings=settings)
    except ClientError as err:
        status = 401 if err.value == "invalid_client" else 400
        body = {"error": err.value, "error_description": f"{err.message} {err.remedy}"}
        extra = {"www-authenticate": 'Basic realm="mezha"'} if status == 401 else {}
        return JSONResponse(body, status, NO_STORE | extra)
    granted = {
        "access_token": grant.token,
        "token_type": "Bearer",
        "expires_in": grant.seconds,
        "scope": " ".join(grant.scopes),
    }
    return JSONResponse(granted, 200, NO_STORE)


@router.post("/backchannel-logout")
async def backchannel_logout(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    logout_token: Annotated[str, Form(max_length=16_000)],
) -> JSONResponse:
    """The identity provider says that somebody logged out (OpenID Connect Back-Channel Logout 1.0)."""
    if not settings.oidc_issuer:
        return JSONResponse({"error": "invalid_request"}, 400, NO_STORE)
    try:
        await Provider(settings).log_out(database, logout_token)
    except ProviderError as err:
        return JSONResponse({"error": "invalid_request", "error_description": err.message}, 400, NO_STORE)
    return JSONResponse({}, 200, NO_STORE)
