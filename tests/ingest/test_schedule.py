"""Scheduled sources: fetched where they changed, never from inside the network, refused by name, told to registrars."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
import yaml

from accounts.enrolment import Newcomer, appoint, enrol
from api import newsboy
from geo import outward
from geo.settings import Settings
from ingest import fetch, schedule
from ingest.errors import RefusedError
from ingest.fetch import Known
from ingest.profile import Profile, built_in, profile
from tests.ingest.test_undo import current, write


class Server(ThreadingHTTPServer):
    """Serves one file with an ETag; counts what it sent."""

    body = b""
    etag = '"1"'
    sent = 0
    redirect = ""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.server.redirect and self.path == "/moved":
            self.send_response(302)
            self.send_header("location", self.server.redirect)
            self.end_headers()
            return
        if self.headers.get("if-none-match") == self.server.etag:
            self.send_response(304)
            self.end_headers()
            return
        self.server.sent += 1
        self.send_response(200)
        self.send_header("etag", self.server.etag)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def address(server: Server, path: str = "/places.geojson") -> str:
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


def sourced(place: Path, /, **source: object) -> Profile:
    """The municipalities' profile with a source, in a file of its own."""
    found = built_in()["ru-municipalities"].model_dump(mode="json", by_alias=True, exclude_defaults=True)
    path = place / "own.yaml"
    path.write_text(yaml.safe_dump(found | {"name": "own", "source": source}, allow_unicode=True), "utf-8")
    return profile(str(path))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://localhost/x",
        "http://10.0.0.1/x",
        "http://[::1]/x",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "ftp://example.org/x",
    ],
)
def test_what_lies_inside_is_never_fetched(url: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="is not fetched"):
        fetch.from_url(url, tmp_path, Known(), most_bytes=1000)


def test_a_redirect_is_looked_at_like_the_first_address(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.redirect = "http://127.0.0.1:9/secret"
    real, asked = outward.address_of, []

    def first_only(url: str, *, private: bool) -> tuple[str, str, int]:
        asked.append(url)
        return real(url, private=len(asked) == 1)

    monkeypatch.setattr(outward, "address_of", first_only)
    with pytest.raises(RefusedError, match="private network"):
        fetch.from_url(address(server, "/moved"), tmp_path, Known(), most_bytes=1000)
    assert len(asked) == 2


def test_an_unchanged_file_is_not_sent_or_loaded_again(
    server: Server, new_database: Callable[[], Settings], tmp_path: Path
) -> None:
    settings = new_database()
    server.body = write(tmp_path / "places.geojson", {1: ("Один", 1)}).read_bytes()
    own = sourced(tmp_path, url=address(server))

    def look() -> str:
        return schedule.run_one(settings.url_for("registrar"), own, most_bytes=1 << 20, private=True).status

    assert look() == "loaded"
    assert look() == "unchanged"
    assert server.sent == 1
    server.etag = '"2"'
    assert look() == "unchanged"
    server.body = write(tmp_path / "places.geojson", {1: ("Первый", 1)}).read_bytes()
    server.etag = '"3"'
    assert look() == "loaded"
    assert current(settings) == {"ru:1": ("Первый", current(settings)["ru:1"][1])}


def test_a_file_that_is_too_large_is_refused(server: Server, tmp_path: Path) -> None:
    server.body = b"x" * 5000
    with pytest.raises(RefusedError, match="larger"):
        fetch.from_url(address(server), tmp_path, Known(), most_bytes=1000, private=True)


def test_the_registrars_are_told_and_a_bad_source_is_not_tried_until_it_changes(
    server: Server, new_database: Callable[[], Settings], tmp_path: Path
) -> None:
    server.body = b"no GIS file"
    sourced(tmp_path, url=address(server), every_minutes=5)
    settings = new_database().model_copy(
        update={"profiles_folder": tmp_path, "fetch_private": True, "region": "97"}
    )
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        account = enrol(
            owner, Newcomer("anna", "anna@mezha.test", "Анна", must_change=False), "Leshiy-i-Bereza-7"
        )
        appoint(owner, account, "registrar", "97", "Управление")
        assert [o.status for o in newsboy.look(settings)] == ["refused"]
        assert newsboy.look(settings) == []
        owner.execute("UPDATE ingest.fetches SET checked_at = now() - interval '1 hour'")
        assert [o.status for o in newsboy.look(settings)] == ["unchanged"]
        letters = owner.execute("SELECT recipient, subject FROM accounts.outbox").fetchall()
    assert [(r, "не загружен" in s) for r, s in letters] == [("anna@mezha.test", True)]


def test_the_newest_file_of_a_folder_counts(tmp_path: Path) -> None:
    import os

    old, new = tmp_path / "a.xml", tmp_path / "b.xml"
    old.write_text("old")
    new.write_text("new")
    os.utime(old, (1, 1))
    found = fetch.from_folder(str(tmp_path / "*.xml"), Known())
    assert found is not None
    assert found.path == new
    assert fetch.from_folder(str(tmp_path / "*.xml"), Known(None, found.sha256)) is None


def test_a_source_is_due_when_its_time_has_come(new_database: Callable[[], Settings], tmp_path: Path) -> None:
    settings = new_database()
    own = sourced(tmp_path, folder=str(tmp_path / "*.geojson"), every_minutes=60)
    write(tmp_path / "places.geojson", {1: ("Один", 1)})
    schedule.run_one(settings.url_for("registrar"), own, most_bytes=1 << 20)
    with psycopg.connect(settings.database_url) as connection:
        now = datetime.now(UTC)
        assert schedule.due(connection, [own], now) == []
        assert schedule.due(connection, [own], now + timedelta(minutes=61)) == [own]
