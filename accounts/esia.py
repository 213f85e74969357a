"""Log-in through ESIA (Госуслуги): OAuth 2.0 whose client_secret is a signature of the request (DOMAIN §6)."""

import asyncio
import base64
import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from joserfc.jwk import ECKey, Key, RSAKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import gost, sessions
from accounts.action import Action
from accounts.errors import ProviderError
from accounts.idtoken import claims_of, gost_claims_of
from accounts.journal import Entry, record
from accounts.origin import Origin
from accounts.provider import Vouched, account_of, fetched, put_question, take_question
from geo.access import ANONYMOUS
from geo.db import Database
from geo.errors import SettingsError
from geo.identifiers import inn_is_valid, snils_is_valid
from geo.settings import Settings

PURPOSE = "esia"
_VOUCH = text("SELECT * FROM accounts.vouch(:who, CAST(:details AS jsonb))")


def message_of(order: str, values: Mapping[str, str]) -> bytes:
    """What client_secret signs: the values in the order of the setting, without separators."""
    return "".join(values.get(name.strip(), "") for name in order.split(",")).encode()


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise SettingsError(f"The {what} of ESIA cannot be read: {path}.", "Correct MEZHA_ESIA_*.") from err


def signature(settings: Settings, message: bytes) -> str:
    """client_secret: base64url without padding of a raw signature, or of a detached CMS; RSA or GOST."""
    made = _gost(settings, message) if settings.esia_key_kind == "gost" else _rsa(settings, message)
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def _gost(settings: Settings, message: bytes) -> bytes:
    if settings.esia_signature == "raw":
        return gost.sign(settings.esia_key, message)
    return gost.sign_cms(settings.esia_key, settings.esia_certificate, message)


def _rsa(settings: Settings, message: bytes) -> bytes:
    key = serialization.load_pem_private_key(_read(settings.esia_key, "key"), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SettingsError(
            "The key of ESIA is no RSA key.", "Set MEZHA_ESIA_KEY_KIND=gost for a key of GOST R 34.10-2012."
        )
    if settings.esia_signature == "raw":
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    certificate = x509.load_pem_x509_certificate(_read(settings.esia_certificate, "certificate"))
    builder = pkcs7.PKCS7SignatureBuilder().set_data(message).add_signer(certificate, key, hashes.SHA256())
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    return builder.sign(serialization.Encoding.DER, options)


def _token_key(settings: Settings) -> Key:
    certificate = x509.load_pem_x509_certificate(_read(settings.esia_token_key, "token certificate"))
    pem = certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return ECKey.import_key(pem) if settings.esia_algorithm.startswith("ES") else RSAKey.import_key(pem)


def _signed(settings: Settings, values: dict[str, str]) -> dict[str, str]:
    stamped = values | {
        "client_id": settings.esia_client_id,
        "scope": settings.esia_scopes,
        "scope_org": settings.esia_organisation_scopes,
        "timestamp": datetime.now(UTC).strftime("%Y.%m.%d %H:%M:%S +0000"),
    }
    secret = signature(settings, message_of(settings.esia_message, stamped))
    if settings.esia_certificate_hash:
        stamped["client_certificate_hash"] = settings.esia_certificate_hash
    return {k: v for k, v in stamped.items() if v} | {"client_secret": secret}


async def begin(database: Database, settings: Settings, *, redirect: str, binding: str, onward: str) -> str:
    """Address of ESIA's log-in page for this browser."""
    state = str(uuid.uuid4())
    async with database.transaction(ANONYMOUS) as connection:
        await put_question(connection, PURPOSE, state, binding, {"next": onward, "redirect": redirect})
    values = {"state": state, "redirect_uri": redirect}
    query = await asyncio.to_thread(_signed, settings, values)
    query |= {"response_type": "code", "access_type": "online"}
    return f"{settings.esia_url.rstrip('/')}{settings.esia_authorize_path}?{urlencode(query)}"


async def finish(
    database: Database, settings: Settings, *, state: str, code: str, binding: str, origin: Origin
) -> tuple[sessions.Ticket, str]:
    """The session for ESIA's answer, and where to go on; organisations come with it. ProviderError as for any provider."""
    async with database.transaction(ANONYMOUS) as connection:
        facts = await take_question(connection, PURPOSE, state, binding)
    if not code:
        raise ProviderError("ESIA did not let you in.", "Begin the log-in again.")
    oid, bearer = await _exchange(settings, code, facts["redirect"])
    base = f"{settings.esia_url.rstrip('/')}{settings.esia_persons_path}/{quote(oid, safe='')}"
    person = await fetched("GET", base, headers=bearer)
    roles = await fetched("GET", f"{base}/roles", headers=bearer) if settings.esia_organisation_scopes else {}
    async with database.transaction(ANONYMOUS) as connection:
        account = await account_of(connection, _vouched(settings, oid, person))
        parties = await _joined(connection, account, organisations(roles)) if roles else 0
        entrance = sessions.Entrance(account, "esia", strong=True, provider=settings.esia_issuer, subject=oid)
        onward = f"/login/party?next={quote(facts['next'])}" if parties > 1 else facts["next"]
        return await sessions.enter(connection, entrance, origin, settings), onward


async def _joined(connection: AsyncConnection, account: int, found: list[dict[str, Any]]) -> int:
    """Make the account's memberships by ESIA what ESIA says now, each change in the journal; how many there are."""
    rows = (await connection.execute(_VOUCH, {"who": account, "details": json.dumps(found)})).all()
    for row in rows:
        entry = Entry(
            Action.right_taken if row.change == "ended" else Action.right_given,
            concerned=account,
            subject="party",
            object=row.party,
            region=row.region,
            inn=row.inn,
            details={"role": row.role, "by": "esia"},
        )
        if row.change != "kept":
            await record(connection, entry)
    return sum(row.change != "ended" for row in rows)


def log_out_address(settings: Settings, base: str) -> str | None:
    """Where a browser ends its log-in at ESIA too and comes back to us; None where the installation does not ask it."""
    if not settings.esia_url or not settings.esia_logout_path:
        return None
    query = {"client_id": settings.esia_client_id, "redirect_url": f"{base}/"}
    return f"{settings.esia_url.rstrip('/')}{settings.esia_logout_path}?{urlencode(query)}"


async def _exchange(settings: Settings, code: str, redirect: str) -> tuple[str, dict[str, str]]:
    """The person's oid, checked in both tokens, and the header that opens his data."""
    values = {"state": str(uuid.uuid4()), "redirect_uri": redirect, "code": code}
    form = await asyncio.to_thread(_signed, settings, values)
    form |= {"grant_type": "authorization_code", "token_type": "Bearer"}
    url = f"{settings.esia_url.rstrip('/')}{settings.esia_token_path}"
    tokens = await fetched("POST", url, data=form)
    if tokens.get("state") not in (None, values["state"]):
        raise ProviderError("ESIA answered another question.", "Begin the log-in again.")
    claims = await asyncio.to_thread(_claims, settings, str(tokens.get("id_token", "")))
    subject = claims.get("urn:esia:sbj")
    oid = str(subject.get("urn:esia:sbj:oid", "")) if isinstance(subject, dict) else ""
    if not re.fullmatch(r"[0-9]{1,20}", oid):
        raise ProviderError("ESIA does not say who you are.", "Begin the log-in again.")
    return oid, {"authorization": f"Bearer {tokens.get('access_token', '')}"}


def _claims(settings: Settings, token: str) -> Mapping[str, Any]:
    wanted = {"issuer": settings.esia_issuer, "audience": settings.esia_client_id}
    if settings.esia_algorithm == gost.ALGORITHM:
        return gost_claims_of(token, settings.esia_token_key, **wanted)
    return claims_of(token, _token_key(settings), **wanted, algorithms=(settings.esia_algorithm,))


def _vouched(settings: Settings, oid: str, person: Mapping[str, Any]) -> Vouched:
    parts = (person.get("lastName"), person.get("firstName"), person.get("middleName"))
    inn, snils = str(person.get("inn") or ""), re.sub(r"[^0-9]", "", str(person.get("snils") or ""))
    return Vouched(
        settings.esia_issuer,
        oid,
        " ".join(str(part) for part in parts if part),
        inn=inn if len(inn) == 12 and inn_is_valid(inn) else None,
        snils=snils if snils and snils_is_valid(snils) else None,
        trusted=person.get("trusted") is True,
    )


def organisations(roles: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Organisations for which ESIA says the person acts; a head becomes an owner, others operators."""
    found = []
    for element in roles.get("elements") or []:
        inn = str(element.get("inn") or "")
        if element.get("active", True) and inn_is_valid(inn):
            name = str(element.get("shortName") or element.get("fullName") or inn)
            kind = {"LEGAL": "company", "BUSINESS": "entrepreneur", "AGENCY": "state"}.get(
                str(element.get("type") or "LEGAL"), "company"
            )
            role = "owner" if element.get("chief") else "operator"
            ogrn = str(element.get("ogrn") or "") or None
            found.append(
                {"inn": inn, "name": name[:400], "kind": kind, "role": role, "ogrn": ogrn, "region": inn[:2]}
            )
    return found
