"""What is here: rights first, with their paper; and “not checked” is never shown as “clear”."""

from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from geo.access import ANONYMOUS, Caller
from geo.db import Database
from geo.layers import all_layers
from geo.moment import Moment
from geo.settings import Settings
from geo.spatial import spot
from geo.spatial.standing import Terms
from tests.conftest import client_of, make_object

HERE = "/api/v1/spatial/at?lon=83.005&lat=55.005"
INSPECTOR = Caller(account=3, rank=1, regions=("54",))


@pytest.fixture(scope="module")
def things(settings: Settings) -> dict[str, int]:
    """One object of several layers at the same place, and one zone elsewhere."""
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        return {
            "old": make_object(
                c, "leases", number="A-1", holder="ООО «Лес»", starts_on="2019-01-01", ends_on="2020-01-01"
            ),
            "lease": make_object(
                c, "leases", number="A-2", holder="ООО «Лес»", starts_on="2021-01-01", ends_on="2099-01-01"
            ),
            "stand": make_object(c, "stands"),
            "licence": make_object(c, "licences", number="НОВ 00001 ТЭ", holder_inn="7707083893"),
            "waste": make_object(c, "waste_sites"),
            "zone": make_object(c, "zones", geom="POLYGON((10 10,11 10,11 11,10 11,10 10))"),
            "gone": make_object(c, "deposits", sys_from="2020-01-01", sys_to="2021-01-01"),
            "future": make_object(c, "quarters", valid_from="2090-01-01"),
        }


async def ask(settings: Settings, path: str, caller: Caller = ANONYMOUS) -> dict[str, Any]:
    async with client_of(settings, caller) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_rights_come_first_newest_first_with_their_paper(
    settings: Settings, things: dict[str, int]
) -> None:
    found = await ask(settings, HERE)
    assert [o["id"] for o in found["objects"]][:2] == [things["lease"], things["old"]]
    assert found["objects"][0]["right"]["paper"] == "A-2"
    assert found["objects"][0]["right"]["state"] == "valid"
    assert found["objects"][1]["right"]["state"] == "overdue"
    assert found["objects"][0]["title"] == "A-2"
    assert found["objects"][0]["subtitle"] == "ООО «Лес»"
    assert {o["id"] for o in found["objects"]} == {things[k] for k in ("old", "lease", "stand", "waste")}


async def test_four_values(settings: Settings, things: dict[str, int]) -> None:
    layers = (await ask(settings, HERE))["layers"]
    assert layers["leases"]["answer"] == "hit" and layers["leases"]["version"]
    assert layers["zones"]["answer"] == "clear"
    assert (layers["parcels"]["answer"], layers["parcels"]["reason"]) == ("not_checked", "empty")
    assert (layers["licences"]["answer"], layers["licences"]["reason"]) == ("not_checked", "no-access")
    assert layers["licences"]["version"] is None, "a hidden layer tells nothing of itself"


async def test_who_sees_a_layer_whole_gets_a_clear_answer(settings: Settings, things: dict[str, int]) -> None:
    layers = (await ask(settings, HERE, INSPECTOR))["layers"]
    assert layers["licences"]["answer"] == "hit"
    elsewhere = (await ask(settings, "/api/v1/spatial/at?lon=20&lat=20", INSPECTOR))["layers"]
    assert elsewhere["licences"]["answer"] == "clear"
    holder = Caller(account=2, rank=1, inns=("7707083893",))
    assert (await ask(settings, HERE, holder))["layers"]["licences"]["answer"] == "hit"
    away = await ask(settings, "/api/v1/spatial/at?lon=20&lat=20", holder)
    assert away["layers"]["licences"]["answer"] == "not_checked", "he sees his own, not all"


async def test_a_narrowed_object_takes_the_clear_from_strangers(
    settings: Settings, owner: psycopg.Connection[Any]
) -> None:
    make_object(owner, "municipalities", geom="POLYGON((10 10,11 10,11 11,10 11,10 10))")
    assert (await ask(settings, HERE))["layers"]["municipalities"]["answer"] == "clear"
    make_object(owner, "municipalities", visibility=2)
    layers = (await ask(settings, HERE))["layers"]
    assert (layers["municipalities"]["answer"], layers["municipalities"]["reason"]) == (
        "not_checked",
        "partly-hidden",
    )


async def test_a_layer_nobody_confirms_grows_stale(settings: Settings, things: dict[str, int]) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        make_object(c, "forestries", sys_from="2001-01-01", geom="POLYGON((10 10,11 10,11 11,10 11,10 10))")
    layers = (await ask(settings, HERE))["layers"]
    assert (layers["forestries"]["answer"], layers["forestries"]["reason"]) == ("stale", "old")


async def test_both_times(settings: Settings, things: dict[str, int]) -> None:
    then = await ask(settings, f"{HERE}&as_of=2020-06-01T00:00:00Z", INSPECTOR)
    assert [o["id"] for o in then["objects"]] == [things["gone"]]
    later = await ask(settings, f"{HERE}&datetime=2095-01-01")
    assert things["future"] in {o["id"] for o in later["objects"]}


async def test_points_are_found_by_a_radius(settings: Settings, things: dict[str, int]) -> None:
    near = "/api/v1/spatial/at?lon=83.0055&lat=55.005&layers=waste_sites"
    assert (await ask(settings, near))["objects"] == []
    assert [o["id"] for o in (await ask(settings, f"{near}&radius=60"))["objects"]] == [things["waste"]]


@pytest.mark.parametrize(
    "query",
    ["lon=181&lat=0", "lon=0&lat=91", "lon=nan&lat=0", "lon=1,2&lat=0", "lon=0", "lon=0&lat=0&radius=-1",
     "lon=0&lat=0&layers=,", "lon=0&lat=0&colour=1", "lon=0&lat=0&as_of=2999-01-01"],
)  # fmt: skip
async def test_bad_places_are_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/api/v1/spatial/at?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "bad-parameter"


async def test_a_question_is_planned_once_a_connection(settings: Settings, things: dict[str, int]) -> None:
    """Twelve layers take longer to plan than to ask; whoever gets the connection next plans as he likes."""
    assert things
    database = Database(settings.model_copy(update={"pool_size": 1}))
    await database.open()
    terms = Terms(ANONYMOUS, Moment.today("UTC"), timedelta(days=30), "54")
    for _ in range(8):
        async with database.raw(ANONYMOUS) as connection:
            await spot.at(connection, spot.Spot(83.005, 55.005), names=tuple(all_layers()), terms=terms)
    async with database.raw(ANONYMOUS) as connection:
        cursor = await connection.execute(
            "SELECT generic_plans, custom_plans, current_setting('plan_cache_mode') FROM pg_prepared_statements"
            " WHERE statement LIKE %s",
            ["%ST_DistanceSphere%UNION ALL%"],
        )
        counted = await cursor.fetchall()
    await database.close()
    assert counted == [(8, 0, "auto")]
