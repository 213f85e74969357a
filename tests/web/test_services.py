"""The three services in a browser, from draft to signed decision, changed register and proof, as people drive them."""

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from cases.signatures import verifier
from geo.settings import Settings
from tests.cases.centre import Centre, found_centre
from tests.cases.papers import scan_pdf
from tests.cases.region import area_ha, polygon
from tests.web.stage import (
    INN,
    LEASE,
    Stage,
    begin,
    fill,
    furnished,
    press,
    proved,
    shot,
    sign_by_code,
    take_up,
)

# One stand of the lease, well away from the reserve.
PLOT = (83.02, 55.01, 83.03, 55.02)
AREA = str(area_ha(PLOT)).replace(".", ",")
# A stand within the reserve.
WRONG = (83.07, 55.01, 83.08, 55.02)
expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def stage(
    new_database: Callable[[], Settings], serve: Callable[[Settings], str], browser: Browser
) -> Iterator[Stage]:
    """A demonstration: its letters carry a code that everybody knows."""
    settings = new_database().model_copy(
        update={"demo": True, "region": "54", "time_zone": "Asia/Novosibirsk"}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEZHA_DEMO", "true")
        patch.setenv("MEZHA_TIME_ZONE", "Asia/Novosibirsk")
        made = furnished(settings, serve, browser)
    yield made
    made.leave()
    assert not made.troubles


@pytest.fixture(autouse=True)
def _closing(stage: Stage) -> Iterator[None]:
    yield
    stage.leave()


def _ready(page: Page) -> None:
    expect(page.locator("#map")).to_have_attribute("data-ready", "true")
    expect(page.get_by_role("button", name="Приблизить")).to_be_visible()
    expect(page.locator(".maplibregl-ctrl-scale")).to_have_text(re.compile(r"\d\s?к?м$"))


def _today() -> date:
    """The day by the clock of the office."""
    return datetime.now(ZoneInfo("Asia/Novosibirsk")).date()


def _items(page: Page, layer: str, *, bbox: str = "") -> list[dict[str, Any]]:
    """What the map's public interface says of a layer now."""
    answer = page.request.get(
        f"/ogc/collections/{layer}/items",
        params={"f": "json", "datetime": str(_today())} | ({"bbox": bbox} if bbox else {}),
    )
    assert answer.ok, answer.text()
    found: list[dict[str, Any]] = answer.json()["features"]
    return found


def _on_map(page: Page, corner: tuple[float, float]) -> tuple[float, float]:
    """The pixel of a place on the map as it opens: the lease fitted into the frame with 48 pixels around."""

    def mercator(lon: float, lat: float) -> tuple[float, float]:
        return math.radians(lon), math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))

    frame = page.locator("#map").bounding_box()
    assert frame
    (west, south), (east, north) = mercator(*LEASE[:2]), mercator(*LEASE[2:])
    scale = min((frame["width"] - 98) / (east - west), (frame["height"] - 98) / (north - south))
    x, y = mercator(*corner)
    return (
        frame["x"] + frame["width"] / 2 + (x - (west + east) / 2) * scale,
        frame["y"] + frame["height"] / 2 - (y - (south + north) / 2) * scale,
    )


@pytest.mark.requirement("F-12", "F-13", "F-14", "F-15")
def test_a_forest_declaration(stage: Stage, tmp_path: Path) -> None:
    """Drawn into a reserve and warned at once, sent as a file, corrected on request, granted, in the register, proved."""
    page = stage.enter("lesnik")
    page.goto("/cabinet")
    expect(page.locator("#mine-map")).to_have_attribute("data-ready", "true")
    shot(page, "cabinet")
    case = begin(page, "forest-declaration", "Лесная декларация", f"{INN}:{stage.lease}")
    _ready(page)
    _draw(page, WRONG)
    reserve = page.locator("#findings .finding", has_text="охраняемую территорию")
    expect(reserve).to_be_visible()
    page.click("[data-draw=save]")
    page.wait_for_url(re.compile("#map-section"))
    _ready(page)
    expect(reserve).to_be_visible()
    shot(page, "forest-declaration-2-finding")
    _send_file(page, stage, tmp_path)
    expect(reserve).to_have_count(0)
    # A slip of the finger: the mistake stands beside its field, and what was typed stays.
    fill(
        page, year="20240", cutting_form="clear", area_ha=AREA, volume_m3="5 000", species="pine", number="3"
    )
    page.click("button[name=then][value=submit]")
    expect(page.locator("#year-error")).to_be_visible()
    expect(page.locator("#year")).to_have_value("20240")
    shot(page, "forest-declaration-3-mistake")
    fill(page, year=str(_today().year))
    sign_by_code(page, stage, "submit")
    number = page.locator("h1 .number").inner_text()
    assert number.startswith("ЛД-54-")
    shot(page, "forest-declaration-4-sent")
    west, south, east, north = PLOT
    inside = f"{west + 0.001},{south + 0.001},{east - 0.001},{north - 0.001}"
    assert not _items(page, "cutting_areas", bbox=inside)
    officer = stage.enter("reshatel")
    _corrected(officer, page, stage, case, number=number)
    press(officer, "approve")
    shot(officer, "office-6-decided")
    page.reload()
    expect(page.locator(".spine .current")).to_contain_text("Одобрен")
    shot(page, "forest-declaration-7-decided")
    proved(page, stage, tmp_path, told="Решение подлинное и действует")
    (added,) = _items(page, "cutting_areas", bbox=inside)
    assert added["properties"]["declaration"] == number
    assert added["properties"]["area_m2"] == pytest.approx(area_ha(PLOT) * 10_000, rel=1e-4)
    inspector = stage.enter("dozor")
    inspector.goto(f"/office/cases/{case}")
    expect(inspector.get_by_text("Вы смотрите это дело")).to_be_visible()
    expect(inspector.locator("form[action*='/actions/']")).to_have_count(0)


def _draw(page: Page, corners: tuple[float, float, float, float]) -> None:
    """Click the corners; each snaps to the corner of a stand, and the last click is on the first."""
    page.locator("#map").scroll_into_view_if_needed()
    with page.expect_response(re.compile("collections/stands/items")):
        page.click("[data-draw=polygon]")
    west, south, east, north = corners
    for corner in ((west, south), (east, south), (east, north), (west, north), (west, south)):
        page.mouse.move(*_on_map(page, corner), steps=3)
        page.mouse.click(*_on_map(page, corner))
    expect(page.locator("#draw-status")).to_have_text("Сохранено и проверено.")


def _send_file(page: Page, stage: Stage, tmp_path: Path) -> None:
    """A file of boundaries in place of what was drawn."""
    file = tmp_path / "лесосека.geojson"
    file.write_text(json.dumps(polygon(*PLOT)))
    page.get_by_text("Прислать файл с границей").click()
    page.set_input_files("#file", str(file))
    with page.expect_navigation():
        page.get_by_role("button", name="Прислать файл").click()
    expect(page.locator("#boundary-file")).to_be_visible()
    shot(page, "forest-declaration-2-file")
    stage.work()
    expect(page.locator("#boundary-file")).to_have_count(0)
    expect(page.locator("#map-title")).to_contain_text("71,")
    _ready(page)


def _corrected(officer: Page, page: Page, stage: Stage, case: str, *, number: str) -> None:
    """The officer asks for a correction; the applicant finds it in the cabinet, corrects, signs and answers."""
    officer.goto("/office/cases")
    shot(officer, "office")
    take_up(officer, case, number)
    _ready(officer)
    shot(officer, "office-5-review")
    press(officer, "ask_correction", reason="Объём завышен: по материалам отвода 4 800 м³.")
    page.goto("/cabinet")
    expect(page.locator("section[aria-labelledby=now]")).to_contain_text(number)
    shot(page, "cabinet-5-asked")
    page.goto(f"/cabinet/cases/{case}")
    expect(page.get_by_text("Объём завышен").first).to_be_visible()
    fill(page, volume_m3="4 800")
    shot(page, "forest-declaration-5-correction")
    sign_by_code(page, stage, "answer")
    officer.goto(f"/office/cases/{case}")
    expect(officer.locator(".work")).to_contain_text("4800")
    press(officer, "review")


@pytest.mark.requirement("W-08", "W-09")
def test_a_waste_report(stage: Stage, tmp_path: Path) -> None:
    """A report is rejected with its ground and changes nothing; the next one is granted and changes the register."""
    page, officer = stage.enter("lesnik"), stage.enter("reshatel")
    report = {
        "year": str(_today().year - 1), "fkko": "7 31 110 01 72 4", "hazard_class": "4", "generated_t": "1200,5",
        "recycled_t": "0", "placed_t": "200", "accumulated_t": "300", "method": "burial",
    }  # fmt: skip
    case, number = _reported(page, stage, report)
    take_up(officer, case, number)
    press(officer, "reject", reason="Накопленное не сходится с прошлым отчётом и размещённым за год.")
    shot(officer, "office-waste-rejected")
    page.goto(f"/cabinet/cases/{case}")
    expect(page.locator(".spine .current")).to_contain_text("Отклонён")
    expect(page.locator(".events")).to_contain_text("Накопленное не сходится")
    shot(page, "waste-report-5-rejected")
    proved(page, stage, tmp_path, told="Отказано")
    assert _site(page)["accumulated_t"] == 100
    case, number = _reported(page, stage, report | {"accumulated_t": "450"})
    take_up(officer, case, number)
    shot(officer, "office-waste-review")
    press(officer, "approve")
    page.goto(f"/cabinet/cases/{case}")
    expect(page.locator(".spine .current")).to_contain_text("Одобрен")
    shot(page, "waste-report-6-granted")
    proved(page, stage, tmp_path, told="Решение подлинное и действует")
    assert _site(page)["accumulated_t"] == 450


def _site(page: Page) -> dict[str, Any]:
    """The site as the map's public interface shows it now."""
    (found,) = _items(page, "waste_sites")
    properties: dict[str, Any] = found["properties"]
    return properties


def _reported(page: Page, stage: Stage, report: dict[str, str]) -> tuple[str, str]:
    """A report that was sent: the case and its number."""
    case = begin(page, "waste-report", "Годовой отчёт об отходах", f"{INN}:{stage.site}")
    fill(page, **report)
    shot(page, "waste-report-2-form")
    sign_by_code(page, stage, "submit")
    number = page.locator("h1 .number").inner_text()
    assert number.startswith("ОТ-54-")
    shot(page, "waste-report-4-sent")
    return case, number


@pytest.fixture(scope="module")
def centres(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> tuple[Centre, Centre]:
    """Two centres that the installation trusts: one gives GOST certificates (where the engine is), one RSA."""
    made = []
    for kind in ("gost256" if verifier.engine() else "ecdsa", "rsa"):
        centre = found_centre(kind, tmp_path_factory.mktemp(kind))
        centre.person("lesnikova", inn=INN)
        trusted = stage.settings.home / "trust" / f"{kind}.pem"
        trusted.parent.mkdir(exist_ok=True)
        trusted.write_bytes(Path(centre.at("root.pem")).read_bytes())
        made.append(centre)
    return made[0], made[1]


@pytest.mark.requirement("S-34", "C-97")
def test_a_licence_extension(stage: Stage, centres: tuple[Centre, Centre], tmp_path: Path) -> None:
    """Signed with one's own key by `openssl cms`: tampered is refused, changed is asked anew, true is sent and granted."""
    page = stage.enter("lesnik")
    case = begin(page, "licence-extension", "Продление лицензии на недра", f"{INN}:{stage.licence}")
    _ready(page)
    _attach(page, tmp_path)
    fill(page, new_expires_on="31.12.2031", reason="Запасы не отработаны, проект продлён до 2031 года.", contact_name="Лесникова Анна", contact_phone="+7 913 000-00-00")  # fmt: skip
    _save(page)
    shot(page, "licence-extension-2-form")
    gost, rsa = centres
    signature = gost.sign("lesnikova", _sheet(page, tmp_path))
    _sign(page, tmp_path, gost.sign("lesnikova", _sheet(page, tmp_path) + b" "))
    expect(page.locator("#signature-status")).to_have_class(re.compile("failed"))
    shot(page, "licence-extension-3-refused")
    _sign(page, tmp_path, signature)
    expect(page.locator("#signature")).to_contain_text("Подписано. Дело можно отправлять.")
    # What changes after the signature must be signed again.
    fill(page, contact_phone="+7 913 000-00-01")
    page.click("button[name=then][value=submit]")
    expect(page.locator("#signature .error-text")).to_contain_text("Подпишите снова")
    shot(page, "licence-extension-4-changed")
    _sign_here(page, rsa, phone="+7 913 000-00-02")
    expect(page.locator("#signature")).to_contain_text("Подписано. Дело можно отправлять.")
    expect(page.locator("#contact_phone")).to_have_value("+7 913 000-00-02")
    page.click("button[name=then][value=submit]")
    page.wait_for_url(re.compile("saved=1"))
    number = page.locator("h1 .number").inner_text()
    assert number.startswith("ПЛ-54-")
    assert _licence(page)["expires_on"] == "2027-06-01"
    officer = stage.enter("reshatel")
    take_up(officer, case, number)
    expect(officer.locator(".seal.valid")).to_contain_text(["lesnikova", "lesnikova"])
    shot(officer, "office-licence-review")
    press(officer, "approve")
    page.reload()
    expect(page.locator(".spine .current")).to_contain_text("Одобрена")
    shot(page, "licence-extension-6-decided")
    proved(page, stage, tmp_path, told="Решение подлинное и действует")
    assert _licence(page)["expires_on"] == "2031-12-31"


def _licence(page: Page) -> dict[str, Any]:
    """The licence as the map's public interface shows it now."""
    (found,) = _items(page, "licences")
    properties: dict[str, Any] = found["properties"]
    return properties


def _attach(page: Page, tmp_path: Path) -> None:
    """The one document that the service asks for: first a scan that is too coarse, then a good one."""
    shelf = page.locator("[data-kind=licence_copy]")
    for dpi in (72, 300):
        file = tmp_path / f"лицензия-{dpi}.pdf"
        file.write_bytes(scan_pdf(dpi))
        shelf.locator("input[type=file]").set_input_files(str(file))
        if dpi == 72:
            expect(shelf.locator(".file-status")).to_have_class(re.compile("failed"))
            shot(page, "licence-extension-2-coarse")
    expect(shelf.locator(".paper")).to_contain_text("лицензия-300.pdf")


def _save(page: Page) -> None:
    page.click("button[name=then][value='']")
    page.wait_for_url(re.compile("saved=1"))


def _sheet(page: Page, tmp_path: Path) -> bytes:
    """The file to sign, as the page gives it."""
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Скачать файл для подписи").click()
    waiting.value.save_as(tmp_path / "sheet.json")
    return (tmp_path / "sheet.json").read_bytes()


def _sign(page: Page, tmp_path: Path, signature: bytes) -> None:
    """Attach a signature file."""
    file = tmp_path / "sheet.sig"
    file.write_bytes(signature)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Приложить файл .sig").click()
    chooser.value.set_files(str(file))


def _sign_here(page: Page, centre: Centre, *, phone: str) -> None:
    """Sign in the page with a key from a file, what was typed a moment ago too; the key goes nowhere."""
    sent: list[bytes] = []
    page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    fill(page, contact_phone=phone)
    page.get_by_role("button", name="Подписать ключом из файла").click()
    dialog = page.locator("#key-dialog")
    for password, old, told in (
        ("другой пароль", False, "Пароль не подходит"),
        ("Ель-и-Сосна-9", True, "устаревшим способом"),
        ("Ель-и-Сосна-9", False, ""),
    ):
        page.set_input_files("#key-file", centre.container("lesnikova", "Ель-и-Сосна-9", old=old))
        page.fill("#key-password", password)
        if not told:
            with page.expect_navigation():
                dialog.get_by_role("button", name="Подписать").click()
            break
        dialog.get_by_role("button", name="Подписать").click()
        expect(dialog.locator(".file-status")).to_contain_text(told)
        shot(page, f"licence-extension-5-key-{'old' if old else 'password'}")
    key = Path(centre.at("lesnikova.p12")).read_bytes()
    assert sent
    assert not any("Ель-и-Сосна".encode() in body or key[:64] in body for body in sent)
