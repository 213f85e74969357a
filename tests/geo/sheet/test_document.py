"""A printed sheet keeps its scale to half a per cent, measured in the PDF itself, and shows what the caller may see."""

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import pikepdf
import psycopg
import pytest
from pyproj import Geod, Transformer

from geo.access import ANONYMOUS, Caller
from geo.settings import Settings
from geo.sheet.frame import Frame
from geo.sheet.kilometres import Kilometres
from geo.sheet.labels import lines_of, text_of
from geo.sheet.paper import PAPERS, SCALES, paper_named
from geo.sheet.words import Words
from tests.conftest import client_of, make_object

PLACE = (84.0, 56.0)
GEOD = Geod(ellps="WGS84")
URL = "/api/v1/sheets/map.pdf"


def _kilometre() -> str:
    """A square whose west and south sides are a kilometre long on the ellipsoid."""
    lon, lat = PLACE
    east, _, _ = GEOD.fwd(lon, lat, 90, 1000)
    _, north, _ = GEOD.fwd(lon, lat, 0, 1000)
    return f"POLYGON(({lon} {lat},{east} {lat},{east} {north},{lon} {north},{lon} {lat}))"


@pytest.fixture(scope="module", autouse=True)
def things(settings: Settings) -> None:
    """A lease of a kilometre by a kilometre, and a licence that strangers do not see."""
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        make_object(c, "leases", geom=_kilometre(), number="ДА-1000", status="active", starts_on="2020-01-01")
        make_object(
            c, "licences", geom=_kilometre(), number="ТАЙНА-77", status="active", issued_on="2020-01-01"
        )


def lines(pdf: bytes) -> Iterator[tuple[Any, Any]]:
    """Every path of a PDF that is stroked: its colour, and its places in millimetres of the paper."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        page = document.pages[0]
        yield from _walk(page, page.get("/Resources", {}), np.eye(3))


def _matrix(values: Any) -> Any:
    a, b, c, d, e, f = (float(v) for v in values)
    return np.array([[a, b, 0], [c, d, 0], [e, f, 1]])


def _walk(stream: Any, resources: Any, matrix: Any) -> Iterator[tuple[Any, Any]]:
    kept: list[Any] = []
    path: list[tuple[float, float]] = []
    colour: tuple[float, ...] = ()
    for operands, operator in pikepdf.parse_content_stream(stream):
        name = str(operator)
        if name == "q":
            kept.append((matrix, colour))
        elif name == "Q":
            matrix, colour = kept.pop()
        elif name == "cm":
            matrix = _matrix(operands) @ matrix
        elif name in ("SC", "SCN", "RG"):
            colour = tuple(
                round(float(v), 2) for v in operands if isinstance(v, (int, float)) or hasattr(v, "as_tuple")
            )
        elif name in ("m", "l"):
            path.append((float(operands[0]), float(operands[1])))
        elif name in ("S", "s", "B", "b"):
            spots = (
                np.column_stack((np.array(path), np.ones(len(path)))) @ matrix if path else np.empty((0, 3))
            )
            yield colour, spots[:, :2] * 25.4 / 72
            path = []
        elif name in ("f", "f*", "n", "B*"):
            path = []
        elif name == "Do":
            form = resources["/XObject"][operands[0]]
            if form.get("/Subtype") == "/Form":
                inner = _matrix(form["/Matrix"]) @ matrix if "/Matrix" in form else matrix
                yield from _walk(form, form.get("/Resources", resources), inner)


def sizes(pdf: bytes) -> list[tuple[float, float]]:
    """Width and height in millimetres of every closed figure that is stroked."""
    found = []
    for _, spots in lines(pdf):
        if len(spots) >= 4:
            width, height = np.ptp(spots, axis=0)
            found.append((float(width), float(height)))
    return found


async def printed(client: httpx.AsyncClient, **values: Any) -> httpx.Response:
    return await client.get(URL, params={"lon": PLACE[0], "lat": PLACE[1]} | values)


@pytest.mark.requirement("F-37")
@pytest.mark.parametrize(
    ("scale", "paper"), [(5_000, "a3-portrait"), (10_000, "a4-landscape"), (50_000, "a4-portrait")]
)
async def test_a_kilometre_has_the_length_that_the_scale_says(
    client: httpx.AsyncClient, scale: int, paper: str
) -> None:
    lon, _, _ = GEOD.fwd(*PLACE, 90, 500)
    answer = await printed(client, scale=scale, paper=paper, layers="leases", lon=lon, lat=PLACE[1] + 0.0045)
    assert answer.status_code == 200, answer.text
    wanted = 1_000_000 / scale
    close = [s for s in sizes(answer.content) if s == pytest.approx((wanted, wanted), rel=0.005)]
    assert close, f"no square of {wanted} mm"
    with pikepdf.open(io.BytesIO(answer.content)) as document:
        box = [float(v) * 25.4 / 72 for v in document.pages[0].MediaBox]
    sheet = PAPERS[paper].sheet
    assert box[2:] == pytest.approx([sheet.width, sheet.height], abs=0.01)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("lat", [-60.0, 0.0, 45.0, 70.0])
def test_lengths_on_paper_are_those_of_the_ellipsoid(scale: int, lat: float) -> None:
    frame = Frame(83.0, lat, scale, paper_named("a3-landscape"))
    corners = [frame.place(x, y) for x, y in ((16, 24), (100, 24), (16, 200), (350, 270))]
    for (lon0, lat0), (lon1, lat1) in pairwise(corners):
        ground = GEOD.inv(lon0, lat0, lon1, lat1)[2]
        x = frame.points(np.array([(lon0, lat0), (lon1, lat1)]))
        paper = float(np.hypot(*(x[1] - x[0])))
        assert paper * scale / 1000 == pytest.approx(ground, rel=5e-5)


@pytest.mark.parametrize(
    ("lon", "lat", "scale"), [(83.0, 55.0, 25_000), (80.9, 68.0, 200_000), (179.9, 66.0, 5_000)]
)
def test_crosses_stand_on_round_kilometres_of_the_zone(lon: float, lat: float, scale: int) -> None:
    frame = Frame(lon, lat, scale, paper_named("a4-landscape"))
    net = Kilometres.of(frame)
    assert net and net.zone == int(lon // 6) + 1
    zone = Transformer.from_crs(4326, 20900 + net.zone, always_xy=True)
    crosses = list(net.crosses())
    assert 12 <= len(crosses) <= 80
    for x, y in crosses:
        for metres in zone.transform(*frame.place(x, y)):
            assert abs(metres / net.step - round(metres / net.step)) * net.step < 0.5
    named = {axis for axis, _, _, _ in net.ends()}
    assert named == {"x", "y"}


def test_a_place_without_a_zone_has_no_kilometre_grid() -> None:
    assert Kilometres.of(Frame(3.0, 50.0, 25_000, paper_named("a4-landscape"))) is None


def test_the_box_of_a_frame_holds_all_its_corners() -> None:
    frame = Frame(83.0, 68.0, 200_000, paper_named("a3-landscape"))
    west, south, east, north = frame.box()
    assert all(west <= lon <= east and south <= lat <= north for lon, lat in frame.corners())


async def test_nobody_prints_what_he_may_not_see(settings: Settings) -> None:
    """Each object that is drawn is a stroked figure: the stranger's sheet has one square kilometre less."""
    wanted = {"scale": 25_000, "layers": "leases,licences"}
    square = pytest.approx((40, 40), rel=0.01)
    async with client_of(settings, ANONYMOUS) as stranger, client_of(settings, Caller(rank=3)) as admin:
        few = sum(s == square for s in sizes((await printed(stranger, **wanted)).content))
        many = sum(s == square for s in sizes((await printed(admin, **wanted)).content))
    assert (few, many) == (1, 2)


async def test_a_filter_and_a_day_choose_what_is_printed(client: httpx.AsyncClient) -> None:
    square = pytest.approx((40, 40), rel=0.01)
    wanted = {"scale": 25_000, "layers": "leases"}
    none = await printed(client, **wanted, filter="leases: number = 'ДА-2'")
    assert not any(s == square for s in sizes(none.content))
    one = await printed(
        client, **wanted, filter="leases: number = 'ДА-1000'", title="Участок «Южный» <b>&</b>"
    )
    assert any(s == square for s in sizes(one.content))
    with pikepdf.open(io.BytesIO(one.content)) as document:
        assert str(document.docinfo["/Title"]) == "Участок «Южный» <b>&</b>"


@pytest.mark.parametrize(
    ("values", "status", "field"),
    [
        ({"scale": 7}, 400, "scale"),
        ({"paper": "a9"}, 400, "paper"),
        ({"lat": 89}, 400, "lat"),
        ({"filter": "leases"}, 400, "filter"),
        ({"filter": "leases: nonsense ="}, 400, "filter"),
        ({"layers": "nowhere"}, 404, "layer"),
        ({"lang": "xx"}, 400, "lang"),
    ],
)
async def test_a_wrong_order_is_named(
    client: httpx.AsyncClient, values: dict[str, Any], status: int, field: str
) -> None:
    answer = await printed(client, **values)
    assert (answer.status_code, answer.json()["field"]) == (status, field)


def test_words_are_those_of_the_language() -> None:
    ru, en = Words("ru"), Words("en")
    assert ru.scale(200_000) == "1 : 200\u00a0000"
    assert ru.angle(81.5, axis="lon") == "81°30'"
    assert ru.angle(57.395611, axis="lat", seconds=1) == "57°23'44,2'' с. ш."
    assert en.angle(-0.99999, axis="lon", seconds=0) == "1°00'00'' W"
    assert ru.day(date(2026, 11, 2)) == "02.11.2026"
    assert en.time(datetime(2026, 11, 2, 8, 30, tzinfo=UTC)) == "2 Nov 2026 08:30 (UTC+0)"


def test_labels_follow_their_rule() -> None:
    assert text_of("{number} / {area_ha}", {"number": "12", "area_m2": 43_000}) == "12 / 4,3"
    assert text_of("{name}", {"name": None}) == ""
    assert lines_of("Водоохранная зона озера Большое Утиное") == [
        "Водоохранная зона",
        "озера Большое",
        "Утиное",
    ]
