"""`mezha up`: starts, survives being killed with any of its parts, and loses nothing."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from api.ledger import Ledger
from geo.settings import Settings
from tests.conftest import make_object


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class House:
    """`mezha up` over a test database."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> "House":
        """Start and wait until it says that it is ready."""
        environment = os.environ | {
            "MEZHA_DATABASE_URL": self.settings.database_url,
            "MEZHA_APP_DATABASE_URL": self.settings.app_database_url,
            "MEZHA_REGISTRAR_DATABASE_URL": self.settings.registrar_database_url,
            "MEZHA_HOME": str(self.settings.home),
        }
        command = [sys.executable, "-m", "api.cli", "up", "--port", str(self.port), "--workers", "1"]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if "Mezha is ready" in line:
                return self
        pytest.fail("".join(seen))

    def groups(self) -> list[int]:
        """Process groups of server and worker, as the ledger has them."""
        import json

        return list(json.loads((self.settings.home / "running.json").read_text())["groups"])

    def healthy(self) -> bool:
        """Whether the server answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ended(self) -> bool:
        """Wait for the end of the supervisor and of the server."""
        assert self.process is not None
        self.process.wait(timeout=30)
        until = time.monotonic() + 10
        while self.healthy() and time.monotonic() < until:
            time.sleep(0.1)
        return not self.healthy()


@pytest.fixture
def house(new_database: Callable[[], Settings]) -> Iterator[House]:
    made = House(new_database())
    yield made
    if made.process and made.process.poll() is None:
        made.process.send_signal(signal.SIGINT)
        made.process.wait(timeout=30)


def count(settings: Settings) -> int:
    """Objects in the register."""
    with psycopg.connect(settings.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM register.zones").fetchone()
    assert row is not None
    return int(row[0])


def test_killed_parts_end_the_house_and_the_next_start_is_whole(house: House) -> None:
    with psycopg.connect(house.settings.database_url, autocommit=True) as connection:
        make_object(connection, "zones")
    house.start()
    assert house.healthy()
    os.killpg(house.groups()[0], signal.SIGKILL)
    assert house.ended()
    # Killed itself, it leaves orphans on its port; the next start ends them.
    house.start()
    assert house.process is not None
    house.process.kill()
    house.process.wait(timeout=30)
    assert house.healthy()
    house.start()
    assert house.healthy()
    assert count(house.settings) == 1
    house.process.send_signal(signal.SIGINT)
    assert house.ended()
    assert not (house.settings.home / "running.json").exists()


def test_a_second_start_in_the_same_folder_is_refused_by_name(tmp_path: Path) -> None:
    from geo.errors import SettingsError

    ledger = Ledger(tmp_path / "running.json")
    program = "import time; print('mezha', flush=True); time.sleep(30)"
    other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        # A process has no command line to read until its program has begun.
        assert other.stdout is not None and other.stdout.readline()
        ledger.path.write_text(f'{{"supervisor": {other.pid}, "groups": []}}')
        with pytest.raises(SettingsError, match="runs already"):
            ledger.claim()
    finally:
        other.kill()
        other.communicate()


def test_a_number_that_was_given_to_another_process_is_left_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "running.json")
    other = subprocess.Popen(["sleep", "30"], start_new_session=True)
    try:
        ledger.path.write_text(f'{{"supervisor": 0, "groups": [{other.pid}]}}')
        ledger.claim()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
