"""Taking a file in: streamed to the disk in bounds, looked into, scanned, kept, then put on the shelf of its case."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from cases import record
from cases.desk import Actor, Desk
from cases.documents import examination, scanner, shelf, store
from cases.documents.errors import refused
from cases.documents.shelf import Document, Kept, Offer
from cases.file_format import Format
from cases.record import Case
from cases.service_definition import FileKind, ServiceDefinition
from geo.db import Database
from geo.settings import Settings


async def take(
    database: Database, desk: Desk, actor: Actor, case_id: int, *, offer: Offer, chunks: AsyncIterator[bytes]
) -> Document:
    """Attach a file to a case; no connection is held while it comes in, and nothing is kept of what is refused.

    FileRefusedError, TooManyDocumentsError, DocumentsClosedError, ScannerError say why it was not taken.
    """
    settings = desk.installation
    async with database.transaction(actor.caller) as connection:
        case = await record.load(connection, case_id)
        kind, offer = _known(desk, actor, case, offer, await record.definition_of(connection, desk, case))
        await shelf.check_room(connection, case, kind, offer, settings.case_documents)
    path = await asyncio.to_thread(store.incoming, settings)
    try:
        size, sha256 = await _received(path, kind, offer.name, chunks)
        kept = await _looked_into(settings, path, kind, offer, size=size, sha256=sha256)
        await store.store_of(settings).keep(path, sha256)
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    async with database.transaction(actor.caller) as connection:
        case = await record.load(connection, case_id, lock=True)
        shelf.check_open(case, actor.role_in(case.party_inn, case.region))
        series = await shelf.check_room(connection, case, kind, offer, settings.case_documents)
        return await shelf.add(connection, actor, case, offer, kept, series=series)


def _known(
    desk: Desk, actor: Actor, case: Case, offer: Offer, service: ServiceDefinition
) -> tuple[FileKind, Offer]:
    """The kind of what is offered, and the offer with a clean name; refused before a byte is read where it can be."""
    role = shelf.check_open(case, actor.role_in(case.party_inn, case.region))
    kind = shelf.kind_of(service, role, offer.kind)
    offer = replace(
        offer, name=shelf.cleaned(offer.name, kind.formats), shared=offer.shared or role == "applicant"
    )
    if kind.max_age_days and offer.dated is None:
        raise refused("no-date", name=offer.name)
    if offer.dated and offer.dated > desk.today():
        raise refused("future", name=offer.name, dated=f"{offer.dated:%d.%m.%Y}")
    if kind.max_age_days and offer.dated and (desk.today() - offer.dated).days > kind.max_age_days:
        raise refused("too-old", name=offer.name, dated=f"{offer.dated:%d.%m.%Y}", days=kind.max_age_days)
    return kind, offer


async def _received(path: Path, kind: FileKind, name: str, chunks: AsyncIterator[bytes]) -> tuple[int, str]:
    """Write what comes in to the disk, a piece at a time; returns its size and SHA-256."""
    most, size, digest = int(kind.max_mb * (1 << 20)), 0, hashlib.sha256()
    with await asyncio.to_thread(path.open, "xb") as stream:
        async for part in chunks:
            size += len(part)
            if size > most:
                raise refused("too-big", name=name, limit=f"{kind.max_mb:g}")
            digest.update(part)
            await asyncio.to_thread(stream.write, part)
    if not size:
        raise refused("empty", name=name)
    return size, digest.hexdigest()


async def _looked_into(
    settings: Settings, path: Path, kind: FileKind, offer: Offer, *, size: int, sha256: str
) -> Kept:
    found = await examination.examine(path, offer.name)
    if found.format not in kind.formats:
        allowed = ", ".join(f.upper() for f in kind.formats)
        raise refused("format", name=offer.name, found=found.format.upper(), allowed=allowed)
    check_resolution(kind, offer.name, found.facts.get("dpi"), found.format)
    scan = await scanner.scan(settings, path, offer.name)
    return Kept(found.format, found.facts, size, sha256, scan)


def check_resolution(kind: FileKind, name: str, dpi: int | None, found: Format) -> None:
    """A scan must be fine enough (S-14); a PDF without scans has no resolution to be measured."""
    if kind.min_dpi is None or (dpi is None and found == Format.pdf):
        return
    # Scanners write 299 where they mean 300.
    if (dpi or 0) < kind.min_dpi * 0.99:
        raise refused("low-dpi", name=name, dpi=dpi or 0, least=kind.min_dpi)
