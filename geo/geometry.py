"""Geometry: how it could be repaired, how large it is. All of it vectorised."""

from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from geo.defects import Defect, defects

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Defect",
    "area_geodesic",
    "area_planar",
    "as_multipolygons",
    "defects",
    "force_2d",
    "from_wkb",
    "repaired",
    "tolerance_m2",
]

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]

# WGS 84
_A = 6378137.0
_F = 1 / 298.257223563
_E2 = _F * (2 - _F)
_E = np.sqrt(_E2)
_GEOD = Geod(ellps="WGS84")
# Past this length (degrees) an edge leaves the geodesic so far that the quick area is not exact enough.
_LONG_EDGE = 0.25


def _authalic(lat: Floats) -> Floats:
    """q(φ) of the authalic latitude (Snyder 1987, eq. 3-12); the area of a lune is a²·Δλ·q/2."""
    s = np.sin(lat)
    es = _E * s
    return np.asarray((1 - _E2) * (s / (1 - es**2) + np.arctanh(es) / _E))


def area_geodesic(geometries: Geometries) -> Floats:
    """Areas in m² on the WGS 84 ellipsoid of longitude–latitude polygons; 0 for points and lines.

    Short edges: exact equal-area cylindrical projection (relative error < 1e-6). Long edges: Karney's geodesics.
    """

    def equal_area(xy: Floats) -> Floats:
        lon, lat = np.radians(xy[:, 0]), np.radians(xy[:, 1])
        return np.column_stack((_A * lon, _A * _authalic(lat) / 2))

    areas = np.nan_to_num(shapely.area(shapely.transform(geometries, equal_area)))
    for row in np.flatnonzero(_longest_edge(geometries) > _LONG_EDGE):
        geometry = geometries[row]
        if geometry is not None and geometry.geom_type in ("Polygon", "MultiPolygon"):
            areas[row] = abs(_GEOD.geometry_area_perimeter(shapely.orient_polygons(geometry))[0])
    return np.asarray(areas)


def _longest_edge(geometries: Geometries) -> Floats:
    """Longest span of coordinates between neighbours, per geometry, in the geometry's units."""
    longest = np.zeros(len(geometries))
    bounds = shapely.bounds(geometries)
    span = np.fmax(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
    large = np.flatnonzero(np.nan_to_num(span) > _LONG_EDGE)
    if not len(large):
        return longest
    xy, owner = shapely.get_coordinates(geometries[large], return_index=True)
    steps = np.abs(np.diff(xy, axis=0)).max(axis=1)
    steps[owner[1:] != owner[:-1]] = 0
    np.maximum.at(longest, large[owner[1:]], steps)
    return longest


def area_planar(geometries: Geometries) -> Floats:
    """Areas in square units of the geometries' own plane; the cadastre's way in a local system (m²)."""
    return np.asarray(np.nan_to_num(shapely.area(geometries)))


def tolerance_m2(declared: Floats, accuracy_m: Floats | float) -> Floats:
    """Allowed difference of areas ΔP = 3.5 · Mt · √P, P and result in m², Mt in m (order П/0393)."""
    return np.asarray(3.5 * accuracy_m * np.sqrt(declared))


def repaired(geometries: Geometries, dimension: int) -> Geometries:
    """The proposed repair: valid, of the given dimension (2 polygons, 0 points); None where nothing is left."""
    made = np.asarray(shapely.make_valid(geometries, method="structure", keep_collapsed=False))
    parts, owner = shapely.get_parts(made, return_index=True)
    if len(parts) and (np.asarray(shapely.get_type_id(parts)) >= 4).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    keep = np.asarray(shapely.get_dimensions(parts)) == dimension
    result = np.full(len(geometries), None, dtype=object)
    rows, groups = _grouped(parts[keep], owner[keep])
    maker = shapely.multipolygons if dimension == 2 else shapely.multipoints
    for row, group in zip(rows, groups, strict=True):
        result[row] = maker(group)
    return result


def _grouped(parts: Geometries, owner: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[Geometries]]:
    rows, starts = np.unique(owner, return_index=True)
    return rows, np.split(parts, starts[1:]) if len(rows) else []


def as_multipolygons(geometries: Geometries) -> Geometries:
    """Polygons as multi-polygons; everything else unchanged."""
    polygons = np.asarray(shapely.get_type_id(geometries)) == 3
    result = geometries.copy()
    if polygons.any():
        result[polygons] = shapely.multipolygons(geometries[polygons], indices=np.arange(int(polygons.sum())))
    return result


def force_2d(geometries: Geometries) -> Geometries:
    """Geometries without heights and measures."""
    return np.asarray(shapely.force_2d(geometries))


def from_wkb(blobs: "pd.Series[object] | Geometries") -> Geometries:
    """Geometries from WKB; None where the blob is missing or cannot be read."""
    return np.asarray(shapely.from_wkb(np.asarray(blobs, dtype=object), on_invalid="ignore"))
