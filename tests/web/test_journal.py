"""The journal's pages: one's own, the region's, the filter, and an excerpt that the stand-alone script proves."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from accounts import verify_excerpt
from accounts.action import Action
from accounts.journal import Entry, enter
from accounts.person import Duty, Person
from accounts.roots import seal
from geo.access import Caller
from geo.settings import Settings
from tests.conftest import client_of

INN = "7707083893"
OWNER = Person(501, "Ольга", status="confirmed")
OWNER_CALLER = Caller(account=501, rank=1, inns=(INN,))
AUDITOR = Person(502, "Андрей", status="confirmed", duties=(Duty("inspector", "54", "Управление"),))


@pytest.fixture
def told(settings: Settings, owner: psycopg.Connection[Any]) -> None:
    """Entries of his own, about his party's things, and of another region."""
    enter(
        owner, Entry(Action.log_in, 501, 501, "session", 1, address="10.0.0.1", details={"device": "mine-1"})
    )
    enter(owner, Entry(Action.view, 502, None, "leases", 7, "54", INN, "10.9.9.9", {"device": "viewed-2"}))
    enter(owner, Entry(Action.change, None, None, "leases", 7, "54", INN, "", {"device": "changed-3"}))
    enter(owner, Entry(Action.change, None, None, "zones", 8, "70", "", "", {"device": "far-4"}))
    enter(owner, Entry(Action.listed, 501, None, "licences", details={"query": "a=1", "returned": 3}))


@pytest.mark.requirement("S-50", "S-52")
async def test_one_reads_what_concerns_oneself_and_the_office_its_region(
    settings: Settings, told: None
) -> None:
    async with client_of(settings, OWNER_CALLER, OWNER) as client:
        page = (await client.get("/profile/journal")).text
        assert all(mark in page for mark in ("mine-1", "viewed-2", "changed-3")) and "far-4" not in page
        assert "10.0.0.1" in page and "10.9.9.9" not in page, (
            "an inspector's address is not the owner's business"
        )
        chosen = (await client.get("/profile/journal?action=view&since=2020-01-01")).text
        assert "viewed-2" in chosen and "mine-1" not in chosen
        odd = await client.get("/profile/journal?action=x&since=yesterday&page=-1&until='--&account=1;")
        assert odd.status_code == 200 and "mine-1" in odd.text
        assert (await client.get("/office/journal")).status_code == 403
    async with client_of(settings, AUDITOR.caller(), AUDITOR) as client:
        page = (await client.get("/office/journal")).text
        assert "viewed-2" in page and "10.9.9.9" in page and "far-4" not in page and "mine-1" not in page
        again = (await client.get("/office/journal?action=journal-read&lang=en")).text
        assert "Reading of the journal" in again, "that it was read is an entry"
    async with client_of(settings, Caller(), None) as client:
        assert (await client.get("/profile/journal")).status_code == 401


@pytest.mark.requirement("S-53", "N-37")
async def test_an_excerpt_is_proven_by_the_script_alone(
    settings: Settings, told: None, owner: psycopg.Connection[Any], tmp_path: Path
) -> None:
    with psycopg.connect(settings.database_url) as connection:
        root = seal(connection, "2026-11-22", tmp_path)
    async with client_of(settings, OWNER_CALLER, OWNER) as client:
        answer = await client.get("/profile/journal/excerpt")
    file = tmp_path / "journal.jsonl"
    file.write_bytes(answer.content)
    entries = [json.loads(line) for line in answer.text.splitlines()[1:]]
    marks = {json.loads(e["details"]).get("device") for e in entries}
    assert {"mine-1", "changed-3"} <= marks and not {"viewed-2", "far-4"} & marks
    script = str(Path(verify_excerpt.__file__))
    command = [sys.executable, "-I", script, str(file), str(tmp_path / f"{root.name}.json")]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert "0 faults" in done.stdout and done.returncode in (0, 2), done.stdout
    file.write_text(answer.text.replace("mine-1", "mine-2"), "utf-8")
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
