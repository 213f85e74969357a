"""Log-in by a client certificate that the reverse proxy has checked (TLS, chain, revocation) and names in a header.

The header is believed from a trusted proxy's address only; from anywhere else it is a forgery and refused.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import sessions
from accounts.action import Action
from accounts.errors import BlockedError, CertificateError
from accounts.journal import Entry, record
from accounts.models import External
from accounts.origin import Origin
from accounts.person import Person
from geo.access import ANONYMOUS
from geo.db import Database
from geo.settings import Settings

ISSUER = "certificate"
_EXTERNAL = text("SELECT * FROM accounts.external(:issuer, :subject)")


@dataclass(frozen=True)
class Certificate:
    """A certificate that was shown: the SHA-256 of its bytes, whose it says it is, and its last day."""

    fingerprint: str
    subject: str
    until: datetime


def shown(peer: str, value: str, settings: Settings) -> Certificate:
    """The certificate of a request: the header's value as its peer sent it; CertificateError says what is wrong."""
    if not settings.certificate_header:
        raise CertificateError("This installation takes no certificates.", "Log in another way.")
    if not value:
        raise CertificateError(
            "The browser has shown no certificate.", "Choose one when the browser asks, and try again."
        )
    if peer not in settings.trusted_proxies:
        raise CertificateError(
            "The certificate does not come from the reverse proxy.",
            "Open the site at its own address; the operator names the proxy in MEZHA_TRUSTED_PROXIES.",
        )
    try:
        found = x509.load_pem_x509_certificate(unquote(value).encode())
    except ValueError as err:
        raise CertificateError("The certificate cannot be read.", "Tell the operator of the site.") from err
    now = datetime.now(UTC)
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise CertificateError("The certificate is not valid today.", "Renew it at its certification centre.")
    digest = found.fingerprint(hashes.SHA256()).hex()
    return Certificate(digest, found.subject.rfc4514_string()[:200], found.not_valid_after_utc)


async def log_in(
    database: Database, certificate: Certificate, origin: Origin, settings: Settings
) -> sessions.Ticket:
    """The session of the account to which the certificate is bound; CertificateError where it is to none."""
    values = {"issuer": ISSUER, "subject": certificate.fingerprint}
    async with database.transaction(ANONYMOUS) as connection:
        row = (await connection.execute(_EXTERNAL, values)).one()
        if row.account is None:
            raise CertificateError(
                "This certificate belongs to no account here.",
                "Log in another way and bind it under “Protection”.",
            )
        if row.status == "blocked":
            raise BlockedError("This account is closed.", "Ask the administrator of your region.")
        entrance = sessions.Entrance(row.account, "certificate", strong=True)
        return await sessions.enter(connection, entrance, origin, settings)


async def bind(connection: AsyncConnection, person: Person, certificate: Certificate) -> None:
    """Let the certificate log the person in; CertificateError where it is another account's."""
    row = {"account": person.account, "issuer": ISSUER, "subject": certificate.fingerprint}
    await connection.execute(insert(External).values(row).on_conflict_do_nothing())
    if certificate.fingerprint not in await own(connection):
        raise CertificateError("This certificate is bound to another account.", "Use another one.")
    await _told(connection, person, on=True)


async def own(connection: AsyncConnection) -> set[str]:
    """Fingerprints that are bound to the caller's account."""
    statement = select(External.subject).where(External.issuer == ISSUER)
    return set((await connection.execute(statement)).scalars())


async def drop(connection: AsyncConnection, person: Person) -> None:
    """No certificate logs the person in any more."""
    await connection.execute(
        delete(External).where(External.issuer == ISSUER, External.account == person.account)
    )
    await _told(connection, person, on=False)


async def _told(connection: AsyncConnection, person: Person, *, on: bool) -> None:
    details = {"factor": "certificate", "on": on}
    entry = Entry(Action.factor_changed, account=person.account, concerned=person.account, details=details)
    await record(connection, entry)
