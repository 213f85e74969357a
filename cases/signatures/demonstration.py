"""Certificates for the applicants of a demonstration: made at its start, trusted only while it is one."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from geo.settings import Settings

if TYPE_CHECKING:
    from cases.signatures.centre import Holder

_NOTE = "ДЕМОНСТРАЦИЯ, не подпись"


def folder(settings: Settings) -> Path:
    """Where keys and certificates lie, each under its log-in."""
    return settings.home / "demonstration"


def paths(settings: Settings, login: str) -> tuple[Path, Path]:
    """Key and certificate of a log-in."""
    return folder(settings) / f"{login}.key", folder(settings) / f"{login}.pem"


def container(settings: Settings, login: str) -> Path:
    """Key and certificate of a log-in in one file, as the pages open it."""
    return folder(settings) / f"{login}.p12"


def missing(settings: Settings, logins: Iterable[str]) -> bool:
    """Whether a certificate is still to be made; asked at every start, so without the imports that making it takes."""
    return not all(
        path.is_file() for login in logins for path in (*paths(settings, login), container(settings, login))
    )


def make(settings: Settings, holders: "Mapping[str, Holder]", password: str) -> None:
    """Give every log-in a key and a certificate, apart and in a container with a password; the root becomes trusted here.

    Each certificate says that it is a demonstration. The key of the root is thrown away: nobody can give more.
    """
    from cases.signatures import trust
    from cases.signatures.centre import Centre, Holder

    root = trust.folder(settings) / trust.DEMONSTRATION
    for parent in (folder(settings), root.parent):
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    centre = Centre(Holder("Межа: корневой сертификат", "Межа", note=_NOTE))
    root.write_bytes(centre.root.pem)
    for login, holder in holders.items():
        key, certificate = paths(settings, login)
        pair = centre.give(Holder(holder.name, holder.organisation, holder.inn, _NOTE))
        pair.keep_key(key)
        certificate.write_bytes(pair.pem)
        pair.keep_container(container(settings, login), password)
