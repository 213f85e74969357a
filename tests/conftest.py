"""The ladder: one throw-away cluster, one migrated template, a database per module, a transaction per test."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg import sql

from accounts.person import Person
from api.main import Mezha
from cases.decisions import seal
from geo.access import ANONYMOUS, Caller, publish_statement
from geo.cluster import Cluster
from geo.layers import layer
from geo.settings import Settings
from tests import seed
from web import csrf

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
_numbers = count(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real registry files; a test that needs them skips where they are absent."""
    if not SHARED.is_dir():
        pytest.skip("the shared registry files (../shared/data) are not here")
    return SHARED


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of the tests' own; nothing of `make run` is touched."""
    made = seed.start()
    yield made
    made.destroy()


def _settings(cluster: Cluster, name: str, home: Path) -> Settings:
    made = Settings(
        database_url=cluster.url(name),
        app_database_url=cluster.url(name, "mezha_app"),
        registrar_database_url=cluster.url(name, "mezha_registrar"),
        home=home,
        region="54",
    )
    seal.make(made, "Орган по испытаниям")
    return made


@pytest.fixture(scope="session")
def new_database(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Settings]:
    """Make a fresh database; returns the settings that lead to it."""

    def make() -> Settings:
        name = f"mezha_{next(_numbers)}"
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                    sql.Identifier(name), sql.Identifier(seed.TEMPLATE)
                )
            )
        return _settings(cluster, name, tmp_path_factory.mktemp(name))

    return make


@pytest.fixture(scope="module")
def settings(new_database: Callable[[], Settings]) -> Settings:
    """A database of the module's own, for tests that commit."""
    return new_database()


@pytest.fixture(scope="session")
def demo_settings(new_database: Callable[[], Settings]) -> Settings:
    """A database with a tenth of the demo region, everything published; tests only read it."""
    from ingest.demo import archive

    made = new_database().model_copy(update={"demo": True, "region": "97", "publish": frozenset({"*"})})
    archive.fill(made.database_url, factor=0.1)
    with psycopg.connect(made.database_url) as connection:
        connection.execute(publish_statement(made.publish))
        connection.execute("ANALYZE")
    return made


@pytest.fixture(scope="session")
def _quiet_settings(new_database: Callable[[], Settings]) -> Settings:
    return new_database()


@pytest.fixture
def db(_quiet_settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """An owner's connection in a transaction that is rolled back."""
    with psycopg.connect(_quiet_settings.database_url) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def owner(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """An owner's connection to the module's database; it commits each statement."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        yield connection


SQUARE = "POLYGON((83 55,83.01 55,83.01 55.01,83 55.01,83 55))"
_REQUIRED = {"number": "n", "name": "name"}


def make_object(connection: psycopg.Connection[Any], layer_name: str, **values: Any) -> int:
    """Add a version as the owner and return the object's id; ``geom`` is WKT in degrees, unnamed columns get defaults."""
    target = layer(layer_name)
    n = next(_numbers)
    row: dict[str, Any] = {"key": f"test:{n}", "region": "54", "digest": f"{n:032x}"}
    names = {p.name for p in target.properties}
    row |= {k: f"{v}{n}" for k, v in _REQUIRED.items() if k in names}
    row |= {"geom": "POINT(83.005 55.005)" if target.geometry == "POINT" else SQUARE} | values
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    shape = sql.SQL(
        "ST_Multi(ST_GeomFromText({}, 4326))" if target.geometry != "POINT" else "ST_GeomFromText({}, 4326)"
    )
    places = sql.SQL(", ").join(
        shape.format(sql.Placeholder(k)) if k == "geom" and row[k] is not None else sql.Placeholder(k)
        for k in row
    )
    statement = sql.SQL("INSERT INTO register.{} ({}) VALUES ({}) RETURNING id").format(
        sql.Identifier(layer_name), columns, places
    )
    found = connection.execute(statement, row).fetchone()
    assert found is not None
    return int(found[0])


class _Fixed:
    """Identity of a test: everybody is the same caller, and for pages the same person."""

    def __init__(self, caller: Caller, person: Person | None) -> None:
        self._caller = caller
        self._person = person

    async def caller(self, scope: Any) -> Caller:
        if self._person is not None:
            scope["state"]["person"] = scope["state"]["entry"] = self._person
        return self._caller


# An application works out its routes with its first pages, a seventh of a second each time: it is lent from test to test.
_idle: dict[Settings, list[FastAPI]] = {}


def _application(settings: Settings) -> Mezha:
    made = Mezha(settings)
    if idle := _idle.get(settings):
        known = idle.pop()
        known.state = made.app.state
        made.app = known
    return made


@asynccontextmanager
async def client_of(
    settings: Settings, caller: Caller | None = None, person: Person | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the whole application; with ``caller`` the log-in is skipped, ``person`` is for pages."""
    app = _application(settings)
    if caller is not None:
        app._identity = _Fixed(caller, person)  # type: ignore[assignment]
    await app.database.open()
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://mezha.test") as client:
            if caller is not None:
                # Somebody whose log-in was skipped sends forms as our own pages do.
                client.cookies.set(csrf.COOKIE, "test", domain="mezha.test")
                client.headers.update({csrf.HEADER: csrf.token_for("test"), "origin": "http://mezha.test"})
            yield client
    finally:
        await app.database.close()
        await app.writer.close()
        _idle.setdefault(settings, []).append(app.app)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An anonymous client over the module's database."""
    async with client_of(settings, ANONYMOUS) as made:
        yield made
