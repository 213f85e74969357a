"""Every page: a title, a language, a name for every control, one main heading, a policy that keeps others out."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser

import httpx
import psycopg
import pytest

from geo.access import Caller
from geo.settings import Settings
from tests.conftest import client_of, make_object
from web.modules import IMPORT_MAP_HASH

PAGES = {
    "/": 200,
    "/map": 200,
    "/registers": 200,
    "/registers/zones": 200,
    "/registers/zones?q=nothing-like-this": 200,
    "/registers/parcels?sort=-area_m2": 200,
    "/registers/parcels?sort=colour": 400,
    "/registers/zones?page=0": 400,
    "/registers/zones?established_on_from=never": 400,
    "/registers/nothing": 404,
    "/status": 200,
    "/nothing": 404,
}


class Page(HTMLParser):
    """What a screen reader would want to know of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lang = ""
        self.title = ""
        self.headings = 0
        self.labelled: set[str] = set()
        self.controls: list[dict[str, str | None]] = []
        self.ids: list[str] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._open.append(tag)
        self.lang = self.lang or (given.get("lang") or "" if tag == "html" else "")
        self.headings += tag == "h1"
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "label" and given.get("for"):
            self.labelled.add(str(given["for"]))
        if tag in ("input", "select", "textarea") and given.get("type") != "hidden":
            inside = "label" in self._open[:-1]
            self.controls.append(given | ({"aria-label": "inside"} if inside else {}))
        if tag in ("input", "meta", "link", "img", "br", "hr"):
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["title"]:
            self.title += data

    def nameless(self) -> list[dict[str, str | None]]:
        """Controls that have no name."""
        return [c for c in self.controls if c.get("id") not in self.labelled and not c.get("aria-label")]


@pytest.fixture
async def visitor(settings: Settings, owner: psycopg.Connection[object]) -> AsyncIterator[httpx.AsyncClient]:
    make_object(owner, "zones", name="Водоохранная зона", kind="water_protection", status="active")
    make_object(owner, "parcels", status="registered", area_m2=12_345.0)
    async with client_of(settings, Caller()) as client:
        client.headers["accept"] = "text/html"
        yield client


@pytest.mark.requirement("N-32", "N-33", "C-44")
@pytest.mark.parametrize("lang", ["ru", "en"])
@pytest.mark.parametrize(("path", "status"), PAGES.items())
async def test_every_page_is_whole(visitor: httpx.AsyncClient, path: str, status: int, lang: str) -> None:
    answer = await visitor.get(path, params={**httpx.URL(path).params, "lang": lang})
    assert answer.status_code == status, answer.text[:500]
    page = Page(answer.text)
    assert page.lang == lang
    assert page.title.removesuffix("· Mezha").removesuffix("· Межа").strip()
    assert page.headings == 1
    assert not page.nameless()
    assert len(page.ids) == len(set(page.ids))


async def test_a_choice_of_language_and_appearance_is_remembered(visitor: httpx.AsyncClient) -> None:
    first = await visitor.get("/?lang=en&theme=dark")
    assert first.cookies["mezha_lang"] == "en"
    again = await visitor.get("/status")
    assert 'lang="en"' in again.text
    assert 'data-theme="dark"' in again.text


async def test_pages_may_load_only_what_is_ours_and_nobody_may_frame_them(visitor: httpx.AsyncClient) -> None:
    headers = (await visitor.get("/")).headers
    policy = headers["content-security-policy"]
    assert f"script-src 'self' '{IMPORT_MAP_HASH}';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


async def test_a_base_map_of_the_settings_may_be_loaded() -> None:
    from web.headers import content_policy

    policy = content_policy(Settings(basemap_url="https://tiles.example.org/{z}/{x}/{y}.png"))
    assert "img-src 'self' data: blob: https://tiles.example.org;" in policy


@pytest.mark.requirement("F-11")
async def test_a_register_is_sorted_filtered_and_taken_away(
    settings: Settings, owner: psycopg.Connection[object]
) -> None:
    for number, status, area in (("А-1", "active", 5e4), ("А-2", "overdue", 9e4), ("А-3", "active", 7e4)):
        make_object(owner, "leases", number=number, status=status, area_m2=area)
    async with client_of(settings, Caller()) as client:
        client.headers["accept"] = "text/html"
        by_area = (await client.get("/registers/leases?sort=-area_m2")).text
        assert by_area.index("А-2") < by_area.index("А-3") < by_area.index("А-1")
        assert "9 га" in by_area
        active = (await client.get("/registers/leases?status=active&q=А-")).text
        assert "А-1" in active
        assert "А-2" not in active
        assert "/ogc/collections/leases/items?status=active&amp;f=csv" in active


@pytest.mark.requirement("C-44")
async def test_the_status_page_answers_while_the_database_is_away() -> None:
    async with client_of(Settings(database_url="postgresql://nobody@/nothing?host=/nowhere")) as client:
        answer = await client.get("/status", headers={"accept": "text/html"})
        assert answer.status_code == 503
        assert "не отвечает" in answer.text
        home = await client.get("/", headers={"accept": "text/html"})
        assert home.status_code == 503
        assert "База данных не отвечает" in home.text
