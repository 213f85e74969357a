"""Log-in at an OpenID Connect provider: discovery, PKCE, nonce, a state bound to the browser, back-channel logout."""

import base64
import hashlib
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy.exc import IntegrityError

from accounts import sessions
from accounts.errors import ProviderError
from accounts.idtoken import identity_of, logout_of
from accounts.origin import Origin
from accounts.provider import Vouched, account_of, fetched, put_question, take_question
from accounts.secret import new_secret
from geo.access import ANONYMOUS
from geo.db import Database
from geo.settings import Settings

PURPOSE = "oidc"
KEPT_S = 3600.0


@dataclass(frozen=True)
class Answer:
    """What the provider's redirect brought back."""

    state: str
    code: str
    issuer: str | None = None
    error: str | None = None


class Provider:
    """One provider: its description and keys are asked for once an hour, keys again when one is unknown."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._document: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._until = 0.0

    @property
    def issuer(self) -> str:
        """The provider's name of itself."""
        return self._settings.oidc_issuer

    async def document(self) -> dict[str, Any]:
        """The discovery document; ProviderError where it names another issuer or lacks what we need."""
        if self._document and self._until > time.monotonic():
            return self._document
        found = await fetched("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise ProviderError("The provider calls itself by another name.", "Correct MEZHA_OIDC_ISSUER.")
        if not all(
            isinstance(found.get(k), str) for k in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        ):
            raise ProviderError("The provider's description is not whole.", "Tell its operator.")
        self._document, self._keys, self._until = found, None, time.monotonic() + KEPT_S
        return found

    async def keys(self, *, afresh: bool = False) -> KeySet:
        """The provider's public keys."""
        if self._keys is None or afresh:
            document = await fetched("GET", (await self.document())["jwks_uri"])
            try:
                self._keys = KeySet.import_key_set(document)  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError, TypeError) as err:
                raise ProviderError("The provider's keys make no sense.", "Tell its operator.") from err
        return self._keys

    async def begin(self, database: Database, *, redirect: str, binding: str, onward: str) -> str:
        """Address of the provider's log-in page for this browser."""
        document = await self.document()
        state, nonce, verifier = new_secret(), new_secret(), new_secret()
        facts = {"nonce": nonce, "verifier": verifier, "next": onward, "redirect": redirect}
        async with database.transaction(ANONYMOUS) as connection:
            await put_question(connection, PURPOSE, state, binding, facts)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": redirect,
            "scope": "openid profile email",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{document['authorization_endpoint']}?{urlencode(query)}"

    async def finish(
        self, database: Database, answer: Answer, *, binding: str, origin: Origin
    ) -> tuple[sessions.Ticket, str]:
        """The session for an answer, and where to go on. ProviderError says what does not fit."""
        async with database.transaction(ANONYMOUS) as connection:
            facts = await take_question(connection, PURPOSE, answer.state, binding)
        if answer.error or not answer.code:
            raise ProviderError(
                "The provider did not let you in.", "Begin the log-in again.", value=(answer.error or "")[:60]
            )
        if answer.issuer is not None and answer.issuer != self.issuer:
            raise ProviderError("The answer comes from another provider.", "Begin the log-in again.")
        claims, somebody = await self._exchange(answer.code, facts)
        async with database.transaction(ANONYMOUS) as connection:
            entrance = sessions.Entrance(
                await account_of(connection, somebody),
                "oidc",
                provider=self.issuer,
                subject=somebody.subject,
                provider_sid=claims.get("sid"),
            )
            return await sessions.enter(connection, entrance, origin, self._settings), facts["next"]

    async def _exchange(self, code: str, facts: dict[str, str]) -> tuple[dict[str, Any], Vouched]:
        document = await self.document()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": facts["redirect"],
            "code_verifier": facts["verifier"],
        }
        secret = (self._settings.oidc_client_id, self._settings.oidc_client_secret)
        tokens = await fetched("POST", document["token_endpoint"], data=form, auth=secret)
        claims = await self._identity(str(tokens.get("id_token", "")), facts["nonce"])
        about = dict(claims)
        if "userinfo_endpoint" in document and tokens.get("access_token"):
            bearer = {"authorization": f"Bearer {tokens['access_token']}"}
            told = await fetched("GET", document["userinfo_endpoint"], headers=bearer)
            if told.get("sub") != claims["sub"]:
                raise ProviderError("The provider speaks of two people.", "Begin the log-in again.")
            about |= told
        email = str(about["email"]) if about.get("email") and about.get("email_verified") is True else None
        name = str(about.get("name") or about.get("preferred_username") or claims["sub"])
        return dict(claims), Vouched(self.issuer, claims["sub"], name, email)

    async def _identity(self, token: str, nonce: str) -> dict[str, Any]:
        wanted = {"issuer": self.issuer, "audience": self._settings.oidc_client_id, "nonce": nonce}
        try:
            return dict(identity_of(token, await self.keys(), **wanted))
        except ProviderError as err:
            if "signature" not in err.message:
                raise
        # The provider may have changed its keys since we asked.
        return dict(identity_of(token, await self.keys(afresh=True), **wanted))

    async def log_out(self, database: Database, token: str) -> int:
        """Back-channel logout: end what the token names, once; the number of sessions ended."""
        claims = logout_of(
            token, await self.keys(), issuer=self.issuer, audience=self._settings.oidc_client_id
        )
        async with database.transaction(ANONYMOUS) as connection:
            try:
                await put_question(connection, "oidc-logout", f"logout:{claims['jti']}", "", {})
            except IntegrityError as err:
                raise ProviderError("This logout was heard already.", "Send a new one.") from err
            return await sessions.end_provided(
                connection, self.issuer, subject=claims.get("sub"), sid=claims.get("sid")
            )
