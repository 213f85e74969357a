"""Passkeys (WebAuthn): a log-in without a password, or a second factor; the private key never leaves its device."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import RowMapping, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.action import Action
from accounts.errors import CodeError, DeniedError
from accounts.journal import Entry, record
from accounts.models import Passkey
from accounts.person import Person
from accounts.secret import digest

TICKET_S = 300
MOST = 20
_PUT = text("SELECT accounts.put_ticket(:digest, :purpose, CAST(:payload AS jsonb), :seconds)")
_TAKE = text("SELECT accounts.take_ticket(:digest, :purpose)")
_PASSKEY = text("SELECT * FROM accounts.passkey(:credential)")
_USE = text("SELECT accounts.use_passkey(:credential, :count)")
_CREDENTIALS = text("SELECT accounts.passkeys_of(:who)")


def _wrong() -> CodeError:
    return CodeError("The passkey was not accepted.", "Try again, or use another way.", field="passkey")


async def _challenge(connection: AsyncConnection, binding: str, purpose: str, options: Any) -> dict[str, Any]:
    """Keep the challenge for one use by the browser whose secret is ``binding``, and return the options as JSON."""
    payload = json.dumps({"challenge": options.challenge.hex(), "bound": digest(binding).hex()})
    values = {
        "digest": digest(options.challenge.hex()),
        "purpose": purpose,
        "payload": payload,
        "seconds": TICKET_S,
    }
    await connection.execute(_PUT, values)
    document: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return document


async def _taken(connection: AsyncConnection, answer: dict[str, Any], binding: str, purpose: str) -> bytes:
    """The challenge that the answer quotes, taken once and only by the browser that got it."""
    try:
        quoted = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))["challenge"]
        challenge = base64url_to_bytes(quoted)
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise _wrong() from err
    values = {"digest": digest(challenge.hex()), "purpose": purpose}
    payload = (await connection.execute(_TAKE, values)).scalar_one_or_none()
    if payload is None or payload["bound"] != digest(binding).hex():
        raise _wrong()
    return challenge


async def begin_binding(
    connection: AsyncConnection, person: Person, *, base: str, binding: str
) -> dict[str, Any]:
    """Options for ``navigator.credentials.create``."""
    known = (await connection.execute(_CREDENTIALS, {"who": person.account})).scalars().all()
    if len(known) >= MOST:
        raise DeniedError(f"There are {MOST} passkeys already.", "Remove those that nobody needs.")
    options = webauthn.generate_registration_options(
        rp_id=urlsplit(base).hostname or "localhost",
        rp_name="Межа",
        user_id=digest(f"mezha:{person.account}"),
        user_name=person.login,
        user_display_name=person.name,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=bytes(c)) for c in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return await _challenge(connection, binding, "passkey-bind", options)


async def bind(
    connection: AsyncConnection,
    person: Person,
    answer: dict[str, Any],
    *,
    base: str,
    binding: str,
    label: str,
) -> None:
    """Keep the public key of a new passkey; CodeError where the answer is not for us, forged or old."""
    challenge = await _taken(connection, answer, binding, "passkey-bind")
    try:
        verified = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=urlsplit(base).hostname or "localhost",
            expected_origin=base,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as err:
        raise _wrong() from err
    values = {
        "account": person.account,
        "credential": verified.credential_id,
        "public_key": verified.credential_public_key,
        "sign_count": verified.sign_count,
        "label": " ".join(label.split())[:60] or "passkey",
    }
    await connection.execute(insert(Passkey).values(values).on_conflict_do_nothing())
    await record(connection, _entry(person, on=True))


async def begin(connection: AsyncConnection, *, base: str, binding: str) -> dict[str, Any]:
    """Options for ``navigator.credentials.get``; the same for everybody, so that nothing tells who has a passkey."""
    options = webauthn.generate_authentication_options(
        rp_id=urlsplit(base).hostname or "localhost", user_verification=UserVerificationRequirement.REQUIRED
    )
    return await _challenge(connection, binding, "passkey", options)


async def check(connection: AsyncConnection, answer: dict[str, Any], *, base: str, binding: str) -> int:
    """The account whose passkey signed; CodeError where the answer is not for us, forged, old or a clone's."""
    challenge = await _taken(connection, answer, binding, "passkey")
    try:
        credential = base64url_to_bytes(str(answer["rawId"]))
        row = (await connection.execute(_PASSKEY, {"credential": credential})).one()
        if row.account is None:
            raise _wrong()
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=urlsplit(base).hostname or "localhost",
            expected_origin=base,
            credential_public_key=bytes(row.public_key),
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as err:
        raise _wrong() from err
    await connection.execute(_USE, {"credential": credential, "count": verified.new_sign_count})
    return int(row.account)


async def own(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Passkeys of the caller."""
    columns = [getattr(Passkey, name) for name in ("id", "label", "created_at", "used_at")]
    return (await connection.execute(select(*columns).order_by(Passkey.id))).mappings().all()


async def remove(connection: AsyncConnection, person: Person, number: int) -> None:
    """Remove a passkey of the caller."""
    await connection.execute(delete(Passkey).where(Passkey.id == number, Passkey.account == person.account))
    await record(connection, _entry(person, on=False))


def _entry(person: Person, *, on: bool) -> Entry:
    return Entry(
        Action.factor_changed,
        account=person.account,
        concerned=person.account,
        details={"factor": "passkey", "on": on},
    )
