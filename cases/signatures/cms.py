"""What stands in a signature: CMS signed data taken apart, without a word on whether it is true."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import cms, x509

_FRAME = re.compile(rb"-----(?:BEGIN|END) [A-Z0-9 ]+-----")
_INN = "1.2.643.3.131.1.1"
_INN_COMPANY = "1.2.643.100.4"
# Signing certificate and its version 2: with one of them a CMS is a CAdES-BES.
_SIGNING_CERTIFICATE = ("1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47")
_SIGNING_TIME = "1.2.840.113549.1.9.5"
_WEAK = {"1.2.840.113549.2.5": "MD5", "1.3.14.3.2.26": "SHA-1", "1.2.840.113549.2.2": "MD2"}
# Everything of the Russian standards lies below this arc.
_GOST = "1.2.643."


class NoSignatureError(Exception):
    """These bytes are no CMS signed data that could be taken apart."""


@dataclass(frozen=True)
class Certificate:
    """A certificate, as far as it can be read without knowing its algorithm."""

    der: bytes
    subject: str
    name: str
    issuer: str
    serial: str
    inns: tuple[str, ...]
    since: datetime
    until: datetime
    signs: bool

    def shown(self) -> dict[str, Any]:
        """As it is told to readers."""
        return {
            "name": self.name,
            "subject": self.subject,
            "issuer": self.issuer,
            "serial": self.serial,
            "inn": list(self.inns),
            "valid_from": self.since.isoformat(),
            "valid_to": self.until.isoformat(),
        }


@dataclass(frozen=True)
class Envelope:
    """A signature taken apart."""

    der: bytes
    signers: int
    attached: bool
    signer: Certificate | None
    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    gost: bool
    weak: str
    cades: bool
    signed_at: datetime | None


def der_of(data: bytes) -> bytes:
    """DER of a signature that came as DER, as PEM or as plain base64."""
    if data[:1] == b"\x30":
        return data
    try:
        return base64.b64decode(b"".join(_FRAME.sub(b"", data).split()), validate=True)
    except binascii.Error as err:
        raise NoSignatureError("neither DER nor base64") from err


def envelope(data: bytes) -> Envelope:
    """Take a signature apart; NoSignatureError where it is none."""
    der = der_of(data)
    try:
        info = cms.ContentInfo.load(der, strict=True)
        if info["content_type"].native != "signed_data":
            raise NoSignatureError("no signed data")
        return _of(der, info["content"])
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as err:
        raise NoSignatureError(str(err)) from err


def _of(der: bytes, signed: Any) -> Envelope:
    infos = list(signed["signer_infos"])
    if not infos:
        raise NoSignatureError("nobody signed")
    first = infos[0]
    attributes = {a["type"].dotted: a["values"] for a in _attributes(first)}
    certificates = [
        c.chosen for c in (signed["certificates"] or ()) if isinstance(c.chosen, x509.Certificate)
    ]
    found = next((c for c in certificates if _is_of(c, first["sid"])), None)
    oids = (first["digest_algorithm"]["algorithm"].dotted, first["signature_algorithm"]["algorithm"].dotted)
    return Envelope(
        der=der,
        signers=len(infos),
        attached=signed["encap_content_info"]["content"].native is not None,
        signer=certificate(found) if found is not None else None,
        certificates=tuple(c.dump() for c in certificates),
        crls=tuple(c.chosen.dump() for c in (signed["crls"] or ()) if c.name == ""),
        gost=any(o.startswith(_GOST) for o in oids),
        weak=_WEAK.get(oids[0], ""),
        cades=any(oid in attributes for oid in _SIGNING_CERTIFICATE),
        signed_at=_time(attributes.get(_SIGNING_TIME)),
    )


def _attributes(info: Any) -> list[Any]:
    found = info["signed_attrs"]
    return list(found) if found.native is not None else []


def _time(values: Any) -> datetime | None:
    """The time that the signer claims."""
    if not values:
        return None
    found = values[0].native
    return found.astimezone(UTC) if isinstance(found, datetime) else None


def _is_of(candidate: x509.Certificate, sid: Any) -> bool:
    if sid.name == "issuer_and_serial_number":
        wanted = sid.chosen
        same = candidate.issuer.dump() == wanted["issuer"].dump() or candidate.issuer == wanted["issuer"]
        return bool(same and candidate.serial_number == wanted["serial_number"].native)
    return bool(candidate.key_identifier == sid.chosen.native)


def certificate(found: x509.Certificate) -> Certificate:
    """What a certificate says."""
    names: dict[str, list[str]] = {}
    for part in found.subject.chosen:
        for pair in part:
            names.setdefault(pair["type"].dotted, []).append(str(pair["value"].native))
    usage = found.key_usage_value
    allowed = set(usage.native) if usage is not None else {"digital_signature"}
    validity = found["tbs_certificate"]["validity"]
    return Certificate(
        der=found.dump(),
        subject=found.subject.human_friendly[:500],
        name=(names.get("2.5.4.3") or names.get("2.5.4.10") or [""])[0][:200],
        issuer=found.issuer.human_friendly[:500],
        serial=f"{found.serial_number:x}",
        inns=tuple(dict.fromkeys(_bare(i) for oid in (_INN_COMPANY, _INN) for i in names.get(oid, ()))),
        since=validity["not_before"].native.astimezone(UTC),
        until=validity["not_after"].native.astimezone(UTC),
        signs=bool(allowed & {"digital_signature", "non_repudiation"}),
    )


def _bare(inn: str) -> str:
    """The INN of a company stands with two zeros in front where the field has room for twelve digits."""
    inn = inn.strip()
    return inn[2:] if len(inn) == 12 and inn.startswith("00") else inn
