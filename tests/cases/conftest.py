"""Fixtures of the case engine: the region of a module, its desk and its writing connections."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from cases.desk import Desk
from geo.db import Database
from geo.settings import Settings
from tests.cases.region import Region, furnish, writer_of


@pytest.fixture(scope="module")
def region(settings: Settings) -> Region:
    """A furnished register."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        return furnish(connection)


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    """The desk of the module's installation."""
    return Desk.of(settings)


@pytest.fixture(scope="module")
async def writer(settings: Settings) -> AsyncIterator[Database]:
    """The writing connections of the module."""
    database = writer_of(settings)
    await database.open()
    yield database
    await database.close()
