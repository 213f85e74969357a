"""Defects: every crossing of a geometry is told with its place, and what is valid is left in peace."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.defects import defects


def _of(*texts: str | None) -> list[tuple[int, str, float, float]]:
    shapes = np.array([t and shapely.from_wkt(t) for t in texts], dtype=object)
    return [(d.row, d.kind, d.x, d.y) for d in defects(shapes)]


@pytest.mark.parametrize(
    ("wkt", "found"),
    [
        ("POLYGON((0 0,1 0,1 1,0 0))", set()),
        (
            "POLYGON((0 0,4 4,8 0,12 4,12 0,8 4,4 0,0 4,0 0))",
            {("self-intersection", 2, 2), ("self-intersection", 6, 2), ("self-intersection", 10, 2)},
        ),
        (
            "POLYGON((0 0,10 0,10 10,0 10,0 0),(20 20,21 20,21 21,20 20))",
            {("hole-lies-outside-shell", 20, 20)},
        ),
        (
            "POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,8 1,8 8,1 8,1 1),(2 2,3 2,3 3,2 2))",
            {("holes-are-nested", 2, 2)},
        ),
        (
            "MULTIPOLYGON(((0 0,10 0,10 10,0 10,0 0)),((5 5,15 5,15 15,5 15,5 5)))",
            {("self-intersection", 5, 10), ("self-intersection", 10, 5)},
        ),
        ("MULTIPOLYGON(((0 0,9 0,9 9,0 9,0 0)),((2 2,3 2,3 3,2 2)))", {("nested-shells", 2, 2)}),
        ("POLYGON((0 0,5 0,5 5,10 5,10 0,5 0,5 -5,0 -5,0 0))", {("ring-self-intersection", 5, 0)}),
    ],
)
def test_every_defect_is_told_with_its_place(wkt: str, found: set[tuple[str, float, float]]) -> None:
    assert {(kind, x, y) for _, kind, x, y in _of(wkt)} == found


@pytest.mark.filterwarnings("ignore:invalid value")
def test_missing_empty_and_endless_rows_are_told() -> None:
    nan = shapely.Polygon([(0, 0), (1, np.nan), (1, 1), (0, 0)])
    shapes = np.array([None, shapely.from_wkt("POLYGON EMPTY"), nan, shapely.box(0, 0, 1, 1)], dtype=object)
    assert [(d.row, d.kind) for d in defects(shapes)] == [(0, "missing"), (1, "empty"), (2, "not-finite")]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=9))
def test_a_geometry_has_defects_exactly_where_geos_calls_it_invalid(points: list[tuple[int, int]]) -> None:
    shape = shapely.Polygon([*points, points[0]])
    found = defects(np.array([shape], dtype=object))
    assert bool(found) == (not shape.is_valid or shape.is_empty)
    assert all(np.isfinite([d.x, d.y]).all() for d in found if d.kind != "empty")
