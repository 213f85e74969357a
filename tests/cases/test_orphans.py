"""Orphans: what no row names goes after a week; what a row names, or somebody is handing in, never does."""

import asyncio
import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from cases.desk import Desk
from cases.documents import orphans, shelf, store
from cases.documents.errors import DamagedStoreError
from cases.record import Case, load
from geo.db import Database
from geo.settings import Settings
from tests.cases import papers
from tests.cases.bucket import bucket_of
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


async def test_a_bucket_is_swept_as_a_folder_is(
    writer: Database, desk: Desk, region: Region, settings: Settings
) -> None:
    case: Case = await lodged(writer, desk, region, corners=(83.015, 55.031, 83.018, 55.033))
    case = await act(writer, desk, OFFICER, "ask_correction", case.id, reason="Приложите план")
    data = papers.pdf(note="in a bucket")
    named = await attach(writer, desk, case.id, data, dated=date(2026, 1, 1))
    async with bucket_of(settings) as (shelves, remote):
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
