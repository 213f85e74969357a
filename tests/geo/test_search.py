"""Search finds the same as reading everything: before the index of words is filled, while it is, and after."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from geo import search
from geo.access import ANONYMOUS, IDENTIFY, Caller
from geo.layers import all_layers, layer
from geo.listing import Listing, listing
from geo.moment import ALWAYS
from geo.settings import Settings
from tests.conftest import client_of, make_object

SEARCHED = [each.name for each in all_layers().values() if each.search]
INSPECTOR = Caller(account=1, rank=2, regions=("54",))
COMPANY = Caller(account=2, rank=1, inns=("7000000011",))
OTHER = Caller(account=3, rank=1, inns=("7000000012",))
_PLAIN = " OR ".join(f"{name} ILIKE %(p)s" for name in layer("licences").search)


def close(owner: psycopg.Connection[Any], layer_name: str, identity: int) -> None:
    owner.execute(
        f"UPDATE register.{layer_name} SET sys_to = clock_timestamp() WHERE id = %s AND sys_to = 'infinity'",
        [identity],
    )


async def hits(client: httpx.AsyncClient, text: str) -> list[tuple[str, int]]:
    answer = await client.get("/api/v1/search", params={"q": text, "limit": 50})
    assert answer.status_code == 200, answer.text
    return [(hit["layer"], hit["id"]) for hit in answer.json()["hits"]]


def waiting(settings: Settings) -> int:
    with psycopg.connect(settings.database_url) as owner:
        found = owner.execute("SELECT count(*) FROM search.pending").fetchone()
    return found[0] if found else -1


@pytest.fixture
def added(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        yield owner


async def test_an_object_is_found_at_once_and_after_the_filling(
    settings: Settings, added: psycopg.Connection[Any]
) -> None:
    words = {(name, column): f"Находка {name} {column}" for name in SEARCHED for column in layer(name).search}
    made = {
        name: make_object(added, name, **{column: words[name, column] for column in layer(name).search})
        for name in SEARCHED
    }
    async with client_of(settings, INSPECTOR) as client:
        for _ in range(2):
            for (name, _column), text in words.items():
                assert await hits(client, text.upper()) == [(name, made[name])]
            search.fill(settings.url_for("registrar"))
            assert waiting(settings) == 0
        for name in SEARCHED:
            close(added, name, made[name])
        for text in words.values():
            assert await hits(client, text) == []


def test_the_index_holds_what_the_layers_say(settings: Settings) -> None:
    with psycopg.connect(settings.database_url) as owner:
        said = owner.execute(
            "SELECT name, words, title, subtitle FROM search.layers ORDER BY name"
        ).fetchall()
    assert said == [
        (
            name,
            f"concat_ws(E'\\n', {', '.join(layer(name).search)})",
            f"coalesce({', '.join(layer(name).title_of)}, '')",
            f"coalesce({', '.join(layer(name).subtitle_of)}, '')",
        )
        for name in sorted(SEARCHED)
    ]


async def test_search_shows_nobody_what_is_not_his(
    settings: Settings, added: psycopg.Connection[Any]
) -> None:
    identity = make_object(
        added, "licences", name="Сокровенное", holder="Тайное", holder_inn="7000000011", visibility=2
    )
    seen = [("licences", identity)]
    for _ in range(2):
        for caller, shown in ((ANONYMOUS, []), (OTHER, []), (COMPANY, seen), (INSPECTOR, seen)):
            async with client_of(settings, caller) as client:
                assert await hits(client, "сокровенн") == await hits(client, "тайное") == shown
        search.fill(settings.url_for("registrar"))
    # Nor do the functions themselves, whatever a query asks of them.
    for caller, count in ((ANONYMOUS, 0), (INSPECTOR, 1)):
        with psycopg.connect(settings.app_database_url) as app:
            app.execute(IDENTIFY, caller.settings())
            assert len(app.execute("SELECT * FROM search.best('%сокровенн%', 5)").fetchall()) == count
            few = app.execute("SELECT cardinality(search.few('%сокровенн%', 'licences'))").fetchone()
            assert few == (count,)
        for secret in ("SELECT words FROM search.words", "SELECT * FROM search.candidates('%', NULL, 9)"):
            with (
                psycopg.connect(settings.app_database_url) as app,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                app.execute(secret)


async def test_a_worker_that_dies_loses_nothing(
    settings: Settings, added: psycopg.Connection[Any], client: httpx.AsyncClient
) -> None:
    search.fill(settings.url_for("registrar"))
    added.execute(
        "INSERT INTO register.zones (number, name, key, region, digest)"
        " SELECT i::text, 'Гибель ' || i, 'died:' || i, '54', gen_random_uuid() FROM generate_series(1, 40) i"
    )
    with psycopg.connect(settings.url_for("registrar")) as dying:
        dying.execute("SELECT search.fill(10)")
        dying.rollback()
    for filled in range(5):
        for wanted in ("Гибель 3", "Гибель 17", "Гибель 40"):
            assert await hits(client, wanted), (filled, wanted)
        with psycopg.connect(settings.url_for("registrar"), autocommit=True) as worker:
            worker.execute("SELECT search.fill(10)")
    assert waiting(settings) == 0


async def test_a_version_that_is_not_committed_keeps_its_place(
    settings: Settings, added: psycopg.Connection[Any], client: httpx.AsyncClient
) -> None:
    with psycopg.connect(settings.database_url) as slow:
        identity = make_object(slow, "zones", name="Медленная зона")
        make_object(added, "zones", name="Быстрая зона")
        search.fill(settings.url_for("registrar"))
        assert await hits(client, "Медленная зона") == []
        slow.commit()
    assert await hits(client, "Медленная зона") == [("zones", identity)]
    search.fill(settings.url_for("registrar"))
    assert await hits(client, "Медленная зона") == [("zones", identity)]


async def test_a_version_that_took_over_is_found_by_its_own_words(
    settings: Settings, added: psycopg.Connection[Any], client: httpx.AsyncClient
) -> None:
    identity = make_object(added, "zones", key="renamed", number="ПРЖ 11111 ТЭ")
    search.fill(settings.url_for("registrar"))
    close(added, "zones", identity)
    make_object(added, "zones", key="renamed", id=identity, number="НОВ 22222 ТЭ")
    for _ in range(2):
        assert await hits(client, "11111") == []
        assert await hits(client, "22222") == [("zones", identity)]
        search.fill(settings.url_for("registrar"))
    search.sweep(settings.url_for("registrar"))
    assert added.execute("SELECT count(*) FROM search.words WHERE words LIKE '%11111%'").fetchone() == (0,)
    assert await hits(client, "22222") == [("zones", identity)]


@pytest.mark.parametrize("text", ["Таблица", "та", "ТАБЛИЦА 7", "100%", "a_b", "back\\slash"])
async def test_a_table_is_narrowed_to_the_same_rows(
    settings: Settings, added: psycopg.Connection[Any], text: str
) -> None:
    for name in (
        "Таблица 7",
        "Таблица 8",
        "100% торфа",
        "1000 торфа",
        "a_b",
        "aab",
        "back\\slash",
        "backslash",
    ):
        make_object(added, "zones", name=name)
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    count = added.execute(
        "SELECT count(*) FROM register.zones WHERE sys_to = 'infinity' AND (name ILIKE %(p)s OR number ILIKE %(p)s)",
        {"p": f"%{escaped}%"},
    ).fetchone()
    async with client_of(settings, ANONYMOUS) as client:
        database = client._transport.app.database  # type: ignore[attr-defined]
        for _ in range(2):
            async with database.transaction(ANONYMOUS) as connection:
                rows = await listing(connection, layer("zones"), Listing(ALWAYS, text))
            assert count == (rows.matched,)
            search.fill(settings.url_for("registrar"))


@pytest.fixture(scope="module")
def half_filled(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """Four hundred licences of few letters: some secret, some closed, half of them in the index; asked as a caller."""
    insert = (
        "INSERT INTO register.licences (number, name, holder, holder_inn, key, region, digest, visibility)"
        " SELECT (ARRAY['ab', 'Бв', 'a%%b', 'x_y', E'q\\nr', '\\'])[1 + i %% 6] || i, md5(i::text), (ARRAY['ООО «Ёж»', NULL, 'o''neil'])[1 + i %% 3],"
        " '70000000' || i %% 40, %s || i, '54', gen_random_uuid(), i %% 3 FROM generate_series(1, 200) i"
    )
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        owner.execute(insert, ["filled:"])
        search.fill(settings.url_for("registrar"))
        owner.execute(insert, ["waits:"])
        owner.execute("UPDATE register.licences SET sys_to = clock_timestamp() WHERE version % 7 = 0")
    with psycopg.connect(settings.app_database_url) as app:
        yield app


@pytest.mark.parametrize("caller", [ANONYMOUS, COMPANY, INSPECTOR], ids=["anonymous", "company", "inspector"])
@given(
    text=st.text("aABbбвЁеж0123%_\\'q «", min_size=1, max_size=5) | st.text("0123456789abcdef", max_size=4)
)
@example("a%b").via("a sign of patterns")
@budget(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_index_and_reading_everything_agree(
    half_filled: psycopg.Connection[Any], caller: Caller, text: str
) -> None:
    pattern = search.pattern_of(text)
    with half_filled.transaction():
        half_filled.execute(IDENTIFY, caller.settings())
        plain = f"SELECT version FROM gate.licences WHERE sys_to = 'infinity' AND ({_PLAIN}) ORDER BY 1"
        wanted = half_filled.execute(plain, {"p": pattern}).fetchall()
        few = "WHERE version = ANY ((SELECT search.few(%(p)s, 'licences'))::bigint[]) AND"
        assert half_filled.execute(plain.replace("WHERE", few), {"p": pattern}).fetchall() == wanted
        whole = plain.replace("version FROM", "id FROM")
        best = "SELECT id FROM search.best(%(p)s, 1000) WHERE layer = 'licences' ORDER BY 1"
        assert (
            half_filled.execute(best, {"p": pattern}).fetchall()
            == half_filled.execute(whole, {"p": pattern}).fetchall()
        )


async def test_a_text_that_stands_everywhere_is_found_without_a_list(
    settings: Settings, added: psycopg.Connection[Any], client: httpx.AsyncClient
) -> None:
    """More versions than a list is worth: the same hits, waiting, half filled and filled."""
    added.execute(
        "INSERT INTO register.zones (number, name, key, region, digest)"
        " SELECT i::text, 'Повсюду ' || i, 'everywhere:' || i, '54', gen_random_uuid() FROM generate_series(1, 5001) i"
    )
    few = "SELECT search.few('%повсюду%', 'zones') IS NULL"
    found = await hits(client, "повсюду")
    assert len(found) == 5
    for portion in (0, 4000, 4000):
        with psycopg.connect(settings.url_for("registrar"), autocommit=True) as worker:
            worker.execute("SELECT search.fill(%s)", [portion])
        assert await hits(client, "повсюду") == found
        async with client_of(settings, ANONYMOUS) as other:
            database = other._transport.app.database  # type: ignore[attr-defined]
            async with database.transaction(ANONYMOUS) as connection:
                rows = await listing(connection, layer("zones"), Listing(ALWAYS, "повсюду"))
        assert rows.matched == 5001
    search.fill(settings.url_for("registrar"))
    with psycopg.connect(settings.app_database_url) as app:
        assert app.execute(few).fetchone() == (True,)
