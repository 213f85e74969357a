"""Forms that only our own pages can send: a token bound to the session, or before log-in to the browser."""

import hashlib
import hmac

from fastapi import Request
from starlette.datastructures import FormData

from accounts.errors import ForgedError
from accounts.secret import new_secret
from geo.errors import ParameterError

COOKIE = "mezha_form"
HEADER = "x-csrf-token"
FIELD = "csrf"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def secret_of(request: Request) -> str:
    """The secret that binds forms: the session's, else the browser's own, which is made where there is none.

    The composition root sets the cookie of a new one (``new_form_secret`` in the scope's state).
    """
    state = request.scope.setdefault("state", {})
    found = state.get("secret") or request.cookies.get(COOKIE) or state.get("new_form_secret")
    if not found:
        found = state["new_form_secret"] = new_secret()
    return str(found)


def token_for(secret: str) -> str:
    """The token of a form under a secret."""
    return hashlib.sha256(f"csrf:{secret}".encode()).hexdigest()


def token_of(request: Request) -> str:
    """The token to put into a form of this page."""
    return token_for(secret_of(request))


async def guard(request: Request) -> None:
    """Dependency of every page: a change needs the token, in the form or in the header; ForgedError otherwise.

    A zero character, which no text of the database can hold, is refused here for all forms: ParameterError.
    """
    if request.method in SAFE:
        return
    fields = await request.form() if "form" in request.headers.get("content-type", "") else FormData()
    given = (request.headers.get(HEADER, ""), str(fields.get(FIELD, "")))
    state = request.scope.get("state", {})
    secret = state.get("secret") or request.cookies.get(COOKIE)
    if secret and any(hmac.compare_digest(token_for(str(secret)), token) for token in given):
        for name, value in fields.multi_items():
            if isinstance(value, str) and "\x00" in value:
                raise ParameterError("The text holds a zero character.", "Type it anew.", field=name)
        return
    raise ForgedError(
        "The form did not come from our own pages, or the log-in has changed since.",
        "Open the page again and repeat; nothing was changed.",
        field=FIELD,
    )
