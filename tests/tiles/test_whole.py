"""Shapes near their tile: sent whole where rounding leaves them valid, else mended and cut."""

import math
from typing import Any

import httpx
import mapbox_vector_tile
import psycopg
import pytest
import shapely
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from morecantile import tms
from shapely.geometry import Polygon, box, shape

from geo.access import Caller
from geo.settings import Settings
from tests.conftest import client_of, make_object
from tiles.bands import BUFFER, EXTENT, WORLD
from tiles.vector import _CUT, _MOVED, _TURNED, _WHOLE, _place

ZOOM, COLUMN, ROW = 12, 3000, 1300
UNIT = WORLD / 2**ZOOM / EXTENT
WEST, NORTH = COLUMN * EXTENT * UNIT - WORLD / 2, WORLD / 2 - ROW * EXTENT * UNIT
TILE = box(0, 0, EXTENT, EXTENT)

_DRAW = f"""
SELECT {_WHOLE} AS whole, ST_AsBinary({_TURNED}), ST_AsBinary({_CUT})
FROM (
  SELECT e.tile, geom_3857, {_MOVED} AS moved
  FROM {_place(str(ZOOM), str(COLUMN), str(ROW), whole=True)} e
  CROSS JOIN (SELECT ST_Multi(ST_GeomFromWKB(%s, 3857)) AS geom_3857) g OFFSET 0
) e
"""


def drawn(db: psycopg.Connection[Any], units: Polygon) -> tuple[bool, Any, Any]:
    """Whether a polygon in units of the tile goes whole, its shape on that way, and what the other way makes of it."""
    metres = shapely.transform(units, lambda p: p * (UNIT, -UNIT) + (WEST, NORTH))
    row = db.execute(_DRAW, [shapely.to_wkb(metres)]).fetchone()
    assert row is not None
    whole, moved, cut = row
    return bool(whole), shapely.from_wkb(moved), shapely.from_wkb(cut)


@st.composite
def polygons(draw: st.DrawFn) -> Polygon:
    """Valid polygons around a middle near the tile, from a few units to a third of it, some with a hole."""
    middle = [draw(st.floats(-700, EXTENT + 700)) for _ in "xy"]
    size = draw(st.sampled_from((2.0, 12.0, 150.0, 900.0)))
    count = draw(st.integers(3, 24))
    reach = draw(st.lists(st.floats(0.15, 1), min_size=count, max_size=count))
    ring = [
        (
            middle[0] + size * r * math.cos(2 * math.pi * n / count),
            middle[1] + size * r * math.sin(2 * math.pi * n / count),
        )
        for n, r in enumerate(reach)
    ]
    holes = []
    if draw(st.booleans()):
        holes = [[(middle[0] + (x - middle[0]) * 0.4, middle[1] + (y - middle[1]) * 0.4) for x, y in ring]]
    return Polygon(ring, holes)


@given(polygons())
@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_draw_the_same_within_a_unit(db: psycopg.Connection[Any], units: Polygon) -> None:
    if not units.is_valid:
        return
    whole, moved, cut = drawn(db, units)
    if not whole:
        return
    assert moved.is_valid and not moved.is_empty
    assert all(c == round(c) for pair in shapely.get_coordinates(moved).tolist() for c in pair)
    for part in moved.geoms:
        assert part.exterior.is_ccw and not any(hole.is_ccw for hole in part.interiors)
    near = box(0, 0, EXTENT, EXTENT)
    ours, theirs = moved.intersection(near), (cut or Polygon()).intersection(near)
    assert ours.difference(theirs.buffer(1.5)).area < 1
    assert theirs.difference(ours.buffer(1.5)).area < 1


def test_what_rounding_would_break_goes_the_long_way(db: psycopg.Connection[Any]) -> None:
    # The tip in the middle lies 0.4 units above the base, and would come to lie upon it.
    notch = Polygon([(100, 100), (200, 100), (200, 200), (150, 100.4), (100, 200)])
    assert notch.is_valid
    whole, moved, cut = drawn(db, notch)
    assert not whole
    assert not moved.is_valid
    assert cut.is_valid


def test_what_may_vanish_goes_the_long_way(db: psycopg.Connection[Any]) -> None:
    assert not drawn(db, box(100, 100, 101.6, 101.6))[0]
    assert drawn(db, box(100, 100, 110, 110))[0]


def test_what_reaches_far_is_cut(db: psycopg.Connection[Any]) -> None:
    whole, _, cut = drawn(db, box(-EXTENT, 100, 2 * EXTENT, 900))
    assert not whole
    assert cut.bounds == (-BUFFER, 100, EXTENT + BUFFER, 900)


@pytest.fixture(scope="module")
def neighbours(settings: Settings) -> tuple[int, int]:
    """A square that crosses the edge of a tile at z12, and a band across many."""
    bounds = tms.get("WebMercatorQuad").bounds(3001, 1301, 12)
    middle, step = (bounds.top + bounds.bottom) / 2, (bounds.right - bounds.left) / 20
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        made = [
            make_object(connection, "zones", name="Край", kind="oopt", geom=box(*corners).wkt)
            for corners in (
                (bounds.left - step, middle - step, bounds.left + step, middle + step),
                (bounds.left - 40 * step, middle + 2 * step, bounds.right + 40 * step, middle + 3 * step),
            )
        ]
    return made[0], made[1]


def shapes(body: bytes) -> dict[int, Any]:
    features = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})["zones"]["features"]
    return {f["id"]: shape(f["geometry"]) for f in features}


@pytest.mark.parametrize("question", ["", "?as_of=2999", "?filter=region='54'"])
async def test_an_object_at_an_edge_is_whole_in_both_tiles(
    settings: Settings, neighbours: tuple[int, int], question: str
) -> None:
    near, far = neighbours
    if "as_of" in question:
        with psycopg.connect(settings.database_url) as connection:
            row = connection.execute("SELECT now()").fetchone()
        assert row is not None
        question = f"?as_of={row[0].isoformat().replace('+', '%2B')}"
    async with client_of(settings, Caller()) as client:
        left, right = [await _tile(client, x, question) for x in (3000, 3001)]
    assert left[near].bounds[2] > EXTENT + BUFFER
    assert right[near].bounds[0] < -BUFFER
    # The same corners: no seam.
    assert shapely.transform(left[near], lambda p: p - (EXTENT, 0)).equals(right[near])
    for shown in (left, right):
        assert shown[far].bounds[0] == -BUFFER
        assert shown[far].bounds[2] == EXTENT + BUFFER


async def _tile(client: httpx.AsyncClient, column: int, question: str) -> dict[int, Any]:
    answer = await client.get(f"/tiles/zones,leases/12/{column}/1301.mvt{question}")
    assert answer.status_code == 200, answer.text
    return shapes(answer.content)


async def test_deep_down_everything_is_cut(client: httpx.AsyncClient, neighbours: tuple[int, int]) -> None:
    answer = await client.get(f"/tiles/zones/14/{3001 * 4}/{1301 * 4 + 2}.mvt")
    for found in shapes(answer.content).values():
        assert min(found.bounds) >= -BUFFER
        assert max(found.bounds) <= EXTENT + BUFFER
