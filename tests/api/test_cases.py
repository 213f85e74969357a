"""Cases over HTTP: the three services from draft to register, and every kind of bad, repeated and forged request."""

import asyncio
from typing import Any

import httpx
import psycopg
import pytest

from geo.access import ANONYMOUS
from geo.settings import Settings
from tests.cases import papers
from tests.cases.region import (
    DECLARATION,
    FOREIGN,
    INN,
    OFFICER,
    PLOT,
    RIVAL,
    STRANGER,
    Region,
    area_ha,
    polygon,
    signed_at,
)
from tests.conftest import client_of

API = "/api/v1/cases"
YEAR = 2026


def year() -> int:
    """The year in the region."""
    from cases.desk import Desk

    return Desk("54", "Asia/Novosibirsk").today().year


async def _begun(client: httpx.AsyncClient, service: str, subject: int) -> httpx.Response:
    made = await client.post(API, json={"service": service, "party_inn": INN, "subject": subject})
    assert made.status_code == 201, made.text
    return made


async def _saved(client: httpx.AsyncClient, made: httpx.Response, **body: Any) -> httpx.Response:
    case = made.json()["id"]
    saved = await client.put(f"{API}/{case}", json=body, headers={"if-match": made.headers["etag"]})
    assert saved.status_code == 200, saved.text
    return saved


async def _do(client: httpx.AsyncClient, case: int, action: str, **body: Any) -> httpx.Response:
    if action in ("submit", "answer"):
        await signed_at(client, case)
    return await client.post(f"{API}/{case}/actions/{action}", json=body)


async def _decided(officer: httpx.AsyncClient, case: int) -> dict[str, Any]:
    for action in ("accept", "review", "approve"):
        done = await _do(officer, case, action)
        assert done.status_code == 200, done.text
    answer: dict[str, Any] = done.json()
    return answer


async def test_services_are_public(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/api/v1/services")).json()["services"]
    assert {s["id"] for s in listed} == {"forest-declaration", "licence-extension", "waste-report"}
    one = (await client.get("/api/v1/services/forest-declaration")).json()
    assert one["form"]["json_schema"]["properties"]["year"]
    assert len(one["rules"]) >= 12
    assert (await client.get("/api/v1/services/nothing")).status_code == 404
    assert (await client.get(API)).status_code == 401


@pytest.mark.requirement("F-12", "F-14", "F-15", "C-10", "C-14")
async def test_a_declaration(
    applicant: httpx.AsyncClient, officer: httpx.AsyncClient, region: Region, owner: psycopg.Connection[Any]
) -> None:
    made = await _begun(applicant, "forest-declaration", region.lease)
    assert made.json()["payload"] == {"year": year(), "usage_type": "1"}
    payload = DECLARATION | {"year": year(), "area_ha": area_ha(PLOT)}
    saved = await _saved(applicant, made, payload=payload, drawn=polygon(*PLOT))
    case = saved.json()["id"]
    checked = (await applicant.post(f"{API}/{case}/validate")).json()
    assert checked["complete"]
    assert not checked["would_block"]
    sent = await _do(applicant, case, "submit")
    assert sent.json()["number"].startswith(f"ЛД-54-{year()}-")
    decided = await _decided(officer, case)
    assert decided["state"] == "approved"
    row = owner.execute(
        "SELECT count(*) FROM register.cutting_areas WHERE declaration = %s", [decided["number"]]
    ).fetchone()
    assert row == (1,)
    page = (await applicant.get(f"{API}/{case}")).json()
    assert page["label"]["ru"] == "Одобрено"
    assert [e["action"] for e in page["events"]] == ["submit", "accept", "review", "approve"]


@pytest.mark.requirement("S-34", "S-19")
async def test_an_extension_keeps_yesterday(
    applicant: httpx.AsyncClient, officer: httpx.AsyncClient, region: Region, owner: psycopg.Connection[Any]
) -> None:
    made = await _begun(applicant, "licence-extension", region.licence)
    payload = {
        "new_expires_on": "31.12.2031",
        "reason": "Остаток запасов требует ещё четырёх лет",
        "contact_name": "Иванов Иван",
        "contact_phone": "+7 383 123-45-67",
    }
    early = await _saved(applicant, made, payload=payload | {"new_expires_on": "01.01.2027"})
    case = early.json()["id"]
    refused = await _do(applicant, case, "submit")
    assert refused.status_code == 422
    assert refused.json()["problems"][0]["field"] == "new_expires_on"
    await _saved(applicant, early, payload=payload)
    assert (await _do(applicant, case, "submit")).json()["problems"][0]["field"] == "files.licence_copy"
    paper = await applicant.post(
        f"{API}/{case}/documents",
        params={"kind": "licence_copy", "name": "лицензия.jpg"},
        content=papers.picture(),
    )
    assert paper.status_code == 201, paper.text
    sent = await _do(applicant, case, "submit")
    assert sent.status_code == 200, sent.text
    # The protected area under the allotment was there before: it warns and does not block.
    found = {f["rule"]: f for f in (await officer.get(f"{API}/{case}")).json()["findings"]}
    assert (found["protected-area"]["outcome"], found["protected-area"]["severity"]) == ("hit", "warn")
    await _decided(officer, case)
    rows = owner.execute(
        "SELECT expires_on::text, valid_to = 'infinity' FROM register.licences WHERE id = %s AND sys_to = 'infinity'"
        " ORDER BY valid_from",
        [region.licence],
    ).fetchall()
    assert rows == [("2027-06-01", False), ("2031-12-31", True)]


@pytest.mark.requirement("W-08", "W-09", "C-96")
async def test_a_report_can_be_amended_within_its_term(
    applicant: httpx.AsyncClient, officer: httpx.AsyncClient, region: Region, owner: psycopg.Connection[Any]
) -> None:
    made = await _begun(applicant, "waste-report", region.site)
    assert made.json()["payload"]["accumulated_t"] == 100
    payload = {
        "year": year() - 1,
        "fkko": "7 31 110 01 72 4",
        "hazard_class": "4",
        "generated_t": "12,5",
        "placed_t": 10,
        "accumulated_t": 110,
        "method": "burial",
    }
    saved = await _saved(applicant, made, payload=payload)
    case = saved.json()["id"]
    sent = await _do(applicant, case, "submit")
    assert sent.status_code == 200, sent.text
    amended = await _do(applicant, case, "amend", payload=payload | {"accumulated_t": 112})
    assert amended.status_code == 200, amended.text
    assert amended.json()["number"] == sent.json()["number"]
    assert amended.json()["evidence_sha256"] != sent.json()["evidence_sha256"]
    await _decided(officer, case)
    row = owner.execute(
        "SELECT accumulated_t FROM register.waste_sites WHERE id = %s AND sys_to = 'infinity' AND valid_to = 'infinity'",
        [region.site],
    ).fetchone()
    assert row == (112,)
    late = await _do(applicant, case, "amend", payload=payload)
    assert (late.status_code, late.json()["code"]) == (409, "wrong-state")


async def test_a_correction_round(
    applicant: httpx.AsyncClient, officer: httpx.AsyncClient, region: Region, owner: psycopg.Connection[Any]
) -> None:
    made = await _begun(applicant, "forest-declaration", region.lease)
    spot = (83.03, 55.01, 83.04, 55.02)
    payload = DECLARATION | {"year": year(), "area_ha": area_ha(spot)}
    saved = await _saved(applicant, made, payload=payload, drawn=polygon(*spot))
    case = saved.json()["id"]
    await _do(applicant, case, "submit")
    assert (await _do(officer, case, "ask_correction")).json()["code"] == "reason-missing"
    asked = await _do(officer, case, "ask_correction", reason="Уточните породу")
    assert asked.json()["state"] == "correction_asked"
    terms = {t["term"]: t for t in (await applicant.get(f"{API}/{case}")).json()["terms"]}
    assert terms["decision"]["due_on"] is None
    assert terms["correction"]["due_on"]
    fixed = await _saved(applicant, asked, payload=payload | {"species": "birch"})
    answered = await _do(applicant, case, "answer")
    assert answered.json()["state"] == "answered"
    terms = {t["term"]: t for t in (await applicant.get(f"{API}/{case}")).json()["terms"]}
    assert terms["decision"]["due_on"]
    assert terms["correction"]["ended_at"]
    # What was submitted first is still there, word for word.
    row = owner.execute(
        "SELECT data -> 'payload' ->> 'species' FROM cases.events WHERE case_id = %s AND action = 'submit'",
        [case],
    ).fetchone()
    assert row == ("pine",)
    assert fixed.json()["number"] == answered.json()["number"]


async def test_a_draft_is_never_overwritten_unseen(applicant: httpx.AsyncClient, region: Region) -> None:
    made = await _begun(applicant, "forest-declaration", region.lease)
    case = made.json()["id"]
    body = {"payload": {"number": "7"}}
    assert (await applicant.put(f"{API}/{case}", json=body)).status_code == 428
    first = await _saved(applicant, made, **body)
    stale = await applicant.put(f"{API}/{case}", json=body, headers={"if-match": made.headers["etag"]})
    assert (stale.status_code, stale.json()["code"], stale.json()["value"]) == (412, "outdated", "2")
    assert first.headers["etag"] == '"2"'
    assert (await applicant.get(f"{API}/{case}")).json()["payload"] == {"number": "7"}


async def test_an_officer_acts_on_what_he_saw(
    settings: Settings, applicant: httpx.AsyncClient, region: Region
) -> None:
    """An action that names an older state of the case does nothing; the one that names the newest does."""
    made = await _begun(applicant, "waste-report", region.site)
    case = made.json()["id"]
    report = {
        "year": year() - 1, "fkko": "7 31 110 01 72 4", "hazard_class": "4", "generated_t": 1, "placed_t": 1,
        "accumulated_t": 101, "method": "burial",
    }  # fmt: skip
    saved = await _saved(applicant, made, payload=report)
    await signed_at(applicant, case)
    sent = await applicant.post(f"{API}/{case}/actions/submit", json={})
    assert sent.status_code == 200, sent.text
    assert saved.headers["etag"] != made.headers["etag"]
    async with client_of(settings, OFFICER.caller) as officer:
        path = f"{API}/{case}/actions/accept"
        stale = await officer.post(path, json={}, headers={"if-match": made.headers["etag"]})
        assert (stale.status_code, stale.json()["code"]) == (412, "outdated")
        forged = await officer.post(path, json={}, headers={"if-match": "x"})
        assert (forged.status_code, forged.json()["code"]) == (412, "outdated")
        seen = await officer.get(f"{API}/{case}")
        assert seen.json()["state"] == "submitted"
        done = await officer.post(path, json={}, headers={"if-match": seen.headers["etag"]})
        assert (done.status_code, done.json()["state"]) == (200, "accepted")


async def test_strangers_see_no_case(
    settings: Settings, applicant: httpx.AsyncClient, region: Region
) -> None:
    made = await _begun(applicant, "forest-declaration", region.lease)
    case = made.json()["id"]
    for actor in (RIVAL, STRANGER, FOREIGN, OFFICER):  # an officer sees no drafts
        async with client_of(settings, actor.caller) as other:
            assert (await other.get(f"{API}/{case}")).status_code == 404
            assert (await other.put(f"{API}/{case}", json={}, headers={"if-match": '"1"'})).status_code == 404
            assert (await _do(other, case, "submit")).status_code == 404
            assert case not in [
                c["id"] for c in (await other.get(API, params={"side": "officer"})).json()["cases"]
            ]
    async with client_of(settings, ANONYMOUS) as nobody:
        assert (await nobody.get(f"{API}/{case}")).status_code == 401
    async with client_of(settings, RIVAL.caller) as rival:
        forged = await rival.post(
            API, json={"service": "forest-declaration", "party_inn": INN, "subject": region.lease}
        )
        assert forged.status_code == 403
        foreign = await rival.post(
            API,
            json={"service": "forest-declaration", "party_inn": "5406000002", "subject": region.lease},
        )
        assert (foreign.status_code, foreign.json()["code"]) == (409, "object-gone")


async def test_a_repeated_request_is_done_once(
    applicant: httpx.AsyncClient, region: Region, owner: psycopg.Connection[Any]
) -> None:
    body = {"service": "forest-declaration", "party_inn": INN, "subject": region.lease}
    key = {"idempotency-key": "9f8b7c6d-once"}
    before = owner.execute("SELECT count(*) FROM cases.cases").fetchone()
    answers = await asyncio.gather(*(applicant.post(API, json=body, headers=key) for _ in range(5)))
    assert len({a.json()["id"] for a in answers}) == 1
    after = owner.execute("SELECT count(*) FROM cases.cases").fetchone()
    assert before
    assert after
    assert after[0] == before[0] + 1
    other = await applicant.post(API, json=body | {"subject": None}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "repeated-key")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", API, {}, 400),
        ("POST", API, {"service": "x" * 61, "party_inn": INN}, 400),
        ("POST", API, {"service": "nothing", "party_inn": INN}, 404),
        ("POST", API, {"service": "forest-declaration", "party_inn": INN, "subject": 2**60}, 400),
        ("POST", API, {"service": "forest-declaration", "party_inn": INN, "hack": 1}, 400),
        ("GET", f"{API}/9999999999999999999", None, 404),
        ("GET", f"{API}/abc", None, 404),
        ("GET", f"{API}?state=flying", None, 400),
        ("GET", f"{API}?unknown=1", None, 400),
        ("POST", f"{API}/1/actions/explode", {}, 400),
        ("POST", f"{API}/999999/actions/submit", {}, 404),
        ("PUT", f"{API}/999999", {"payload": {}}, 404),
    ],
)
async def test_bad_requests_are_refused(
    applicant: httpx.AsyncClient, region: Region, *, method: str, path: str, body: Any, status: int
) -> None:
    headers = {"if-match": '"1"'} if method == "PUT" else {}
    answer = await applicant.request(method, path, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"drawn": {"type": "Point", "coordinates": [83, 55]}}, "bad-geometry"),
        ({"drawn": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}}, "bad-geometry"),
        ({"drawn": {"type": "Polygon", "coordinates": "x"}}, "bad-geometry"),
        ({"drawn": {"type": "Polygon", "coordinates": []}}, "bad-geometry"),
        ({"drawn": {"type": "Polygon", "coordinates": [[[400, 0], [401, 1], [402, 0], [400, 0]]]}}, "bad-crs"),
        ({"typed": {"crs": "МСК-00", "axes": "north-east", "rings": [[[1, 2], [3, 4], [5, 6]]]}}, "bad-crs"),
        ({"typed": {"crs": "МСК-54 зона 3", "axes": "up", "rings": [[[1, 2], [3, 4], [5, 6]]]}}, "bad-parameter"),
        ({"typed": {"crs": "МСК-54 зона 3", "axes": "north-east", "rings": [[[1, 2]]]}}, "bad-geometry"),
        ({"typed": {"crs": "EPSG:4326", "axes": "north-east", "rings": [[["a", 2], [3, 4], [5, 6]]]}}, "bad-geometry"),
        ({"picked": {"layer": "stands", "ids": [123456789]}}, "object-gone"),
        ({"picked": {"layer": "nothing", "ids": [1]}}, "unknown-layer"),
        ({"payload": {"hack": 1}}, "incomplete"),
    ],
)  # fmt: skip
async def test_bad_boundaries_are_refused_and_lose_nothing(
    applicant: httpx.AsyncClient, region: Region, *, given: dict[str, Any], code: str
) -> None:
    made = await _begun(applicant, "forest-declaration", region.lease)
    case = made.json()["id"]
    answer = await applicant.put(f"{API}/{case}", json=given, headers={"if-match": made.headers["etag"]})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["code"] == code
    assert (await applicant.get(f"{API}/{case}")).json()["revision"] == 1


@pytest.mark.parametrize(
    ("rings", "axes", "crs"),
    [
        ([[["55°01'00\"", "83°01'00\""], ["55°01'00\"", "83°01'36\""], ["55°01'36\"", "83°01'36\""]]], "north-east", "EPSG:4326"),
        ([[[83.02, 55.01], [83.03, 55.01], [83.03, 55.02]]], "east-north", "EPSG:4326"),
    ],
)  # fmt: skip
async def test_typed_corner_points(
    applicant: httpx.AsyncClient, region: Region, *, rings: Any, axes: str, crs: str
) -> None:
    made = await _begun(applicant, "forest-declaration", region.lease)
    saved = await _saved(applicant, made, typed={"crs": crs, "axes": axes, "rings": rings})
    boundary = (await applicant.get(f"{API}/{saved.json()['id']}")).json()["boundary"]
    assert boundary["way"] == "typed"
    assert boundary["source_crs"] == crs
    assert 83 < boundary["bbox"][0] < 83.1
    assert 55 < boundary["bbox"][1] < 55.1


async def test_a_file_with_a_boundary_sent_twice_is_taken_once(
    applicant: httpx.AsyncClient, region: Region, owner: psycopg.Connection[Any]
) -> None:
    """A repeated file keeps the first one's reading going; a repeated answer is no second answer."""
    case = (await _begun(applicant, "forest-declaration", region.lease)).json()["id"]
    key, path = {"idempotency-key": f"boundary-{case}"}, f"{API}/{case}/boundaries"

    def sent(body: bytes) -> Any:
        return applicant.post(path, files={"file": ("a.geojson", body)}, headers=key)

    first, second = await sent(b"{}"), await sent(b"{}")
    assert (first.status_code, second.status_code) == (202, 202), first.text
    assert first.json() == second.json()
    rows = owner.execute("SELECT status FROM cases.boundary_files WHERE case_id = %s", [case]).fetchall()
    assert [status for (status,) in rows] == ["queued"]
    other = await sent(b"[]")
    assert (other.status_code, other.json()["code"]) == (422, "repeated-key")
    number = first.json()["id"]
    owner.execute(
        "UPDATE cases.boundary_files SET status = 'asking', question = 'crs' WHERE id = %s", [number]
    )
    key = {"idempotency-key": f"answer-{case}"}
    given = [
        await applicant.post(f"{path}/{number}/answer", json={"crs": "EPSG:4326"}, headers=key)
        for _ in range(2)
    ]
    assert [g.status_code for g in given] == [202, 202], given[1].text
    assert given[0].json() == given[1].json()
    third = await applicant.post(f"{path}/{number}/answer", json={"crs": "EPSG:4326"})
    assert third.json()["code"] == "wrong-state"


async def test_picked_stands_are_a_boundary(
    applicant: httpx.AsyncClient, region: Region, owner: psycopg.Connection[Any]
) -> None:
    stand = owner.execute("SELECT id FROM register.stands LIMIT 1").fetchone()
    assert stand
    made = await _begun(applicant, "forest-declaration", region.lease)
    saved = await _saved(applicant, made, picked={"layer": "stands", "ids": [stand[0]]})
    case = (await applicant.get(f"{API}/{saved.json()['id']}")).json()
    assert case["boundary"]["way"] == "picked"
    assert case["payload"]["area_ha"] == pytest.approx(case["boundary"]["area_m2"] / 10_000, abs=1e-3)


async def test_two_officers_decide_at_once(
    settings: Settings, applicant: httpx.AsyncClient, officer: httpx.AsyncClient, region: Region
) -> None:
    spot = (83.05, 55.01, 83.06, 55.02)
    made = await _begun(applicant, "forest-declaration", region.lease)
    payload = DECLARATION | {"year": year(), "area_ha": area_ha(spot)}
    saved = await _saved(applicant, made, payload=payload, drawn=polygon(*spot))
    case = saved.json()["id"]
    await _do(applicant, case, "submit")
    for action in ("accept", "review"):
        await _do(officer, case, action)
    answers = await asyncio.gather(
        _do(officer, case, "approve"),
        _do(officer, case, "reject", reason="Нет"),
        _do(officer, case, "approve"),
    )
    assert sorted(a.status_code for a in answers) == [200, 409, 409]
