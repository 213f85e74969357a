"""Checking: place the geometry, explain its defects, repair it where the profile allows, compute its area."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geo import geometry as geo_geometry
from geo.crs import WGS84, Definition, reproject
from geo.defects import Defect, defects
from geo.layers import Layer
from ingest import placement
from ingest.batch import Batch
from ingest.errors import RefusedError
from ingest.placement import Placement
from ingest.problem import Problem
from ingest.profile import Profile

Geometries = NDArray[np.object_]
_COLLECTION = 7
# A proposed repair of more points is left out of the report; it is made all the same.
PROPOSAL_POINTS = 2_000
REMEDIES = {
    "missing": "Add the boundary at the source.",
    "empty": "Add the boundary at the source.",
    "not-finite": "Correct the coordinate that is no number.",
    "wrong-dimension": "A boundary needs at least three different points.",
}


@dataclass(frozen=True)
class _Subject:
    """A batch under its profile, in its coordinate system."""

    batch: Batch
    profile: Profile
    layer: Layer
    placement: Placement
    known: int

    @property
    def system(self) -> Definition:
        """The coordinate system of the batch."""
        return self.placement.system


@dataclass
class Checked:
    """Geometries of a batch in WGS 84 with their provenance; None where a row has none or was turned away."""

    geometries: Geometries
    source: Geometries
    source_wkb: Geometries
    crs: str
    repairs: NDArray[np.object_]
    area_m2: NDArray[np.float64]
    area_method: NDArray[np.object_]
    problems: list[Problem]


def check(
    batch: Batch,
    profile: Profile,
    layer: Layer,
    system: Placement | None,
    *,
    wkb: Geometries | None = None,
    known: int = 0,
) -> Checked:
    """Check every geometry of a batch; all problems at once, each with its place.

    ``wkb``: the batch's geometries as WKB, where the caller has them. ``known`` rows of the same batch lie in the register already, so they speak for the coordinate system.
    """
    count = len(batch.rows)
    source = geo_geometry.force_2d(batch.geometries)
    if system and system.swapped:
        source = placement.swap(source)
    if wkb is None or source is not batch.geometries:
        wkb = np.asarray(shapely.to_wkb(source, include_srid=False), dtype=object)
    result = Checked(
        geometries=np.full(count, None, dtype=object),
        source=source,
        source_wkb=wkb,
        crs=system.code if system else "",
        repairs=np.full(count, None, dtype=object),
        area_m2=np.full(count, np.nan),
        area_method=np.full(count, None, dtype=object),
        problems=[],
    )
    if system is None or not count:
        _missing(batch, profile, np.arange(count), result)
        return result
    subject = _Subject(batch, profile, layer, system, known)
    usable = _repair(subject, source, result)
    planar = source_of(result, usable)
    placed = reproject(planar, system.system.definition, WGS84)
    _place(subject, usable, (planar, placed), result)
    _measure(subject, source_of(result, usable), usable, result)
    return result


def source_of(result: Checked, rows: NDArray[np.int64]) -> Geometries:
    """Usable geometries in the source's system: the repaired one where there was a repair."""
    repairs = result.repairs[rows]
    return np.where(np.asarray(shapely.is_missing(repairs)), result.source[rows], repairs)


def _missing(batch: Batch, profile: Profile, positions: NDArray[np.int64], result: Checked) -> None:
    if profile.geometry.missing == "reject":
        for position in positions:
            result.problems.append(
                Problem(
                    int(batch.rows[position]),
                    "geometry-missing",
                    "geometry",
                    "",
                    "The row has no geometry.",
                    REMEDIES["missing"],
                )
            )


def _repair(subject: _Subject, source: Geometries, result: Checked) -> NDArray[np.int64]:
    """Positions of the rows whose geometry can be used as it is or repaired; fills ``repairs``."""
    profile = subject.profile
    dimension = 0 if subject.layer.geometry == "POINT" else 2
    broken: dict[int, list[Defect]] = {}
    for defect in defects(source):
        broken.setdefault(defect.row, []).append(defect)
    nothing = [r for r, found in broken.items() if found[0].kind in ("missing", "empty")]
    _missing(subject.batch, profile, np.array(nothing, dtype=np.int64), result)
    mixed = np.flatnonzero(np.asarray(shapely.get_type_id(source)) == _COLLECTION)
    for row in mixed[np.asarray(shapely.get_dimensions(source[mixed])) == dimension]:
        broken.setdefault(int(row), []).append(_mixed(int(row), source[row]))
    wrong = np.flatnonzero(np.asarray(shapely.get_dimensions(source)) != dimension)
    wrong = wrong[~np.isin(wrong, list(broken))]
    result.problems += [_wrong_dimension(subject, int(p), source[p], dimension) for p in wrong]
    result.problems += [_endless(subject, d[0]) for d in broken.values() if d[0].kind == "not-finite"]
    mendable = np.array(
        [r for r, d in broken.items() if d[0].kind not in ("missing", "empty", "not-finite")], dtype=np.int64
    )
    if len(mendable):
        mended = geo_geometry.repaired(source[mendable], dimension)
        told = defect_problems(subject, [broken[int(p)] for p in mendable], source[mendable], mended)
        result.problems += told
        if profile.geometry.broken == "repair":
            result.repairs[mendable] = mended
    bad = np.zeros(len(source), dtype=bool)
    bad[[*broken, *wrong]] = True
    return np.flatnonzero(~bad | ~np.asarray(shapely.is_missing(result.repairs)))


def _mixed(row: int, geometry: shapely.Geometry) -> Defect:
    """A collection is no boundary: what is not a polygon in it has to go."""
    x, y = shapely.get_coordinates(geometry)[0]
    return Defect(row, "mixed-collection", float(x), float(y))


def _wrong_dimension(subject: _Subject, position: int, geometry: shapely.Geometry, dimension: int) -> Problem:
    return Problem(
        int(subject.batch.rows[position]),
        "geometry-wrong-dimension",
        "geometry",
        geometry.geom_type,
        f"The geometry is a {geometry.geom_type}, not a {'polygon' if dimension else 'point'}.",
        REMEDIES["wrong-dimension"],
    )


def _endless(subject: _Subject, defect: Defect) -> Problem:
    return Problem(
        int(subject.batch.rows[defect.row]),
        "geometry-not-finite",
        "geometry",
        f"{defect.x:g} {defect.y:g}",
        f"A coordinate is not a finite number: {defect.x:g} {defect.y:g}.",
        REMEDIES["not-finite"],
    )


def defect_problems(
    subject: _Subject, found: list[list[Defect]], before: Geometries, after: Geometries
) -> list[Problem]:
    """Every defect of every broken row with its place in both systems, the proposed repair and what it does to the area."""
    system = subject.system
    flat = [(i, d) for i, row in enumerate(found) for d in row]
    points = np.asarray(shapely.points([[d.x, d.y] for _, d in flat]), dtype=object)
    places = shapely.get_coordinates(reproject(points, system.definition))
    areas_before, areas_after = _areas_m2(system, before), _areas_m2(system, after)
    proposals = _proposals(system, after)
    problems = []
    for (i, defect), (lon, lat) in zip(flat, places, strict=True):
        mends = subject.profile.geometry.broken == "repair" and after[i] is not None
        change = ""
        if after[i] is not None:
            change = (
                f" The repair changes the area by {areas_after[i] - areas_before[i]:+.6g} m² "
                f"(from {areas_before[i]:.8g} m²)."
            )
        problems.append(
            Problem(
                int(subject.batch.rows[defect.row]),
                f"geometry-{defect.kind}",
                "geometry",
                f"{defect.x:.9g} {defect.y:.9g}",
                f"{defect.kind} at {defect.x:.9g} {defect.y:.9g}.{change}",
                "It was repaired; the source geometry is kept."
                if mends
                else "Correct the boundary at this point.",
                warning=mends,
                lon=float(lon) if np.isfinite(lon) else None,
                lat=float(lat) if np.isfinite(lat) else None,
                proposal=proposals[i],
                area_before_m2=float(areas_before[i]),
                area_after_m2=float(areas_after[i]),
            )
        )
    return problems


def _areas_m2(system: Definition, geometries: Geometries) -> NDArray[np.float64]:
    """Areas in m²: planar in a metric system, geodesic in a geographic one."""
    if system.crs.is_geographic:
        return geo_geometry.area_geodesic(reproject(geometries, system.definition))
    return geo_geometry.area_planar(geometries)


def _proposals(system: Definition, after: Geometries) -> list[str | None]:
    """Repaired geometries as WKT in WGS 84; giants are left out of a report that people open."""
    small = after.copy()
    small[np.asarray(shapely.get_num_coordinates(after)) > PROPOSAL_POINTS] = None
    return list(shapely.to_wkt(reproject(small, system.definition), rounding_precision=8))


def _place(
    subject: _Subject, usable: NDArray[np.int64], geometries: tuple[Geometries, Geometries], result: Checked
) -> None:
    """Keep what lies where the profile expects it and is valid after reprojection; refuse a file that lies elsewhere."""
    batch = subject.batch
    if not len(usable):
        return
    planar, placed = geometries
    bounds = shapely.bounds(placed)
    absurd = placement.impossible(shapely.bounds(planar), subject.system)
    inside = placement.inside(bounds, subject.profile.crs.extent or placement.WORLD) & ~absurd
    if inside.sum() + subject.known < 0.5 * (len(inside) + subject.known):
        raise _elsewhere(subject, planar, bounds, absurd)
    for position in np.flatnonzero(~inside):
        row = int(batch.rows[usable[position]])
        result.problems.append(_outside(subject, row, bounds[position], absurd=bool(absurd[position])))
    good = np.flatnonzero(inside)
    final = placed[good]
    if subject.layer.geometry == "POINT":
        final = _points(subject, usable[good], final, result)
    # What was not moved is what was found valid, or made so, a moment ago.
    if placed is not planar:
        still = ~np.asarray(shapely.is_valid(final))
        if still.any():
            final[still] = geo_geometry.repaired(final[still], 2)
    result.geometries[usable[good]] = final
    told = {p.row for p in result.problems if not p.warning}
    for position in np.flatnonzero(shapely.is_missing(final)):
        row = int(usable[good[position]])
        if int(batch.rows[row]) in told:
            continue
        result.problems.append(
            Problem(
                int(batch.rows[row]),
                "geometry-vanishes",
                "geometry",
                "",
                "Nothing is left of the geometry in WGS 84.",
                REMEDIES["wrong-dimension"],
            )
        )


def _points(subject: _Subject, rows: NDArray[np.int64], found: Geometries, result: Checked) -> Geometries:
    """A multi-point of one point is that point; one of several is no place of an object."""
    several = np.asarray(shapely.get_num_geometries(found)) > 1
    for row in rows[several]:
        result.problems.append(
            Problem(
                int(subject.batch.rows[row]),
                "geometry-several-points",
                "geometry",
                found[several][0].geom_type,
                "The object has several points; its layer holds one point an object.",
                "Split the row.",
            )
        )
    single = np.asarray(shapely.get_geometry(found, 0), dtype=object)
    single[several] = None
    return single


def _elsewhere(
    subject: _Subject, planar: Geometries, bounds: NDArray[np.float64], absurd: NDArray[np.bool_]
) -> RefusedError:
    """The refusal of a file whose declared system cannot be true, with the systems that could."""
    system, extent = subject.system, subject.profile.crs.extent
    hint = placement.candidates(planar, extent or placement.WORLD, subject.placement.catalogue)
    if absurd.mean() > 0.5:
        kind = "metres" if system.crs.is_geographic else "degrees"
        message = f"The file declares {system.title} ({system.code}), but its coordinates are {kind}."
    else:
        west, south, east, north = extent or placement.WORLD
        message = (
            f"Under {system.title} most objects would lie outside {west:g}…{east:g}°E {south:g}…{north:g}°N "
            f"(the first one at {bounds[0, 0]:.4f}, {bounds[0, 1]:.4f})."
        )
    return RefusedError(message, f"Name the right system with --crs. {hint}", field="crs", value=system.code)


def _outside(subject: _Subject, row: int, bounds: NDArray[np.float64], *, absurd: bool) -> Problem:
    lon, lat = float(bounds[0]), float(bounds[1])
    kind = "metres" if subject.system.crs.is_geographic else "degrees"
    return Problem(
        row,
        "impossible-coordinates" if absurd else "outside-extent",
        "geometry",
        f"{lon:.6f} {lat:.6f}",
        f"The coordinates are {kind}, which {subject.system.code} does not have."
        if absurd
        else "The object lies outside the region of this register.",
        "Check its coordinates and their system.",
        lon=lon if np.isfinite(lon) and not absurd else None,
        lat=lat if np.isfinite(lat) and not absurd else None,
    )


def _measure(subject: _Subject, planar: Geometries, usable: NDArray[np.int64], result: Checked) -> None:
    layer, system = subject.layer, subject.system
    if layer.area == "none" or not len(usable):
        return
    if layer.area == "planar" and system.local:
        result.area_m2[usable] = geo_geometry.area_planar(planar)
        result.area_method[usable] = "planar"
        return
    placed = usable[~np.asarray(shapely.is_missing(result.geometries[usable]))]
    result.area_m2[placed] = geo_geometry.area_geodesic(result.geometries[placed])
    result.area_method[placed] = "geodesic"


def provenance(result: Checked) -> dict[str, pa.Array]:
    """Columns of provenance: the source geometry is kept wherever the stored one is not the very same."""
    count = len(result.source)
    repaired = ~np.asarray(shapely.is_missing(result.repairs))
    kept = repaired | (result.crs != WGS84)
    source = pa.nulls(count, pa.large_binary())
    if kept.any():
        source = pa.array(result.source_wkb, pa.large_binary(), mask=~kept)
    notes = pa.array(["make_valid(structure)"] * count, pa.string(), mask=~repaired)
    return {
        "source_geom": source,
        "source_crs": pa.array([result.crs or None] * count, pa.string()),
        "repair": notes,
    }
