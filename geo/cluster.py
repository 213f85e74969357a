"""A private PostgreSQL cluster: made, started and stopped without anybody's help.

It listens on a Unix socket only. PostgreSQL refuses to run as root, so for root it runs as the
``postgres`` user, and where that user may not enter the clone (``/root/…``) its data lie under
``/var/lib/postgresql`` with a link from the clone.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from geo.errors import DatabaseMissingError

SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "4GB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "jit": "off",
    "log_min_messages": "warning",
    "timezone": "'UTC'",
}
# A throw-away cluster may lose its data in a crash, so it need not wait for the disk.
THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "256MB",
}
# A path of a Unix socket may have at most 107 bytes.
LONGEST_SOCKET_FOLDER = 80


def bin_folder() -> Path:
    """Folder of the newest PostgreSQL ≥ 15 that has PostGIS."""
    for major in ("18", "17", "16", "15"):
        control = Path(f"/usr/share/postgresql/{major}/extension/postgis.control")
        folder = Path(f"/usr/lib/postgresql/{major}/bin")
        if (folder / "initdb").exists() and control.exists():
            return folder
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    raise DatabaseMissingError(
        "PostgreSQL 15 or newer with PostGIS was not found.",
        "Run `make run`, which installs it, or set MEZHA_DATABASE_URL.",
    )


def _server_user() -> str | None:
    """The user to drop to, or None where the caller may run the server himself."""
    return "postgres" if os.geteuid() == 0 else None


def _may_enter(user: str, folder: Path) -> bool:
    check = subprocess.run(
        ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "test", "-x", str(folder)], check=False
    )
    return check.returncode == 0


@dataclass(frozen=True)
class Cluster:
    """Where a cluster lives; ``url`` is its connection string, ``socket`` the folder of its socket."""

    data: Path
    socket: Path
    throw_away: bool = False

    @classmethod
    def of_home(cls, home: Path) -> "Cluster":
        """The cluster of a clone's ``.mezha`` folder: two clones never share one."""
        home = home.resolve()
        home.mkdir(parents=True, exist_ok=True)
        mark = hashlib.sha256(str(home).encode()).hexdigest()[:10]
        data = home / "postgres"
        user = _server_user()
        if user and not data.exists() and not data.is_symlink():
            if _may_enter(user, home):
                data.mkdir(mode=0o700)
                shutil.chown(data, user, user)
            else:
                elsewhere = Path(f"/var/lib/postgresql/mezha-{mark}")
                elsewhere.mkdir(mode=0o700, exist_ok=True)
                shutil.chown(elsewhere, user, user)
                data.symlink_to(elsewhere)
        return cls(data.resolve(), Path(tempfile.gettempdir()) / f"mezha-{mark}")

    @classmethod
    def temporary(cls, within: Path | None = None) -> "Cluster":
        """A throw-away cluster in a new folder, of the system's temporary ones if not told; `destroy` removes it."""
        folder = Path(tempfile.mkdtemp(prefix="mezha-test-", dir=within))
        user = _server_user()
        if user:
            shutil.chown(folder, user, user)
        return cls(folder / "data", folder, throw_away=True)

    @property
    def user(self) -> str:
        """The superuser of the cluster: the one that owns its files."""
        return _server_user() or pwd.getpwuid(os.geteuid()).pw_name

    def url(self, database: str = "mezha", user: str | None = None) -> str:
        """Connection string over the socket."""
        return f"postgresql://{user or self.user}@/{database}?host={self.socket}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(bin_folder() / program), *arguments]
        user = _server_user()
        if user:
            command = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", *command]
        done = subprocess.run(
            command,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": "/usr/bin:/bin",
                "LC_ALL": "C.UTF-8",
                "LANG": "C.UTF-8",
            },
        )
        if done.returncode:
            log = self._log_tail()
            raise DatabaseMissingError(
                f"{program} failed: {done.stderr.strip() or done.stdout.strip()} {log}".strip(),
                f"The cluster is in {self.data}.",
            )

    def _log_tail(self) -> str:
        log = self.data / "server.log"
        return " | ".join(log.read_text("utf-8", "replace").splitlines()[-5:]) if log.exists() else ""

    def initialised(self) -> bool:
        """Whether initdb has made this cluster."""
        return (self.data / "PG_VERSION").exists()

    def initialise(self) -> None:
        """Run initdb: UTF-8, an ICU collation that sorts Russian rightly, access by the socket's permissions."""
        self._run(
            "initdb",
            "--pgdata",
            str(self.data),
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
            "--locale-provider",
            "icu",
            "--icu-locale",
            "ru-RU",
            "--auth",
            "trust",
            "--username",
            self.user,
            "--no-sync",
        )
        settings = SETTINGS | (THROW_AWAY if self.throw_away else {}) | self._compression()
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(f"\n# Mezha\n{lines}")

    def _compression(self) -> dict[str, str]:
        """lz4 where the server was built with it: building an index writes whole pages, and pglz takes a tenth of a large load."""
        try:
            self._run("postgres", "-D", str(self.data), "-c", "wal_compression=lz4", "-C", "wal_compression")
        except DatabaseMissingError:
            return {}
        return {"wal_compression": "lz4"}

    def running(self) -> bool:
        """Whether a server answers on the socket."""
        try:
            self._run("pg_ctl", "status", "--pgdata", str(self.data))
        except DatabaseMissingError:
            return False
        return (self.socket / ".s.PGSQL.5432").exists()

    def start(self) -> None:
        """Make the cluster where it is missing, and start it where it is stopped."""
        if not self.initialised():
            self.initialise()
        if self.running():
            return
        if len(str(self.socket)) > LONGEST_SOCKET_FOLDER:
            raise DatabaseMissingError(
                f"The socket folder {self.socket} has too long a path.", "Set TMPDIR=/tmp."
            )
        self.socket.mkdir(mode=0o700, exist_ok=True)
        user = _server_user()
        if user:
            shutil.chown(self.socket, user, user)
        self._run(
            "pg_ctl",
            "start",
            "--pgdata",
            str(self.data),
            "--wait",
            "--timeout",
            "120",
            "--silent",
            "--log",
            str(self.data / "server.log"),
            "--options",
            f"-k {self.socket}",
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: ``fast`` ends transactions, ``immediate`` is as if the power failed."""
        if self.initialised() and self.running():
            self._run("pg_ctl", "stop", "--pgdata", str(self.data), "--mode", mode, "--wait", "--silent")

    def destroy(self) -> None:
        """Stop a throw-away cluster and remove its folder."""
        if not self.throw_away:
            raise DatabaseMissingError(
                f"{self.data} is no throw-away cluster.", "Remove it by hand if you mean it."
            )
        self.stop("immediate")
        for _ in range(20):
            shutil.rmtree(self.socket, ignore_errors=True)
            if not self.socket.exists():
                return
            time.sleep(0.1)
