"""Everything that `make run` starts, and its end: database, migrations, demo region, server, worker."""

import multiprocessing
import os
import signal
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess

from api.ledger import Ledger
from geo.cluster import Cluster
from geo.errors import DatabaseMissingError, SettingsError
from geo.revision import prepared
from geo.session import connect
from geo.settings import Settings

DATABASE = "mezha"
Say = Callable[[str], None]
_FORKS = multiprocessing.get_context("fork")


def private_settings(cluster: Cluster, settings: Settings) -> Settings:
    """Settings with the logins of a private cluster: each role has its own."""
    return settings.model_copy(
        update={
            "database_url": cluster.url(DATABASE),
            "app_database_url": cluster.url(DATABASE, "mezha_app"),
            "registrar_database_url": cluster.url(DATABASE, "mezha_registrar"),
        }
    )


def prepare_cluster(cluster: Cluster) -> None:
    """Start a private cluster and make its database."""
    cluster.start()
    with connect(cluster.url("postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute("CREATE DATABASE mezha")


def let_roles_log_in(cluster: Cluster) -> None:
    """Give the serving and the writing role a login; only who may enter the socket's folder can use it."""
    with connect(cluster.url(DATABASE), autocommit=True) as connection:
        connection.execute("ALTER ROLE mezha_app LOGIN")
        connection.execute("ALTER ROLE mezha_registrar LOGIN")


def environment(settings: Settings) -> dict[str, str]:
    """Environment for child processes: the same settings, the private logins included."""
    return os.environ | {
        "MEZHA_DATABASE_URL": settings.database_url,
        "MEZHA_APP_DATABASE_URL": settings.app_database_url,
        "MEZHA_REGISTRAR_DATABASE_URL": settings.registrar_database_url,
        "MEZHA_DEMO": str(settings.demo).lower(),
        "MEZHA_PUBLISH": ",".join(sorted(settings.publish)),
        "MEZHA_REGION": settings.region,
        "MEZHA_PORT": str(settings.port),
        "MEZHA_HOME": str(settings.home),
    }


def private_cluster(settings: Settings) -> Cluster | None:
    """The private cluster of this clone, None where a database is given."""
    return None if settings.database_url else Cluster.of_home(settings.home)


def prepare_database(cluster: Cluster | None, settings: Settings) -> None:
    """Start the private cluster, and migrate unless the database remembers that it fits this release."""
    if cluster:
        prepare_cluster(cluster)
    with connect(settings.url_for("owner")) as connection:
        if prepared(connection, settings.publish):
            return
    from geo.migration import migrate

    migrate(settings.url_for("owner"), settings.publish)
    if cluster:
        let_roles_log_in(cluster)


def database_settings(settings: Settings) -> Settings:
    """Settings as every command needs them: with the private cluster's logins where no database is given."""
    if settings.database_url:
        return settings
    cluster = Cluster.of_home(settings.home)
    if not cluster.initialised():
        raise DatabaseMissingError(
            "There is no database yet.", "Run `make run` once, or set MEZHA_DATABASE_URL."
        )
    return private_settings(cluster, settings)


def _live(variables: dict[str, str], run: Callable[..., None], *arguments: object) -> None:
    """The life of a part: a group and signals of its own, the settings in its environment."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.environ.update(variables)
    run(*arguments)


@dataclass
class House:
    """The running processes."""

    settings: Settings
    say: Say
    parts: list[ForkProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings.home.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(self.settings.home / "running.json")
        self.ledger.claim()

    def start(self, name: str, run: Callable[..., None], *arguments: object) -> None:
        """Fork a part into a process group of its own, so that Ctrl-C reaches it through us only.

        What the supervisor has loaded, a part need not load again.
        """
        part = _FORKS.Process(target=_live, args=(environment(self.settings), run, *arguments), name=name)
        part.start()
        self.parts.append(part)
        self.ledger.add(part.pid or 0)

    def wait_ready(self, seconds: float = 180) -> None:
        """Wait until the server answers that it is ready."""
        address = f"http://{self.settings.host}:{self.settings.port}/healthz"
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._check()
            try:
                with urllib.request.urlopen(address, timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.05)
        raise DatabaseMissingError(
            f"The server did not become ready in {seconds:g} s.", "Look at the messages above."
        )

    def _check(self) -> None:
        for part in self.parts:
            if not part.is_alive():
                raise SettingsError(
                    f"The {part.name} ended with code {part.exitcode}.",
                    "Look at the messages above.",
                )

    def watch(self) -> None:
        """Return when a part ends or the person presses Ctrl-C."""
        try:
            while True:
                self._check()
                time.sleep(0.5)
        except KeyboardInterrupt:
            self.say("Stopping …")

    def stop(self) -> None:
        """End every part, gently first."""
        for part in reversed(self.parts):
            if part.is_alive():
                part.terminate()
        for part in self.parts:
            part.join(timeout=10)
            if part.is_alive() and part.pid is not None:
                os.killpg(part.pid, signal.SIGKILL)
        self.ledger.close()


def make_seal(settings: Settings) -> None:
    """Make the key with which the office of a demonstration signs; a real office brings its own."""
    if settings.demo and not (settings.home / "keys" / "authority.key").exists():
        from accounts.demo import OFFICE
        from cases.decisions import seal

        seal.make(settings, OFFICE)


def fill_demo(settings: Settings, say: Say) -> None:
    """Load the demo region where this is a demonstration and the registers are empty, or were left half filled."""
    from ingest.demo.presence import wanted

    url = settings.url_for("owner")
    if not settings.demo or not wanted(url):
        return
    from ingest.demo.archive import fill

    say("Making the demo region …")
    fill(url, say)
