"""The proof of the journal: whatever a superuser does to a row is found, at that row."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from accounts.action import Action
from accounts.chain import Report, verify
from accounts.journal import Entry, enter
from accounts.roots import folder, published, seal
from geo.settings import Settings

ENTRIES = 12


@pytest.fixture(scope="module", params=["open", "sealed"])
def settings(request: pytest.FixtureRequest, new_database: Callable[[], Settings]) -> Settings:
    """A journal of one strand, once without and once with a root over it."""
    made = new_database()
    with psycopg.connect(made.registrar_database_url) as connection:
        for number in range(ENTRIES):
            enter(
                connection,
                Entry(Action.change, account=number, subject="leases", details={"n": "я\\\t\u2028"}),
            )
        connection.commit()
        if request.param == "sealed":
            seal(connection, "2026-11-22", folder(made.home))
    return made


@pytest.fixture
def superuser(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A superuser with the triggers switched off; what he does is rolled back after the test."""
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection
        connection.rollback()


@pytest.fixture
def strand(superuser: psycopg.Connection[Any]) -> int:
    """The strand in which the entries lie."""
    ((found,),) = superuser.execute("SELECT DISTINCT strand FROM journal.entries").fetchall()
    return int(found)


def proof(settings: Settings, superuser: psycopg.Connection[Any]) -> Report:
    return verify(superuser, published(folder(settings.home)))


# A forger who knows how the chain is made computes the leaf of what he changed.
FORGED = """(SELECT strand, number, sha256('\\x00'::bytea || convert_to(concat('1', s, strand, s, number, s,
    (extract(epoch FROM at) * 1000000)::bigint, s, action, s, account, s, concerned, s, subject, s, object, s, region, s,
    inn, s, address, s, details, s, salt), 'UTF8')) AS leaf
  FROM journal.entries, (SELECT chr(31) AS s) separator) c WHERE (c.strand, c.number) = (l.strand, l.number)"""
CHANGE = "UPDATE journal.entries SET account = 999 WHERE number = 5"
RELINK = "hash = sha256('\\x02'::bytea || l.previous || c.leaf)"
# What is done, and the row that must be named first.
TAMPERING = {
    "details changed": ("UPDATE journal.entries SET details = '{}' WHERE number = 5", "entries", 5),
    "time moved": ("UPDATE journal.entries SET at = at + interval '1 us' WHERE number = 7", "entries", 7),
    "null filled": ("UPDATE journal.entries SET region = '54' WHERE number = 1", "entries", 1),
    "first removed": ("DELETE FROM journal.entries WHERE number = 1", "entries", 1),
    "last removed": (f"DELETE FROM journal.entries WHERE number = {ENTRIES}", "entries", ENTRIES),
    "removed with its link": (
        "DELETE FROM journal.entries WHERE number = 6; DELETE FROM journal.links WHERE number = 6",
        "entries",
        6,
    ),
    "link removed": ("DELETE FROM journal.links WHERE number = 4", "links", 4),
    "link altered": ("UPDATE journal.links SET previous = sha256('') WHERE number = 4", "links", 4),
    "two swapped": (
        "UPDATE journal.entries a SET account = b.account, at = b.at, salt = b.salt FROM journal.entries b"
        " WHERE (a.number, b.number) IN ((3, 9), (9, 3))",
        "entries",
        3,
    ),
    "changed with its leaf": (
        f"{CHANGE}; UPDATE journal.links l SET leaf = c.leaf FROM {FORGED} AND l.number = 5",
        "links",
        5,
    ),
    "changed with its whole link": (
        f"{CHANGE}; UPDATE journal.links l SET leaf = c.leaf, {RELINK} FROM {FORGED} AND l.number = 5",
        "entries",
        5,
    ),
    "one put in": (
        "UPDATE journal.entries SET number = number + 100 WHERE number >= 8;"
        " UPDATE journal.entries SET number = number - 99 WHERE number >= 108;"
        " INSERT INTO journal.entries SELECT strand, 8, at, action, account, concerned, subject, object, region, inn,"
        " address, details, gen_random_uuid() FROM journal.entries WHERE number = 7",
        "entries",
        8,
    ),
}


def test_an_untouched_journal_is_whole(settings: Settings, superuser: psycopg.Connection[Any]) -> None:
    report = proof(settings, superuser)
    assert report.faults == []
    sealed = len(published(folder(settings.home)))
    assert (report.entries, report.sealed, report.roots, report.outside) == (
        ENTRIES,
        ENTRIES * sealed,
        sealed,
        sealed,
    )


@pytest.mark.requirement("C-27", "F-45", "R-17")
@pytest.mark.parametrize("kind", list(TAMPERING))
def test_tampering_is_found_at_the_exact_row(
    settings: Settings, superuser: psycopg.Connection[Any], strand: int, kind: str
) -> None:
    statements, table, number = TAMPERING[kind]
    superuser.execute(statements)
    report = proof(settings, superuser)
    assert (report.faults[0].table, report.faults[0].row) == (table, f"{strand}/{number}"), report.faults


def rewrite_everything(superuser: psycopg.Connection[Any]) -> None:
    """Forge the whole chain from row 5 on, without a seam."""
    superuser.execute(CHANGE)
    for number in range(5, ENTRIES + 1):
        superuser.execute(
            f"UPDATE journal.links l SET leaf = c.leaf, previous = p.hash, hash = sha256('\\x02'::bytea || p.hash || c.leaf)"
            f" FROM journal.links p, {FORGED} AND l.number = {number} AND p.number = {number - 1}"
        )


def test_a_forgery_without_a_seam_breaks_the_root(
    settings: Settings, superuser: psycopg.Connection[Any]
) -> None:
    rewrite_everything(superuser)
    report = proof(settings, superuser)
    assert [f.table for f in report.faults] == ["roots"] * len(published(folder(settings.home)))


def test_roots_forged_too_differ_from_the_published_ones(
    settings: Settings, superuser: psycopg.Connection[Any], strand: int
) -> None:
    documents = published(folder(settings.home))
    if not documents:
        pytest.skip("this journal has no root")
    rewrite_everything(superuser)
    from accounts.chain import stored
    from accounts.merkle import Tree
    from accounts.roots import heads_of

    leaves = superuser.execute("SELECT leaf FROM journal.links ORDER BY strand, number").fetchall()
    head = superuser.execute("SELECT hash FROM journal.links WHERE number = %s", [ENTRIES]).fetchone()
    assert head is not None
    (root,) = stored(superuser)
    strands = {str(strand): [1, ENTRIES, head[0].hex()]}
    forged = replace(
        root, strands=strands, merkle=Tree([leaf for (leaf,) in leaves]).root, heads=heads_of(strands)
    )
    superuser.execute(
        "UPDATE journal.roots SET strands = %s::text::jsonb, merkle = %s, heads = %s, root = %s",
        [
            f'{{"{strand}": [1, {ENTRIES}, "{head[0].hex()}"]}}',
            forged.merkle,
            forged.heads,
            forged.expected(),
        ],
    )
    assert verify(superuser).good
    report = verify(superuser, documents)
    assert [str(f) for f in report.faults] == [
        f"journal.roots 2026-11-22: differs from what was published; rewritten rows lie in {strand}/1–{ENTRIES}"
    ]


def test_a_removed_root_and_an_edited_file_are_found(
    settings: Settings, superuser: psycopg.Connection[Any]
) -> None:
    documents = published(folder(settings.home))
    if not documents:
        pytest.skip("this journal has no root")
    edited = verify(superuser, [{**documents[0], "entries": 1}])
    assert "published file was altered" in str(edited.faults[0])
    superuser.execute("DELETE FROM journal.roots")
    assert "removed" in str(verify(superuser, documents).faults[0])
