"""The conflict monitor: the same pairs as a naive comparison, at a cost that follows the change; seen by who sees both."""

import random
from typing import Any

import numpy as np
import psycopg
import pytest
import shapely

from geo.access import ANONYMOUS, Caller
from geo.geometry import area_geodesic
from geo.settings import Settings
from geo.spatial.conflicts import settle
from tests.conftest import client_of, make_object

URL = "/api/v1/spatial/overlaps"
EVERYWHERE = Caller(account=1, rank=3)


def square(west: float, south: float, side: float = 0.01) -> str:
    e, n = west + side, south + side
    return f"POLYGON(({west} {south},{e} {south},{e} {n},{west} {n},{west} {south}))"


def common_m2(a: Any, b: Any) -> float:
    return float(area_geodesic(np.array([a.intersection(b)], dtype=object))[0])


def monitor(settings: Settings) -> int:
    with psycopg.connect(settings.url_for("registrar"), autocommit=True) as connection:
        return settle(connection, batch=7)


async def ask(settings: Settings, caller: Caller = EVERYWHERE, **parameters: Any) -> dict[str, Any]:
    async with client_of(settings, caller) as client:
        answer = await client.get(URL, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def pairs(found: dict[str, Any], kind: str) -> set[frozenset[int]]:
    return {frozenset((p["a"]["id"], p["b"]["id"])) for p in found["pairs"] if p["kind"] == kind}


async def test_the_monitor_finds_what_a_naive_comparison_finds(
    settings: Settings, owner: psycopg.Connection[Any]
) -> None:
    dice = random.Random(7)
    leases = {}
    for _ in range(40):
        wkt = square(90 + dice.random() / 10, 60 + dice.random() / 10, 0.02)
        leases[make_object(owner, "leases", geom=wkt)] = shapely.from_wkt(wkt)
    monitor(settings)
    for identity in list(leases)[::3]:
        owner.execute(
            "SELECT history.close('leases', array_agg(version)) FROM register.leases WHERE id = %s AND sys_to = 'infinity'",
            [identity],
        )
        wkt = square(90 + dice.random() / 10, 60 + dice.random() / 10, 0.02)
        make_object(owner, "leases", geom=wkt, id=identity)
        leases[identity] = shapely.from_wkt(wkt)
    stale = await ask(settings, kinds="lease-lease", limit=1000)
    assert (stale["kinds"]["lease-lease"]["reason"] == "pending") or stale["pairs"]
    monitor(settings)
    found = await ask(settings, kinds="lease-lease", limit=1000)
    expected = {
        frozenset((a, b)) for a in leases for b in leases if a < b and common_m2(leases[a], leases[b]) > 100
    }
    assert pairs(found, "lease-lease") == expected and len(expected) > 20
    assert found["matched"] == len(expected)
    areas = [p["overlap_ha"] for p in found["pairs"]]
    assert areas == sorted(areas, reverse=True)


async def test_a_pair_is_seen_only_by_who_sees_both(
    settings: Settings, owner: psycopg.Connection[Any]
) -> None:
    licence = make_object(owner, "licences", geom=square(10, 50), holder_inn="7707083893")
    zone = make_object(owner, "zones", geom=square(10.005, 50))
    site = make_object(owner, "waste_sites", geom="POINT(10.012 50.005)")
    monitor(settings)
    pair = frozenset((licence, zone))
    assert pair in pairs(await ask(settings), "licence-zone")
    assert frozenset((site, zone)) in pairs(await ask(settings, ANONYMOUS), "waste-zone")
    stranger = await ask(settings, ANONYMOUS, kinds="licence-zone")
    assert stranger["pairs"] == [] and stranger["matched"] == 0
    assert stranger["kinds"]["licence-zone"]["answer"] == "not_checked"
    holder = await ask(settings, Caller(account=2, rank=1, inns=("7707083893",)), kinds="licence-zone")
    assert pairs(holder, "licence-zone") == {pair}
    assert (await ask(settings, bbox="0,0,1,1", kinds="licence-zone"))["pairs"] == []
    assert (await ask(settings, bbox="9,49,11,51", kinds="licence-zone"))["matched"] == 1


async def test_conflicts_have_both_times(settings: Settings, owner: psycopg.Connection[Any]) -> None:
    one = make_object(owner, "cutting_areas", geom=square(20, 50), valid_to="2030-01-01")
    two = make_object(owner, "cutting_areas", geom=square(20.005, 50), valid_from="2031-01-01")
    three = make_object(
        owner, "cutting_areas", geom=square(20.005, 50), valid_from="2020-01-01", valid_to="2021-01-01"
    )
    monitor(settings)
    now = await ask(settings, kinds="cutting-cutting", datetime="../..")
    assert pairs(now, "cutting-cutting") == {frozenset((one, three))}, (one, two)
    assert pairs(await ask(settings, kinds="cutting-cutting"), "cutting-cutting") == set()
    then = await ask(settings, kinds="cutting-cutting", datetime="2020-06-01")
    assert len(then["pairs"]) == 1
    before = owner.execute("SELECT clock_timestamp()").fetchone()
    owner.execute(
        "SELECT history.close('cutting_areas', array_agg(version)) FROM register.cutting_areas WHERE id = %s",
        [one],
    )
    assert (await ask(settings, kinds="cutting-cutting", datetime="../.."))["pairs"] == []
    assert before is not None
    past = await ask(settings, kinds="cutting-cutting", datetime="../..", as_of=before[0].isoformat())
    assert pairs(past, "cutting-cutting") == {frozenset((one, three))}


def test_the_cost_follows_the_change(settings: Settings, owner: psycopg.Connection[Any]) -> None:
    """One new object is compared with its neighbours only, however large the layers are."""
    owner.execute(
        "INSERT INTO register.parcels (number, key, region, digest, geom) SELECT 'n', 'mass:' || i, '54', gen_random_uuid(),"
        " ST_Multi(ST_MakeEnvelope(30 + i * 0.001, 40, 30.0009 + i * 0.001, 40.001, 4326)) FROM generate_series(1, 3000) i"
    )
    owner.execute("ANALYZE register.parcels")
    monitor(settings)
    make_object(owner, "parcels", geom=square(31, 40, 0.0005))
    owner.execute("SELECT pg_stat_force_next_flush()")
    read = (
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'parcels'"
    )
    before = owner.execute(read).fetchone()
    assert monitor(settings) == 1
    with psycopg.connect(settings.database_url, autocommit=True) as other:
        other.execute("SELECT pg_sleep(1.1)")
        after = other.execute(read).fetchone()
    assert before and after and after[0] - before[0] < 300, (before, after)


async def test_unknown_kinds_are_named(settings: Settings) -> None:
    async with client_of(settings, ANONYMOUS) as client:
        for query in ("kinds=love", "bbox=1,2", "limit=0", "bbox=170,0,-170,1"):
            assert (await client.get(f"{URL}?{query}")).status_code == 400, query


def test_a_mass_load_notes_one_row(settings: Settings, db: psycopg.Connection[Any]) -> None:
    db.execute("DELETE FROM spatial.pending")
    db.execute(
        "INSERT INTO register.zones (number, key, region, digest, geom) SELECT 'n', 'load:' || i, '54', gen_random_uuid(),"
        " ST_Multi(ST_MakeEnvelope(i, 0, i + 0.5, 1, 4326)) FROM generate_series(1, 100) i"
    )
    rows = db.execute("SELECT layer, last_version - first_version + 1 FROM spatial.pending").fetchall()
    assert rows == [("zones", 100)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction():
        db.execute("SET LOCAL ROLE mezha_app")
        db.execute("SELECT * FROM spatial.conflicts")
