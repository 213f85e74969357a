"""Roots and excerpts: what outsiders need to check the journal by themselves."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from accounts import verify_excerpt
from accounts.action import Action
from accounts.excerpt import write
from accounts.journal import Entry, Question, enter
from accounts.merkle import Accumulator, Tree
from accounts.roots import folder, published, seal, seal_yesterday, yesterday
from api.cli import app
from geo.settings import Settings

SCRIPT = Path(verify_excerpt.__file__)


def fill(settings: Settings, count: int) -> None:
    """Entries in several strands: each connection writes its own."""
    for first in range(0, count, 3):
        with psycopg.connect(settings.registrar_database_url) as connection:
            for number in range(first, min(first + 3, count)):
                enter(
                    connection,
                    Entry(Action.view, account=number, subject="licences", details={"é\u2028": [number]}),
                )


@pytest.fixture(scope="module")
def settings(new_database: Callable[[], Settings]) -> Settings:
    """A journal under two roots, with five entries that lie under none."""
    made = new_database()
    with psycopg.connect(made.registrar_database_url) as connection:
        for count in (7, 10):
            fill(made, count)
            seal(connection, "2026-11-21", folder(made.home))
    fill(made, 5)
    return made


@pytest.fixture(scope="module")
async def excerpt(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("excerpt") / "excerpt.jsonl"
    assert await write(settings.database_url, Question(), file) == 22
    return file


def roots_of(settings: Settings) -> list[Path]:
    return sorted(folder(settings.home).glob("*.json"))


def check(excerpt: Path, *roots: Path) -> subprocess.CompletedProcess[str]:
    """Run the verifier as an outsider would: one file, isolated from everything installed."""
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(excerpt), *map(str, roots)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@given(st.integers(1, 70), st.data())
def test_a_path_leads_from_every_leaf_to_the_root(size: int, data: st.DataObject) -> None:
    leaves = [bytes([n]) * 32 for n in range(size)]
    tree, accumulator = Tree(leaves), Accumulator()
    for leaf in leaves:
        accumulator.add(leaf)
    assert accumulator.root() == tree.root
    index = data.draw(st.integers(0, size - 1))
    path = [sibling.hex() for sibling in tree.path(index)]
    assert verify_excerpt.climb(leaves[index], index, size, path) == tree.root
    assert verify_excerpt.climb(b"x" * 32, index, size, path) != tree.root
    assert verify_excerpt.climb(leaves[index], index, size, [*path, "00"]) != tree.root
    if path:
        assert verify_excerpt.climb(leaves[index], index, size, path[:-1]) != tree.root


@given(st.lists(st.integers(0, 2500), max_size=4))
def test_blocks_give_the_same_root_as_single_leaves(sizes: list[int]) -> None:
    accumulator = Accumulator()
    leaves: list[bytes] = []
    for size in sizes:
        more = [(len(leaves) + n).to_bytes(32) for n in range(size)]
        accumulator.extend(more)
        leaves += more
    assert accumulator.root() == Tree(leaves).root


def test_the_published_roots_name_each_other(settings: Settings) -> None:
    first, second = published(folder(settings.home))
    assert (first["name"], second["name"]) == ("2026-11-21", "2026-11-21.2")
    assert (first["entries"], second["entries"]) == (7, 10)
    assert second["previous"] == first["root"]


def test_an_excerpt_is_proven_by_the_published_roots_alone(settings: Settings, excerpt: Path) -> None:
    answer = check(excerpt, *roots_of(settings))
    assert (answer.returncode, answer.stdout) == (
        2,
        "17 entries proven, 0 faults, 5 under no root given here\n",
    )


def test_one_altered_byte_is_found_in_its_line(settings: Settings, excerpt: Path, tmp_path: Path) -> None:
    whole = excerpt.read_bytes()
    lines = whole.split(b"\n")
    begin = sum(len(line) + 1 for line in lines[:4])
    target = json.loads(lines[4])
    # A digit of the account, of the time, of the salt and of the path: each is one byte of line 5.
    for needle in (
        f'"account":{target["account"]}',
        target["at"].partition("+")[0],
        target["salt"],
        target["path"][0],
    ):
        position = whole.index(needle.encode(), begin) + len(needle) - 1
        changed = bytes([whole[position] ^ 1])
        copy = tmp_path / "altered.jsonl"
        copy.write_bytes(whole[:position] + changed + whole[position + 1 :])
        answer = check(copy, *roots_of(settings))
        assert answer.returncode == 1
        assert "ALTERED line 5:" in answer.stdout, (needle, answer.stdout)


def test_an_altered_root_is_found(settings: Settings, excerpt: Path, tmp_path: Path) -> None:
    document = json.loads(roots_of(settings)[0].read_text("utf-8"))
    for change in ({"entries": 8}, {"merkle": "00" * 32}, {"strands": {}}):
        copy = tmp_path / "root.json"
        copy.write_text(json.dumps(document | change), "utf-8")
        answer = check(excerpt, copy)
        assert answer.returncode == 1
        assert "ALTERED root 2026-11-21" in answer.stdout


def test_a_root_is_added_but_never_chosen(settings: Settings) -> None:
    forged = "SELECT journal.publish('x', now(), 0, '{}', '', '', 'other', '')"
    with (
        psycopg.connect(settings.registrar_database_url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.SerializationFailure),
    ):
        connection.execute(forged)


def test_the_worker_seals_each_ended_day_once(new_database: Callable[[], Settings]) -> None:
    settings = new_database()
    fill(settings, 2)
    place = folder(settings.home)
    with psycopg.connect(settings.registrar_database_url) as connection:
        root = seal_yesterday(connection, "Asia/Novosibirsk", place)
        assert root is not None
        assert root.name == yesterday("Asia/Novosibirsk")
        (place / f"{root.name}.json").unlink()
        assert seal_yesterday(connection, "Asia/Novosibirsk", place) is None
    assert [d["root"] for d in published(place)] == [root.digest.hex()]
    assert yesterday("Asia/Novosibirsk", datetime(2026, 11, 21, 17, 30, tzinfo=UTC)) == "2026-11-21"


def test_the_commands(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("database_url", "app_database_url", "registrar_database_url", "home"):
        monkeypatch.setenv(f"MEZHA_{name.upper()}", str(getattr(settings, name)))
    runner = CliRunner()
    whole = runner.invoke(app, ["journal", "verify"])
    assert (whole.exit_code, "22 entries" in whole.output) == (0, True), whole.output
    file = tmp_path / "out.jsonl"
    day = datetime.now(UTC).date().isoformat()
    exported = runner.invoke(app, ["journal", "export", str(file), "--from", day, "--to", day])
    assert exported.exit_code == 0, exported.output
    assert check(file, *roots_of(settings)).returncode == 2
    with psycopg.connect(settings.database_url, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("UPDATE journal.entries SET action = 'log-out' WHERE account = 1 AND number = 2")
    broken = runner.invoke(app, ["journal", "verify"])
    assert broken.exit_code == 1
    assert "altered: its contents do not have the hash that was chained" in broken.output


def test_the_command_refuses_what_is_no_day(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZHA_DATABASE_URL", settings.database_url)
    answer: Any = CliRunner().invoke(app, ["journal", "export", "x", "--from", "вчера", "--to", "2026-11-22"])
    assert answer.exit_code != 0
    assert "is no day" in str(answer.exception)
