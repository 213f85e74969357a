"""Remembered answers: never another database's."""

from collections.abc import Callable

import psycopg

from geo.access import ANONYMOUS
from geo.db import Database
from geo.layers import layer
from geo.settings import Settings
from geo.tally import extent
from tests.conftest import make_object


async def test_two_databases_in_one_process_keep_their_own_answers(
    new_database: Callable[[], Settings],
) -> None:
    found = []
    for west in (83, 43):
        settings = new_database()
        with psycopg.connect(settings.database_url, autocommit=True) as owner:
            make_object(
                owner, "zones", kind="oopt", geom=f"POLYGON(({west} 55, {west + 1} 55, {west} 56, {west} 55))"
            )
        database = Database(settings)
        await database.open()
        try:
            async with database.transaction(ANONYMOUS) as connection:
                found.append(await extent(connection, layer("zones")))
        finally:
            await database.close()
    assert [box and round(box[0]) for box in found] == [83, 43]
