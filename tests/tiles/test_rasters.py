"""Rasters: catalogued, served within bounds, measured within plots, compared."""

from dataclasses import replace
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import psycopg
import pytest
import rasterio
from morecantile import tms
from PIL import Image
from rasterio.transform import from_bounds
from typer.testing import CliRunner

from api.cli import app as command
from api.main import Mezha
from api.rasters import create
from geo.access import ANONYMOUS, Caller
from geo.rasters import catalogue
from geo.rasters.errors import RasterFileError
from geo.settings import Settings
from tests.conftest import client_of, make_object
from tiles.rasters import change, conversion, ranges

WEST, SOUTH, SIDE = 83.0, 55.0, 0.02
_MIDDLE = tms.get("WebMercatorQuad").tile(WEST + SIDE / 2, SOUTH + SIDE / 2, 14)
TILE = f"14/{_MIDDLE.x}/{_MIDDLE.y}"
INSPECTOR = Caller(account=7, rank=1, regions=("54",))
ADMINISTRATOR = Caller(account=1, rank=3)
# Where the test's felling lies: a square of the middle, 40 of 100 pixels a side.
FELLED = slice(30, 70)


def scene(path: Path, values: np.ndarray, **profile: object) -> Path:
    """A GeoTIFF of one band over the test's square."""
    options = {
        "driver": "GTiff",
        "width": values.shape[1],
        "height": values.shape[0],
        "count": 1,
        "dtype": values.dtype.name,
        "crs": "EPSG:4326",
        "transform": from_bounds(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE, values.shape[1], values.shape[0]),
    } | profile
    with rasterio.open(path, "w", **options) as target:
        target.write(values, 1)
    return path


def enter(
    settings: Settings, file: Path, name: str, taken: str = "2024-06-01", rank: int = 0
) -> catalogue.Item:
    """Put a file into the catalogue, as the command does."""
    facts = conversion.facts(file)
    sha256, size = conversion.convert(file, catalogue.folder(settings), StringIO())
    item = catalogue.Item(
        name, name, "ndvi", sha256, file.name, conversion.digest(file), facts.crs, facts.bands, facts.resolution_m,
        size, date.fromisoformat(taken), "54", rank, facts.box,
        ranges=ranges.measure(catalogue.folder(settings) / f"{sha256}.tif"),
    )  # fmt: skip
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        catalogue.add(connection, item)
    return item


@pytest.fixture(scope="module")
def pair(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[catalogue.Item, catalogue.Item]:
    """Green before and felled after; the newer one is restricted."""
    folder = tmp_path_factory.mktemp("scenes")
    before = np.full((100, 100), 0.8, "float32")
    after = before.copy()
    after[FELLED, FELLED] = 0.2
    return (
        enter(settings, scene(folder / "a.tif", before), "ndvi-2023", "2023-06-01"),
        enter(settings, scene(folder / "b.tif", after), "ndvi-2024", "2024-06-01", rank=2),
    )


@pytest.mark.parametrize(
    "name", ["finland-dem-2m", "sochi-aster-dem", "per-dataset-mask", "sochi-aster-colorized"]
)
def test_a_real_raster_becomes_a_valid_cog_with_the_same_pixels(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    source = shared_data / "rasters" / f"{name}.tif"
    sha256, size = conversion.convert(source, tmp_path, StringIO())
    made = tmp_path / f"{sha256}.tif"
    assert made.stat().st_size == size and conversion.digest(made) == sha256
    assert list(tmp_path.iterdir()) == [made]
    with rasterio.open(source) as one, rasterio.open(made) as other:
        # What a mask hides has no value.
        before, after = one.read(masked=True), other.read(masked=True)
        assert (before.filled(0) == after.filled(0)).all()
        assert (np.ma.getmaskarray(before) == np.ma.getmaskarray(after)).all()
        assert (one.crs.to_proj4(), one.transform) == (other.crs.to_proj4(), other.transform)


def test_the_resolution_is_in_metres_on_the_ground(shared_data: Path) -> None:
    assert conversion.facts(shared_data / "rasters" / "finland-dem-2m.tif").resolution_m == pytest.approx(
        2, rel=0.05
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not a raster", "cannot be read"),
        (b"<VRTDataset rasterXSize='1' rasterYSize='1'><VRTRasterBand dataType='Byte' band='1'>"
         b"<SimpleSource><SourceFilename>/etc/passwd</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>",
         "cannot be read"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_raster_is_refused_by_name(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "scene.tif"
    path.write_bytes(content)
    with pytest.raises(RasterFileError, match=reason):
        conversion.facts(path)


def test_a_raster_without_its_place_is_refused(tmp_path: Path) -> None:
    values = np.zeros((4, 4), "uint8")
    nowhere = scene(tmp_path / "a.tif", values, crs=None)
    beyond = scene(tmp_path / "b.tif", values, transform=from_bounds(200, 0, 260, 30, 4, 4))
    for path in (nowhere, beyond):
        with pytest.raises(RasterFileError, match="place"):
            conversion.facts(path)


def test_the_command_adds_and_refuses(settings: Settings, shared_data: Path, tmp_path: Path) -> None:
    environment = {
        "MEZHA_DATABASE_URL": settings.database_url,
        "MEZHA_REGISTRAR_DATABASE_URL": settings.registrar_database_url,
        "MEZHA_HOME": str(settings.home),
    }
    file = str(shared_data / "rasters" / "sochi-aster-dem.tif")
    words = ["raster", "add", file, "--name", "dem-sochi", "--taken", "2011-10-17", "--access", "public"]
    done = CliRunner().invoke(command, words, env=environment)
    assert done.exit_code == 0, done.output
    again = CliRunner().invoke(command, words, env=environment)
    assert isinstance(again.exception, RasterFileError)
    assert "there already" in str(again.exception)
    bad = CliRunner().invoke(command, [*words[:4], "../etc", *words[5:]], env=environment)
    assert isinstance(bad.exception, RasterFileError)


# Every address of the raster server that leads to one raster, with a call of it for the restricted one.
_ITEM = "/raster/items/{item}"
_TILE = f"{_ITEM}/tiles/{{tileMatrixSetId}}/{{z}}/{{x}}/{{y}}"
OF_ONE = {
    _ITEM: "",
    f"{_ITEM}/info": "/info",
    f"{_ITEM}/info.geojson": "/info.geojson",
    f"{_ITEM}/point/{{lon}},{{lat}}": "/point/83.01,55.01",
    f"{_ITEM}/preview": "/preview?rescale=0,1",
    f"{_ITEM}/preview.{{format}}": "/preview.png?rescale=0,1",
    f"{_ITEM}/preview/{{width}}x{{height}}.{{format}}": "/preview/64x64.png?rescale=0,1",
    f"{_ITEM}/{{tileMatrixSetId}}/tilejson.json": "/WebMercatorQuad/tilejson.json",
    _TILE: f"/tiles/WebMercatorQuad/{TILE}?rescale=0,1",
    f"{_TILE}.{{format}}": f"/tiles/WebMercatorQuad/{TILE}.png?rescale=0,1",
}
# Those that lead to several: each has a test of its own here.
OF_SEVERAL = {
    "/raster",
    f"{_ITEM}/objects/{{layer}}/{{identity}}",
    "/raster/changes/{before}/{after}",
    "/raster/collections/{collection}/tiles/WebMercatorQuad/{z}/{x}/{y}.png",
}


def test_every_route_of_rasters_is_asked_here() -> None:
    app = create(Mezha(Settings(database_url="postgresql://nowhere/none")).app)
    assert set(app.openapi()["paths"]) == set(OF_ONE) | OF_SEVERAL


@pytest.mark.requirement("R-17")
async def test_a_restricted_raster_is_not_known_to_others(
    settings: Settings, pair: tuple[catalogue.Item, catalogue.Item]
) -> None:
    paths = [f"/raster/items/ndvi-2024{call}" for call in OF_ONE.values()]
    paths.append("/raster/changes/ndvi-2023/ndvi-2024")
    async with client_of(settings, ANONYMOUS) as anybody, client_of(settings, INSPECTOR) as inspector:
        for path in paths:
            refused = await anybody.get(path)
            assert (refused.status_code, refused.json()["code"]) == (404, "unknown-raster"), path
            assert (await inspector.get(path)).status_code == 200, path
        names = [r["name"] for r in (await anybody.get("/raster")).json()["rasters"]]
        assert "ndvi-2023" in names and "ndvi-2024" not in names


async def test_a_mosaic_shows_each_the_newest_that_he_may_see(
    settings: Settings, pair: tuple[catalogue.Item, catalogue.Item]
) -> None:
    path = f"/raster/collections/ndvi/tiles/WebMercatorQuad/{TILE}.png?rescale=0,1"
    greys = []
    for caller in (ANONYMOUS, ADMINISTRATOR):
        async with client_of(settings, caller) as client:
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text
            grey, alpha = np.asarray(Image.open(BytesIO(answer.content)).convert("LA")).transpose(2, 0, 1)
            greys.append(grey[alpha > 0].min())
            assert (await client.get(path.replace("ndvi/", "no-such/"))).status_code == 404
            assert (await client.get(path.replace(TILE, "14/10/10"))).status_code == 204
            assert (await client.get(path.split("?", maxsplit=1)[0])).json()["code"] == "raster-request"
    assert greys[0] >= 203 and greys[1] <= 52


async def test_statistics_within_a_plot_weigh_pixels_by_their_part_inside(
    settings: Settings, pair: tuple[catalogue.Item, catalogue.Item]
) -> None:
    half = f"POLYGON(({WEST} {SOUTH}, {WEST + 0.01} {SOUTH}, {WEST + 0.01} {SOUTH + SIDE}, {WEST} {SOUTH + SIDE}, {WEST} {SOUTH}))"
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        plot = make_object(owner, "zones", geom=half)
        far = make_object(owner, "zones", geom="POLYGON((10 10, 10.1 10, 10.1 10.1, 10 10))")
    async with client_of(settings, ADMINISTRATOR) as client:
        answer = (await client.get(f"/raster/items/ndvi-2024/objects/zones/{plot}")).json()
        band = answer["bands"][0]
        # 20 × 40 of 50 × 100 pixels are felled.
        assert band["mean"] == pytest.approx((0.8 * 4200 + 0.2 * 800) / 5000, abs=0.005)
        assert (band["least"], band["greatest"]) == (pytest.approx(0.2), pytest.approx(0.8))
        outside = await client.get(f"/raster/items/ndvi-2024/objects/zones/{far}")
        assert (outside.status_code, outside.json()["code"]) == (404, "raster-request")


@pytest.mark.parametrize(
    "path",
    [
        "preview.png?max_size=100000",
        "preview/100000x100000.png",
        "tiles/WebMercatorQuad/14/0/0.png",
        "tiles/NoSuchGrid/1/0/0.png",
        "point/0,0",
        "preview.png?expression=__import__('os')",
        "preview.png?bidx=9",
        "preview.png?algorithm=nothing",
        "preview.png?rescale=a,b",
    ],
)
async def test_a_bad_request_is_named_and_never_a_fault(
    settings: Settings, pair: tuple[catalogue.Item, catalogue.Item], path: str
) -> None:
    async with client_of(settings, ADMINISTRATOR) as client:
        answer = await client.get(f"/raster/items/ndvi-2024/{path}")
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["code"] in {"raster-request", "bad-parameter", "not-found"}, answer.text


@pytest.mark.requirement("F-34")
async def test_the_map_is_told_what_it_may_show(
    settings: Settings, pair: tuple[catalogue.Item, catalogue.Item]
) -> None:
    here, far = f"{WEST},{SOUTH},{WEST + 0.01},{SOUTH + 0.01}", "10,10,11,11"
    async with client_of(settings, ANONYMOUS) as anybody, client_of(settings, INSPECTOR) as inspector:
        asked = {
            (who, query): (await client.get(f"/api/v1/rasters?{query}")).json()
            for who, client in (("anybody", anybody), ("inspector", inspector))
            for query in (f"bbox={here}", f"bbox={far}", f"bbox={far}&names=ndvi-2024")
        }
        names = {key: [r["name"] for r in answer["rasters"]] for key, answer in asked.items()}
        assert "ndvi-2024" not in str([answer for (who, _), answer in asked.items() if who == "anybody"])
        assert names["inspector", f"bbox={here}"][:2] == ["ndvi-2024", "ndvi-2023"]
        assert names["inspector", f"bbox={far}"] == []
        assert names["inspector", f"bbox={far}&names=ndvi-2024"] == ["ndvi-2024"]
        totals = {who: answer["total"] for (who, _), answer in asked.items()}
        assert totals["inspector"] == totals["anybody"] + 1
        for bad in ("bbox=1,2,3", "names=../etc", "limit=0", "colour=red"):
            assert 400 <= (await anybody.get(f"/api/v1/rasters?{bad}")).status_code < 500


async def test_the_tiles_of_every_view_are_drawn(
    settings: Settings, pair: tuple[catalogue.Item, catalogue.Item]
) -> None:
    async with client_of(settings, INSPECTOR) as client:
        (raster,) = (await client.get("/api/v1/rasters?bbox=0,0,0,0&names=ndvi-2023")).json()["rasters"]
        z, x, y = TILE.split("/")
        for view in raster["views"]:
            path = view["tiles"].format(z=z, x=x, y=y)
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), answer.text


async def test_who_has_a_tile_is_told_so_but_only_while_he_may_see_it(
    settings: Settings, pair: tuple[catalogue.Item, catalogue.Item]
) -> None:
    path = f"/raster/items/ndvi-2024/tiles/WebMercatorQuad/{TILE}.png?rescale=0,1"
    async with client_of(settings, INSPECTOR) as inspector, client_of(settings, ANONYMOUS) as anybody:
        drawn = await inspector.get(path)
        assert drawn.headers["cache-control"] == "private, no-cache"
        known = {"if-none-match": drawn.headers["etag"]}
        again = await inspector.get(path, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == drawn.headers["etag"]
        assert (await anybody.get(path, headers=known)).status_code == 404
        other = path.replace("ndvi-2024", "ndvi-2023")
        shown = await anybody.get(other, headers=known)
        assert (shown.status_code, shown.headers["cache-control"]) == (200, "public, no-cache")
        assert "etag" not in (await inspector.get("/raster/items/ndvi-2024")).headers


def test_ranges_are_measured_without_what_has_no_value(tmp_path: Path) -> None:
    values = np.linspace(0, 100, 10_000, dtype="float32").reshape(100, 100)
    values[:10] = -9999
    values[10, :5] = np.nan
    (found,) = ranges.measure(scene(tmp_path / "a.tif", values, nodata=-9999))
    assert found is not None
    assert (found["least"], found["greatest"]) == (pytest.approx(10.05, abs=0.1), 100)
    assert (found["low"], found["high"]) == (pytest.approx(11.8, abs=0.2), pytest.approx(98.2, abs=0.2))
    assert ranges.measure(scene(tmp_path / "b.tif", np.full((9, 9), 7, "int16"), nodata=7)) == [None]


async def test_hillshade_and_band_expressions_draw(settings: Settings, shared_data: Path) -> None:
    enter(settings, shared_data / "rasters" / "finland-dem-2m.tif", "dem-finland")
    async with client_of(settings, ANONYMOUS) as client:
        for words in ("algorithm=hillshade&buffer=3", "expression=b1*2&rescale=0,400"):
            answer = await client.get(
                f"/raster/items/dem-finland/preview.png?{words.replace('&buffer=3', '')}"
            )
            assert answer.status_code == 200, answer.text
            assert np.asarray(Image.open(BytesIO(answer.content)).convert("L")).std() > 5


def test_a_change_is_found_where_the_values_fell(
    settings: Settings, pair: tuple[catalogue.Item, catalogue.Item]
) -> None:
    files = [catalogue.path_of(item, settings) for item in pair]
    (found,) = change.find(files[0], files[1], 0.3, 1000)
    assert found.mean == pytest.approx(-0.6, abs=0.01)
    # 40 × 40 pixels of 0.0002°: 0.008° of latitude and of longitude at 55° north.
    assert found.area_m2 == pytest.approx(890.7 * 511.6, rel=0.01)
    assert change.find(files[0], files[1], 0.7, 0) == []
    assert change.find(files[0], files[1], 0.3, 1e7) == []


async def test_a_change_is_explained_by_declared_cutting_areas_of_the_time_between(
    settings: Settings, pair: tuple[catalogue.Item, catalogue.Item]
) -> None:
    before, after = pair
    found = change.find(*(catalogue.path_of(item, settings) for item in pair), 0.3, 1000)
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        change.keep(owner, before.name, after.name, found, 0.3)
    path = f"/raster/changes/{before.name}/{after.name}"
    whole = INSPECTOR, ADMINISTRATOR
    blind = replace(INSPECTOR, rank=0, regions=("77",))
    async with client_of(settings, ADMINISTRATOR) as client:
        (feature,) = (await client.get(path)).json()["features"]
        assert feature["properties"]["answer"] == "not_explained"
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        owner.execute("UPDATE rasters.items SET rank = 0")
        west, south = WEST + 0.006, SOUTH + 0.006
        square = f"POLYGON(({west} {south}, {west + 0.008} {south}, {west + 0.008} {south + 0.006}, {west} {south + 0.006}, {west} {south}))"
        make_object(owner, "cutting_areas", geom=square, valid_from="2025-01-01")
        declared = make_object(
            owner, "cutting_areas", geom=square, valid_from="2023-09-01", declaration="Д-1"
        )
    answers = {}
    for name, caller in (("whole", whole[1]), ("blind", blind)):
        async with client_of(settings, caller) as client:
            (feature,) = (await client.get(path)).json()["features"]
            answers[name] = feature["properties"]
    assert answers["whole"]["answer"] == "explained"
    assert answers["whole"]["covered_share"] == pytest.approx(0.75, abs=0.02)
    assert [a["id"] for a in answers["whole"]["cutting_areas"]] == [declared]
    assert (answers["blind"]["answer"], answers["blind"]["cutting_areas"]) == ("not_checked", [])
