"""The certificates of a demonstration sign in it, and nowhere else."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from cases.signatures import demonstration, verifier
from cases.signatures.centre import Holder
from geo.settings import Settings

PASSWORD = "Берёза-7"
PEOPLE = {
    "les": Holder("Лесникова Анна", "ООО «Кедр»", "5406000001"),
    "nedra": Holder("Рудаков", "АО", "7707083893"),
}


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    """A demonstration that was started once."""
    made = Settings(home=tmp_path, demo=True)
    assert demonstration.missing(made, PEOPLE)
    demonstration.make(made, PEOPLE, PASSWORD)
    assert not demonstration.missing(made, PEOPLE)
    return made


def _signed(settings: Settings, login: str, content: Path) -> bytes:
    key, certificate = demonstration.paths(settings, login)
    command = [
        "openssl",
        "cms",
        "-sign",
        "-cades",
        "-binary",
        "-outform",
        "DER",
        "-signer",
        certificate,
        "-inkey",
        key,
    ]
    return subprocess.run([*command, "-in", content], capture_output=True, check=True).stdout


def test_a_demonstration_trusts_its_own_applicants_and_others_do_not(house: Settings) -> None:
    content = house.home / "sheet"
    content.write_bytes(b"sheet")
    signature = _signed(house, "les", content)
    found = verifier.verify(house, signature, content)
    assert (found.verdict, found.reason) == ("valid", "")
    assert found.certificate
    assert (found.certificate.name, found.certificate.inns) == ("Лесникова Анна", ("5406000001",))
    # The same folder, once the installation is a demonstration no more.
    later = verifier.verify(house.model_copy(update={"demo": False}), signature, content)
    assert (later.verdict, later.reason) == ("cannot_tell", "no-anchors")


def test_every_certificate_says_that_it_is_a_demonstration(house: Settings) -> None:
    for login in PEOPLE:
        key, certificate = demonstration.paths(house, login)
        assert (
            "ДЕМОНСТРАЦИЯ"
            in x509.load_pem_x509_certificate(certificate.read_bytes()).subject.rfc4514_string()
        )
        assert key.stat().st_mode & 0o077 == 0
    # No key of the root is left, with which somebody could make more.
    assert {p.name for p in house.home.rglob("*.key")} == {"les.key", "nedra.key"}


def test_the_container_of_an_applicant_opens_in_a_browser(house: Settings) -> None:
    """Browsers decrypt AES only: both parts are encrypted so."""
    path = demonstration.container(house, "nedra")
    assert path.stat().st_mode & 0o077 == 0
    told = subprocess.run(
        ["openssl", "pkcs12", "-in", path, "-passin", f"pass:{PASSWORD}", "-info", "-nodes"],
        capture_output=True,
        check=True,
    )
    assert told.stderr.count(b"PBES2, PBKDF2, AES-256-CBC") == 2
    assert (
        x509.load_pem_x509_certificate(told.stdout).public_key()
        == x509.load_pem_x509_certificate(demonstration.paths(house, "nedra")[1].read_bytes()).public_key()
    )
