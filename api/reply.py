"""What identity adds to an answer: cookies of forms and dead sessions, the challenge of a 401."""

from typing import Any

from accounts import errors as known
from accounts.errors import LogInNeededError, TokenError
from api.identity import Scope, cookie_name
from geo.errors import MezhaError
from geo.settings import Settings

FORM_COOKIE = "mezha_form"
STATUSES: dict[type[MezhaError], int] = {
    known.AccountsError: 400,
    known.LogInNeededError: 401,
    known.TokenError: 401,
    known.CredentialsError: 403,
    known.LockedError: 429,
    known.TooManyTriesError: 429,
    known.UnconfirmedError: 403,
    known.BlockedError: 403,
    known.WeakPasswordError: 422,
    known.CodeError: 422,
    known.ScopeError: 403,
    known.DeniedError: 403,
    known.ForgedError: 403,
    known.IdentifierError: 422,
    known.TakenError: 409,
    known.ProviderError: 502,
    known.CertificateError: 403,
    known.ClientError: 400,
}


def challenge(err: BaseException, status: int) -> dict[str, str]:
    """Headers of a refusal: how to authenticate, and what is wrong with what was given (RFC 6750)."""
    if status != 401:
        return {}
    if isinstance(err, TokenError):
        return {
            "www-authenticate": f'Bearer realm="mezha", error="invalid_token", error_description="{err.message}", '
            'Basic realm="mezha"'
        }
    if isinstance(err, LogInNeededError):
        return {"www-authenticate": 'Bearer realm="mezha"'}
    return {}


def _cookie(name: str, value: str, *, life: int, secure: bool) -> tuple[bytes, bytes]:
    text = f"{name}={value}; Path=/; Max-Age={life}; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")
    return (b"set-cookie", text.encode())


def with_cookies(scope: Scope, send: Any, settings: Settings) -> Any:
    """A ``send`` that clears the cookie of a session that is no more and sets the secret of new forms."""
    state = scope["state"]
    name = cookie_name(scope, settings)
    secure = name.startswith("__Host-")

    async def wrapped(message: Any) -> None:
        if message["type"] == "http.response.start" and ("stale" in state or "new_form_secret" in state):
            headers = list(message["headers"])
            if "stale" in state and not any(
                k == b"set-cookie" and v.startswith(name.encode()) for k, v in headers
            ):
                headers.append(_cookie(name, "", life=0, secure=secure))
            if "new_form_secret" in state:
                headers.append(_cookie(FORM_COOKIE, state["new_form_secret"], life=86_400, secure=secure))
            message = {**message, "headers": headers}
        await send(message)

    return wrapped
