"""Is a detached signature true: valid, invalid, or nobody can tell; with the chain, the time and the reason.

The mathematics are OpenSSL's, in a child with bounded time: RSA, ECDSA, and GOST R 34.10-2012 where its engine is
installed. docs/decisions/0083 says why.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from asn1crypto import x509

from cases.signatures import cms
from cases.signatures.cms import Certificate, Envelope, NoSignatureError
from cases.signatures.reasons import told
from cases.signatures.trust import Trust, pem, trust
from geo.settings import Settings

_SECONDS = 20
MOST_BYTES = 1 << 20
# Kept with the signature while they are no larger; of larger lists only the hash.
_KEPT = 256 << 10
# Numbers of OpenSSL's chain errors.
_EXPIRED, _NOT_YET, _REVOKED = {10}, {9}, {23}
_UNTRUSTED = {2, 18, 19, 20, 21, 24, 7, 26, 27, 28, 79}
_NO_LIST = {3, 12, 11, 8, 33}


@dataclass(frozen=True)
class Verdict:
    """The answer; ``relied_on`` is kept with the signature, so that it can be understood for ever."""

    verdict: Literal["valid", "invalid", "cannot_tell"]
    reason: str = ""
    ru: str = ""
    en: str = ""
    form: Literal["cms", "cades"] = "cms"
    der: bytes = b""
    certificate: Certificate | None = None
    signed_at: datetime | None = None
    relied_on: dict[str, Any] = field(default_factory=dict)


def _answer(
    verdict: Literal["invalid", "cannot_tell"], reason: str, found: Envelope | None = None, **facts: object
) -> Verdict:
    words = told(reason, **facts)
    if found is None:
        return Verdict(verdict, reason, words["ru"], words["en"])
    return Verdict(
        verdict,
        reason,
        words["ru"],
        words["en"],
        form="cades" if found.cades else "cms",
        der=found.der,
        certificate=found.signer,
        signed_at=found.signed_at,
        relied_on=words | {"checked_at": datetime.now(UTC).isoformat(), "openssl": version()},
    )


@lru_cache(maxsize=1)
def version() -> str:
    """The OpenSSL of this machine, empty where there is none."""
    if not shutil.which("openssl"):
        return ""
    return _run(["version"]).stdout.decode().strip()


@lru_cache(maxsize=1)
def engine() -> bool:
    """Whether OpenSSL has its GOST engine here."""
    return bool(version()) and b"[ available ]" in _run(["engine", "-t", "gost"]).stdout


def _run(arguments: list[str]) -> "subprocess.CompletedProcess[bytes]":
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"}
    if modules := os.environ.get("OPENSSL_ENGINES"):
        environment["OPENSSL_ENGINES"] = modules
    return subprocess.run(
        ["openssl", *arguments], capture_output=True, timeout=_SECONDS, check=False, env=environment
    )


def verify(settings: Settings, signature: bytes, content: Path) -> Verdict:
    """Verify a detached signature over the exact bytes of a file. Blocks: call it in a thread."""
    try:
        found = cms.envelope(signature[: MOST_BYTES + 1])
    except NoSignatureError:
        return _answer("invalid", "no-signature")
    if refusal := _at_sight(found):
        return refusal
    try:
        with tempfile.TemporaryDirectory(prefix="mezha-sig-") as folder:
            return _verified(found, content, Path(folder), trust(settings), settings)
    except subprocess.TimeoutExpired:
        return _answer("cannot_tell", "tool", found, cause="timeout")


def _at_sight(found: Envelope) -> Verdict | None:
    """What can be said without any mathematics."""
    refusals: tuple[tuple[bool, Literal["invalid", "cannot_tell"], str], ...] = (
        (found.signers > 1, "cannot_tell", "several-signers"),
        (found.attached, "invalid", "attached"),
        (found.signer is None, "cannot_tell", "no-certificate"),
        (bool(found.weak), "invalid", "weak-digest"),
        (not version(), "cannot_tell", "tool"),
        (found.gost and not engine(), "cannot_tell", "no-engine"),
    )
    for applies, verdict, reason in refusals:
        if applies:
            return _answer(verdict, reason, found, algorithm=found.weak, cause="openssl")
    return None


def _verified(found: Envelope, content: Path, folder: Path, trusted: Trust, settings: Settings) -> Verdict:
    signer = found.signer
    assert signer is not None  # noqa: S101 - `_at_sight` has looked
    extra = ["-engine", "gost"] if found.gost else []
    if fault := _mathematics(found, content, folder, extra):
        return _answer("invalid", fault, found)
    if not signer.signs:
        return _answer("invalid", "key-usage", found)
    now = datetime.now(UTC)
    if now > signer.until:
        return _answer("invalid", "expired", found, day=f"{signer.until:%d.%m.%Y}")
    if now < signer.since:
        return _answer("invalid", "not-yet", found, day=f"{signer.since:%d.%m.%Y}")
    if not trusted.anchors:
        return _answer("cannot_tell", "no-anchors", found)
    return _chain(found, signer, content, folder, trusted=trusted, extra=extra, settings=settings)


def _mathematics(found: Envelope, content: Path, folder: Path, extra: list[str]) -> str:
    """Whether the bytes and the attributes are those that the key signed: the reason why not, or nothing."""
    (folder / "sig").write_bytes(found.der)
    command = ["cms", "-verify", *extra, "-binary", "-inform", "DER", "-in", str(folder / "sig")]
    command += ["-content", str(content), "-noverify", "-out", os.devnull]
    done = _run(command)
    if done.returncode == 0:
        return ""
    return "content" if b"verify_content" in done.stderr else "forged"


def _chain(
    found: Envelope,
    signer: Certificate,
    content: Path,
    folder: Path,
    *,
    trusted: Trust,
    extra: list[str],
    settings: Settings,
) -> Verdict:
    """Whether trust leads to the signer; certificates and lists that were used are kept."""
    issuer = x509.Certificate.load(signer.der).issuer.dump()
    lists = [*trusted.crls_of(issuer), *(c for c in found.crls)]
    (folder / "signer.pem").write_bytes(pem("CERTIFICATE", [signer.der]))
    (folder / "chain.pem").write_bytes(pem("CERTIFICATE", found.certificates))
    (folder / "roots.pem").write_bytes(pem("CERTIFICATE", trusted.anchors))
    command = ["verify", *extra, "-no-CApath", "-no-CAstore", "-CAfile", str(folder / "roots.pem")]
    command += ["-untrusted", str(folder / "chain.pem"), "-purpose", "any", "-partial_chain", "-show_chain"]
    if lists:
        (folder / "lists.pem").write_bytes(pem("X509 CRL", lists))
        command += ["-crl_check", "-CRLfile", str(folder / "lists.pem")]
    done = _run([*command, str(folder / "signer.pem")])
    if done.returncode != 0:
        return _broken(found, signer, done.stderr.decode("utf-8", "replace"))
    if settings.signature_revocation == "required" and not lists:
        return _answer("cannot_tell", "no-revocation", found)
    if found.cades and not _names_its_certificate(content, folder, extra):
        return _answer("invalid", "forged", found)
    kept = {
        "checked_at": datetime.now(UTC).isoformat(),
        "openssl": version(),
        "revocation": "checked" if lists else "not_checked",
        "certificates": [base64.b64encode(c).decode() for c in found.certificates],
        "anchors": [base64.b64encode(a).decode() for a in _used(found, trusted)],
        "lists": [
            base64.b64encode(c).decode() if len(c) < _KEPT else hashlib.sha256(c).hexdigest() for c in lists
        ],
    }
    return Verdict(
        "valid",
        form="cades" if found.cades else "cms",
        der=found.der,
        certificate=signer,
        signed_at=found.signed_at,
        relied_on=kept,
    )


def _names_its_certificate(content: Path, folder: Path, extra: list[str]) -> bool:
    """Whether the certificate is the one that the signature itself names (CAdES-BES): it cannot be exchanged."""
    command = ["cms", "-verify", *extra, "-cades", "-binary", "-inform", "DER", "-in", str(folder / "sig")]
    command += ["-content", str(content), "-no-CApath", "-no-CAstore", "-CAfile", str(folder / "roots.pem")]
    done = _run([*command, "-partial_chain", "-purpose", "any", "-out", os.devnull])
    return done.returncode == 0


def _used(found: Envelope, trusted: Trust) -> list[bytes]:
    """Anchors that issued something in the signature."""
    issuers = {x509.Certificate.load(c).issuer.dump() for c in found.certificates}
    return [a for a in trusted.anchors if x509.Certificate.load(a).subject.dump() in issuers]


def _broken(found: Envelope, signer: Certificate, output: str) -> Verdict:
    numbers = {int(n) for n in re.findall(r"error (\d+) at", output)}
    if numbers & _REVOKED:
        return _answer("invalid", "revoked", found)
    if numbers & _EXPIRED:
        return _answer("invalid", "expired", found, day=f"{signer.until:%d.%m.%Y}")
    if numbers & _NOT_YET:
        return _answer("invalid", "not-yet", found, day=f"{signer.since:%d.%m.%Y}")
    if numbers & _NO_LIST:
        return _answer("cannot_tell", "no-revocation", found)
    if numbers & _UNTRUSTED:
        return _answer("invalid", "untrusted", found, issuer=signer.issuer)
    return _answer("cannot_tell", "tool", found, cause=f"openssl {sorted(numbers) or 'verify'}")
