"""A running server, for clients that speak HTTP and nothing less; both sides of a case."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from geo.settings import Settings
from tests.cases.region import APPLICANT, OFFICER, Region, furnish
from tests.conftest import client_of


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


@pytest.fixture(scope="module")
def region(settings: Settings) -> Region:
    """A furnished register."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        return furnish(connection)


@pytest.fixture
async def applicant(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of the party."""
    async with client_of(settings, APPLICANT.caller) as made:
        yield made


@pytest.fixture
async def officer(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of the office."""
    async with client_of(settings, OFFICER.caller) as made:
        yield made
