"""Geometry: how it could be repaired, how large it is. All of it vectorised."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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
    "multi_wkb",
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
# Edges longer than this (degrees) are cut up, so that the correction of an edge is exact enough.
_LONG_EDGE = 0.25
# Past this step (degrees) a ring goes round a pole or over the antimeridian.
_FAR_EDGE = 90.0
_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7
# Head of the WKB of a multi-polygon of one part, little-endian.
_MULTI = b"\x01\x06\x00\x00\x00\x01\x00\x00\x00"


def _equal_area(xy: Floats) -> Floats:
    """Longitude–latitude in the equal-area cylindrical projection, metres (Snyder 1987, eq. 3-12)."""
    lon, lat = np.radians(xy[:, 0]), np.radians(xy[:, 1])
    s = np.sin(lat)
    es = _E * s
    q = (1 - _E2) * (s / (1 - es**2) + np.arctanh(es) / _E)
    return np.column_stack((_A * lon, _A * q / 2))


def area_geodesic(geometries: Geometries) -> Floats:
    """Areas in m² on the WGS 84 ellipsoid of longitude–latitude polygons; 0 for points and lines.

    Edges are geodesics: the equal-area projection with a correction for each edge; long edges are cut up. The error stays
    below 1 m² for a boundary of 100 km; rings with edges of a quarter of the globe are left to Karney's algorithm.
    """

    types = np.asarray(shapely.get_type_id(geometries))
    polygons = np.flatnonzero((types == _POLYGON) | (types == _MULTIPOLYGON))
    areas = np.zeros(len(geometries))
    if len(polygons) == len(geometries) and not np.asarray(shapely.get_num_interior_rings(geometries)).any():
        single = polygons[types[polygons] == _POLYGON]
        areas[single] = _ring_areas(geometries[single])
        polygons = polygons[types[polygons] == _MULTIPOLYGON]
    if len(polygons):
        parts, of_polygon = shapely.get_parts(geometries[polygons], return_index=True)
        rings, of_part = shapely.get_rings(parts, return_index=True)
        holes = np.concatenate(([False], of_part[1:] == of_part[:-1]))[: len(rings)]
        signed = np.where(holes, -1.0, 1.0) * _ring_areas(rings)
        areas[polygons] = np.bincount(of_polygon[of_part], weights=signed, minlength=len(polygons))
    rest = np.flatnonzero(types == _COLLECTION)
    if len(rest):
        areas[rest] = np.nan_to_num(shapely.area(shapely.transform(geometries[rest], _equal_area)))
    return np.asarray(areas)


def _ring_areas(rings: Geometries) -> Floats:
    """Areas of rings, or of polygons of one ring: by the shoelace formula, of rings with long edges by geodesics."""
    if not len(rings):
        return np.zeros(0)
    degrees, owner = shapely.get_coordinates(rings, return_index=True)
    if not len(degrees):
        return np.zeros(len(rings))
    given, of_given = degrees, owner
    steps = np.where(owner[1:] == owner[:-1], _steps(degrees), 0.0)
    far = np.unique(owner[1:][steps > _FAR_EDGE])
    if (steps > _LONG_EDGE).any():
        degrees, owner = _cut(degrees, owner, steps)
    xy = _equal_area(degrees)
    count = np.bincount(owner, minlength=len(rings))
    first = np.cumsum(count) - count
    # About each ring's first point, so that no digits are lost; the step from ring to ring then counts nothing.
    xy -= np.repeat(xy[np.minimum(first, len(xy) - 1)], count, axis=0)
    cross = np.zeros(len(xy))
    cross[:-1] = (xy[:-1, 0] * xy[1:, 1] - xy[1:, 0] * xy[:-1, 1]) / 2 - _bulges(degrees, xy)
    cross[:-1][owner[1:] != owner[:-1]] = 0.0
    areas = np.abs(np.bincount(owner, weights=cross, minlength=len(rings)))
    for ring in far:
        lon, lat = given[of_given == ring].T
        areas[ring] = abs(_GEOD.polygon_area_perimeter(lon, lat)[0])
    return np.asarray(areas)


def _steps(degrees: Floats) -> Floats:
    """The longer of each edge's two sides, degrees."""
    return np.maximum(np.abs(np.diff(degrees[:, 0])), np.abs(np.diff(degrees[:, 1])))


def _bulges(degrees: Floats, xy: Floats) -> Floats:
    """Area (m²) between each edge's geodesic and its chord in the equal-area projection, to the third order.

    With r = N cos φ, east e = r·Δλ and north n, Clairaut's relation gives Δλ · sin φ · (e² + 3 n²) / 12.
    """
    s = np.sin(np.radians((degrees[:-1, 1] + degrees[1:, 1]) / 2))
    turn = np.diff(xy[:, 0]) / _A
    radius2 = _A**2 * (1 - s**2) / (1 - _E2 * s**2)
    north2 = (_A * np.diff(xy[:, 1])) ** 2 / np.maximum(radius2, 1.0)
    return np.asarray(turn * s * (radius2 * turn**2 + 3 * north2) / 12)


def _cut(degrees: Floats, owner: NDArray[np.int64], steps: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Rings whose long edges have points of their geodesics between their ends."""
    long = np.flatnonzero((steps > _LONG_EDGE) & (steps <= _FAR_EDGE))
    pieces = np.ceil(steps[long] / _LONG_EDGE).astype(np.int64)
    start, end = degrees[long], degrees[long + 1]
    azimuth, _, length = _GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    edge = np.repeat(np.arange(len(long)), pieces - 1)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(pieces - 1) - (pieces - 1), pieces - 1) + 1
    share = number / pieces[edge]
    lon, lat, _ = _GEOD.fwd(
        start[edge, 0], start[edge, 1], np.asarray(azimuth)[edge], np.asarray(length)[edge] * share
    )
    # Longitudes past 180° stay past 180°.
    straight = start[edge, 0] + (end[edge, 0] - start[edge, 0]) * share
    lon = np.asarray(lon) + 360.0 * np.round((straight - np.asarray(lon)) / 360.0)
    after = long[edge] + 1
    return np.insert(degrees, after, np.column_stack((lon, lat)), axis=0), np.insert(
        owner, after, owner[long[edge]]
    )


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
    """Geometries without heights and measures; the very same array where there are none."""
    if not len(geometries) or int(np.max(shapely.get_coordinate_dimension(geometries))) <= 2:
        return geometries
    return np.asarray(shapely.force_2d(geometries))


def multi_wkb(geometries: Geometries) -> pa.Array:
    """WKB with every polygon as a multi-polygon of one; null where there is no geometry."""
    wkb = pa.array(shapely.to_wkb(geometries, include_srid=False, byte_order=1), pa.large_binary())
    polygons = np.asarray(shapely.get_type_id(geometries)) == _POLYGON
    if not polygons.any():
        return wkb
    head = pc.if_else(pa.array(polygons), pa.scalar(_MULTI, wkb.type), pa.scalar(b"", wkb.type))
    return pc.binary_join_element_wise(head, wkb, pa.scalar(b"", wkb.type))


def from_wkb(blobs: "pd.Series[object] | Geometries") -> Geometries:
    """Geometries from WKB; None where the blob is missing or cannot be read."""
    return np.asarray(shapely.from_wkb(np.asarray(blobs, dtype=object), on_invalid="ignore"))
