"""Scheduled sources: the worker fetches what a profile names, loads it where it changed, and tells the registrars."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from geo.errors import MezhaError
from geo.session import connect
from geo.settings import OBJECT_MB
from ingest import fetch
from ingest.fetch import Fetched, Known
from ingest.pipeline import Options, Result, ingest
from ingest.profile import Profile

Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True)
class Outcome:
    """What became of one scheduled source: loaded, unchanged or refused."""

    profile: str
    status: str
    result: Result | None = None
    fault: str = ""


def due(connection: Connection, profiles: Iterable[Profile], now: datetime) -> list[Profile]:
    """Profiles with a source that has not been looked at for as long as they wish."""
    rows = connection.execute("SELECT profile, checked_at FROM ingest.fetches").fetchall()
    seen: dict[str, datetime] = dict(rows)
    return [
        p
        for p in profiles
        if p.source
        and (p.name not in seen or now - seen[p.name] >= timedelta(minutes=p.source.every_minutes))
    ]


def _known(connection: Connection, profile: Profile) -> Known:
    row = connection.execute(
        "SELECT etag, sha256 FROM ingest.fetches WHERE profile = %s", [profile.name]
    ).fetchone()
    return Known(*row) if row else Known()


def _note(
    connection: Connection, profile: Profile, fetched: Fetched | None, run: int | None, fault: str | None
) -> None:
    # A file that was refused is known too: it is not tried again until it changes.
    connection.execute(
        "INSERT INTO ingest.fetches AS f (profile, etag, sha256, checked_at, changed_at, run, fault)"
        " VALUES (%(profile)s, %(etag)s, %(sha256)s, clock_timestamp(), CASE WHEN %(new)s THEN clock_timestamp() END, %(run)s, %(fault)s)"
        " ON CONFLICT (profile) DO UPDATE SET checked_at = EXCLUDED.checked_at, fault = EXCLUDED.fault,"
        " etag = CASE WHEN %(new)s THEN EXCLUDED.etag ELSE f.etag END,"
        " sha256 = CASE WHEN %(new)s THEN EXCLUDED.sha256 ELSE f.sha256 END,"
        " changed_at = coalesce(EXCLUDED.changed_at, f.changed_at), run = coalesce(EXCLUDED.run, f.run)",
        {
            "profile": profile.name,
            "etag": fetched.etag if fetched else None,
            "sha256": fetched.sha256 if fetched else None,
            "new": fetched is not None,
            "run": run,
            "fault": fault,
        },
    )
    connection.commit()


def run_one(
    url: str,
    profile: Profile,
    *,
    most_bytes: int,
    private: bool = False,
    object_mb: float = OBJECT_MB,
) -> Outcome:
    """Look at one source now; never raises for what the source did wrong."""
    source = profile.source
    if source is None:
        return Outcome(profile.name, "unchanged")
    refused: list[Result] = []
    with connect(url) as connection, tempfile.TemporaryDirectory(prefix="mezha-fetch-") as name:
        fetched: Fetched | None = None
        try:
            known = _known(connection, profile)
            connection.commit()
            if source.url:
                fetched = fetch.from_url(
                    source.url, Path(name), known, most_bytes=most_bytes, private=private
                )
            elif source.folder:
                fetched = fetch.from_folder(source.folder, known)
            if fetched is None:
                _note(connection, profile, None, None, None)
                return Outcome(profile.name, "unchanged")
            result = ingest(url, profile, fetched.path, Options(object_mb=object_mb, refused=refused.append))
        except MezhaError as err:
            connection.rollback()
            found = refused[0] if refused else None
            _note(connection, profile, fetched, found.run if found else None, str(err))
            return Outcome(profile.name, "refused", found, fault=str(err))
        _note(connection, profile, fetched, result.run, None)
        return Outcome(profile.name, "loaded", result)


def run_due(
    url: str,
    profiles: Iterable[Profile],
    *,
    most_bytes: int,
    private: bool = False,
    object_mb: float = OBJECT_MB,
) -> list[Outcome]:
    """Look at every source that is due."""
    with connect(url) as connection:
        waiting = due(connection, profiles, datetime.now(UTC))
    return [
        run_one(url, profile, most_bytes=most_bytes, private=private, object_mb=object_mb)
        for profile in waiting
    ]
