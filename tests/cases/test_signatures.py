"""Detached signatures made by the openssl command: the true ones are valid, and nothing else is."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from asn1crypto import cms as asn1

from cases.signatures import cms, verifier
from cases.signatures.verifier import Verdict
from geo.settings import Settings
from tests.cases.centre import INN, KINDS, Centre, found_centre, openssl

needs_engine = pytest.mark.skipif(
    not verifier.engine(),
    reason="libengine-gost-openssl is not installed; `sh setup/prepare.sh test` does it",
)
ALL = [pytest.param(k, marks=needs_engine if gost else ()) for k, (_, _, gost) in KINDS.items()]


@pytest.fixture(scope="module")
def centre_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Centre]:
    """The centre of a kind, made once."""
    made: dict[str, Centre] = {}

    def of(kind: str) -> Centre:
        if kind not in made:
            made[kind] = found_centre(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    return of


@pytest.fixture
def judge(tmp_path: Path) -> Callable[..., Verdict]:
    """Verify a signature of a centre that is trusted, unless it is said otherwise."""

    def verdict(
        centre: Centre, signature: bytes, data: bytes, *, trusted: str = "root.pem", **settings: object
    ) -> Verdict:
        folder = tmp_path / "trust"
        folder.mkdir(exist_ok=True)
        if trusted:
            (folder / "root.pem").write_bytes(Path(centre.at(trusted)).read_bytes())
        content = tmp_path / "content"
        content.write_bytes(data)
        made = Settings(home=tmp_path, trust_folder=folder).model_copy(update=settings)
        return verifier.verify(made, signature, content)

    return verdict


DATA = "Лесная декларация № 3".encode() * 50


@pytest.mark.requirement("C-97")
@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("cades", [True, False])
def test_a_true_signature_is_valid(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict], *, kind: str, cades: bool
) -> None:
    centre = centre_of(kind)
    found = judge(centre, centre.sign("ivanov", DATA, cades=cades), DATA)
    assert (found.verdict, found.reason) == ("valid", "")
    assert found.form == ("cades" if cades else "cms")
    assert found.certificate
    assert (found.certificate.name, found.certificate.inns) == ("ivanov", (INN,))
    assert found.signed_at
    # What it relied on is kept: the chain, the anchor, and that no list said anything about revocation.
    assert found.relied_on["certificates"]
    assert found.relied_on["anchors"]
    assert found.relied_on["revocation"] == "not_checked"


@pytest.mark.parametrize("kind", ALL)
def test_pem_and_base64_are_read_too(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict], *, kind: str
) -> None:
    centre = centre_of(kind)
    pem = centre.sign("ivanov", DATA, form="PEM")
    assert judge(centre, pem, DATA).verdict == "valid"
    bare = b"".join(line for line in pem.splitlines() if not line.startswith(b"-----"))
    assert judge(centre, bare, DATA).verdict == "valid"


@pytest.mark.parametrize("kind", ALL)
def test_changed_bytes_are_refused(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict], *, kind: str
) -> None:
    centre = centre_of(kind)
    signature = centre.sign("ivanov", DATA)
    found = judge(centre, signature, DATA[:-1] + b"!")
    assert (found.verdict, found.reason) == ("invalid", "content")
    assert judge(centre, signature, DATA + b"\n").verdict == "invalid"
    assert judge(centre, signature, b"").verdict == "invalid"


@pytest.mark.parametrize("kind", ALL)
def test_a_changed_attribute_is_refused(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict], *, kind: str
) -> None:
    centre = centre_of(kind)
    signature = centre.sign("ivanov", DATA)
    info = asn1.ContentInfo.load(signature)
    time = next(
        a for a in info["content"]["signer_infos"][0]["signed_attrs"] if a["type"].native == "signing_time"
    )
    moment = time["values"][0].chosen.contents
    other = moment[:-2] + (b"1Z" if moment[-2:] != b"1Z" else b"2Z")
    forged = signature.replace(moment, other)
    assert forged != signature
    found = judge(centre, forged, DATA)
    assert (found.verdict, found.reason) == ("invalid", "forged")


@pytest.mark.parametrize("kind", ALL)
def test_another_signer_cannot_lend_his_name(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict], *, kind: str
) -> None:
    centre = centre_of(kind)
    info = asn1.ContentInfo.load(centre.sign("ivanov", DATA))
    serial = info["content"]["signer_infos"][0]["sid"].chosen["serial_number"].native
    # Another key under the same number of the same centre, put in the place of the true certificate.
    centre.person("petrov", serial=str(serial))
    mixed = centre.sign("ivanov", DATA, more=("-nocerts", "-certfile", centre.at("petrov.pem")))
    found = judge(centre, mixed, DATA)
    assert (found.verdict, found.reason) == ("invalid", "forged")


@pytest.mark.parametrize("kind", ALL)
def test_an_expired_certificate_is_refused(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict], *, kind: str
) -> None:
    centre = centre_of(kind)
    centre.person("late", days=-1)
    found = judge(centre, centre.sign("late", DATA), DATA)
    assert (found.verdict, found.reason) == ("invalid", "expired")


@pytest.mark.parametrize("kind", ALL)
def test_an_untrusted_root_is_refused(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict], tmp_path: Path, *, kind: str
) -> None:
    centre, folder = centre_of(kind), tmp_path / "other"
    folder.mkdir()
    other = found_centre(kind, folder)
    signature = centre.sign("ivanov", DATA)
    found = judge(other, signature, DATA)
    assert (found.verdict, found.reason) == ("invalid", "untrusted")
    nobody = judge(centre, signature, DATA, trusted="", trust_folder=tmp_path / "nothing")
    assert (nobody.verdict, nobody.reason) == ("cannot_tell", "no-anchors")
    assert "MEZHA_TRUST_FOLDER" in nobody.ru


def test_a_certificate_for_something_else_is_refused(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict]
) -> None:
    centre = centre_of("ecdsa")
    centre.person("server", usage="keyEncipherment")
    signature = centre.sign("server", DATA)
    found = judge(centre, signature, DATA)
    assert (found.verdict, found.reason) == ("invalid", "key-usage")


def test_a_revoked_certificate_is_refused(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict], tmp_path: Path
) -> None:
    centre = centre_of("ecdsa")
    centre.person("lost")
    signature = centre.sign("lost", DATA)
    required = judge(centre, signature, DATA, signature_revocation="required")
    assert (required.verdict, required.reason) == ("cannot_tell", "no-revocation")
    Path(centre.at("index")).write_text("")
    Path(centre.at("number")).write_text("01\n")
    Path(centre.at("ca.cnf")).write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={centre.at('index')}\ncrlnumber={centre.at('number')}\n"
        "default_md=sha256\ndefault_crl_days=30\n"
    )
    ca = ["-config", centre.at("ca.cnf"), "-keyfile", centre.at("root.key"), "-cert", centre.at("root.pem")]
    openssl("ca", *ca, "-gencrl", "-out", centre.at("list.crl"))
    (tmp_path / "trust" / "list.crl").write_bytes(Path(centre.at("list.crl")).read_bytes())
    good = judge(centre, signature, DATA, signature_revocation="required")
    assert (good.verdict, good.relied_on["revocation"]) == ("valid", "checked")
    openssl("ca", *ca, "-revoke", centre.at("lost.pem"))
    openssl("ca", *ca, "-gencrl", "-out", centre.at("list.crl"))
    (tmp_path / "trust" / "list.crl").write_bytes(Path(centre.at("list.crl")).read_bytes())
    found = judge(centre, signature, DATA)
    assert (found.verdict, found.reason) == ("invalid", "revoked")
    assert judge(centre, centre.sign("ivanov", DATA), DATA).verdict == "valid"


def test_what_is_no_detached_signature_is_refused(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict]
) -> None:
    centre = centre_of("rsa")
    attached = centre.sign("ivanov", DATA, more=("-nodetach",))
    assert judge(centre, attached, DATA).reason == "attached"
    weak = centre.sign("ivanov", DATA, cades=False, more=("-md", "sha1"))
    assert judge(centre, weak, DATA).reason == "weak-digest"
    bare = centre.sign("ivanov", DATA, more=("-nocerts",))
    assert (judge(centre, bare, DATA).verdict, judge(centre, bare, DATA).reason) == (
        "cannot_tell",
        "no-certificate",
    )
    signature = centre.sign("ivanov", DATA)
    for junk in (
        b"",
        b"\x30",
        b"MII",
        os.urandom(500),
        signature[:200],
        signature[:-30],
        b"\x30\x80" + b"\0" * 90,
    ):
        assert judge(centre, junk, DATA).verdict == "invalid"


def test_without_the_engine_nobody_can_tell(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not verifier.engine():
        pytest.skip("there is nothing to sign with either")
    centre = centre_of("gost256")
    signature = centre.sign("ivanov", DATA)
    monkeypatch.setattr(verifier, "engine", lambda: False)
    found = judge(centre, signature, DATA)
    assert (found.verdict, found.reason) == ("cannot_tell", "no-engine")
    assert "libengine-gost-openssl" in found.ru


def test_a_verification_that_hangs_is_given_up(
    centre_of: Callable[[str], Centre], judge: Callable[..., Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    centre = centre_of("ecdsa")
    signature = centre.sign("ivanov", DATA)

    def hang(arguments: list[str]) -> None:
        raise subprocess.TimeoutExpired(arguments, 20)

    verifier.version()
    monkeypatch.setattr(verifier, "_run", hang)
    found = judge(centre, signature, DATA)
    assert (found.verdict, found.reason) == ("cannot_tell", "tool")


def test_an_inn_with_two_zeros_is_that_of_a_company() -> None:
    assert cms._bare("005406000001") == INN
    assert cms._bare("540600000112") == "540600000112"
