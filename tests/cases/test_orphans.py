"""Orphans: what no row names goes after a week; what a row names, or somebody is handing in, never does."""

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import psycopg
import pytest

from cases.desk import Desk
from cases.documents import orphans, shelf, store
from cases.documents.errors import DamagedStoreError
from cases.record import Case, load
from geo.db import Database
from geo.settings import Settings
from tests.cases import papers
from tests.cases.region import APPLICANT, OFFICER, Region, act, lodged
from tests.cases.test_documents import attach

LATER = timedelta(days=8)


def _place(settings: Settings, sha256: str) -> Path:
    return settings.home / "documents" / sha256[:2] / sha256[2:4] / sha256


def _age(settings: Settings, sha256: str, days: float) -> None:
    then = datetime.now(UTC).timestamp() - days * 86_400
    os.utime(_place(settings, sha256), (then, then))


async def test_what_no_row_names_goes_and_what_one_names_stays(
    writer: Database, desk: Desk, region: Region, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    case: Case = await lodged(writer, desk, region, corners=(83.011, 55.031, 83.014, 55.033))
    case = await act(writer, desk, OFFICER, "ask_correction", case.id, reason="Приложите план")
    mine, gone = [
        await attach(writer, desk, case.id, papers.pdf(note=text), dated=date(2026, 1, 1))
        for text in ("mine", "gone")
    ]
    async with writer.transaction(APPLICANT.caller) as connection:
        await shelf.remove(connection, APPLICANT, await load(connection, case.id, lock=True), gone)
    old, young = [await store.keep_bytes(settings, os.urandom(64)) for _ in range(2)]
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        # A paper of the office that it does not show: the clock itself may not see it.
        hidden = await store.keep_bytes(settings, os.urandom(64))
        owner.execute("ALTER TABLE cases.documents DISABLE TRIGGER attached")
        owner.execute(
            "INSERT INTO cases.documents (case_id, series, version, side, kind, name, format, size, sha256, shared)"
            " VALUES (%s, 90, 1, 'officer', 'office', 'a.pdf', 'pdf', 64, %s, false)",
            [case.id, hidden],
        )
        owner.execute("ALTER TABLE cases.documents ENABLE TRIGGER attached")
    for sha256, days in ((mine.sha256, 30), (gone.sha256, 30), (hidden, 30), (old, 8), (young, 6)):
        _age(settings, sha256, days)
    assert await orphans.sweep(settings) == 1
    assert "removed 1 files" in caplog.text
    assert not _place(settings, old).exists()
    for kept in (mine.sha256, gone.sha256, hidden, young):
        assert await store.whole(store.store_of(settings), kept)
    assert await orphans.sweep(settings) == 0


async def test_bytes_that_somebody_hands_in_again_are_young_again(settings: Settings) -> None:
    data = os.urandom(64)
    sha256 = await store.keep_bytes(settings, data)
    _age(settings, sha256, 30)
    assert await store.keep_bytes(settings, data) == sha256
    assert await orphans.sweep(settings) == 0
    assert await store.whole(store.store_of(settings), sha256) == data


async def test_bytes_that_come_again_while_the_sweep_looks_at_them_stay(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(64)
    sha256 = await store.keep_bytes(settings, data)
    _age(settings, sha256, 30)

    def asked(_: Settings, old: Sequence[str]) -> set[str]:
        asyncio.run(store.keep_bytes(settings, data))
        return set(old) - {sha256}

    monkeypatch.setattr(orphans, "_named", asked)
    assert await orphans.sweep(settings) == 0
    assert await store.whole(store.store_of(settings), sha256) == data


async def test_what_a_sweep_that_died_put_aside_comes_back(settings: Settings) -> None:
    sha256 = await store.keep_bytes(settings, b"put aside")
    place = _place(settings, sha256)
    place.rename(place.with_name(f"{place.name}.aside"))
    assert await orphans.sweep(settings) == 0
    assert await store.whole(store.store_of(settings), sha256) == b"put aside"


class Shelves:
    """As much of an S3-compatible store as the sweep needs: put, get, list, delete; each object with its age."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[bytes, datetime]] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        (method, target, _), *lines = (line.split(" ", 2) for line in head.strip().split("\r\n"))
        fields = {name.lower(): " ".join(rest) for name, *rest in lines}
        path, body, status, at = urlsplit(target).path, b"", "200 OK", datetime.now(UTC)
        if method == "PUT":
            self.held[path] = (await reader.readexactly(int(fields["content-length:"])), at)
        elif method == "POST":
            body = self._delete((await reader.readexactly(int(fields["content-length:"]))).decode())
        elif "list-type" in urlsplit(target).query:
            body = self._list()
        elif path not in self.held:
            status = "404 Not Found"
        else:
            body, at = self.held[path]
        length = len(body)
        told = f'Content-Length: {length}\r\nETag: "1"\r\nLast-Modified: {format_datetime(at, usegmt=True)}\r\nConnection: close'
        writer.write(f"HTTP/1.1 {status}\r\n{told}\r\n\r\n".encode() + (b"" if method == "HEAD" else body))
        await writer.drain()
        writer.close()

    def _delete(self, wanted: str) -> bytes:
        keys = re.findall("<Key>(.+?)</Key>", wanted)
        for key in keys:
            del self.held[f"/papers/{key}"]
        told = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        return f"<DeleteResult>{told}</DeleteResult>".encode()

    def _list(self) -> bytes:
        found = "".join(
            f"<Contents><Key>{escape(path.removeprefix('/papers/'))}</Key><LastModified>{at:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>1</ETag><Size>{len(body)}</Size></Contents>"
            for path, (body, at) in sorted(self.held.items())
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()


@asynccontextmanager
async def _bucket(settings: Settings) -> AsyncIterator[tuple[Shelves, Settings]]:
    shelves = Shelves()
    async with await asyncio.start_server(shelves.answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield (
            shelves,
            settings.model_copy(
                update={
                    "documents_url": "s3://papers/region54",
                    "s3_endpoint": f"http://127.0.0.1:{port}",
                    "s3_key": "key",
                    "s3_secret": "secret",
                }
            ),
        )


async def test_a_bucket_is_swept_as_a_folder_is(
    writer: Database, desk: Desk, region: Region, settings: Settings
) -> None:
    case: Case = await lodged(writer, desk, region, corners=(83.015, 55.031, 83.018, 55.033))
    case = await act(writer, desk, OFFICER, "ask_correction", case.id, reason="Приложите план")
    data = papers.pdf(note="in a bucket")
    named = await attach(writer, desk, case.id, data, dated=date(2026, 1, 1))
    async with _bucket(settings) as (shelves, remote):
        assert await store.keep_bytes(remote, data) == named.sha256
        old, young = [await store.keep_bytes(remote, text) for text in (b"old", b"young")]
        assert old == hashlib.sha256(b"old").hexdigest()
        for path, (body, at) in shelves.held.items():
            if not path.endswith(young):
                shelves.held[path] = (body, at - LATER)
        assert await orphans.sweep(remote) == 1
        assert sorted(p.rpartition("/")[2] for p in shelves.held) == sorted([named.sha256, young])
        bucket = store.store_of(remote)
        with pytest.raises(DamagedStoreError):
            await store.whole(bucket, old)
        assert not await bucket.remove(young, datetime.now(UTC) - orphans.GRACE), "kept again meanwhile"
        assert not await bucket.remove(old, datetime.now(UTC))
