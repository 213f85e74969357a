"""Reading a document: journalled first, its bytes verified, its headers such that it can do nothing to the reader."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from cases import record
from cases.desk import Actor, Desk
from cases.documents import shelf, store
from cases.documents.shelf import Document
from cases.file_format import INLINE, Format
from geo.db import Database

# Nothing in a document is loaded, framed or run as part of our site. Chromium shows no PDF in a sandbox at all; there
# the other rules hold, and scripts were refused when it was attached.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; object-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Reading:
    """A document with the bytes and headers of its answer."""

    document: Document
    headers: Mapping[str, str]
    media: str
    chunks: AsyncIterator[bytes]


async def read(
    database: Database,
    desk: Desk,
    actor: Actor,
    case_id: int,
    *,
    document: int,
    download: bool,
    address: str = "",
) -> Reading:
    """Open a document for somebody who may see it; DamagedStoreError where its bytes are not there any more."""
    async with database.transaction(actor.caller) as connection:
        case = await record.load(connection, case_id)
        found = await shelf.opened(connection, actor, case, document, download=download, address=address)
    parts = store.verified(store.store_of(desk.installation), found.sha256)
    first = await anext(parts)

    async def chunks() -> AsyncIterator[bytes]:
        yield first
        async for part in parts:
            yield part

    return Reading(found, headers(found, download=download), _media(found), chunks())


def _media(document: Document) -> str:
    return "text/plain; charset=utf-8" if document.format == Format.xml else document.media


def headers(document: Document, *, download: bool) -> dict[str, str]:
    """Headers of a document; what no browser shows by itself is always a download."""
    inline = not download and document.format in INLINE
    plain = "".join(c if (c.isascii() and c.isalnum()) or c in "-_." else "_" for c in document.name)
    policy = _POLICY if document.format == Format.pdf else f"{_POLICY}; sandbox"
    return {
        "content-disposition": f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(document.name)}",
        "content-length": str(document.size),
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "etag": f'"{document.sha256}"',
    }
