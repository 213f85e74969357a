"""Tallies: right where they can be had in time, and left out where they cannot."""

import httpx
import psycopg
import pytest
from sqlalchemy import literal_column, text

from geo import remembered, tally
from geo.access import ANONYMOUS
from geo.db import Database
from geo.layers import layer
from geo.objects import Query
from geo.remembered import TooLongError
from geo.settings import Settings
from tests.conftest import make_object

ZONES = layer("zones")
SLOW = Query(where=(literal_column("pg_sleep(0.5)::text = ''"),))


@pytest.fixture(scope="module", autouse=True)
def zone(settings: Settings) -> None:
    """Something to count."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        make_object(connection, "zones", kind="oopt")


async def test_a_count_that_takes_long_is_given_up_and_the_transaction_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "LONGEST_MS", 50)
    database = Database(settings)
    await database.open()
    async with database.transaction(ANONYMOUS) as connection:
        before = (await connection.execute(text("SHOW statement_timeout"))).scalar_one()
        assert await tally.count(connection, ZONES, SLOW) is None
        assert (await connection.execute(text("SHOW statement_timeout"))).scalar_one() == before
        assert await tally.count(connection, ZONES, Query())
        assert (await connection.execute(text("SHOW statement_timeout"))).scalar_one() == before
        # Nobody tries it again soon, though it could be had now.
        monkeypatch.setattr(remembered, "LONGEST_MS", 60_000)
        assert await tally.count(connection, ZONES, SLOW) is None
    await database.close()


@pytest.mark.parametrize(
    "path", ["/", "/registers", "/registers/zones", "/ogc/collections/zones/items?f=html"]
)
async def test_pages_are_served_without_tallies(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    _nobody_counts(monkeypatch)
    answer = await client.get(path)
    assert answer.status_code == 200
    assert "None" not in answer.text


async def test_documents_leave_tallies_out(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _nobody_counts(monkeypatch)
    page = (await client.get("/ogc/collections/zones/items?limit=1")).json()
    assert page["numberReturned"] == 1 and "numberMatched" not in page
    collections = (await client.get("/ogc/collections")).json()["collections"]
    assert "zones" in {c["id"] for c in collections} and not any("extent" in c for c in collections)
    layers = (await client.get("/api/v1/layers")).json()
    assert layers["bbox"] is None and {x["count"] for x in layers["layers"]} == {None}
    assert (await client.get("/tiles/zones.json")).json()["bounds"] == [-180, -85.06, 180, 85.06]


def _nobody_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def given_up(*_: object) -> None:
        raise TooLongError

    monkeypatch.setattr(tally, "in_time", given_up)
    # What was counted before is another memory's.
    monkeypatch.setattr(tally, "_remembered", remembered.Remembered())
