"""The leak suite: no surface tells anybody of what he may not know; a surface that is not in its table fails it.

Each caller is asked over two registers: the whole one, and one that holds only what he may know. Whatever is
answered must be the same, to the byte: words, places, counts, ids, entity tags and errors.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.routing import BaseRoute, Mount

from api.main import Mezha
from geo.settings import Settings
from tests.access.surfaces import SURFACES, Surface, place
from tests.access.world import CALLERS, MARK, OBJECTS, fill
from tests.conftest import client_of

# Instants of the answer itself, and what is random on purpose.
_CLOCK = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(Z|\+00:00)|nonce-[\w-]+|name=\"csrf\"[^>]*>")
_HEADERS = ("etag", "content-type", "content-crs", "link", "location", "content-disposition", "cache-control")


def routes(found: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Method and template of every route of the application."""
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes(inner.routes)
        elif not isinstance(route, Mount):
            methods: set[str] = getattr(route, "methods", None) or {"GET"}
            yield from ((method, route.path) for method in methods - {"HEAD"})  # type: ignore[attr-defined]


@pytest.mark.requirement("N-36", "R-17")
def test_every_route_has_its_row() -> None:
    """Add a row to tests/access/surfaces.py for a new route; remove that of a route which is gone."""
    app = Mezha(Settings(database_url="postgresql://nowhere/none")).app
    known = {(s.method, s.template) for s in SURFACES}
    there = set(routes(app.routes))
    assert there - known == set(), "routes without a row"
    outside = {t for _, t in known - there}
    assert all(t.startswith("/tiles/") or t == "files" or t.endswith("{row}/{col}") for t in outside), outside


def test_static_files_are_the_only_mounts() -> None:
    app = Mezha(Settings(database_url="postgresql://nowhere/none")).app
    mounts = {r.path for r in app.routes if isinstance(r, Mount)}
    assert all(path == "/static" or path.startswith("/lib/") for path in mounts), mounts


@pytest.fixture(scope="module")
def whole(new_database: Callable[[], Settings]) -> Settings:
    """The register with every secret."""
    made = new_database()
    fill(made, OBJECTS)
    return made


async def answers(
    client: httpx.AsyncClient, surface: Surface
) -> dict[str, tuple[int, dict[str, str], bytes]]:
    """What a surface answers at each of its addresses."""
    found = {}
    for address in surface.addresses():
        answer = await client.request(
            surface.method, address, content=surface.body, headers={"content-type": "application/json"}
        )
        headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
        found[address] = (answer.status_code, headers, answer.content)
    return found


def told(body: bytes, caller: str) -> list[str]:
    """Marks of what the caller may not know."""
    hidden = {m for o in OBJECTS if not o.visible(CALLERS[caller]) for m in o.marks()}
    known = {m for o in OBJECTS if o.visible(CALLERS[caller]) for m in o.marks()}
    return [mark for mark in hidden - known if mark.encode() in body]


@pytest.mark.requirement("N-36", "R-17", "R-18")
@pytest.mark.parametrize("name", list(CALLERS))
async def test_no_surface_tells_what_one_may_not_know(
    name: str, whole: Settings, new_database: Callable[[], Settings]
) -> None:
    caller = CALLERS[name]
    narrow = new_database()
    fill(narrow, [o for o in OBJECTS if o.visible(caller)])
    leaks: list[str] = []
    async with client_of(whole, caller) as full, client_of(narrow, caller) as ideal:
        for surface in SURFACES:
            over_all = await answers(full, surface)
            over_own = {} if surface.volatile else await answers(ideal, surface)
            for address, (status, headers, body) in over_all.items():
                # What the address itself says is no news.
                marks = [m for m in told(body, name) if m not in address]
                if marks:
                    leaks.append(f"{address} tells {marks}")
                if status >= 500:
                    leaks.append(f"{address} fails with {status}")
                if surface.volatile:
                    continue
                scrubbed = surface.scrub.sub(b"", _CLOCK.sub(b"", body))
                expected = over_own[address]
                twin = surface.scrub.sub(b"", _CLOCK.sub(b"", expected[2]))
                if (status, headers, scrubbed) != (expected[0], expected[1], twin):
                    leaks.append(f"{address} differs: {difference(scrubbed, twin)} {headers} {expected[1]}")
    assert not leaks, "\n".join(leaks[:20])


def difference(one: bytes, other: bytes) -> str:
    """Where two answers part."""
    place = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return f"{one[max(0, place - 40) : place + 60]!r} / {other[max(0, place - 40) : place + 60]!r}"


@pytest.mark.parametrize("name", ["anonymous", "contractor", "inspector elsewhere"])
async def test_a_layer_says_the_same_everywhere(name: str, whole: Settings) -> None:
    """Where a secret lies, a layer stands as it does in an empty place."""
    async with client_of(whole, CALLERS[name]) as client:
        empty = (await client.get("/api/v1/spatial/at?lon=20&lat=10")).json()["layers"]
        for target in OBJECTS:
            if not target.visible(CALLERS[name]) and not target.past:
                found = (await client.get(f"/api/v1/spatial/at?{place(target)}")).json()
                assert found["layers"][target.layer] == empty[target.layer], target
                assert found["objects"] == []


async def test_the_suite_sees_what_there_is_to_see(whole: Settings) -> None:
    """A row that shows nothing to an administrator would hide a leak to everybody."""
    async with client_of(whole, CALLERS["administrator"]) as administrator:
        for surface in SURFACES:
            if surface.shows:
                bodies = b"".join([body for _, _, body in (await answers(administrator, surface)).values()])
                assert any(m.encode() in bodies for o in OBJECTS[3:] for m in o.marks()), surface.template


def test_the_oracle_hides_something_from_everybody_but_the_administrator() -> None:
    for name, caller in CALLERS.items():
        hidden: list[Any] = [o for o in OBJECTS if not o.visible(caller)]
        assert bool(hidden) == (name != "administrator")
    assert all(MARK in str(o.row()) for o in OBJECTS)
