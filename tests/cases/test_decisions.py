"""Decisions: a paper with its map and proof, the register and the event, or nothing of it at all."""

import asyncio
import hashlib
import json
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pikepdf
import psycopg
import pypdfium2
import pytest
import shapely
import zxingcpp
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from cases.decisions import issue, paper, plan, seal, verification
from cases.decisions.errors import NoSealError, UnknownDecisionError
from cases.desk import Actor, Desk
from cases.documents import shelf, store
from cases.errors import WrongStateError
from cases.record import Case
from geo.access import ANONYMOUS
from geo.crs import WGS84, reproject
from geo.db import Database
from geo.settings import Settings
from tests.cases.kill import killed
from tests.cases.region import APPLICANT, OFFICER, RIVAL, Region, act, lodged
from tests.conftest import client_of

_SPOTS = iter([(83.021 + n * 0.004, 55.026, 83.0235 + n * 0.004, 55.0275) for n in range(15)])


async def in_review(writer: Database, desk: Desk, region: Region) -> Case:
    """A declaration on ground of its own that waits for its decision."""
    case = await lodged(writer, desk, region, corners=next(_SPOTS), volume_m3=1)
    for name in ("accept", "review"):
        case = await act(writer, desk, OFFICER, name, case.id)
    return case


async def paper_of(writer: Database, desk: Desk, case: Case, actor: Actor = APPLICANT) -> bytes:
    """The newest decision of a case, as somebody may read it."""
    async with writer.transaction(actor.caller) as connection:
        found = [d for d in await shelf.of_case(connection, case.id) if d.kind == shelf.DECISION]
    return await store.whole(store.store_of(desk.installation), found[-1].sha256)


async def proof(settings: Settings, code: str) -> verification.Proof:
    """What the public learns."""
    database = Database(settings)
    try:
        async with database.transaction(ANONYMOUS) as connection:
            return await verification.prove(connection, code)
    finally:
        await database.close()


async def validated(settings: Settings, pdf: bytes) -> Any:
    """What another program says of the signature."""
    reader = PdfFileReader(BytesIO(pdf))
    root = seal._loaded(*seal.paths(settings), "", (0, 0)).signer.cert_registry
    context = ValidationContext(trust_roots=[c for c in root if c.ca], allow_fetching=False)
    return await async_validate_pdf_signature(reader.embedded_signatures[0], context)


def told(row: tuple[Any, ...] | None) -> Any:
    """The one value of a row."""
    assert row
    return row[0]


@pytest.mark.requirement("F-15", "C-13")
async def test_an_approval_leaves_paper_register_event_and_journal(
    writer: Database, desk: Desk, region: Region, settings: Settings, owner: psycopg.Connection[Any]
) -> None:
    case = await act(writer, desk, OFFICER, "approve", (await in_review(writer, desk, region)).id)
    pdf = await paper_of(writer, desk, case)
    shown = await validated(settings, pdf)
    assert shown.intact
    assert shown.valid
    assert shown.trusted
    assert shown.bottom_line
    with pikepdf.open(BytesIO(pdf)) as document:
        assert "pdfaid:part" in document.open_metadata()
        assert document.open_metadata()["pdfaid:part"] == "2"
        assert len(document.pages) == 2
    number = f"{case.number}-Р1"
    found = await proof(settings, number)
    assert (found.number, found.outcome, found.state) == (number, "approved", "in_force")
    assert found.sha256 == hashlib.sha256(pdf).hexdigest()
    assert found.title["ru"] == "Решение по лесной декларации"
    row = owner.execute(
        "SELECT e.details ->> 'sha256', encode(l.leaf, 'hex') FROM journal.entries e JOIN journal.links l USING (strand, number)"
        " WHERE strand = %s AND number = %s",
        [found.strand, found.entry],
    ).fetchone()
    assert row == (found.sha256, found.leaf)
    data = told(owner.execute("SELECT data FROM cases.events WHERE case_id = %s AND action = 'approve'", [case.id]).fetchone())  # fmt: skip
    assert data["decision"]["sha256"] == found.sha256
    assert told(owner.execute("SELECT count(*) FROM register.cutting_areas WHERE declaration = %s", [case.number]).fetchone()) == 1  # fmt: skip
    token = told(owner.execute("SELECT token FROM cases.decisions WHERE case_id = %s", [case.id]).fetchone())
    assert (await proof(settings, token)).number == number
    assert case.party_name not in json.dumps(found.shown(), default=str, ensure_ascii=False)


@pytest.mark.requirement("C-13")
async def test_the_code_on_the_paper_is_read_as_a_picture_and_leads_to_the_proof(
    writer: Database, desk: Desk, region: Region, settings: Settings
) -> None:
    case = await act(writer, desk, OFFICER, "approve", (await in_review(writer, desk, region)).id)
    with pypdfium2.PdfDocument(await paper_of(writer, desk, case)) as document:
        # As a telephone sees it: 150 dots per inch, grey.
        pictures = [page.render(scale=150 / 72, grayscale=True).to_numpy() for page in document]
    read = [code.text for picture in pictures for code in zxingcpp.read_barcodes(np.squeeze(picture))]
    assert set(read) == {issue.address(settings, read[0].rpartition("/")[2])}
    async with client_of(settings) as client:
        page = await client.get(urlsplit(read[0]).path)
    assert page.status_code == 200
    assert f"{case.number}-Р1" in page.text


async def test_a_changed_paper_is_found_out(
    writer: Database, desk: Desk, region: Region, settings: Settings
) -> None:
    case = await act(writer, desk, OFFICER, "approve", (await in_review(writer, desk, region)).id)
    pdf = await paper_of(writer, desk, case)
    at = pdf.index(b"/MediaBox")
    changed = pdf[:at] + pdf[at:].replace(b"595", b"596", 1)
    assert changed != pdf
    assert not (await validated(settings, changed)).intact


@pytest.mark.requirement("C-17")
async def test_a_refusal_says_why_and_how_to_appeal(
    writer: Database, desk: Desk, region: Region, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[dict[str, Any]] = []
    real = paper.compiled

    def compiled(template: str, content: dict[str, Any]) -> bytes:
        written.append(content)
        return real(template, content)

    monkeypatch.setattr(paper, "compiled", compiled)
    case = await in_review(writer, desk, region)
    reason = "Лесосека #заходит за квартал 12; [перерисуйте] её по *квартальной* просеке."
    case = await act(writer, desk, OFFICER, "reject", case.id, reason=reason)
    assert (await validated(settings, await paper_of(writer, desk, case))).bottom_line
    said = written[0]
    assert (said["granted"], said["verdict"], said["reason"]) == (False, "Отказано", reason)
    assert re.search(r"до \d\d\.\d\d\.\d{4}", said["appeal"])
    assert not said["changes"]
    assert (await proof(settings, f"{case.number}-Р1")).outcome == "rejected"
    # An appeal shows on the proof, and a second decision replaces the first.
    await act(writer, desk, APPLICANT, "appeal", case.id, reason="Квартал обмерен неверно")
    assert (await proof(settings, f"{case.number}-Р1")).state == "appealed"
    await act(writer, desk, OFFICER, "reopen", case.id)
    assert (await proof(settings, f"{case.number}-Р1")).state == "reopened"
    await act(writer, desk, OFFICER, "approve", case.id)
    assert (await proof(settings, f"{case.number}-Р1")).state == "replaced"
    assert (await proof(settings, f"{case.number}-Р2")).state == "in_force"


async def test_what_is_no_decision_proves_nothing(settings: Settings) -> None:
    for code in ("", "x", "ЛД-54-2026-999999-Р1", "' OR 1=1 --", "%", "a" * 500, "\0", "../../etc"):
        with pytest.raises(UnknownDecisionError):
            await proof(settings, code)


def _stopping(desk: Desk, step: str) -> Desk:
    def after(done: str) -> None:
        if done == step:
            raise RuntimeError(step)

    return replace(desk, after=after)


def _traces(owner: psycopg.Connection[Any], case: int) -> Any:
    return owner.execute(
        "SELECT c.state, (SELECT count(*) FROM cases.events e WHERE e.case_id = c.id),"
        " (SELECT count(*) FROM cases.checks k WHERE k.case_id = c.id),"
        " (SELECT count(*) FROM cases.documents d WHERE d.case_id = c.id),"
        " (SELECT count(*) FROM cases.decisions d WHERE d.case_id = c.id),"
        " (SELECT count(*) FROM register.cutting_areas r WHERE r.extra ->> 'case' = c.number),"
        " (SELECT count(*) FROM journal.entries j WHERE j.inn = c.party_inn AND j.details ->> 'case' = c.id::text),"
        " (SELECT count(*) FROM cases.ground g WHERE g.case_id = c.id AND g.until = 'infinity')"
        " FROM cases.cases c WHERE c.id = %s",
        [case],
    ).fetchone()


async def test_a_decision_that_breaks_between_two_steps_leaves_nothing(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    case = await in_review(writer, desk, region)
    before = _traces(owner, case.id)
    for step in ("take", "check", "examine", "register", "decision", "event", "terms"):
        with pytest.raises(RuntimeError, match=step):
            await act(writer, _stopping(desk, step), OFFICER, "approve", case.id)
        assert _traces(owner, case.id) == before, step
    for step in ("take", "decision", "event", "terms"):
        with pytest.raises(RuntimeError, match=step):
            await act(writer, _stopping(desk, step), OFFICER, "reject", case.id, reason="Нет")
        assert _traces(owner, case.id) == before, step
    done = await act(writer, desk, OFFICER, "approve", case.id)
    assert done.state == "approved"
    assert _traces(owner, case.id)[3:6] == (1, 1, 1)


async def test_a_process_killed_while_it_decides_leaves_nothing(
    settings: Settings, writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    """Register and paper are written, or the event too: after the death of the process nothing of the decision is there."""
    case = await in_review(writer, desk, region)
    before = _traces(owner, case.id)
    for step in ("decision", "terms"):
        assert killed(settings, "approve", case.id, step) == -9, step
        assert _traces(owner, case.id) == before, step
    done = await act(writer, desk, OFFICER, "approve", case.id)
    assert done.state == "approved"
    assert _traces(owner, case.id)[3:6] == (1, 1, 1)
    assert (await proof(settings, f"{case.number}-Р1")).state == "in_force"


async def test_a_server_is_ready_for_its_first_decision(settings: Settings, tmp_path: Path) -> None:
    """What decisions load is loaded before the first of them, and an office without a key has nothing to load."""
    seal._loaded.cache_clear()
    paper._fonts.cache_clear()
    await asyncio.to_thread(issue.prepare, settings)
    assert seal._loaded.cache_info().currsize == 1
    assert paper._fonts.cache_info().currsize == 1
    await asyncio.to_thread(issue.prepare, settings.model_copy(update={"home": tmp_path}))


async def test_an_office_without_a_key_decides_nothing(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any], tmp_path: Any
) -> None:
    case = await in_review(writer, desk, region)
    before = _traces(owner, case.id)
    bare = replace(desk, settings=desk.installation.model_copy(update={"home": tmp_path}))
    with pytest.raises(NoSealError, match="no key"):
        await act(writer, bare, OFFICER, "approve", case.id)
    assert _traces(owner, case.id) == before
    seal.make(bare.installation, "Вчерашний орган", days=-1)
    with pytest.raises(NoSealError, match="not today"):
        await act(writer, bare, OFFICER, "approve", case.id)
    assert _traces(owner, case.id) == before


async def test_two_officers_at_once_make_one_decision(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    case = await in_review(writer, desk, region)
    done = await asyncio.gather(
        act(writer, desk, OFFICER, "approve", case.id),
        act(writer, desk, OFFICER, "reject", case.id, reason="Нет"),
        act(writer, desk, OFFICER, "approve", case.id),
        return_exceptions=True,
    )
    assert sum(isinstance(d, Case) for d in done) == 1
    assert sum(isinstance(d, WrongStateError) for d in done) == 2
    state, events, _, documents, decisions = _traces(owner, case.id)[:5]
    assert state in ("approved", "rejected")
    assert (documents, decisions) == (1, 1)
    assert events == 4


async def test_nobody_writes_decisions_past_the_engine(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    case = await act(writer, desk, OFFICER, "approve", (await in_review(writer, desk, region)).id)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        owner.execute("UPDATE cases.decisions SET outcome = 'rejected' WHERE case_id = %s", [case.id])
    with pytest.raises(psycopg.errors.CheckViolation, match="cannot be decided"):
        owner.execute(
            "INSERT INTO cases.decisions (case_id, seq, number, token, outcome, document_id, sha256)"
            " SELECT case_id, 2, 'x', repeat('a', 20), outcome, document_id, sha256 FROM cases.decisions WHERE case_id = %s",
            [case.id],
        )
    async with writer.transaction(RIVAL.caller) as connection:
        assert not await shelf.of_case(connection, case.id)


@pytest.mark.parametrize("width", [0.0005, 0.004, 0.03, 0.4, 3.0])
def test_the_scale_of_the_plan_is_true(width: float) -> None:
    ground = shapely.box(83, 55, 83 + width, 55 + width / 2)
    frame = plan.frame(ground)
    own = frame.on_sheet(ground)
    left, top, right, bottom = shapely.bounds(own)
    assert left > 0
    assert top > 0
    assert right < plan.WIDTH
    assert bottom < plan.HEIGHT
    # The same sides measured on the ellipsoid.
    from pyproj import Geod

    corners = shapely.get_coordinates(ground)
    on_sheet = shapely.get_coordinates(own)
    for a, b, p, q in zip(corners, corners[1:], on_sheet, on_sheet[1:], strict=False):
        metres = Geod(ellps="WGS84").inv(a[0], a[1], b[0], b[1])[2]
        drawn = float(np.hypot(*(q - p))) * frame.metres
        assert drawn == pytest.approx(metres, rel=2e-4)


def test_the_plan_draws_every_corner_and_is_sound_xml() -> None:
    from lxml import etree

    from cases.decisions.surroundings import Neighbour
    from geo.layers import layer

    ring = [(83 + 0.01 * np.cos(a), 55 + 0.006 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 90)[:-1]]
    ground = shapely.Polygon(ring)
    frame = plan.frame(ground)
    beside = [
        Neighbour("zones", layer("zones").style, "Зона <&> «Тест»", shapely.box(83, 55, 83.02, 55.02)),
        Neighbour("stands", layer("stands").style, "12", shapely.box(82.98, 54.99, 83, 55)),
        Neighbour("leases", layer("leases").style, "", shapely.Point(83, 55).buffer(0)),
    ]
    drawing = etree.fromstring(plan.draw(frame, ground, beside, ring).encode())
    circles = drawing.findall(".//{*}circle")
    assert len(circles) == len(ring)
    texts = {t.text for t in drawing.iter("{*}text")}
    assert "Зона <&> «Тест»" in texts
    assert "С" in texts
    back = reproject(np.array([frame.on_sheet(ground)], dtype=object), WGS84, WGS84)
    assert back[0].is_valid


def test_every_service_has_its_template(desk: Desk) -> None:
    for service in desk.catalogue.services.values():
        assert (paper.TEMPLATES / f"{service.decision.template}.typ").is_file()
