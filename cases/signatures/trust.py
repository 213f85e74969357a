"""Whom this installation trusts: root certificates and revocation lists in a folder that the administrator fills."""

import base64
import re
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import crl, x509

from geo.settings import Settings

_BLOCK = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----(.+?)-----END \1-----", re.DOTALL)
# The root of the demonstration's applicants: trusted by nothing but a demonstration.
DEMONSTRATION = "demonstration-root.pem"
_CERTIFICATES = frozenset({".pem", ".crt", ".cer"})


@dataclass(frozen=True)
class Trust:
    """Anchors and lists, as DER."""

    anchors: tuple[bytes, ...]
    crls: tuple[bytes, ...]

    def crls_of(self, issuer: bytes) -> list[bytes]:
        """Lists of the issuer of that name (DER)."""
        return [c for c in self.crls if _issuer(c) == issuer]


def folder(settings: Settings) -> Path:
    """Where the anchors lie."""
    return settings.trust_folder or settings.home / "trust"


def trust(settings: Settings) -> Trust:
    """What lies in the folder now; a file that is neither certificate nor list is passed over."""
    anchors: list[bytes] = []
    crls: list[bytes] = []
    root = folder(settings)
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        if path.name == DEMONSTRATION and not settings.demo:
            continue
        data = path.read_bytes() if path.suffix.lower() in {*_CERTIFICATES, ".crl"} else b""
        for der in _blocks(data):
            (crls if path.suffix.lower() == ".crl" or _is_list(der) else anchors).append(der)
    return Trust(tuple(anchors), tuple(crls))


def _blocks(data: bytes) -> list[bytes]:
    if data[:1] == b"\x30":
        return [data]
    return [base64.b64decode(b"".join(body.split())) for _, body in _BLOCK.findall(data)]


def _is_list(der: bytes) -> bool:
    try:
        x509.Certificate.load(der, strict=True)["tbs_certificate"]["serial_number"].native  # noqa: B018
    except (ValueError, TypeError, KeyError):
        return True
    return False


def _issuer(der: bytes) -> bytes:
    try:
        found: bytes = crl.CertificateList.load(der)["tbs_cert_list"]["issuer"].dump()
    except (ValueError, TypeError, KeyError):
        return b""
    return found


def pem(kind: str, ders: tuple[bytes, ...] | list[bytes]) -> bytes:
    """PEM of several blocks."""
    return b"".join(
        f"-----BEGIN {kind}-----\n".encode() + base64.encodebytes(der) + f"-----END {kind}-----\n".encode()
        for der in ders
    )
