"""Areas on the ellipsoid: what Karney's algorithm says of the same ring, whatever its edges."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from geo.geometry import area_geodesic

GEOD = Geod(ellps="WGS84")


def _karney(polygon: shapely.Polygon) -> float:
    lon, lat = shapely.get_coordinates(polygon).T
    return abs(float(GEOD.polygon_area_perimeter(lon, lat)[0]))


def _area(polygon: shapely.Polygon) -> float:
    return float(area_geodesic(np.array([polygon], dtype=object))[0])


@given(
    lon=st.floats(20, 185),
    lat=st.floats(-75, 75),
    length=st.floats(0.001, 3.0),
    bearing=st.floats(0, np.pi),
    side=st.tuples(st.integers(2, 9), st.floats(1e-6, 1e-2)),
)
@pytest.mark.requirement("F-46")
def test_a_sliver_of_long_edges_has_karneys_area(
    lon: float, lat: float, length: float, bearing: float, side: tuple[int, float]
) -> None:
    points, width = side
    # One side has its points close together, the other is a single edge: the bulge of its geodesic does not cancel.
    along = np.linspace(0, 1, points)[:, None] * [[length * np.cos(bearing), 0.4 * length * np.sin(bearing)]]
    ring = np.vstack((along, along[-1] / 2 + np.array([0.0, width * length]))) + np.array([lon, lat])
    polygon = shapely.Polygon(ring)
    # Kilometres of boundary, times the digits that degrees hold, and what is left of the bulge of a long edge.
    allowed = 2e-3 + 1.0 * length + 1e-8 * _karney(polygon)
    assert abs(_area(polygon) - _karney(polygon)) < allowed


def test_a_ring_with_an_edge_over_the_antimeridian_is_taken_the_short_way() -> None:
    polygon = shapely.Polygon([(179, 65), (-179, 65), (-179, 66), (179, 66)])
    assert _area(polygon) == pytest.approx(_karney(polygon), rel=1e-9)
    assert _area(polygon) == pytest.approx(_area(shapely.box(1, 65, 3, 66)), rel=1e-9)


def test_holes_and_parts_count_each_with_its_own_edges() -> None:
    outer, hole = shapely.box(80, 55, 83, 57), shapely.box(81, 55.5, 82, 56)
    other = shapely.box(90, 60, 90.01, 60.01)
    both = shapely.MultiPolygon([shapely.Polygon(outer.exterior, [hole.exterior]), other])
    assert _area(both) == pytest.approx(_karney(outer) - _karney(hole) + _karney(other), abs=0.5)
