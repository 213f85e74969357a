"""The cabinet and the office as pages: forms from the definition, mistakes beside their fields, both sides of a case."""

import re
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest

from geo.settings import Settings
from tests.cases.region import (
    APPLICANT,
    INN,
    INSPECTOR,
    OFFICER,
    PLOT,
    RIVAL,
    Region,
    area_ha,
    furnish,
    polygon,
    signed_at,
)
from tests.conftest import client_of
from tests.web.test_templates import Page


@pytest.fixture(scope="module")
def region(settings: Settings) -> Region:
    """A furnished register."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        return furnish(connection)


@pytest.fixture
async def applicant(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of the party, with a browser."""
    async with client_of(settings, APPLICANT.caller) as made:
        made.headers["accept"] = "text/html"
        yield made


@pytest.fixture
async def officer(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of the office, with a browser."""
    async with client_of(settings, OFFICER.caller) as made:
        made.headers["accept"] = "text/html"
        yield made


def sound(answer: httpx.Response, status: int = 200) -> str:
    """The text of a page that a screen reader can use."""
    assert answer.status_code == status, answer.text[:2000]
    seen = Page(answer.text)
    assert seen.lang == "ru"
    assert seen.title.strip()
    assert seen.headings == 1
    assert not seen.nameless()
    assert len(seen.ids) == len(set(seen.ids))
    return answer.text


def revision(text: str) -> str:
    """The revision that a form carries."""
    found = re.search(r'name="revision" value="(\d+)"', text)
    assert found
    return found[1]


async def _begun(client: httpx.AsyncClient, region: Region) -> str:
    made = await client.post(
        "/cabinet/cases", data={"service_name": "forest-declaration", "about": f"{INN}:{region.lease}"}
    )
    assert made.status_code == 303, made.text
    return made.headers["location"]


@pytest.mark.requirement("C-09", "C-12", "F-05")
async def test_a_case_from_service_to_decision(
    settings: Settings, applicant: httpx.AsyncClient, officer: httpx.AsyncClient, region: Region
) -> None:
    assert "Лесная декларация" in sound(await applicant.get("/cabinet/services"))
    assert "12-К" in sound(await applicant.get("/cabinet/services/forest-declaration"))
    case = await _begun(applicant, region)
    text = sound(await applicant.get(case))
    assert "Черновик" in text
    wrong = {"revision": revision(text), "year": "20240", "area_ha": "71", "then": "submit"}
    refused = sound(await applicant.post(case, data=wrong), 422)
    assert 'href="#year"' in refused
    assert 'id="year-error"' in refused
    assert 'value="20240"' in refused
    assert "Нарисуйте лесосеку" in refused
    # What was refused is saved all the same.
    text = sound(await applicant.get(case))
    assert 'value="20240"' in text
    number = case.rpartition("/")[2]
    drawn = await applicant.put(
        f"/api/v1/cases/{number}",
        json={"drawn": polygon(*PLOT)},
        headers={"if-match": f'"{revision(text)}"'},
    )
    assert drawn.status_code == 200, drawn.text
    text = sound(await applicant.get(case))
    good = {
        "revision": revision(text), "year": "2026", "usage_type": "1", "cutting_form": "clear", "number": "3",
        "area_ha": str(area_ha(PLOT)).replace(".", ","), "volume_m3": "5 000", "species": "pine", "then": "submit",
    }  # fmt: skip
    unsigned = sound(await applicant.post(case, data=good), 422)
    assert "Подпишите кодом из письма" in unsigned
    asked = sound(await applicant.post(case, data=good | {"revision": revision(unsigned), "then": "code"}))
    assert 'name="code"' in asked
    wrong = good | {"revision": revision(asked), "code": "000000"}
    assert 'id="code-error"' in sound(await applicant.post(case, data=wrong), 422)
    await signed_at(applicant, int(number))
    text = sound(await applicant.get(case))
    assert "Подписано. Дело можно отправлять." in text
    sent = await applicant.post(case, data=good | {"revision": revision(text)})
    assert sent.status_code == 303, sent.text[:3000]
    text = sound(await applicant.get(case))
    assert "На проверке" in text
    assert "ЛД-54-" in text
    assert "ЛД-54-" in sound(await applicant.get("/cabinet"))
    queue = sound(await officer.get("/office/cases"))
    assert "Поступило" in queue
    office = f"/office/cases/{number}"
    assert "сосна" in sound(await officer.get(office))
    async with client_of(settings, INSPECTOR.caller) as inspector:
        inspector.headers["accept"] = "text/html"
        looked = sound(await inspector.get(office))
        assert "Вы смотрите это дело" in looked
        assert "/actions/" not in looked
        refused = await inspector.post(f"{office}/actions/accept")
        assert refused.status_code == 409
        assert "Инспектор смотрит дела, но не ведёт их" in sound(refused, 409)
    assert (await officer.post(f"{office}/actions/accept")).status_code == 303
    assert (await officer.post(f"{office}/actions/review")).status_code == 303
    assert "Нужна причина" in sound(await officer.post(f"{office}/actions/reject"), 409)
    assert (await officer.post(f"{office}/actions/approve")).status_code == 303
    assert "Одобрено" in sound(await applicant.get(case))


async def test_two_windows_do_not_overwrite_each_other(applicant: httpx.AsyncClient, region: Region) -> None:
    case = await _begun(applicant, region)
    held = revision((await applicant.get(case)).text)
    assert (await applicant.post(case, data={"revision": held, "note": "первое"})).status_code == 303
    second = sound(await applicant.post(case, data={"revision": held, "note": "второе"}), 422)
    assert "тем временем" in second
    assert "второе" in second
    assert "первое" in (await applicant.get(case)).text


async def test_corner_points_are_typed(applicant: httpx.AsyncClient, region: Region) -> None:
    case = await _begun(applicant, region)
    good = {"crs": "EPSG:4326", "axes": "east-north", "points": "83.02;55.01\n83.03;55.01\n83.03;55.02\n"}
    assert (await applicant.post(f"{case}/corners", data=good)).status_code == 303
    assert "35" in sound(await applicant.get(case))
    bad = sound(await applicant.post(f"{case}/corners", data=good | {"crs": "МСК-00"}), 422)
    assert "Система координат не подходит" in bad


async def test_others_are_kept_out(settings: Settings, applicant: httpx.AsyncClient, region: Region) -> None:
    case = await _begun(applicant, region)
    async with client_of(settings, RIVAL.caller) as rival:
        rival.headers["accept"] = "text/html"
        assert (await rival.get(case)).status_code == 404
        assert (await rival.get("/office/cases")).status_code == 403
    async with client_of(settings) as nobody:
        nobody.headers["accept"] = "text/html"
        answer = await nobody.get(case)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={case}")
        assert (await nobody.get("/cabinet/services")).status_code == 200


async def test_an_empty_cabinet_says_what_will_appear(settings: Settings) -> None:
    async with client_of(settings, RIVAL.caller) as rival:
        rival.headers["accept"] = "text/html"
        text = sound(await rival.get("/cabinet"))
    assert "Сейчас ничего не ждёт" in text
    assert "Дел пока нет" in text


@pytest.mark.requirement("F-14")
async def test_a_draft_is_checked_while_it_is_drawn(applicant: httpx.AsyncClient, region: Region) -> None:
    """What the page asks after each change of the boundary: findings, and their pieces for the map; nothing is kept."""
    case = await _begun(applicant, region)
    held = revision((await applicant.get(case)).text)
    api = f"/api/v1/cases/{case.rpartition('/')[2]}"
    wet = {"drawn": polygon(83.085, 55.01, 83.095, 55.02)}
    assert (await applicant.put(api, json=wet, headers={"if-match": f'"{held}"'})).status_code == 200
    checked = await applicant.post(f"{case}/check")
    assert checked.status_code == 200, checked.text
    assert "водоохранн" in checked.text
    assert 'data-piece="' in checked.text
    assert "га&#34;" in checked.text or "га" in checked.text
    assert (await applicant.get(f"{api}/events")).json()["events"] == []
