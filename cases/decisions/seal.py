"""The seal of the office: its key and certificate, and the PAdES signature that it puts under a decision."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from cases.decisions.errors import NoSealError
from cases.signatures.centre import Centre, Holder
from geo.settings import Settings

FIELD = "Decision"


@dataclass(frozen=True)
class Seal:
    """The key with what its certificate says."""

    signer: Any
    name: str
    serial: str
    since: datetime
    until: datetime


def paths(settings: Settings) -> tuple[Path, Path]:
    """Where key and certificate lie."""
    folder = settings.home / "keys"
    return (
        settings.authority_key or folder / "authority.key",
        settings.authority_certificate or folder / "authority.crt",
    )


def seal_of(settings: Settings) -> Seal:
    """The seal of an installation; NoSealError where there is none, or where its certificate is out of date."""
    key, certificate = paths(settings)
    if not key.is_file() or not certificate.is_file():
        raise NoSealError(
            "The office has no key to sign decisions with: nothing was decided.",
            "The administrator sets MEZHA_AUTHORITY_KEY and MEZHA_AUTHORITY_CERTIFICATE.",
            value=str(key.name),
        )
    stamps = (key.stat().st_mtime_ns, certificate.stat().st_mtime_ns)
    found = _loaded(key, certificate, settings.authority_key_password, stamps)
    now = datetime.now(UTC)
    if not found.since <= now <= found.until:
        raise NoSealError(
            f"The certificate of the office is good from {found.since:%d.%m.%Y} to {found.until:%d.%m.%Y}, not today.",
            "The administrator installs the new key and certificate.",
            value=found.serial,
        )
    return found


@lru_cache(maxsize=4)
def _loaded(key: Path, certificate: Path, password: str, stamps: tuple[int, int]) -> Seal:
    from asn1crypto import keys
    from asn1crypto import x509 as asn1
    from pyhanko.sign import signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    _names_known()
    try:
        # The file holds the certificate first, then its chain.
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), password.encode() or None)
        der = private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise NoSealError(
            f"Key {key.name} or certificate {certificate.name} of the office cannot be read.",
            "Give both as PEM, and the password of the key.",
            value=key.name,
        ) from err
    known = [asn1.Certificate.load(c.public_bytes(serialization.Encoding.DER)) for c in chain]
    registry: Any = SimpleCertificateStore
    signer = signers.SimpleSigner(known[0], keys.PrivateKeyInfo.load(der), registry.from_certs(known))
    names = chain[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Seal(
        signer,
        str(names[0].value) if names else "",
        f"{chain[0].serial_number:x}",
        chain[0].not_valid_before_utc,
        chain[0].not_valid_after_utc,
    )


def _names_known() -> None:
    """Let asn1crypto learn the names that pyHanko adds: it makes its index at the first signature that it reads, and
    a process that verified one before pyHanko was loaded could not sign."""
    from asn1crypto.cms import CMSAttributeType

    CMSAttributeType._reverse_map = {name: oid for oid, name in CMSAttributeType._map.items()}


def sealed(seal: Seal, pdf: bytes, reason: str) -> bytes:
    """A PDF certified with PAdES (B-B): nothing in it can be changed any more unseen. Blocks: call it in a thread."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers

    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        subfilter=fields.SigSeedSubFilter.PADES,
        md_algorithm="sha256",
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        reason=reason,
        name=seal.name,
    )
    out: BytesIO = signers.sign_pdf(
        IncrementalPdfFileWriter(BytesIO(pdf)), metadata, signer=seal.signer, output=BytesIO()
    )
    return out.getvalue()


def make(settings: Settings, office: str, *, days: int = 3650) -> None:
    """Make a root, a key and a certificate of the office, for demonstrations and tests; what is there stays.

    The root becomes trusted here. A real office brings the key that its certification centre gave it.
    """
    key_path, certificate_path = paths(settings)
    if key_path.exists():
        return
    folder = settings.trust_folder or settings.home / "trust"
    for parent in (key_path.parent, folder):
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    centre = Centre(Holder("Межа: корневой сертификат", office), days)
    own = centre.give(Holder(office, office))
    certificate_path.write_bytes(own.pem + centre.root.pem)
    (folder / "office-root.pem").write_bytes(centre.root.pem)
    centre.root.keep_key(key_path.parent / "root.key")
    own.keep_key(key_path)
