"""The sheet: the exact bytes of a submission, which are hashed as its evidence and signed by the applicant."""

import hashlib
import json
from collections.abc import Sequence

from cases.documents.shelf import Document
from cases.record import Case


def sheet(case: Case, geometry_sha256: str, papers: Sequence[Document]) -> bytes:
    """What is submitted, as canonical JSON in UTF-8: form, object, boundary and documents by their hashes.

    The same submission gives the same bytes at any time; nothing that the office adds is in them.
    """
    body = {
        "service": [case.service, case.service_version],
        "party": {"inn": case.party_inn, "name": case.party_name},
        "region": case.region,
        "payload": case.payload,
        "subject": [case.subject_layer, case.subject_id, case.subject_version],
        "geometry": geometry_sha256,
        "documents": sorted([p.kind, p.name, p.sha256] for p in papers),
    }
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def hashed(data: bytes) -> str:
    """SHA-256 of a sheet."""
    return hashlib.sha256(data).hexdigest()


def digest(case: Case, geometry_sha256: str, papers: Sequence[Document]) -> str:
    """SHA-256 of the sheet."""
    return hashed(sheet(case, geometry_sha256, papers))
