"""The virus scanner: clamd's INSTREAM. Where one is configured and does not answer, nothing is taken in."""

import asyncio
import struct
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cases.documents.errors import ScannerError, refused
from geo.settings import Settings

_CHUNK = 1 << 16


async def scan(settings: Settings, path: Path, name: str) -> str:
    """``clean``, or ``not_scanned`` where no scanner is configured.

    FileRefusedError for a virus; ScannerError where the scanner is down, slow or answers something else.
    """
    if not settings.scanner_url:
        return "not_scanned"
    try:
        async with asyncio.timeout(settings.scanner_seconds):
            answer = await _asked(settings.scanner_url, path)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as err:
        raise ScannerError(
            f"The virus scanner does not answer ({type(err).__name__}): the file was not taken.",
            "Try again in a few minutes; the administrator starts the scanner, or corrects MEZHA_SCANNER_URL.",
            field="file",
        ) from err
    if answer.endswith("OK"):
        return "clean"
    if answer.endswith("FOUND"):
        signature = answer.removeprefix("stream:").removesuffix("FOUND").strip()
        raise refused("virus", name=name, signature=signature[:80])
    raise ScannerError(
        f"The virus scanner could not look into the file: {answer[:80]}.",
        "Raise StreamMaxLength of clamd, or send a smaller file.",
        field="file",
    )


async def _asked(url: str, path: Path) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        reader, writer = await asyncio.open_unix_connection(parts.path)
    elif parts.scheme == "tcp" and parts.hostname:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 3310)
    else:
        raise ValueError(url)
    try:
        writer.write(b"zINSTREAM\0")
        for part in _parts(path):
            writer.write(struct.pack("!I", len(part)) + part)
            await writer.drain()
        writer.write(struct.pack("!I", 0))
        await writer.drain()
        answer = await reader.readuntil(b"\0")
    finally:
        writer.close()
    return answer.rstrip(b"\0").decode("utf-8", "replace").strip()


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while part := stream.read(_CHUNK):
            yield part
