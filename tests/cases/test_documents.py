"""Documents: what is taken in and how it is kept, and everything that is refused, each by its name."""

import asyncio
import hashlib
import struct
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from cases import record
from cases.desk import Actor, Desk
from cases.documents import intake, reading, shelf, store
from cases.documents.errors import (
    DamagedStoreError,
    DocumentsClosedError,
    FileRefusedError,
    ScannerError,
    TooManyDocumentsError,
    UnknownDocumentError,
)
from cases.documents.shelf import Document, Offer
from cases.errors import IncompleteError, UnknownCaseError
from cases.record import Case
from geo.db import Database
from geo.errors import ParameterError
from geo.settings import Settings
from tests.cases import papers
from tests.cases.bucket import bucket_of
from tests.cases.region import APPLICANT, FOREIGN, OFFICER, RIVAL, Region, act, declaration, lodged


async def parts_of(data: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    """Bytes as they come from a network."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def attach(
    writer: Database, desk: Desk, case: int, data: bytes, *, actor: Actor = APPLICANT, **offer: Any
) -> Document:
    """Attach bytes as a plan of the cutting area, unless it is said otherwise."""
    wanted = Offer(**{"kind": "plan", "name": "план.pdf"} | offer)
    return await intake.take(writer, desk, actor, case, offer=wanted, chunks=parts_of(data))


@pytest.fixture
async def draft(writer: Database, desk: Desk, region: Region) -> Case:
    """A complete declaration."""
    return await declaration(writer, desk, region, volume_m3=1)


@pytest.fixture
async def extension(writer: Database, desk: Desk, region: Region) -> Case:
    """A draft of a licence extension, which wants a copy of the licence."""
    from cases import drafts

    async with writer.transaction(APPLICANT.caller) as connection:
        return await drafts.create(
            connection,
            desk,
            APPLICANT,
            "licence-extension",
            inn=APPLICANT.caller.inns[0],
            subject_id=region.licence,
        )


@pytest.mark.requirement("N-08", "C-90")
async def test_a_document_is_kept_as_it_came(
    writer: Database, desk: Desk, draft: Case, settings: Settings, owner: psycopg.Connection[Any]
) -> None:
    data = papers.pdf(pages=3)
    made = await attach(writer, desk, draft.id, data, name="C:\\Мои документы\\план\u202efdp.pdf")
    assert (made.name, made.format, made.facts["pages"], made.version) == ("планfdp.pdf", "pdf", 3, 1)
    assert made.sha256 == hashlib.sha256(data).hexdigest()
    assert made.scan == "not_scanned"
    found = await reading.read(writer, desk, APPLICANT, draft.id, document=made.id, download=False)
    assert b"".join([p async for p in found.chunks]) == data
    kept = settings.home / "documents" / made.sha256[:2] / made.sha256[2:4] / made.sha256
    assert kept.stat().st_mode & 0o777 == 0o400
    assert not list((settings.home / "documents" / "incoming").iterdir())
    rows = owner.execute(
        "SELECT action, account, inn FROM journal.entries WHERE subject = 'cases.documents' AND object = %s ORDER BY at",
        [made.id],
    ).fetchall()
    assert rows == [("upload", 11, "5406000001"), ("view", 11, "5406000001")]


async def test_a_new_version_stands_beside_the_old(writer: Database, desk: Desk, draft: Case) -> None:
    first = await attach(writer, desk, draft.id, papers.pdf())
    second = await attach(writer, desk, draft.id, papers.pdf(pages=2), replaces=first.id)
    assert (second.series, second.version) == (first.series, 2)
    async with writer.transaction(APPLICANT.caller) as connection:
        everything = await shelf.of_case(connection, draft.id)
        newest = await shelf.current(connection, draft.id)
    assert [(d.version, d.newest) for d in everything] == [(1, False), (2, True)]
    assert [d.id for d in newest] == [second.id]
    with pytest.raises(ParameterError, match="kind"):
        await attach(writer, desk, draft.id, papers.pdf(), kind="permit", replaces=first.id)


LIES = [
    ("план.pdf", papers.picture(), "lies"),
    ("фото.jpg", papers.pdf(), "lies"),
    ("план.pdf", b"MZ\x90\0program", "lies"),
    ("план.pdf", b"<html><script>alert(1)</script></html>", "lies"),
    ("письмо.docx", papers.package({"a.txt": b"a"}), "lies"),
    ("программа.exe", b"MZ\x90\0program", "unknown"),
    ("план.pdf", papers.encrypted_pdf(), "encrypted"),
    ("письмо.docx", papers.sealed_docx(), "encrypted"),
    ("старое.doc", papers.OLE + b"\0" * 600, "unknown"),
    ("план.pdf", papers.running_pdf(), "macros"),
    ("письмо.docx", papers.docx(word__vbaProject_bin=b"x"), "macros"),
    ("план.pdf", papers.pdf()[:120], "damaged"),
    ("план.pdf", b"", "empty"),
    ("план.tiff", papers.picture("TIFF"), "format"),
    ("снимок.png", papers.picture("PNG")[:60], "damaged"),
]


@pytest.mark.parametrize(("name", "data", "fault"), LIES, ids=[f"{f}-{n}" for n, _, f in LIES])
async def test_what_is_not_sound_is_refused_by_name(
    writer: Database, desk: Desk, draft: Case, settings: Settings, *, name: str, data: bytes, fault: str
) -> None:
    kind = "permit" if name.endswith((".docx", ".doc")) else "plan"
    with pytest.raises(FileRefusedError) as caught:
        await attach(writer, desk, draft.id, data, name=name, kind=kind)
    assert caught.value.fault == fault
    assert name in caught.value.ru
    assert name in caught.value.en
    assert not list((settings.home / "documents" / "incoming").iterdir())


@pytest.mark.parametrize("kind", ["pdf", "zip"])
async def test_a_bomb_hurts_nobody(writer: Database, desk: Desk, draft: Case, *, kind: str) -> None:
    case = draft.id
    actor, name, data = APPLICANT, "план.pdf", b""
    if kind == "pdf":
        data = papers.pdf_bomb()
    else:
        data, name = papers.docx(word__media=b"\0" * (280 << 20)), "план.docx"
    with pytest.raises(FileRefusedError) as caught:
        await attach(
            writer, desk, case, data, actor=actor, name=name, kind="plan" if kind == "pdf" else "permit"
        )
    assert caught.value.fault == "bomb"
    assert len(data) < 2 << 20


async def test_a_stream_without_end_stops_at_its_limit(writer: Database, desk: Desk, draft: Case) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 20
            yield b"%PDF-" + b"\0" * ((1 << 20) - 5)

    with pytest.raises(FileRefusedError) as caught:
        await intake.take(
            writer, desk, APPLICANT, draft.id, offer=Offer("plan", "план.pdf"), chunks=endless()
        )
    assert caught.value.fault == "too-big"
    assert sent <= 11 << 20


@pytest.mark.requirement("C-91", "S-14")
async def test_scans_must_be_fine_enough(writer: Database, desk: Desk, extension: Case) -> None:
    for name, data in (
        ("копия.pdf", papers.scan_pdf(150)),
        ("копия.jpg", papers.picture(dpi=200)),
        ("копия.jpg", papers.picture(dpi=None)),
    ):
        with pytest.raises(FileRefusedError) as caught:
            await attach(writer, desk, extension.id, data, kind="licence_copy", name=name)
        assert caught.value.fault == "low-dpi"
    made = await attach(
        writer, desk, extension.id, papers.scan_pdf(300), kind="licence_copy", name="копия.pdf"
    )
    assert 299 <= made.facts["dpi"] <= 301
    await attach(writer, desk, extension.id, papers.pdf(), kind="licence_copy", name="копия.pdf")


@pytest.mark.requirement("S-13", "S-16")
async def test_papers_must_be_fresh(writer: Database, desk: Desk, extension: Case) -> None:
    wanted = {"kind": "rights_application", "name": "заявление.pdf"}
    for dated, fault in (
        (None, "no-date"),
        (desk.today() - timedelta(31), "too-old"),
        (desk.today() + timedelta(1), "future"),
    ):
        with pytest.raises(FileRefusedError) as caught:
            await attach(writer, desk, extension.id, papers.pdf(), dated=dated, **wanted)
        assert caught.value.fault == fault
    made = await attach(
        writer, desk, extension.id, papers.pdf(), dated=desk.today() - timedelta(30), **wanted
    )
    assert made.dated == desk.today() - timedelta(30)


@pytest.mark.requirement("S-14", "C-97")
async def test_a_submission_lacks_what_its_service_wants(
    writer: Database, desk: Desk, extension: Case, owner: psycopg.Connection[Any]
) -> None:
    with pytest.raises(IncompleteError) as caught:
        await act(writer, desk, APPLICANT, "submit", extension.id)
    found = {p["field"]: p["code"] for p in caught.value.problems}
    assert found["files.licence_copy"] == "required"
    # A code is not enough where the service wants a qualified signature.
    assert found["signature"] == "required"
    await attach(
        writer, desk, extension.id, papers.pdf(), kind="rights_application", name="a.pdf", dated=desk.today()
    )
    with pytest.raises(IncompleteError) as caught:
        await act(writer, desk, APPLICANT, "submit", extension.id)
    assert {p["field"]: p["code"] for p in caught.value.problems}["files.rights_application"] == "unsigned"


@pytest.mark.requirement("C-97")
async def test_what_changes_after_the_signature_must_be_signed_again(
    writer: Database, desk: Desk, draft: Case
) -> None:
    from cases import service
    from tests.cases.region import sign

    async def submit() -> Case:
        async with writer.transaction(APPLICANT.caller) as connection:
            return await service.submit(connection, desk, APPLICANT, draft.id)

    with pytest.raises(IncompleteError) as caught:
        await submit()
    assert [p["code"] for p in caught.value.problems] == ["required"]
    await sign(writer, APPLICANT, draft.id)
    paper = await attach(writer, desk, draft.id, papers.pdf())
    with pytest.raises(IncompleteError) as caught:
        await submit()
    assert [p["code"] for p in caught.value.problems] == ["signed-otherwise"]
    await sign(writer, APPLICANT, draft.id)
    case = await submit()
    assert case.state == "submitted"
    # What was submitted cannot be taken away any more.
    with pytest.raises(DocumentsClosedError):
        await attach(writer, desk, case.id, papers.pdf())
    with pytest.raises(DocumentsClosedError):
        async with writer.transaction(APPLICANT.caller) as connection:
            await shelf.remove(connection, APPLICANT, case, paper)


@pytest.mark.requirement("C-90")
async def test_ten_thousand_attachments_are_refused_by_count(
    writer: Database, desk: Desk, draft: Case
) -> None:
    data = papers.pdf()
    done = await asyncio.gather(
        *(attach(writer, desk, draft.id, data) for _ in range(12)), return_exceptions=True
    )
    assert sum(isinstance(d, Document) for d in done) == 5
    assert all(isinstance(d, Document | TooManyDocumentsError) for d in done)
    # Versions count too.
    low = Desk.of(desk.installation.model_copy(update={"case_documents": 6}))
    first = next(d for d in done if isinstance(d, Document))
    second = await attach(writer, low, draft.id, data, replaces=first.id)
    with pytest.raises(TooManyDocumentsError):
        await attach(writer, low, draft.id, data, replaces=second.id)


async def test_the_office_keeps_its_papers_until_it_shares_them(
    writer: Database, desk: Desk, region: Region
) -> None:
    case = await lodged(writer, desk, region, corners=(83.03, 55.02, 83.035, 55.025), volume_m3=1)
    note = await attach(
        writer, desk, case.id, papers.pdf(), actor=OFFICER, kind="office", name="справка.pdf", shared=False
    )
    assert note.side == "officer"

    async def seen(actor: Actor) -> list[int]:
        async with writer.transaction(actor.caller) as connection:
            return [d.id for d in await shelf.of_case(connection, case.id)]

    assert await seen(OFFICER) == [note.id]
    assert await seen(APPLICANT) == []
    with pytest.raises(UnknownDocumentError):
        await reading.read(writer, desk, APPLICANT, case.id, document=note.id, download=False)
    with pytest.raises(UnknownDocumentError):
        async with writer.transaction(APPLICANT.caller) as connection:
            await shelf.one(connection, case.id, note.id)
    async with writer.transaction(OFFICER.caller) as connection:
        await shelf.share(connection, OFFICER, case, note)
    assert await seen(APPLICANT) == [note.id]
    with pytest.raises(DBAPIError, match="as they were handed in"):
        async with writer.transaction(OFFICER.caller) as connection:
            from sqlalchemy import text

            await connection.execute(
                text("UPDATE cases.documents SET shared = false WHERE id = :id"), {"id": note.id}
            )


async def test_strangers_know_of_no_document(writer: Database, desk: Desk, draft: Case) -> None:
    made = await attach(writer, desk, draft.id, papers.pdf())
    for actor in (RIVAL, FOREIGN, OFFICER):  # an officer sees no drafts
        with pytest.raises(UnknownCaseError):
            await reading.read(writer, desk, actor, draft.id, document=made.id, download=True)
        with pytest.raises(UnknownCaseError):
            await attach(writer, desk, draft.id, papers.pdf(), actor=actor)
        async with writer.transaction(actor.caller) as connection:
            assert not await shelf.of_case(connection, draft.id)
    with pytest.raises(ParameterError, match="office"):
        await attach(writer, desk, draft.id, papers.pdf(), kind="office")


def test_headers_let_a_document_do_nothing() -> None:
    document = Document(
        1,
        1,
        1,
        1,
        "applicant",
        "plan",
        'п"лан\r\n.pdf',
        "pdf",
        5,
        "a" * 64,
        None,
        {},
        "clean",
        True,
        1,
        None,  # type: ignore[arg-type]
    )
    shown = reading.headers(document, download=False)
    assert (
        shown["content-disposition"].startswith('inline; filename="________.pdf"')
        or "inline" in shown["content-disposition"]
    )
    assert "\r" not in shown["content-disposition"]
    assert shown["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in shown["content-security-policy"]
    assert "frame-ancestors 'none'" in shown["content-security-policy"]
    picture = Document(**{**vars(document), "format": "png"})
    assert reading.headers(picture, download=False)["content-security-policy"].endswith("sandbox")
    office = Document(**{**vars(document), "format": "docx"})
    assert reading.headers(office, download=False)["content-disposition"].startswith("attachment")


async def test_bytes_that_rotted_are_not_handed_out(
    writer: Database, desk: Desk, draft: Case, settings: Settings
) -> None:
    data = papers.picture(size=(1500, 1500), dpi=300) + b"\0" * (3 << 20)
    made = await attach(writer, desk, draft.id, data, name="фото.jpg")
    path = settings.home / "documents" / made.sha256[:2] / made.sha256[2:4] / made.sha256
    path.chmod(0o600)
    rotten = bytearray(data)
    rotten[-1] ^= 1
    path.write_bytes(rotten)
    found = await reading.read(writer, desk, APPLICANT, draft.id, document=made.id, download=True)
    with pytest.raises(DamagedStoreError):
        async for _ in found.chunks:
            pass
    path.unlink()
    with pytest.raises(DamagedStoreError):
        await reading.read(writer, desk, APPLICANT, draft.id, document=made.id, download=True)


class Clamd:
    """A clamd that answers as it is told."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer, self.received = answer, b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        while size := struct.unpack("!I", await reader.readexactly(4))[0]:
            self.received += await reader.readexactly(size)
        if self.answer:
            writer.write(self.answer)
            await writer.drain()
        writer.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"stream: OK\0", None),
        (b"stream: Eicar-Signature FOUND\0", FileRefusedError),
        (b"INSTREAM size limit exceeded. ERROR\0", ScannerError),
        (None, ScannerError),
    ],
)
async def test_the_scanner_has_the_last_word(
    writer: Database,
    desk: Desk,
    draft: Case,
    tmp_path: Path,
    *,
    answer: bytes | None,
    error: type[Exception] | None,
) -> None:
    path, clamd, data = tmp_path / "clamd", Clamd(answer), papers.pdf()
    strict = Desk.of(desk.installation.model_copy(update={"scanner_url": f"unix://{path}"}))
    with pytest.raises(ScannerError):  # it is configured and is not there: nothing is taken in
        await attach(writer, strict, draft.id, data)
    async with await asyncio.start_unix_server(clamd, path):
        if error is None:
            assert (await attach(writer, strict, draft.id, data)).scan == "clean"
        else:
            with pytest.raises(error):
                await attach(writer, strict, draft.id, data)
    assert clamd.received == data


async def test_a_bucket_keeps_the_same_bytes(settings: Settings, tmp_path: Path) -> None:
    async with bucket_of(settings) as (shelves, remote):
        bucket, data, path = store.store_of(remote), papers.pdf(), tmp_path / "a"
        sha256 = hashlib.sha256(data).hexdigest()
        path.write_bytes(data)
        await bucket.keep(path, sha256)
        assert list(shelves.held) == [f"/papers/region54/{sha256[:2]}/{sha256[2:4]}/{sha256}"]
        assert await store.whole(bucket, sha256) == data
        with pytest.raises(DamagedStoreError):
            await store.whole(bucket, "0" * 64)


async def test_rows_of_documents_are_kept(
    writer: Database, desk: Desk, draft: Case, owner: psycopg.Connection[Any]
) -> None:
    made = await attach(writer, desk, draft.id, papers.pdf(), dated=date(2026, 1, 1))
    for statement in (
        "UPDATE cases.documents SET sha256 = repeat('0', 64) WHERE id = %s",
        "DELETE FROM cases.documents WHERE id = %s",
    ):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            owner.execute(statement, [made.id])
    async with writer.transaction(APPLICANT.caller) as connection:
        case = await record.load(connection, draft.id, lock=True)
        await shelf.remove(connection, APPLICANT, case, made)
    async with writer.transaction(APPLICANT.caller) as connection:
        assert not await shelf.current(connection, draft.id)
