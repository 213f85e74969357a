"""A certification centre of one's own, for demonstrations and tests: its root, and the certificates that it gives."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM
# ИННЮЛ, order 795 of the FSB: the INN of a company in the subject of a qualified certificate.
_INN_COMPANY = x509.ObjectIdentifier("1.2.643.100.4")


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Holder:
    """Whom a certificate names; ``inn`` is that of the company, ``note`` is shown beside the name."""

    name: str
    organisation: str
    inn: str = ""
    note: str = ""

    def subject(self) -> x509.Name:
        """The name as X.509 writes it."""
        attributes = [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "RU"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _short(self.organisation)),
            x509.NameAttribute(NameOID.COMMON_NAME, _short(self.name)),
        ]
        if self.note:
            attributes.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, _short(self.note)))
        if self.inn:
            attributes.append(x509.NameAttribute(_INN_COMPANY, self.inn))
        return x509.Name(attributes)


@dataclass(frozen=True)
class Pair:
    """A private key with the certificate of its holder."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(_PEM)

    def keep_key(self, path: Path) -> None:
        """Write the key where its owner alone reads it."""
        path.touch(mode=0o600)
        path.write_bytes(
            self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )

    def keep_container(self, path: Path, password: str) -> None:
        """Write key and certificate as PKCS#12, encrypted with AES-256, where their owner alone reads it."""
        path.touch(mode=0o600)
        kept = serialization.BestAvailableEncryption(password.encode())
        path.write_bytes(
            pkcs12.serialize_key_and_certificates(
                None, self.key, self.certificate, cas=None, encryption_algorithm=kept
            )
        )


@dataclass(frozen=True)
class Centre:
    """A root that gives certificates good for ``days``; a negative number gives ones that are out of date."""

    holder: Holder
    days: int = 3650
    root: Pair = field(init=False)

    def __post_init__(self) -> None:
        """Make the root."""
        object.__setattr__(self, "root", self._pair(self.holder, authority=True))

    def give(self, holder: Holder) -> Pair:
        """A new key and its certificate."""
        return self._pair(holder, authority=False)

    def _pair(self, holder: Holder, *, authority: bool) -> Pair:
        key = _key()
        issuer = key if authority else self.root.key
        now, days = datetime.now(UTC), timedelta(days=self.days)
        made = (
            x509.CertificateBuilder()
            .subject_name(holder.subject())
            .issuer_name(self.holder.subject())
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1) + min(timedelta(), days) * 2)
            .not_valid_after(now + days)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(_usage(authority=authority), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False
            )
        )
        return Pair(key, made.sign(issuer, hashes.SHA256()))


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _short(text: str) -> str:
    """Whole words of at most 64 bytes: the library counts bytes where X.520 counts letters."""
    if len(text.encode()) <= 64:
        return text
    return text.encode()[:65].decode("utf-8", "ignore").rpartition(" ")[0]
