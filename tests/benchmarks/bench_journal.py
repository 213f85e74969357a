"""Journal: appending with 8 writers, each entry committed and on the disk, and the proof of all of it.

A second figure runs the same writers over one chain, which is what the 128 strands are for.
"""

import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from accounts.action import Action
from accounts.chain import verify
from accounts.journal import Entry, enter
from accounts.roots import seal
from geo.cluster import Cluster
from geo.migration import migrate
from tests.benchmarks.row import Row

WRITERS = 8
SECONDS = 8.0
PROVEN = 400_000
ENTRY = Entry(
    Action.view,
    account=17,
    subject="licences",
    object=123_456,
    region="54",
    inn="7707083893",
    address="192.0.2.17",
    details={"page": "/api/v1/objects", "as_of": None},
)
BARE = """
CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT clock_timestamp(),
  action text, account bigint, concerned bigint, subject text, object bigint, region text, inn text, address text,
  details jsonb);
CREATE INDEX ON bare (at); CREATE INDEX ON bare (account, at); CREATE INDEX ON bare (inn, at);
CREATE INDEX ON bare (region, at); GRANT INSERT ON bare TO mezha_app
"""
BARE_INSERT = """
INSERT INTO bare (action, account, concerned, subject, object, region, inn, address, details) VALUES (%(action)s,
  %(account)s, %(concerned)s, %(subject)s, %(object)s, %(region)s, %(inn)s, %(address)s, %(details)s::jsonb)
"""
ONE_CHAIN = """
CREATE OR REPLACE FUNCTION journal.claim() RETURNS smallint LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7305116, 0);
  RETURN 0;
END $$
"""


def rate(url: str, *, bare: bool = False) -> float:
    """Committed entries a second of all writers together."""
    until = time.perf_counter() + SECONDS
    done = [0] * WRITERS

    def write(position: int) -> None:
        with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
            while time.perf_counter() < until:
                if bare:
                    connection.execute(BARE_INSERT, ENTRY.values())
                else:
                    enter(connection, ENTRY)
                done[position] += 1

    writers = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
    begin = time.perf_counter()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return sum(done) / (time.perf_counter() - begin)


def proof(owner: str) -> tuple[float, int]:
    """Entries proven a second, and how many there were."""
    with psycopg.connect(owner) as connection:
        connection.execute("SET LOCAL synchronous_commit = off")
        values = {f"p{i}": v for i, v in enumerate(ENTRY.values().values())}
        marks = ", ".join(f"%({name})s" for name in list(values)[:-1])
        statement = f"SELECT count(*) FROM generate_series(1, %(n)s) i, LATERAL (SELECT i, journal.append({marks}, %(p8)s::jsonb)) a"
        for _ in range(PROVEN // 50_000):
            connection.execute(statement, values | {"n": 50_000})
            connection.commit()
        connection.execute("ANALYZE journal.entries, journal.links")
        connection.commit()
        with TemporaryDirectory() as place:
            seal(connection, "2026-11-22", Path(place))
        begin = time.perf_counter()
        report = verify(connection)
        assert report.good
        return report.entries / (time.perf_counter() - begin), report.entries


def rows() -> list[Row]:
    """Measure on a cluster that waits for the disk."""
    cluster = replace(Cluster.temporary(), throw_away=False)
    try:
        cluster.start()
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE mezha")
        migrate(cluster.url(), frozenset())
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute("ALTER ROLE mezha_app LOGIN")
            connection.execute(BARE)
        url = cluster.url(user="mezha_app")
        ours, bare = rate(url), rate(url, bare=True)
        speed, entries = proof(cluster.url())
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute(ONE_CHAIN)
        single = rate(url)
    finally:
        with suppress(Exception):
            replace(cluster, throw_away=True).destroy()
    return [
        Row(
            f"append, {WRITERS} writers, a commit each",
            f"{ours:,.0f} entries/s",
            f"plain table without chain {bare:,.0f}/s",
            ours / bare,
            "≥ 2,000 entries/s",
        ),
        Row(
            "the same over one chain", f"{single:,.0f} entries/s", f"128 strands {ours:,.0f}/s", single / ours
        ),
        Row(
            f"verify, {entries:,} entries under a root",
            f"{speed:,.0f} entries/s",
            "",
            None,
            "≥ 100,000 entries/s",
        ),
    ]
