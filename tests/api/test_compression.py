"""Compressed answers are the same answers."""

from typing import Any

import httpx
import psycopg
import pytest

from geo.settings import Settings
from tests.conftest import make_object

MANY = 60


@pytest.fixture(scope="module", autouse=True)
def zones(settings: Settings) -> None:
    """Enough of them that a file comes in several parts and a page is worth packing."""
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        for n in range(MANY):
            make_object(c, "zones", number=f"61:{n}", name=f"Охранная зона {n}")


@pytest.mark.parametrize("kind", ["json", "csv", "geoparquet"])
async def test_packed_answers_are_the_same(client: httpx.AsyncClient, kind: str) -> None:
    asked = {"f": kind, "limit": MANY, "filter": "number LIKE '61:%'"}
    url = "/ogc/collections/zones/items"
    packed = await client.get(url, params=asked, headers={"accept-encoding": "gzip"})
    plain = await client.get(url, params=asked, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers and len(plain.content) > 1000
    for answer in (packed, plain):
        assert "accept-encoding" in answer.headers["vary"].lower()
    if kind == "json":
        documents: list[dict[str, Any]] = [a.json() for a in (packed, plain)]
        assert documents[0]["features"] == documents[1]["features"]
        assert documents[0]["numberReturned"] == len(documents[0]["features"]) == MANY
    else:
        assert packed.content == plain.content


async def test_what_is_small_is_sent_as_it_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200 and "content-encoding" not in answer.headers
