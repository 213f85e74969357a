"""Fetching: a file from an address or a folder, only where it changed, and never from inside our own network."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from geo import outward
from ingest.errors import RefusedError

MOST_HOPS = 5
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Known:
    """What was fetched last: the server's mark and the hash of the bytes."""

    etag: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Fetched:
    """Bytes that are new; ``path`` is where they lie."""

    path: Path
    etag: str | None
    sha256: str


def _refuse(url: str, reason: str) -> RefusedError:
    return RefusedError(
        f"{url[:120]} is not fetched: {reason}.",
        "Correct the source of the profile.",
        field="source",
        value=url[:120],
    )


@contextmanager
def _opened(url: str, known: Known, *, private: bool) -> Iterator[httpx.Response]:
    """A response that is no redirect; every hop is looked at like the first."""
    headers = {"if-none-match": known.etag} if known.etag else {}
    for _ in range(MOST_HOPS):
        try:
            with outward.spoken("GET", url, private=private, timeout=TIMEOUT_S, headers=headers) as response:
                if response.has_redirect_location:
                    url = urljoin(url, response.headers["location"])
                    continue
                yield response
                return
        except outward.ForbiddenAddressError as err:
            raise _refuse(url, err.message) from err
    raise _refuse(url, f"it leads on more than {MOST_HOPS} times")


def from_url(
    url: str, folder: Path, known: Known, *, most_bytes: int, private: bool = False
) -> Fetched | None:
    """Fetch an address into a folder; None where nothing changed. RefusedError names what stood in the way."""
    name = Path(urlsplit(url).path).name or "file"
    target = folder / name[-100:]
    try:
        with _opened(url, known, private=private) as response:
            if response.status_code == httpx.codes.NOT_MODIFIED:
                return None
            if response.status_code != httpx.codes.OK:
                raise _refuse(url, f"the server answers {response.status_code}")
            digest = _write(response, target, url, most_bytes)
            etag = response.headers.get("etag")
    except httpx.HTTPError as err:
        raise _refuse(url, f"the server does not answer ({type(err).__name__})") from err
    return None if digest == known.sha256 else Fetched(target, etag, digest)


def _write(response: httpx.Response, target: Path, url: str, most_bytes: int) -> str:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as stream:
        for chunk in response.iter_bytes(1 << 20):
            size += len(chunk)
            if size > most_bytes:
                raise _refuse(url, f"it is larger than {most_bytes >> 20} MB")
            digest.update(chunk)
            stream.write(chunk)
    return digest.hexdigest()


def from_folder(pattern: str, known: Known) -> Fetched | None:
    """The newest file of a folder that matches a pattern such as ``/data/in/*.xml``; None where it is the known one."""
    path = Path(pattern)
    files = sorted((f for f in path.parent.glob(path.name) if f.is_file()), key=lambda f: f.stat().st_mtime)
    if not files:
        raise _refuse(pattern, "no file of the folder matches")
    with files[-1].open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return None if digest == known.sha256 else Fetched(files[-1], None, digest)
