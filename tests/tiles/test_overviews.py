"""Overviews: no hole and no overlap between neighbours, every plot counted, true after each change, nobody sees more."""

from datetime import date, timedelta
from typing import Any

import httpx
import mapbox_vector_tile
import numpy as np
import psycopg
import pytest
import shapely
from pyproj import Transformer

from geo.access import Caller
from geo.settings import Settings
from tests.benchmarks.coverage import Coverage
from tests.conftest import client_of, make_object
from tiles.bands import BANDS
from tiles.generalise import Piece, cut, generalise
from tiles.overviews import keep

FOREST = Coverage(24, west=83.0, south=55.0)
TODAY = date.today()
SQUARE = (0.0, 0.0, 100_000.0, 100_000.0)
EIGHT = "/tiles/stands/8/187/80.mvt"


def _pieces(number: int = 600) -> list[Piece]:
    random = np.random.default_rng(3)
    points = shapely.multipoints(random.uniform(0, 100_000, (number, 2)))
    cells = shapely.get_parts(
        shapely.intersection(
            shapely.get_parts(shapely.voronoi_polygons(points)), shapely.box(0, 0, 100_000, 100_000)
        )
    )
    kinds = random.integers(0, 6, len(cells))
    return [Piece((str(k),), 1, c.area, c) for k, c in zip(kinds, cells, strict=True)]


@pytest.mark.parametrize("band", BANDS)
def test_a_generalised_coverage_has_no_holes_no_overlaps_and_counts_every_plot(band: Any) -> None:
    pieces = _pieces()
    made = generalise(pieces, band, SQUARE)
    shapes = np.array([p.shape for p in made], dtype=object)
    before = shapely.union_all([p.shape for p in pieces])
    after = shapely.union_all(shapes)
    assert shapely.symmetric_difference(before, after).area < 1e-6 * before.area
    assert shapely.area(shapes).sum() == pytest.approx(before.area, rel=1e-9)
    assert sum(p.count for p in made) == len(pieces)
    assert sum(p.area_m2 for p in made) == pytest.approx(sum(p.area_m2 for p in pieces))
    assert len(shapely.get_coordinates(shapes)) < len(shapely.get_coordinates([p.shape for p in pieces]))


def test_a_busy_chunk_is_drawn_coarser_and_still_without_holes() -> None:
    pieces = _pieces(4_000)
    band = BANDS[1]
    made = generalise(pieces, band, SQUARE)
    shapes = np.array([p.shape for p in made], dtype=object)
    rough = len(shapely.get_coordinates([p.shape for p in pieces]))
    assert len(shapely.get_coordinates(shapes)) < rough / 2
    assert shapely.area(shapes).sum() == pytest.approx(1e10, rel=1e-9)
    assert shapely.union_all(shapes).area == pytest.approx(1e10, rel=1e-9)
    assert sum(p.count for p in made) == len(pieces)


def test_overlapping_plots_are_drawn_too() -> None:
    square = shapely.box(0, 0, 30_000, 30_000)
    twisted = shapely.box(10_000, 10_000, 60_000, 60_000)
    made = generalise([Piece(("a",), 1, 1, square), Piece(("b",), 1, 1, twisted)], BANDS[0], SQUARE)
    assert shapely.union_all([p.shape for p in made]).area == pytest.approx(
        shapely.union_all([square, twisted]).area
    )


def _cut_forest(west: int, north: int, across: int) -> list[tuple[tuple[int, int], list[Piece]]]:
    """Cells of a forest that is larger than they are, each with what of every stand lies in it."""
    forest = Coverage(160, west=81.4, south=54.8)
    shapes = shapely.get_parts(np.concatenate(list(forest.polygons())))
    to_metres = Transformer.from_crs(4326, 3857, always_xy=True).transform
    plots = shapely.transform(shapes, lambda p: np.column_stack(to_metres(p[:, 0], p[:, 1])))
    found, tree = [], shapely.STRtree(plots)
    for x in range(west, west + across):
        for y in range(north, north + across):
            square = BANDS[0].square(x, y)
            near = tree.query(shapely.box(*square))
            parts = zip(near, cut(plots[near], square), strict=True)
            pieces = [Piece((f"{n // 7 % 5}",), 1, 1.0, part) for n, part in parts if part is not None]
            found.append(((x, y), generalise(pieces, BANDS[0], square)))
    return found


def test_cells_fit_to_the_last_vertex_and_coarser_chunks_have_no_seams() -> None:
    column, row = 744, 320
    cells = _cut_forest(column, row, 4)
    shapes = shapely.get_parts(np.array([p.shape for _, made in cells for p in made], dtype=object))
    assert shapely.is_empty(shapely.coverage_invalid_edges(shapes)).all()
    pieces, band = [p for _, made in cells for p in made], BANDS[1]
    square = band.square(column >> band.bits, row >> band.bits)
    whole = generalise(pieces, band, square)
    assert shapely.union_all([p.shape for p in whole]).area == pytest.approx(
        shapely.box(*square).area, rel=1e-9
    )
    assert sum(p.count for p in whole) == sum(p.count for p in pieces)


def test_the_outer_border_of_a_forest_is_simplified_too() -> None:
    turn = np.linspace(0, 2 * np.pi, 5_000, endpoint=False)
    far = 40_000 + 60 * np.sin(200 * turn)
    lake = shapely.Polygon(np.column_stack((50_000 + far * np.cos(turn), 50_000 + far * np.sin(turn))))
    (made,) = generalise([Piece(("a",), 1, 1, lake)], BANDS[0], SQUARE)
    assert len(shapely.get_coordinates(made.shape)) < 500
    assert shapely.symmetric_difference(made.shape, lake).area < 0.02 * lake.area


@pytest.fixture(scope="module")
def forest(settings: Settings) -> Settings:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        FOREST.copy(connection, 0, FOREST.side, number=60_000_000)
    assert keep(settings, TODAY) > 0
    return settings


def _features(body: bytes) -> list[dict[str, Any]]:
    return list(mapbox_vector_tile.decode(body)["stands"]["features"]) if body else []


def _count(body: bytes) -> int:
    return sum(int(f["properties"].get("count", 1)) for f in _features(body))


async def _tile(settings: Settings, path: str, caller: Caller | None = None) -> bytes:
    async with client_of(settings, caller) as client:
        answer: httpx.Response = await client.get(path)
        return answer.content


async def test_a_low_zoom_is_drawn_from_merged_stands(forest: Settings) -> None:
    for path in ("/tiles/stands/4/11/5.mvt", "/tiles/stands/6/46/20.mvt", EIGHT):
        body = await _tile(forest, path)
        features = _features(body)
        assert _count(body) == 24 * 24, path
        assert len(features) < 24 * 24 / 3
        assert {"species", "age_group", "count", "area_m2"} >= set(features[0]["properties"])


async def test_nothing_is_left_to_do_until_something_changes(forest: Settings) -> None:
    assert keep(forest, TODAY) == 0


async def test_a_change_is_drawn_at_once_and_built_later(forest: Settings) -> None:
    with psycopg.connect(forest.database_url, autocommit=True) as connection:
        make_object(
            connection,
            "stands",
            species="willow",
            geom="POLYGON((83.5 55.5,83.51 55.5,83.51 55.51,83.5 55.5))",
        )
        before = await _tile(forest, EIGHT)
        assert _count(before) == 24 * 24 + 1
        assert keep(forest, TODAY) > 0
        after = await _tile(forest, EIGHT)
        assert _count(after) == 24 * 24 + 1
        assert len(_features(after)) <= len(_features(before))


async def test_a_stand_with_an_end_leaves_the_overview_on_its_day(forest: Settings) -> None:
    with psycopg.connect(forest.database_url, autocommit=True) as connection:
        make_object(
            connection,
            "stands",
            species="aspen",
            valid_to=TODAY + timedelta(days=2),
            geom="POLYGON((86.6 55.6,86.61 55.6,86.61 55.61,86.6 55.6))",
        )
    keep(forest, TODAY)
    here = "/tiles/stands/9/379/160.mvt"
    later = (TODAY + timedelta(days=2)).isoformat()
    assert _count(await _tile(forest, here)) == 1
    assert _features(await _tile(forest, f"{here}?datetime={later}")) == []


async def test_a_narrower_stand_is_in_no_overview_and_its_reader_sees_it_live(forest: Settings) -> None:
    with psycopg.connect(forest.database_url, autocommit=True) as connection:
        secret = make_object(
            connection,
            "stands",
            visibility=2,
            geom="POLYGON((84.5 56.5,84.51 56.5,84.51 56.51,84.5 56.5))",
        )
        keep(forest, TODAY)
        path = "/tiles/stands/9/376/158.mvt"
        assert _features(await _tile(forest, path, Caller())) == []
        assert [f["id"] for f in _features(await _tile(forest, path, Caller(account=1, rank=2)))] == [secret]
        shared = Caller(account=2, rank=1, objects=(secret,))
        assert [f["id"] for f in _features(await _tile(forest, path, shared))] == [secret]


async def test_a_layer_that_is_closed_gives_no_overview_to_who_may_not_see_it(forest: Settings) -> None:
    with psycopg.connect(forest.database_url, autocommit=True) as connection:
        connection.execute("UPDATE access.layers SET rank = 2 WHERE name = 'stands'")
        try:
            for build in (False, True):
                if build:
                    keep(forest, TODAY)
                assert _features(await _tile(forest, EIGHT, Caller())) == []
                assert _count(await _tile(forest, EIGHT, Caller(account=1, rank=2))) >= 24 * 24 or not build
            with psycopg.connect(forest.app_database_url) as app:
                assert app.execute("SELECT count(*) FROM tiles.overviews").fetchone() == (0,)
        finally:
            connection.execute("UPDATE access.layers SET rank = 0 WHERE name = 'stands'")
