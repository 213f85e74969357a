"""GOST R 34.10-2012 signatures by the OpenSSL engine ``gost``: no library for Python makes them (DOMAIN §7).

Debian: ``apt-get install libengine-gost-openssl``. A call takes about 12 ms.
"""

import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile

from geo.errors import SettingsError

TIMEOUT_S = 10.0
ALGORITHM = "GOST3410_2012_256"
_ENGINE = ("-engine", "gost")


def _run(arguments: list[str], given: bytes) -> tuple[int, bytes]:
    """Exit code and output of openssl."""
    try:
        done = subprocess.run(
            ["openssl", *arguments], input=given, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        raise SettingsError(
            f"OpenSSL does not answer ({type(err).__name__}).", "Install openssl and its engine gost."
        ) from err
    return done.returncode, done.stdout


def available() -> bool:
    """Whether this machine signs by GOST."""
    try:
        return _run(["engine", "gost"], b"")[0] == 0
    except SettingsError:
        return False


def _made(arguments: list[str], given: bytes) -> bytes:
    code, output = _run(arguments, given)
    if code or not output:
        raise SettingsError(
            "OpenSSL cannot sign by GOST.",
            "Install libengine-gost-openssl, and give a key of GOST R 34.10-2012 in MEZHA_ESIA_KEY.",
        )
    return output


def sign(key: Path, message: bytes) -> bytes:
    """The raw signature, 64 bytes for a key of 256 bits."""
    return _made(["dgst", *_ENGINE, "-md_gost12_256", "-sign", str(key)], message)


def sign_cms(key: Path, certificate: Path, message: bytes) -> bytes:
    """A detached CMS of the message, DER."""
    signer = ["-signer", str(certificate), "-inkey", str(key)]
    kind = ["-md", "md_gost12_256", "-binary", "-outform", "DER"]
    return _made(["cms", *_ENGINE, "-sign", *signer, *kind], message)


def is_signed(certificate: Path, message: bytes, signature: bytes) -> bool:
    """Whether the key of a certificate made this raw signature of the message."""
    public = _made(["x509", *_ENGINE, "-in", str(certificate), "-pubkey", "-noout"], b"")
    with NamedTemporaryFile() as key, NamedTemporaryFile() as made:
        Path(key.name).write_bytes(public)
        Path(made.name).write_bytes(signature)
        check = ["-verify", key.name, "-signature", made.name]
        return _run(["dgst", *_ENGINE, "-md_gost12_256", *check], message)[0] == 0
