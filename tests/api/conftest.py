"""A running server, for clients that speak HTTP and nothing less."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from geo.settings import Settings


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[str]:
    """Address of a running server over the module's database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "MEZHA_DATABASE_URL": settings.database_url,
        "MEZHA_APP_DATABASE_URL": settings.app_database_url,
        "MEZHA_HOME": str(settings.home),
    }
    mezha = Path(sys.executable).with_name("mezha")
    process = subprocess.Popen([mezha, "serve", "--port", str(port), "--workers", "1"], env=environment)
    address = f"http://127.0.0.1:{port}"
    for _ in range(900):
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=1)
            break
        except OSError:
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(20)
