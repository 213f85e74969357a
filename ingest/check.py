"""Checking: place the geometry, explain its defects, repair it where the profile allows, compute its area."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import geometry as geo_geometry
from geo.crs import WGS84, Catalogue, Definition, normalise, reproject
from geo.errors import CrsError
from geo.layers import Layer
from ingest.batch import Batch
from ingest.errors import RefusedError
from ingest.problem import Problem
from ingest.profile import Profile

Geometries = NDArray[np.object_]
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
    system: Definition
    known: int


@dataclass
class Checked:
    """Geometries of a batch in WGS 84 with their provenance; None where a row has none or was turned away."""

    geometries: Geometries
    source: Geometries
    crs: str
    repairs: NDArray[np.object_]
    area_m2: NDArray[np.float64]
    area_method: NDArray[np.object_]
    problems: list[Problem]


def system_of(
    batch: Batch, profile: Profile, catalogue: Catalogue, override: str | None
) -> Definition | None:
    """The coordinate system of a batch by the profile's rule; None where no row has a geometry.

    CrsError where the file does not say, or says something that nobody knows: a question, never a guess.
    """
    if shapely.is_missing(batch.geometries).all():
        return None
    if override:
        return catalogue.resolve(override)
    rule = profile.crs
    if rule.policy == "fixed" and rule.fixed:
        return catalogue.resolve(rule.fixed)
    if not batch.crs:
        raise CrsError("The file does not say its coordinate system.", "Name it with --crs.", field="crs")
    if rule.policy == "by_name":
        aliases = {normalise(k): v for k, v in rule.aliases.items()}
        name = (
            batch.crs.rpartition(":")[2]
            if ":" in batch.crs and not batch.crs.upper().startswith("EPSG")
            else batch.crs
        )
        return catalogue.resolve(aliases.get(normalise(batch.crs), name))
    found = catalogue.find(batch.crs)
    return found or Definition(batch.crs[:60], batch.crs[:60], batch.crs, "declared", "file")


def check(
    batch: Batch, profile: Profile, layer: Layer, system: Definition | None, *, known: int = 0
) -> Checked:
    """Check every geometry of a batch; all problems at once, each with its place.

    ``known`` rows of the same batch lie in the register already, so they speak for the coordinate system.
    """
    count = len(batch.rows)
    source = geo_geometry.force_2d(batch.geometries)
    result = Checked(
        geometries=np.full(count, None, dtype=object),
        source=source,
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
    placed = reproject(source_of(result, usable), system.definition, WGS84)
    _place(subject, usable, placed, result)
    _measure(subject, source_of(result, usable), usable, result)
    return result


def source_of(result: Checked, rows: NDArray[np.int64]) -> Geometries:
    """Usable geometries in the source's system: the repaired one where there was a repair."""
    return np.array(
        [r if r is not None else s for r, s in zip(result.repairs[rows], result.source[rows], strict=True)],
        dtype=object,
    )


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
    batch, profile = subject.batch, subject.profile
    dimension = 0 if subject.layer.geometry == "POINT" else 2
    found = geo_geometry.defects(source)
    broken: dict[int, geo_geometry.Defect] = {d.row: d for d in found}
    nothing = np.array(sorted(r for r, d in broken.items() if d.kind in ("missing", "empty")), dtype=np.int64)
    _missing(batch, profile, nothing, result)
    wrong = np.flatnonzero(
        ~np.isin(shapely.get_dimensions(source), [dimension]) & ~np.isin(np.arange(len(source)), list(broken))
    )
    for position in wrong:
        result.problems.append(
            Problem(
                int(batch.rows[position]),
                "geometry-wrong-dimension",
                "geometry",
                source[position].geom_type,
                f"The geometry is a {source[position].geom_type}, not a polygon."
                if dimension
                else f"The geometry is a {source[position].geom_type}, not a point.",
                REMEDIES["wrong-dimension"],
            )
        )
    mendable = np.array(
        sorted(r for r, d in broken.items() if d.kind not in ("missing", "empty", "not-finite")),
        dtype=np.int64,
    )
    mended = (
        geo_geometry.repaired(source[mendable], dimension) if len(mendable) else np.array([], dtype=object)
    )
    for endless in (r for r, d in broken.items() if d.kind == "not-finite"):
        result.problems.append(
            Problem(
                int(batch.rows[endless]),
                "geometry-not-finite",
                "geometry",
                "",
                "A coordinate is not a finite number.",
                REMEDIES["not-finite"],
            )
        )
    for position, mend in zip(mendable, mended, strict=True):
        result.problems.append(_defect(subject, broken[int(position)], source[position], mend))
        if mend is not None and profile.geometry.broken == "repair":
            result.repairs[position] = mend
    bad = set(broken) | set(wrong.tolist())
    return np.array(
        [p for p in range(len(source)) if p not in bad or result.repairs[p] is not None], dtype=np.int64
    )


def _defect(subject: _Subject, defect: geo_geometry.Defect, before: object, after: object | None) -> Problem:
    batch, profile, system = subject.batch, subject.profile, subject.system
    lon, lat = (
        reproject(np.array([shapely.Point(defect.x, defect.y)], dtype=object), system.definition)[0].coords[0]
        if np.isfinite(defect.x)
        else (None, None)
    )
    mends = profile.geometry.broken == "repair" and after is not None
    change = ""
    if after is not None:
        areas = geo_geometry.area_planar(np.array([before, after], dtype=object))
        change = f" The repair changes the area by {areas[1] - areas[0]:+.6g} (from {areas[0]:.8g}) in units of the source."
    return Problem(
        int(batch.rows[defect.row]),
        f"geometry-{defect.kind}",
        "geometry",
        f"{defect.x:.9g} {defect.y:.9g}",
        f"{defect.kind} at {defect.x:.9g} {defect.y:.9g}.{change}",
        "It was repaired; the source geometry is kept." if mends else "Correct the boundary at this point.",
        warning=mends,
        lon=lon,
        lat=lat,
    )


def _place(subject: _Subject, usable: NDArray[np.int64], placed: Geometries, result: Checked) -> None:
    """Keep what lies where the profile expects it and is valid after reprojection; refuse a file that lies elsewhere."""
    batch, profile, system = subject.batch, subject.profile, subject.system
    if not len(usable):
        return
    west, south, east, north = profile.crs.extent or (-180.0, -90.0, 180.0, 90.0)
    bounds = shapely.bounds(placed)
    with np.errstate(invalid="ignore"):
        inside = (
            (bounds[:, 0] >= west - 1e-9)
            & (bounds[:, 2] <= east + 1e-9)
            & (bounds[:, 1] >= south - 1e-9)
            & (bounds[:, 3] <= north + 1e-9)
        )
    if inside.sum() + subject.known < 0.5 * (len(inside) + subject.known):
        raise RefusedError(
            f"Under {system.title} most objects would lie outside {west:g}…{east:g}°E {south:g}…{north:g}°N "
            f"(the first one at {bounds[0, 0]:.4f}, {bounds[0, 1]:.4f}).",
            "The coordinate system of the file is wrong or its axes are swapped: name the right one with --crs.",
            field="crs",
            value=system.code,
        )
    for position in np.flatnonzero(~inside):
        row = int(usable[position])
        result.problems.append(
            Problem(
                int(batch.rows[row]),
                "outside-extent",
                "geometry",
                f"{bounds[position, 0]:.6f} {bounds[position, 1]:.6f}",
                "The object lies outside the region of this register.",
                "Check its coordinates.",
                lon=float(bounds[position, 0]) if np.isfinite(bounds[position, 0]) else None,
                lat=float(bounds[position, 1]) if np.isfinite(bounds[position, 1]) else None,
            )
        )
    good = np.flatnonzero(inside)
    final = geo_geometry.as_multipolygons(placed[good])
    still = ~np.asarray(shapely.is_valid(final))
    if still.any():
        final[still] = geo_geometry.repaired(final[still], 2)
    result.geometries[usable[good]] = final
    for position in np.flatnonzero(shapely.is_missing(final)):
        row = int(usable[good[position]])
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


def provenance(result: Checked) -> pd.DataFrame:
    """Columns of provenance: the source geometry is kept wherever the stored one is not the very same."""
    same = np.array([r is None for r in result.repairs], dtype=bool) & (result.crs == WGS84)
    kept = np.asarray(shapely.to_wkb(result.source, include_srid=False), dtype=object)
    kept[same] = None
    notes = np.array(
        ["make_valid(structure)" if r is not None else None for r in result.repairs], dtype=object
    )
    return pd.DataFrame({"source_geom": kept, "source_crs": result.crs or None, "repair": notes})
