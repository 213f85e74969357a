"""Tokens that identity providers sign: signature, issuer, audience, time and nonce, or a ProviderError."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from accounts import gost
from accounts.errors import ProviderError

# Asymmetric only: no `none`, and no HMAC that would take a public key for a secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY_S = 60
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def _lie(what: str) -> ProviderError:
    return ProviderError(
        f"The provider's token is not good: {what}.", "Try again; if it stays, tell support."
    )


def claims_of(
    token: str, keys: KeySet | Key, *, issuer: str, audience: str, algorithms: Sequence[str] = ALGORITHMS
) -> Mapping[str, Any]:
    """Claims of a signed token that is for us and in time; a clock may be off by a minute."""
    try:
        claims: dict[str, Any] = jwt.decode(token, keys, algorithms=list(algorithms)).claims
    except (JoseError, ValueError, TypeError, KeyError) as err:
        raise _lie(f"signature ({type(err).__name__})") from err
    return checked(claims, issuer=issuer, audience=audience)


def gost_claims_of(token: str, certificate: Path, *, issuer: str, audience: str) -> Mapping[str, Any]:
    """`claims_of` for a token that is signed by GOST R 34.10-2012 with the key of a certificate."""
    try:
        head, body, signature = (_decoded(part) for part in token.split("."))
        algorithm, claims = json.loads(head)["alg"], json.loads(body)
    except (ValueError, KeyError, TypeError) as err:
        raise _lie(f"signature ({type(err).__name__})") from err
    signed = token.rpartition(".")[0].encode()
    if algorithm != gost.ALGORITHM or not gost.is_signed(certificate, signed, signature):
        raise _lie("signature (GOST)")
    if not isinstance(claims, dict):
        raise _lie("claims")
    return checked(claims, issuer=issuer, audience=audience)


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def checked(claims: dict[str, Any], *, issuer: str, audience: str) -> Mapping[str, Any]:
    """Claims whose signature is good, if they are for us and in time."""
    now = time.time()
    heard = claims.get("aud")
    heard = [heard] if isinstance(heard, str) else heard
    if claims.get("iss") != issuer:
        raise _lie("issuer")
    if not isinstance(heard, list) or audience not in heard:
        raise _lie("audience")
    if len(heard) > 1 and claims.get("azp") != audience:
        raise _lie("authorised party")
    if not isinstance(claims.get("exp"), int | float) or claims["exp"] < now - LEEWAY_S:
        raise _lie("expired")
    for name in ("iat", "nbf"):
        moment = claims.get(name, now)
        if not isinstance(moment, int | float) or moment > now + LEEWAY_S:
            raise _lie("from the future")
    return claims


def identity_of(token: str, keys: KeySet, *, issuer: str, audience: str, nonce: str) -> Mapping[str, Any]:
    """Claims of an ID token that answers our question: its nonce is ours and it has a subject."""
    claims = claims_of(token, keys, issuer=issuer, audience=audience)
    if claims.get("nonce") != nonce:
        raise _lie("nonce")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise _lie("subject")
    return claims


def logout_of(token: str, keys: KeySet, *, issuer: str, audience: str) -> Mapping[str, Any]:
    """Claims of a logout token (OpenID Connect Back-Channel Logout 1.0, §2.6)."""
    claims = claims_of(token, keys, issuer=issuer, audience=audience)
    if "nonce" in claims or LOGOUT_EVENT not in (claims.get("events") or {}):
        raise _lie("no logout")
    if not claims.get("jti") or not (claims.get("sub") or claims.get("sid")):
        raise _lie("subject")
    return claims
