"""A certification centre of the tests: keys, certificates and detached signatures made by the openssl command."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

INN = "5406000001"
# What genpkey and req need for each kind of key.
KINDS = {
    "rsa": (["-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048"], "sha256", False),
    "ecdsa": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "sha256", False),
    "gost256": (["-algorithm", "gost2012_256", "-pkeyopt", "paramset:A"], "md_gost12_256", True),
    "gost512": (["-algorithm", "gost2012_512", "-pkeyopt", "paramset:A"], "md_gost12_512", True),
}


def openssl(*arguments: str, gost: bool = False) -> None:
    """Run an openssl command; its error fails the test."""
    command = ["openssl", arguments[0], *(["-engine", "gost"] if gost else []), *arguments[1:]]
    done = subprocess.run(command, capture_output=True, check=False, env=os.environ | {"LC_ALL": "C"})
    assert done.returncode == 0, done.stderr.decode()


@dataclass(frozen=True)
class Centre:
    """A certification centre of one kind of key, with the people whom it gave certificates."""

    kind: str
    folder: Path

    @property
    def gost(self) -> bool:
        """Whether it needs the engine."""
        return KINDS[self.kind][2]

    def at(self, name: str) -> str:
        """A file of the centre."""
        return str(self.folder / name)

    def container(self, name: str, password: str, *, old: bool = False) -> str:
        """Path of a PKCS#12 file with somebody's key, his certificate and the root's."""
        made = self.at(f"{name}.p12")
        extra = ["-legacy"] if old else []
        openssl("pkcs12", "-export", *extra, "-inkey", self.at(f"{name}.key"), "-in", self.at(f"{name}.pem"), "-certfile", self.at("root.pem"), "-passout", f"pass:{password}", "-out", made, gost=self.gost)  # fmt: skip
        return made

    def person(
        self, name: str, *, days: int = 365, inn: str = INN, usage: str = "digitalSignature", serial: str = ""
    ) -> str:
        """Give somebody a key and a certificate; returns his name."""
        algorithm, digest, _ = KINDS[self.kind]
        openssl("genpkey", *algorithm, "-out", self.at(f"{name}.key"), gost=self.gost)
        subject = f"/C=RU/O=OOO Kedr/CN={name}" + (f"/INN=00{inn}" if inn else "")
        openssl("req", "-new", "-key", self.at(f"{name}.key"), f"-{digest}", "-subj", subject, "-out", self.at("csr"), gost=self.gost)  # fmt: skip
        Path(self.at("ext")).write_text(f"keyUsage=critical,{usage}\n")
        dates = ["-days", str(days)]
        openssl("x509", "-req", "-in", self.at("csr"), "-CA", self.at("root.pem"), "-CAkey", self.at("root.key"), *(["-set_serial", serial] if serial else ["-CAcreateserial"]), f"-{digest}", *dates, "-extfile", self.at("ext"), "-out", self.at(f"{name}.pem"), gost=self.gost)  # fmt: skip
        return name

    def sign(
        self, name: str, data: bytes, *, cades: bool = True, form: str = "DER", more: tuple[str, ...] = ()
    ) -> bytes:
        """A detached signature of these bytes."""
        Path(self.at("data")).write_bytes(data)
        arguments = [
            "-sign",
            *(["-cades"] if cades else []),
            "-signer",
            self.at(f"{name}.pem"),
            "-inkey",
            self.at(f"{name}.key"),
        ]
        openssl("cms", *arguments, "-md", KINDS[self.kind][1], "-binary", "-in", self.at("data"), "-outform", form, "-out", self.at("sig"), *more, gost=self.gost)  # fmt: skip
        return Path(self.at("sig")).read_bytes()


def found_centre(kind: str, folder: Path) -> Centre:
    """A new centre that has given Ivanov a certificate."""
    made = Centre(kind, folder)
    algorithm, digest, gost = KINDS[kind]
    openssl("genpkey", *algorithm, "-out", made.at("root.key"), gost=gost)
    openssl("req", "-x509", "-new", "-key", made.at("root.key"), f"-{digest}", "-days", "3650", "-subj", f"/C=RU/CN=Centre {kind}", "-out", made.at("root.pem"), gost=gost)  # fmt: skip
    made.person("ivanov")
    return made
