"""The store: bytes under their SHA-256, in a folder or in an S3-compatible bucket. What is there is never overwritten."""

import asyncio
import hashlib
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from cases.documents.errors import DamagedStoreError
from geo.errors import SettingsError
from geo.settings import Settings

_CHUNK = 1 << 20
# A file on its way into the store that was not written to for so long is on no way any more (seconds).
_LEFT = 86_400


# A hash, and when its bytes were last kept.
Held = tuple[str, datetime]
_HASH = re.compile(r"[0-9a-f]{64}")


class Store(Protocol):
    """Where the bytes lie."""

    async def keep(self, path: Path, sha256: str) -> None:
        """Keep the bytes of a file under their hash; the file itself may be moved away."""

    def chunks(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes of a hash as they lie there; DamagedStoreError where there are none."""

    def listed(self) -> AsyncIterator[Sequence[Held]]:
        """Everything that lies there, a handful at a time."""

    async def remove(self, sha256: str, before: datetime) -> bool:
        """Remove bytes that were last kept before that instant; False where they are not there, or younger."""


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def _missing(sha256: str) -> DamagedStoreError:
    return DamagedStoreError(
        f"The bytes of {sha256[:12]}… are not in the store.",
        "The administrator restores the store of documents from its backup.",
        value=sha256,
    )


class Folder:
    """A folder of this machine; files appear in it whole and synced, or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def keep(self, path: Path, sha256: str) -> None:
        """Keep the bytes of a file under their hash."""
        await asyncio.to_thread(self._keep, path, self._root / _key(sha256))

    def _keep(self, path: Path, target: Path) -> None:
        with suppress(FileNotFoundError):
            os.utime(target)  # young again: it is on its way to a row
            return
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
        path.chmod(0o400)
        path.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    async def chunks(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes of a hash."""
        try:
            stream = await asyncio.to_thread((self._root / _key(sha256)).open, "rb")
        except FileNotFoundError:
            raise _missing(sha256) from None
        with stream:
            while part := await asyncio.to_thread(stream.read, _CHUNK):
                yield part

    async def listed(self) -> AsyncIterator[Sequence[Held]]:
        """The files of a folder of the second level at a time."""
        for folder in await asyncio.to_thread(lambda: sorted(self._root.glob("[0-9a-f][0-9a-f]/*"))):
            yield await asyncio.to_thread(_held, folder)

    async def remove(self, sha256: str, before: datetime) -> bool:
        """Remove a file that is older; it is put aside first, so that nobody keeps it while its age is read."""
        return await asyncio.to_thread(self._remove, self._root / _key(sha256), before)

    def _remove(self, path: Path, before: datetime) -> bool:
        aside = path.with_name(f"{path.name}.aside")
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        if _kept_at(aside) < before:
            aside.unlink()
            return True
        aside.rename(path)
        return False


def _kept_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _held(folder: Path) -> list[Held]:
    for aside in folder.glob("*.aside"):  # left by a sweep that died: it goes back and is looked at anew
        aside.rename(aside.with_suffix(""))
    return [(path.name, _kept_at(path)) for path in folder.iterdir() if _HASH.fullmatch(path.name)]


class Bucket:
    """A bucket of an S3-compatible store."""

    def __init__(self, settings: Settings) -> None:
        from obstore.store import S3Store

        parts = urlsplit(settings.documents_url)
        if parts.scheme != "s3" or not parts.netloc:
            raise SettingsError(
                f"MEZHA_DOCUMENTS_URL={settings.documents_url[:60]} is no bucket.",
                "Write s3://bucket/prefix.",
            )
        options: dict[str, Any] = {"region": settings.s3_region, "virtual_hosted_style_request": False}
        if settings.s3_endpoint:
            options["endpoint"] = settings.s3_endpoint
        if settings.s3_key:
            options |= {"access_key_id": settings.s3_key, "secret_access_key": settings.s3_secret}
        self._store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            client_options={"allow_http": settings.s3_endpoint.startswith("http://"), "timeout": "60s"},
            **options,
        )

    async def keep(self, path: Path, sha256: str) -> None:
        """Keep the bytes of a file under their hash; the same bytes twice are the same object."""
        import obstore

        await obstore.put_async(self._store, _key(sha256), path)
        await asyncio.to_thread(path.unlink, missing_ok=True)

    async def chunks(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes of a hash."""
        import obstore

        try:
            found = await obstore.get_async(self._store, _key(sha256))
        except FileNotFoundError:
            raise _missing(sha256) from None
        async for part in found.stream(min_chunk_size=_CHUNK):
            yield bytes(part)

    async def listed(self) -> AsyncIterator[Sequence[Held]]:
        """A thousand objects at a time."""
        import obstore

        async for some in obstore.list(self._store, chunk_size=1000):
            names = [(str(found["path"]).rpartition("/")[2], found["last_modified"]) for found in some]
            yield [(name, at) for name, at in names if _HASH.fullmatch(name)]

    async def remove(self, sha256: str, before: datetime) -> bool:
        """Remove an object that is older; a bucket has no way to read the age and remove in one step."""
        import obstore

        try:
            found = await obstore.head_async(self._store, _key(sha256))
        except FileNotFoundError:
            return False
        if found["last_modified"] >= before:
            return False
        await obstore.delete_async(self._store, _key(sha256))
        return True


def store_of(settings: Settings) -> Store:
    """The store of an installation."""
    return Bucket(settings) if settings.documents_url else Folder(settings.home / "documents")


async def verified(store: Store, sha256: str) -> AsyncIterator[bytes]:
    """The bytes of a hash; its last part is held back until all of them are known to be those that were handed in."""
    digest, held = hashlib.sha256(), b""
    async for part in store.chunks(sha256):
        digest.update(part)
        if held:
            yield held
        held = part
    if digest.hexdigest() != sha256:
        raise DamagedStoreError(
            f"The bytes of {sha256[:12]}… in the store are not those that were handed in.",
            "The administrator restores the store of documents from its backup.",
            value=sha256,
        )
    yield held


async def whole(store: Store, sha256: str) -> bytes:
    """All bytes of a hash, verified; for files of known bounds."""
    return b"".join([part async for part in verified(store, sha256)])


async def keep_bytes(settings: Settings, data: bytes) -> str:
    """Keep bytes that were made here; returns their SHA-256."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = incoming(settings)
    await asyncio.to_thread(path.write_bytes, data)
    try:
        await store_of(settings).keep(path, sha256)
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    return sha256


def incoming(settings: Settings) -> Path:
    """A new path for a file on its way into the store, on the disk of the folder store."""
    folder = _incoming(settings)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / secrets.token_hex(16)


def _incoming(settings: Settings) -> Path:
    return settings.home / "documents" / "incoming"


def sweep(settings: Settings) -> int:
    """Delete what a process that died left on the way into the store: files that nobody has written to for a day.

    No row names such a file; what is in the store is never touched. Returns the number deleted.
    """
    oldest, deleted = time.time() - _LEFT, 0
    folder = _incoming(settings)
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            if path.is_file() and path.stat().st_mtime < oldest:
                path.unlink()
                deleted += 1
        except FileNotFoundError:
            continue
    return deleted
