"""An object with several states is one feature of its collection, wherever the collection is shown."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx
import mapbox_vector_tile
import morecantile
import psycopg
import pyarrow.parquet as pq
import pytest

from geo.settings import Settings
from tests.conftest import make_object

TODAY = date.today()
# Days off the edges of what the region calls today.
CHANGED, TO_CHANGE = TODAY - timedelta(30), TODAY + timedelta(30)
# A place of its own, and a number that no other test gives.
WEST, SOUTH = 101.5, 62.5
SHAPE = f"POLYGON(({WEST} {SOUTH},{WEST + 0.01} {SOUTH},{WEST + 0.01} {SOUTH + 0.01},{WEST} {SOUTH + 0.01},{WEST} {SOUTH}))"
BOX = f"{WEST - 0.001},{SOUTH - 0.001},{WEST + 0.011},{SOUTH + 0.011}"
ITEMS = "/ogc/collections/quarters/items"


@dataclass(frozen=True)
class States:
    """Ids of objects that changed, will change, have ended, and never changed."""

    changed: int
    changing: int
    ended: int
    plain: int
    before: int


async def count(client: httpx.AsyncClient) -> int:
    layers = (await client.get("/api/v1/layers")).json()["layers"]
    return int(next(x["count"] for x in layers if x["name"] == "quarters"))


@pytest.fixture(scope="module")
def states(settings: Settings) -> Iterator[States]:
    with psycopg.connect(settings.database_url, autocommit=True) as c:

        def made(number: str, *ends: date | str, **more: Any) -> int:
            """An object with a state between each two of the ends."""
            known = dict(more)
            for n, (first, last) in enumerate(zip(("-infinity", *ends), (*ends, "infinity"), strict=True)):
                if last == "never":
                    break
                values = {"geom": SHAPE, "number": f"s96-{number}-{n}", "key": f"s96:{number}"}
                known["id"] = make_object(c, "quarters", valid_from=first, valid_to=last, **values, **known)
            return int(known["id"])

        row = c.execute(
            "SELECT count(DISTINCT id) FROM register.quarters WHERE sys_to = 'infinity'"
            " AND valid_from <= now() AND valid_to > now()"
        ).fetchone()
        assert row
        yield States(made("a", CHANGED), made("b", TO_CHANGE), made("c", CHANGED, "never"), made("d"), row[0])


async def shown(client: httpx.AsyncClient, **asked: Any) -> dict[int, str]:
    """Ids and numbers of every page; each id once, and as many as the first page promised."""
    url: str | None = ITEMS
    parameters: dict[str, Any] | None = {"bbox": BOX, "limit": 1} | asked
    found: list[dict[str, Any]] = []
    matched = set()
    while url:
        page = (await client.get(url, params=parameters)).json()
        parameters = None
        found += page["features"]
        matched.add(page["numberMatched"])
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    numbers = {f["id"]: f["properties"]["number"].removeprefix("s96-") for f in found}
    assert len(numbers) == len(found) and matched == {len(found)}
    return numbers


async def test_a_collection_shows_today(client: httpx.AsyncClient, states: States) -> None:
    expected = {states.changed: "a-1", states.changing: "b-0", states.plain: "d-0"}
    assert await shown(client) == expected
    assert await shown(client, datetime=TODAY.isoformat()) == expected
    assert await shown(client, limit=100) == expected


@pytest.mark.requirement("F-11")
async def test_an_interval_shows_each_object_as_it_last_was_in_it(
    client: httpx.AsyncClient, states: States
) -> None:
    ever = {states.changed: "a-1", states.changing: "b-1", states.ended: "c-0", states.plain: "d-0"}
    assert await shown(client, datetime="../..") == ever
    past = f"../{CHANGED - timedelta(1)}"
    assert await shown(client, datetime=past) == ever | {states.changed: "a-0", states.changing: "b-0"}
    # The last of the states that meet the whole question.
    assert await shown(client, datetime="../..", filter="number LIKE 's96-a-0'") == {states.changed: "a-0"}
    assert await shown(client, datetime="../..", as_of=f"{TODAY - timedelta(1)}T00:00:00Z") == {}


async def test_the_past_of_knowledge_shows_each_object_once(
    client: httpx.AsyncClient, states: States, owner: psycopg.Connection[Any]
) -> None:
    known = {"sys_from": "2020-01-01", "sys_to": "2021-01-01", "geom": SHAPE}
    for n, ends in enumerate((("-infinity", "2019-01-01"), ("2019-01-01", "infinity"))):
        period = {"valid_from": ends[0], "valid_to": ends[1]}
        make_object(
            owner, "quarters", id=states.plain, key="s96:d", number=f"s96-past-{n}", **period, **known
        )
    then = {"as_of": "2020-06-01T00:00:00Z"}
    assert await shown(client, **then) == {states.plain: "past-1"}
    assert await shown(client, datetime="../..", **then) == {states.plain: "past-1"}
    assert await shown(client, datetime="2018-06-01", **then) == {states.plain: "past-0"}


async def test_files_tiles_and_counts_say_the_same(client: httpx.AsyncClient, states: States) -> None:
    today = {states.changed, states.changing, states.plain}
    table = (await client.get(ITEMS, params={"bbox": BOX, "f": "csv"})).text.splitlines()
    assert [int(line.split(",")[0]) for line in table[1:]] == sorted(today)
    file = await client.get(ITEMS, params={"bbox": BOX, "f": "geoparquet"})
    assert pq.read_table(io.BytesIO(file.content)).column("id").to_pylist() == sorted(today)
    ever = await client.get(ITEMS, params={"bbox": BOX, "f": "geoparquet", "datetime": "../.."})
    assert pq.read_table(io.BytesIO(ever.content)).column("id").to_pylist() == sorted(today | {states.ended})
    place = morecantile.tms.get("WebMercatorQuad").tile(WEST + 0.005, SOUTH + 0.005, 14)
    tile = await client.get(f"/tiles/quarters/{place.z}/{place.x}/{place.y}.mvt")
    assert {f["id"] for f in mapbox_vector_tile.decode(tile.content)["quarters"]["features"]} == today
    assert await count(client) == states.before + 3


async def test_an_object_asked_for_is_shown_whenever_it_held(
    client: httpx.AsyncClient, states: States
) -> None:
    async def number(identity: int, **asked: str) -> str:
        document = (await client.get(f"{ITEMS}/{identity}", params=asked)).json()
        return str(document["properties"]["number"].removeprefix("s96-"))

    expected = {states.changed: "a-1", states.changing: "b-0", states.ended: "c-0"}
    for identity, last in expected.items():
        assert await number(identity) == last
        document = (await client.get(f"/api/v1/objects/quarters/{identity}")).json()
        assert document["properties"]["number"] == f"s96-{last}"
    assert await number(states.changing, datetime=(TO_CHANGE + timedelta(1)).isoformat()) == "b-1"


async def test_the_search_finds_former_names_and_names_an_object_once(
    client: httpx.AsyncClient, owner: psycopg.Connection[Any]
) -> None:
    known: dict[str, Any] = {"key": "s96:zone", "number": "96"}
    states = (("-infinity", CHANGED, "Заказник Старый"), (CHANGED, "infinity", "Заказник Новый"))
    for first, last, name in states:
        known["id"] = make_object(owner, "zones", valid_from=first, valid_to=last, name=name, **known)
    for text in ("Заказник", "старый"):
        hits = (await client.get("/api/v1/search", params={"q": text, "limit": 50})).json()["hits"]
        assert [h["id"] for h in hits] == [known["id"]], text
