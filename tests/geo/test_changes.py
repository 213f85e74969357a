"""What the registers recorded when: days are those of the region, and a difference knows new, changed and gone."""

from typing import Any

import httpx
import psycopg
import pytest

from geo.access import ANONYMOUS, Caller
from geo.settings import Settings
from tests.conftest import client_of, make_object

BOX = "bbox=120,70,121,71"
HERE = "POLYGON((120.4 70.4,120.5 70.4,120.5 70.5,120.4 70.5,120.4 70.4))"


@pytest.fixture(scope="module", autouse=True)
def history(settings: Settings) -> dict[str, int]:
    """A zone that came, one that changed, one that went, one that came and went; a licence strangers do not see."""
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        new = make_object(c, "zones", geom=HERE, name="Новая", sys_from="2022-03-01 20:00+00")
        gone = make_object(c, "zones", geom=HERE, name="Ушла", sys_from="2020-01-10", sys_to="2022-03-02")
        make_object(c, "zones", geom=HERE, name="Мелькнула", sys_from="2022-01-01", sys_to="2022-02-01")
        make_object(c, "licences", geom=HERE, name="Тайная", sys_from="2022-03-01")
        changed = make_object(
            c, "leases", geom=HERE, number="ДА-1", sys_from="2020-01-10", sys_to="2022-04-01"
        )
        make_object(c, "leases", geom=HERE, id=changed, number="ДА-1 изм.", sys_from="2022-04-01")
    return {"new": new, "gone": gone, "changed": changed}


async def told(client: httpx.AsyncClient, query: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/changes?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_difference_knows_new_changed_and_gone(
    client: httpx.AsyncClient, history: dict[str, int]
) -> None:
    found = await told(client, f"since=2021-06-01T00:00:00Z&{BOX}")
    kinds = {(one["layer"], one["id"]): (one["kind"], one["title"]) for one in found["changes"]}
    assert kinds == {
        ("zones", history["new"]): ("new", "Новая"),
        ("zones", history["gone"]): ("gone", "Ушла"),
        ("leases", history["changed"]): ("changed", "ДА-1 изм."),
    }
    assert found["matched"] == 3
    assert found["changes"][0]["id"] == history["changed"], "the newest change first"
    assert found["changes"][0]["geometry"]["type"] == "MultiPolygon"


async def test_the_ends_of_a_span_bound_what_is_told(
    client: httpx.AsyncClient, history: dict[str, int]
) -> None:
    found = await told(client, f"since=2022-03-01T21:00:00Z&until=2022-03-15T00:00:00Z&{BOX}")
    assert [one["id"] for one in found["changes"]] == [history["gone"]]
    assert (await told(client, f"since=2023-01-01T00:00:00Z&{BOX}"))["matched"] == 0
    assert (await told(client, "since=2021-06-01T00:00:00Z&bbox=10,10,11,11"))["matched"] == 0
    first = await told(client, f"since=2021-06-01T00:00:00Z&{BOX}&limit=1")
    assert (len(first["changes"]), first["matched"]) == (1, 3)


async def test_nobody_is_told_of_what_he_may_not_see(settings: Settings) -> None:
    async with client_of(settings, ANONYMOUS) as stranger, client_of(settings, Caller(rank=3)) as admin:
        query = f"since=2021-06-01T00:00:00Z&{BOX}&layers=licences"
        assert (await told(stranger, query))["matched"] == 0
        assert (await told(admin, query))["matched"] == 1
        days = "/api/v1/changes/days?layers=licences"
        assert (await stranger.get(days)).json()["days"] == []
        assert [d["day"] for d in (await admin.get(days)).json()["days"]] == ["2022-03-01"]


async def test_days_are_those_of_the_region(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/v1/changes/days?layers=zones")).json()
    assert found["time_zone"] == "Asia/Novosibirsk"
    # Eight in the evening by Greenwich is the next morning in Novosibirsk.
    assert [(d["day"], d["layers"]["zones"]) for d in found["days"]] == [
        ("2020-01-10", 1),
        ("2022-01-01", 1),
        ("2022-03-02", 1),
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [("", "since"), ("since=gestern", "as_of"), ("since=2022-01-01&bbox=170,1,-170,2", "bbox")],
)
async def test_a_wrong_question_is_named(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"/api/v1/changes?{query}")
    assert answer.status_code == 400
    assert answer.json()["field"] == field
