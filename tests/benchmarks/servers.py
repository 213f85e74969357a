"""The servers under measurement, each as its users run it: two processes, one database, the same list of tiles."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from geo.cluster import Cluster
from geo.settings import Settings


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], probe: str, environment: dict[str, str], *, cwd: Path | None = None
) -> Iterator[None]:
    """A server process group that answers at ``probe``; killed at the end, whatever happens."""
    process = subprocess.Popen(
        command,
        env=os.environ | environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=cwd,
    )
    try:
        until = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(probe, timeout=5).close()
                break
            except urllib.error.HTTPError:
                break
            except OSError as err:
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError(f"{command[0]} does not answer at {probe}") from err
                time.sleep(0.2)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def mezha(settings: Settings) -> Iterator[str]:
    """Our server as `make run` starts it; yields its address."""
    port = free_port()
    environment = {
        "MEZHA_DATABASE_URL": settings.database_url,
        "MEZHA_APP_DATABASE_URL": settings.app_database_url,
        "MEZHA_REGISTRAR_DATABASE_URL": settings.registrar_database_url,
        "MEZHA_HOME": str(settings.home),
    }
    command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--workers", "2"]
    with running(command, f"http://127.0.0.1:{port}/healthz", environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def tipg(cluster: Cluster, database: str, schema: str) -> Iterator[str]:
    """TiPg over a plain schema, its silent cut at 10,000 features lifted; yields its address."""
    url = f"postgresql://{cluster.user}@{quote(str(cluster.socket), safe='')}/{database}"
    port = free_port()
    environment = {
        "DATABASE_URL": url,
        "TIPG_DB_SCHEMAS": f'["{schema}"]',
        "TIPG_MAX_FEATURES_PER_TILE": "1000000",
    }
    command = [sys.executable, "-m", "uvicorn", "tipg.main:app", "--port", str(port), "--workers", "2"]
    command += ["--log-level", "critical", "--no-access-log"]
    with running(command, f"http://127.0.0.1:{port}/healthz", environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """nginx over a folder of files; yields its address."""
    port = free_port()
    conf = folder / "nginx.conf"
    conf.write_text(
        f"{'user root; ' if os.geteuid() == 0 else ''}worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log /dev/null crit;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; sendfile on; open_file_cache max=20000; server {{ listen 127.0.0.1:{port}; "
        f"root {folder}; default_type application/vnd.mapbox-vector-tile; }} }}\n",
        "utf-8",
    )
    command = [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(conf), "-p", str(folder)]
    with running(command, f"http://127.0.0.1:{port}/none", {}):
        yield f"http://127.0.0.1:{port}"
