"""Migrations: repeatable, one at a time, and refused by name where they cannot be."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from geo.errors import DatabaseMissingError
from geo.migration import migrate
from geo.revision import newest, prepared
from geo.settings import Settings

VERSIONS = Path(__file__).parent.parent.parent / "migrations" / "versions"


def test_a_migrated_database_says_so_and_stays_as_it_is(new_database: Callable[[], Settings]) -> None:
    settings = new_database()
    assert migrate(settings.database_url, frozenset({"zones"})) == newest()
    with psycopg.connect(settings.database_url) as connection:
        assert prepared(connection, frozenset({"zones"}))
        assert not prepared(connection, frozenset())


def test_two_migrations_at_once_do_not_disturb_each_other(new_database: Callable[[], Settings]) -> None:
    settings = new_database()
    done: list[str] = []
    threads = [
        threading.Thread(target=lambda: done.append(migrate(settings.database_url, frozenset())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [newest(), newest()]


@pytest.mark.parametrize(("version", "words"), [("9999", "newer release"), ("0003", "stays as it was")])
def test_a_database_that_does_not_fit_is_refused_by_name(
    new_database: Callable[[], Settings], version: str, words: str
) -> None:
    settings = new_database()
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("UPDATE public.alembic_version SET version_num = %s", [version])
    with pytest.raises(DatabaseMissingError, match=words):
        migrate(settings.database_url, frozenset())


def test_migrations_are_one_chain() -> None:
    # Two that follow the same one would leave a database with two ends, and nobody could migrate it.
    scripts = [p.read_text("utf-8") for p in VERSIONS.glob("0*.py")]
    before = [re.findall(r'^down_revision = "?(\w+)"?', s, re.MULTILINE)[0] for s in scripts]
    assert len(set(before)) == len(scripts)
