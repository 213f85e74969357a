"""The servers under measurement, each as its users run it: two processes, one database, the same list of tiles."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
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
    port = free_port()
    environment = {
        "DATABASE_URL": _url(cluster, database),
        "TIPG_DB_SCHEMAS": f'["{schema}"]',
        "TIPG_MAX_FEATURES_PER_TILE": "1000000",
    }
    command = [sys.executable, "-m", "uvicorn", "tipg.main:app", "--port", str(port), "--workers", "2"]
    command += ["--log-level", "critical", "--no-access-log"]
    with running(command, f"http://127.0.0.1:{port}/healthz", environment):
        yield f"http://127.0.0.1:{port}"


def _url(cluster: Cluster, database: str) -> str:
    return f"postgresql://{cluster.user}@{quote(str(cluster.socket), safe='')}/{database}"


@contextmanager
def martin(cluster: Cluster, database: str, schema: str) -> Iterator[str]:
    """Martin over a plain schema without its cache; yields its address."""
    port = free_port()
    conf = cluster.socket / "martin.yaml"
    conf.write_text(
        f"listen_addresses: 127.0.0.1:{port}\nworker_processes: 2\ncache_size_mb: 0\npostgres:\n"
        f"  connection_string: {_url(cluster, database)}\n  pool_size: 8\n  auto_publish:\n    from_schemas: [{schema}]\n",
        "utf-8",
    )
    with running(["martin", "--config", str(conf)], f"http://127.0.0.1:{port}/health", {}):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def pg_tileserv(cluster: Cluster, database: str, schema: str) -> Iterator[str]:
    """pg_tileserv over a plain schema; yields its address."""
    del schema
    port = free_port()
    environment = {
        "DATABASE_URL": _url(cluster, database),
        "TS_HTTPHOST": "127.0.0.1",
        "TS_HTTPPORT": str(port),
    }
    with running(["pg_tileserv"], f"http://127.0.0.1:{port}/index.json", environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def pygeoapi(cluster: Cluster, database: str, table: str) -> Iterator[str]:
    """pygeoapi over a plain table in degrees; yields its address."""
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="pygeoapi-", dir=cluster.socket))
    schema, name = table.split(".")
    conf, document = folder / "pygeoapi.yml", folder / "openapi.yml"
    conf.write_text(
        PYGEOAPI.format(
            port=port, socket=cluster.socket, user=cluster.user, database=database, schema=schema, table=name
        ),
        "utf-8",
    )
    environment = {"PYGEOAPI_CONFIG": str(conf), "PYGEOAPI_OPENAPI": str(document)}
    tool = Path(sys.executable).with_name("pygeoapi")
    subprocess.run(
        [str(tool), "openapi", "generate", str(conf), "--output-file", str(document)],
        env=os.environ | environment,
        check=True,
        capture_output=True,
    )
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "pygeoapi.starlette_app:APP",
        "--port",
        str(port),
        "--workers",
        "2",
    ]
    command += ["--log-level", "critical", "--no-access-log"]
    with running(command, f"http://127.0.0.1:{port}/conformance?f=json", environment):
        yield f"http://127.0.0.1:{port}"


PYGEOAPI = """
server:
  bind: {{host: 127.0.0.1, port: {port}}}
  url: http://127.0.0.1:{port}
  mimetype: application/json; charset=UTF-8
  encoding: utf-8
  languages: [en-US]
  limits: {{default_items: 1000, max_items: 10000}}
  map: {{url: 'https://example.invalid/{{z}}/{{x}}/{{y}}.png', attribution: none}}
logging: {{level: ERROR}}
metadata:
  identification: {{title: peer, description: peer, keywords: [peer], keywords_type: theme, terms_of_service: none, url: 'http://127.0.0.1'}}
  license: {{name: none, url: 'http://127.0.0.1'}}
  provider: {{name: peer, url: 'http://127.0.0.1'}}
  contact: {{name: peer}}
resources:
  plots:
    type: collection
    title: plots
    description: plots
    keywords: [plots]
    links: []
    extents: {{spatial: {{bbox: [-180, -90, 180, 90], crs: 'http://www.opengis.net/def/crs/OGC/1.3/CRS84'}}}}
    providers:
      - type: feature
        name: PostgreSQL
        data: {{host: {socket}, dbname: {database}, user: {user}, password: none, search_path: [{schema}]}}
        id_field: id
        table: {table}
        geom_field: geom
"""


def fetched(server: str, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Each path and its body."""
    for path in paths:
        with urllib.request.urlopen(server + path) as answer:
            yield path, answer.read()


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
