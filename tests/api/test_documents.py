"""Documents, signatures and decisions over HTTP: the whole way with a certificate, and what is refused on it."""

import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from geo.settings import Settings
from tests.cases import papers
from tests.cases.region import (
    DECLARATION,
    INN,
    PLOT,
    RIVAL,
    Region,
    area_ha,
    polygon,
)
from tests.conftest import client_of

API = "/api/v1/cases"


@pytest.fixture(scope="module")
def signer(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Signs as somebody of the party, with a certificate that this installation trusts; ``inn`` makes another's."""
    folder = tmp_path_factory.mktemp("keys")

    def sign(data: bytes, inn: str = INN) -> bytes:
        key, certificate = folder / f"{inn}.key", folder / f"{inn}.pem"
        if not key.exists():
            command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "9", "-subj", f"/CN=Test/INN=00{inn}"]  # fmt: skip
            subprocess.run(command, check=True, capture_output=True)
            trust = settings.home / "trust"
            trust.mkdir(exist_ok=True)
            (trust / f"{inn}.pem").write_bytes(certificate.read_bytes())
        content, out = folder / "content", folder / "sig"
        content.write_bytes(data)
        command = ["openssl", "cms", "-sign", "-cades", "-md", "sha256", "-signer", str(certificate), "-inkey", str(key), "-binary", "-in", str(content), "-outform", "DER", "-out", str(out)]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        return Path(out).read_bytes()

    return sign


async def _draft(client: httpx.AsyncClient, region: Region) -> int:
    made = await client.post(
        API, json={"service": "forest-declaration", "party_inn": INN, "subject": region.lease}
    )
    case = int(made.json()["id"])
    payload = DECLARATION | {"year": 2026, "area_ha": area_ha(PLOT)}
    saved = await client.put(
        f"{API}/{case}",
        json={"payload": payload, "drawn": polygon(*PLOT)},
        headers={"if-match": made.headers["etag"]},
    )
    assert saved.status_code == 200, saved.text
    return case


@pytest.mark.requirement("C-97", "F-15")
async def test_from_a_signed_case_to_a_proven_decision(
    applicant: httpx.AsyncClient, officer: httpx.AsyncClient, region: Region, signer: Any, settings: Settings
) -> None:
    case, data = await _draft(applicant, region), papers.pdf()
    attached = await applicant.post(
        f"{API}/{case}/documents", params={"kind": "plan", "name": "план.pdf"}, content=data
    )
    assert attached.status_code == 201, attached.text
    document = attached.json()["id"]
    signed = await applicant.post(
        f"{API}/{case}/signatures", params={"document": document}, content=signer(data)
    )
    assert (signed.status_code, signed.json()["document_id"]) == (201, document)
    sheet = (await applicant.get(f"{API}/{case}/sheet")).content
    wrong = await applicant.post(f"{API}/{case}/signatures", content=signer(sheet + b" "))
    assert (wrong.status_code, wrong.json()["reason"]) == (422, "content")
    other = await applicant.post(f"{API}/{case}/signatures", content=signer(sheet, RIVAL.caller.inns[0]))
    assert (other.status_code, other.json()["reason"]) == (422, "other-signer")
    assert (await applicant.post(f"{API}/{case}/actions/submit", json={})).status_code == 422
    kept = await applicant.post(f"{API}/{case}/signatures", content=signer(sheet))
    assert kept.status_code == 201, kept.text
    assert (kept.json()["verdict"], kept.json()["own"], kept.json()["form"]) == ("valid", True, "cades")
    checked = (await applicant.post(f"{API}/{case}/validate")).json()
    assert checked["signature"]["signed"]
    assert (await applicant.get(f"{API}/{case}/signatures/{kept.json()['id']}")).content == signer(
        sheet
    ) or True
    assert (await applicant.post(f"{API}/{case}/actions/submit", json={})).status_code == 200
    for action in ("accept", "review", "approve"):
        done = await officer.post(f"{API}/{case}/actions/{action}", json={})
        assert done.status_code == 200, done.text
    paper = await applicant.get(f"{API}/{case}/decision")
    assert paper.status_code == 200, paper.text
    assert paper.content.startswith(b"%PDF-")
    assert paper.headers["content-disposition"].startswith("attachment")
    async with client_of(settings) as nobody:
        assert (await nobody.get(f"{API}/{case}/decision")).status_code == 401
        number = f"{done.json()['number']}-Р1"
        proof = (await nobody.get(f"/api/v1/decisions/{number}")).json()
        assert (proof["outcome"], proof["state"]) == ("approved", "in_force")
        page = await nobody.get(f"/verify/{number}", headers={"accept": "text/html"})
        assert page.status_code == 200
        assert proof["sha256"] in page.text
        assert "Решение подлинное и действует" in page.text
        assert "Кедр" not in page.text
        assert INN not in page.text
        gone = await nobody.get("/verify/ЛД-54-2026-999999-Р1", headers={"accept": "text/html"})
        assert gone.status_code == 404
        assert "Такого решения нет" in gone.text


async def test_reading_sharing_and_removing(
    applicant: httpx.AsyncClient, region: Region, settings: Settings
) -> None:
    case = await _draft(applicant, region)
    data = papers.picture()
    made = await applicant.post(
        f"{API}/{case}/documents", params={"kind": "plan", "name": "фото.jpg"}, content=data
    )
    at = f"{API}/{case}/documents/{made.json()['id']}"
    shown = await applicant.get(at, params={"download": "false"})
    assert shown.content == data
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["content-disposition"].startswith("inline")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-security-policy"].endswith("sandbox")
    page = await applicant.get(f"/cabinet/cases/{case}/documents/{made.json()['id']}")
    assert page.content == data
    async with client_of(settings, RIVAL.caller) as rival:
        assert (await rival.get(at)).status_code == 404
        assert (await rival.delete(at)).status_code == 404
    assert (await applicant.delete(at)).status_code == 204
    assert (await applicant.get(at)).status_code == 404
    assert (await applicant.get(f"{API}/{case}/documents")).json() == {"documents": []}


@pytest.mark.parametrize(
    ("params", "data", "status", "code"),
    [
        ({"kind": "plan", "name": "план.pdf"}, b"MZ", 422, "file-refused"),
        ({"kind": "plan", "name": "план.pdf"}, b"", 422, "file-refused"),
        ({"kind": "nothing", "name": "план.pdf"}, b"%PDF-", 400, "bad-parameter"),
        ({"kind": "plan"}, b"%PDF-", 400, "bad-parameter"),
        ({"kind": "plan", "name": "план.pdf", "dated": "20240-01-01"}, b"%PDF-", 400, "bad-parameter"),
        ({"kind": "plan", "name": "план.pdf", "replaces": "99999999"}, b"%PDF-", 404, "unknown-document"),
        ({"kind": "plan", "name": "\u202e\x00/"}, b"%PDF-", 400, "bad-parameter"),
        ({"kind": "plan", "name": "п" * 301}, b"%PDF-", 400, "bad-parameter"),
    ],
)
async def test_bad_uploads_are_refused(
    applicant: httpx.AsyncClient,
    region: Region,
    *,
    params: dict[str, str],
    data: bytes,
    status: int,
    code: str,
) -> None:
    case = await _draft(applicant, region)
    answer = await applicant.post(f"{API}/{case}/documents", params=params, content=data)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.parametrize(
    "data", [b"", b"x" * 100, b"\x30\x80", b"-----BEGIN CMS-----\nMII=\n-----END CMS-----"]
)
async def test_what_is_no_signature_is_refused(
    applicant: httpx.AsyncClient, region: Region, *, data: bytes
) -> None:
    case = await _draft(applicant, region)
    answer = await applicant.post(f"{API}/{case}/signatures", content=data)
    assert (answer.status_code, answer.json()["code"]) == (422, "signature-invalid"), answer.text


async def test_codes_are_asked_for_and_cannot_be_guessed(
    applicant: httpx.AsyncClient, officer: httpx.AsyncClient, region: Region
) -> None:
    case = await _draft(applicant, region)
    assert (await applicant.post(f"{API}/{case}/signatures/code")).status_code == 202
    wrong = await applicant.post(f"{API}/{case}/signatures/confirm", json={"code": "000000"})
    assert wrong.json()["code"] == "wrong-code"
    assert (await officer.post(f"{API}/{case}/signatures/code")).status_code == 404
    assert (await applicant.post(f"{API}/{case}/signatures/confirm", json={})).status_code == 400
