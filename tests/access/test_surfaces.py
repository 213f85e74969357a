"""The leak suite: no surface tells anybody of what he may not know; a surface that is not in its table fails it.

Each caller is asked over two registers: the whole one, and one that holds only what he may know. Whatever is
answered must be the same, to the byte: words, places, counts, ids, entity tags and errors.
"""

import asyncio
import contextlib
import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.routing import BaseRoute, Mount

from api.main import Mezha
from geo.access import Caller
from geo.settings import Settings
from tests.access.people import ACCOUNTS, SECRETS, furnish, person
from tests.access.surfaces import PAST, SURFACES, Surface, place
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
    furnish(made, None)
    return made


# The questions of the suite as a page writes them down; the longest first, for one may stand within another.
_SENT = {httpx.URL(a).query for surface in SURFACES for a in surface.addresses()} - {b""}
_WRITTEN = {html.escape(sent.decode()).replace("&#x27;", "&#39;").encode() for sent in _SENT}
TYPED = sorted(_SENT | _WRITTEN, key=len, reverse=True)
Answers = dict[str, tuple[int, dict[str, str], bytes]]


async def answers(client: httpx.AsyncClient, surface: Surface) -> Answers:
    """What a surface answers at each of its addresses, several asked at once."""
    gate = asyncio.Semaphore(4)

    async def ask(address: str) -> tuple[int, dict[str, str], bytes]:
        async with gate:
            answer = await client.request(
                surface.method, address, content=surface.body, headers={"content-type": "application/json"}
            )
        headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
        return answer.status_code, headers, answer.content

    addresses = list(surface.addresses())
    return dict(zip(addresses, await asyncio.gather(*map(ask, addresses)), strict=True))


def without_questions(body: bytes) -> bytes:
    """A page of the journal without the questions that it repeats to him who asked them.

    Only a whole question of the suite is taken out, as it was sent; an id, a name or a place that stands anywhere else
    in the page, even one that some address of the suite holds too, remains and is a leak.
    """
    for question in TYPED:
        body = body.replace(question, b"")
    return body


def told(body: bytes, caller: str) -> list[str]:
    """Marks of what the caller may not know."""
    hidden = {m for o in OBJECTS if not o.visible(CALLERS[caller]) for m in o.marks()}
    known = {m for o in OBJECTS if o.visible(CALLERS[caller]) for m in o.marks()}
    hidden |= {s.mark for s in SECRETS if caller not in s.known}
    return [mark for mark in hidden - known if mark.encode() in body]


def hides(caller: Caller, layer: str, *, past: bool) -> bool:
    """Whether a layer must say that part of it is hidden: an object narrower than the layer is, at that moment."""
    return any(
        o.layer == layer
        and o.visibility > caller.rank
        and o.region not in caller.regions
        and (not o.past or past)
        for o in OBJECTS
    )


def as_over_all(body: bytes, caller: Caller, *, past: bool) -> bytes:
    """The answer that the whole register must give, made of the one over what the caller may know.

    They differ in one thing, and for a reason: a layer of which part is hidden says so, because “not checked” must not
    look like “clear”. It says nothing else: no version, no times, the same at every place.
    """
    try:
        document = json.loads(body)
        layers = document["layers"]
    except (ValueError, KeyError, TypeError):
        return body
    for name, standing in layers.items() if isinstance(layers, dict) else ():
        if standing["reason"] != "no-access" and hides(caller, name, past=past):
            layers[name] = standing | _hidden(standing["hits"])
    return json.dumps(document).encode()


def _hidden(hits: int) -> dict[str, object]:
    outcome = {"answer": "hit" if hits else "not_checked", "hits": hits, "reason": "partly-hidden"}
    return outcome | {"version": None, "changed_at": None, "confirmed_at": None}


def kinds_as_over_all(body: bytes, caller: Caller, *, past: bool) -> bytes:
    """`as_over_all` for conflicts: a pair of layers is worth what its weaker half is."""
    document = json.loads(body)
    halves = {"lease": "leases", "zone": "zones", "licence": "licences", "cutting": "cutting_areas"}
    halves |= {"plot": "forest_plots", "parcel": "parcels", "waste": "waste_sites"}
    for kind, standing in document.get("kinds", {}).items():
        names = [halves[half] for half in kind.split("-")]
        if standing["reason"] not in ("no-access", "empty") and any(
            hides(caller, name, past=past) for name in names
        ):
            document["kinds"][kind] = standing | _hidden(standing["hits"])
    return json.dumps(document).encode()


def plain(body: bytes) -> bytes:
    """A body without the instants of the answer; JSON as Python writes it."""
    with contextlib.suppress(ValueError):
        body = json.dumps(json.loads(body)).encode()
    return _CLOCK.sub(b"", body)


@pytest.mark.requirement("N-36", "R-17", "R-18")
@pytest.mark.parametrize("name", list(CALLERS))
async def test_no_surface_tells_what_one_may_not_know(
    name: str, whole: Settings, new_database: Callable[[], Settings]
) -> None:
    caller, leaks = CALLERS[name], list[str]()
    narrow = new_database()
    fill(narrow, [o for o in OBJECTS if o.visible(caller)])
    furnish(narrow, name)
    async with client_of(whole, caller, person(name)) as full, client_of(narrow, caller, person(name)) as own:
        for surface in SURFACES:
            over_all, over_own = await asyncio.gather(
                answers(full, surface), answers(own, surface) if not surface.volatile else nothing()
            )
            for address, (status, headers, body) in over_all.items():
                # What the address itself says is no news, and the journal repeats what one has asked.
                seen = without_questions(body) if "/journal" in address else body
                marks = [m for m in told(seen, name) if m not in address]
                if marks:
                    leaks.append(f"{address} tells {marks}")
                if status >= 500:
                    leaks.append(f"{address} fails with {status}: {body[:200]!r}")
                if surface.volatile:
                    continue
                expected = over_own[address]
                lift = kinds_as_over_all if "overlaps" in address else as_over_all
                one, twin = plain(body), plain(lift(expected[2], caller, past=PAST in address))
                if (status, headers, one) != (expected[0], expected[1], twin):
                    leaks.append(f"{address} differs: {difference(one, twin)} {headers} {expected[1]}")
    assert not leaks, "\n".join(leaks[:20])


async def nothing() -> Answers:
    """No answers."""
    return {}


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
            if not (target.visible(CALLERS[name]) or target.past or target.over):
                found = (await client.get(f"/api/v1/spatial/at?{place(target)}")).json()
                assert found["layers"][target.layer] == empty[target.layer], target
                known = {o.id for o in OBJECTS if o.visible(CALLERS[name])}
                assert {o["id"] for o in found["objects"]} <= known


async def test_the_suite_sees_what_there_is_to_see(whole: Settings) -> None:
    """A row that shows nothing to an administrator would hide a leak to everybody."""
    async with client_of(whole, CALLERS["administrator"]) as administrator:
        for surface in SURFACES:
            if surface.shows:
                bodies = b"".join([body for _, _, body in (await answers(administrator, surface)).values()])
                assert any(m.encode() in bodies for o in OBJECTS[3:] for m in o.marks()), surface.template


def test_the_journal_may_repeat_a_question_and_nothing_else() -> None:
    asked = "holder_inn=7000000003&key=zqk7zqk"
    assert told(without_questions(b"<dd>key=zqk7zqk</dd>"), "anonymous") == []
    for leak in ("zqk7zqk", "№ 910000007", f"{asked} zqk7zqk", "key=zqk7zqk zqk8zqk"):
        assert told(without_questions(f"<dd>{leak}</dd>".encode()), "anonymous"), leak


def test_the_oracle_hides_something_from_everybody_but_the_administrator() -> None:
    for name, caller in CALLERS.items():
        hidden: list[Any] = [o for o in OBJECTS if not o.visible(caller)]
        assert bool(hidden) == (name != "administrator")
    assert all(MARK in str(o.row()) for o in OBJECTS)


async def test_every_secret_of_people_is_shown_to_somebody(whole: Settings) -> None:
    """A secret that nobody is ever shown would not be found if it leaked."""
    shown = b""
    for name in ("owner", "administrator", "another company", "inspector elsewhere"):
        async with client_of(whole, CALLERS[name], person(name)) as client:
            for surface in SURFACES:
                if not surface.silent and not surface.shows:
                    shown += b"".join([body for _, _, body in (await answers(client, surface)).values()])
    unseen = [s.name for s in SECRETS if "{mark}" in str(s.row) and s.mark.encode() not in shown]
    assert unseen == []


@pytest.mark.parametrize("name", list(ACCOUNTS))
def test_the_people_of_the_suite_are_its_callers(name: str) -> None:
    found = person(name)
    assert found is not None and found.caller() == CALLERS[name]
