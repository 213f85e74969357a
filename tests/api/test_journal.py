"""The journal as the interfaces write and show it."""

from typing import Any

import psycopg
import pytest

from accounts import verify_excerpt
from accounts.roots import folder, seal
from geo.access import ANONYMOUS, Caller
from geo.settings import Settings
from tests.conftest import client_of, make_object


@pytest.mark.requirement("C-27")
async def test_a_look_at_a_restricted_object_is_recorded_and_one_at_a_public_one_is_not(
    settings: Settings, owner: psycopg.Connection[Any]
) -> None:
    licence, zone = make_object(owner, "licences", region="54"), make_object(owner, "zones")
    async with client_of(settings, Caller(account=8, rank=1, regions=("54",))) as inspector:
        for path in (
            f"/ogc/collections/licences/items/{licence}",
            f"/api/v1/objects/licences/{licence}",
            "/ogc/collections/licences/items?limit=5",
            f"/ogc/collections/zones/items/{zone}",
            "/ogc/collections/zones/items",
        ):
            assert (await inspector.get(path)).status_code == 200, path
    async with client_of(settings, ANONYMOUS) as stranger:
        assert (await stranger.get(f"/api/v1/objects/licences/{licence}")).status_code == 404
    rows = owner.execute(
        "SELECT action, account, subject, object, address FROM journal.entries ORDER BY at"
    ).fetchall()
    address = "127.0.0.1"
    assert rows == [
        ("view", 8, "licences", licence, address),
        ("view", 8, "licences", licence, address),
        ("listed", 8, "licences", None, address),
    ]


async def test_published_roots_are_for_everybody(settings: Settings) -> None:
    with psycopg.connect(settings.registrar_database_url) as connection:
        root = seal(connection, "2026-11-22", folder(settings.home))
    async with client_of(settings, ANONYMOUS) as stranger:
        listed = (await stranger.get("/api/v1/journal/roots")).json()["roots"]
        assert listed[0]["root"] == root.digest.hex()
        document = (await stranger.get("/api/v1/journal/roots/2026-11-22")).json()
        assert verify_excerpt.fault_of_root(document) == ""
        absent = await stranger.get("/api/v1/journal/roots/1999-01-01")
        assert (absent.status_code, absent.json()["code"]) == (404, "unknown-root")
        script = await stranger.get("/api/v1/journal/verifier")
        assert "def fault_of_entry" in script.text
