"""Who asks: established once per request, before anything else sees it."""

import asyncio
import base64
import binascii
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from accounts import sessions, tokens
from accounts.errors import ForgedError, ScopeError, TokenError
from accounts.person import Person
from geo.access import ANONYMOUS, Caller
from geo.db import Database
from geo.settings import Settings

Scope = MutableMapping[str, Any]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# POST because the question is long, not because anything changes.
READING = ("/api/v1/spatial/", "/ogc/", "/tiles/")
# A revoked session or token is known as such in every process after this time at the latest.
LIFE_S = 0.7
MOST_KEPT = 10_000
CAUSES = {
    "unknown": ("The token is unknown.", "Make a new one in your profile."),
    "expired": ("The token has expired.", "Make a new one in your profile."),
    "revoked": ("The token was revoked.", "Make a new one in your profile."),
    "blocked": ("The account of this token is closed.", "Ask the administrator of your region."),
}


@dataclass(frozen=True)
class Recognised:
    """What is kept of a checked secret for a moment: the person or the cause, and the caller he makes."""

    answer: Person | str
    caller: Caller
    until: float


def cookie_name(scope: Scope, settings: Settings) -> str:
    """Name of the session's cookie: the browser ties a ``__Host-`` name to this host and to https."""
    secure = scope.get("scheme") == "https" or settings.base_url.startswith("https:")
    return "__Host-mezha" if secure else "mezha_session"


def cookie_of(scope: Scope, name: str) -> str | None:
    """Value of a cookie of the request."""
    wanted = name.encode() + b"="
    for key, value in scope["headers"]:
        if key == b"cookie":
            for part in value.split(b";"):
                stripped = part.strip()
                if stripped.startswith(wanted):
                    return str(stripped[len(wanted) :].decode("latin-1"))
    return None


def _authorization(scope: Scope) -> str | None:
    return next((v.decode("latin-1") for k, v in scope["headers"] if k == b"authorization"), None)


def bearer_of(header: str) -> str:
    """The token of an Authorization header: Bearer, or Basic with the token as password."""
    kind, _, rest = header.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            pair = base64.b64decode(rest.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            pair = ""
        return pair.partition(":")[2]
    raise TokenError(
        f"Authorization by “{kind[:20]}” is not understood.",
        "Use Bearer TOKEN, or Basic with the token as password.",
    )


class Identity:
    """Turns a session cookie or a token into a `Caller`; without either the caller is anonymous.

    Puts into the scope's state: ``person`` (a completed log-in or token, else None), ``entry`` (also a log-in
    that waits for a second factor), ``secret`` of the session, ``stale`` where a cookie is worth nothing.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._kept: dict[tuple[str, str], Recognised] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[Recognised]] = {}

    async def caller(self, scope: Scope) -> Caller:
        """The caller of a request; an anonymous one costs nothing."""
        state = scope["state"]
        state["person"] = state["entry"] = None
        header = _authorization(scope)
        if header is not None and scope["path"] != "/api/v1/oauth/token":
            return await self._by_token(scope, header)
        secret = cookie_of(scope, cookie_name(scope, self._settings))
        if secret is None:
            return ANONYMOUS
        return await self._by_cookie(scope, secret)

    async def _by_token(self, scope: Scope, header: str) -> Caller:
        found = await self._recognise("token", bearer_of(header))
        if isinstance(found.answer, str):
            message, remedy = CAUSES.get(found.answer, CAUSES["unknown"])
            raise TokenError(message, remedy, value=found.answer)
        reads = scope["method"] in SAFE or scope["path"].startswith(READING)
        if ("read" if reads else "write") not in found.answer.scopes:
            raise ScopeError(
                f"This token may not {'read' if reads else 'write'}.", "Use a token with that scope."
            )
        scope["state"]["person"] = scope["state"]["entry"] = found.answer
        return found.caller

    async def _by_cookie(self, scope: Scope, secret: str) -> Caller:
        found = await self._recognise("session", secret)
        state = scope["state"]
        if isinstance(found.answer, str):
            state["stale"] = True
            return ANONYMOUS
        _same_origin(scope, self._settings)
        state["secret"] = secret
        state["entry"] = found.answer
        if found.answer.stage != "full":
            return ANONYMOUS
        state["person"] = found.answer
        return found.caller

    async def _recognise(self, kind: str, secret: str) -> Recognised:
        """Ask the database, or remember; the requests of one page ask once together."""
        key = (kind, secret)
        kept = self._kept.get(key)
        if kept is not None and kept.until > time.monotonic():
            return kept
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(kind, secret))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, kind: str, secret: str) -> Recognised:
        # The life begins before the question: what is revoked while it is asked must not live longer.
        until = time.monotonic() + LIFE_S
        async with self._database.raw(ANONYMOUS) as connection:
            ask = sessions.recognise if kind == "session" else tokens.recognise
            answer = await ask(connection, secret)
        caller = ANONYMOUS if isinstance(answer, str) else answer.caller()
        found = Recognised(answer, caller, until)
        if not isinstance(answer, str):
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[(kind, secret)] = found
        return found


def _same_origin(scope: Scope, settings: Settings) -> None:
    """ForgedError where another site makes a browser send a change with our cookie.

    Pages check a token in their forms besides; this holds for every path, machine interfaces included.
    """
    if scope["method"] in SAFE:
        return
    headers = {
        k: v.decode("latin-1") for k, v in scope["headers"] if k in (b"origin", b"host", b"sec-fetch-site")
    }
    own = settings.base_url.rstrip("/") or f"{scope.get('scheme', 'http')}://{headers.get(b'host', '')}"
    origin = headers.get(b"origin")
    if origin == own or (origin is None and headers.get(b"sec-fetch-site") == "same-origin"):
        return
    raise ForgedError(
        "The request did not come from our own pages.",
        "Open the page again and repeat; systems use a token instead of a cookie.",
        field="Origin",
        value=(origin or "")[:80],
    )
