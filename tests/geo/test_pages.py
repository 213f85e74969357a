"""Pages within a box are planned for their box, however often they are asked for."""

import psycopg
from sqlalchemy import text

from geo import objects
from geo.access import ANONYMOUS
from geo.db import Database
from geo.layers import layer
from geo.objects import Query
from geo.settings import Settings
from tests.conftest import make_object

GENERIC = text(
    "SELECT count(*), coalesce(sum(generic_plans), 0) FROM pg_prepared_statements"
    " WHERE statement LIKE '%array_agg(id)%' AND statement NOT LIKE '%pg_prepared_statements%'"
)


async def test_a_page_within_a_box_never_takes_the_plan_for_any_box(settings: Settings) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        make_object(connection, "zones", kind="oopt")
    database = Database(settings.model_copy(update={"pool_size": 1}))
    await database.open()
    try:
        for n in range(12):
            async with database.transaction(ANONYMOUS) as connection:
                query = Query(boxes=((-180.0, -90.0, 180.0 - n / 10, 90.0),), limit=5)
                await objects.page(connection, layer("zones"), query)
                prepared, generic = (await connection.execute(GENERIC)).one()
        assert prepared and not generic
    finally:
        await database.close()
