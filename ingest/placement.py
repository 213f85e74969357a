"""Placing: which coordinate system a batch is in, by the profile's rule; what could be meant where that cannot be true."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.crs import WGS84, Catalogue, Definition, declared, normalise, transformer
from geo.errors import CrsError
from ingest.batch import Batch
from ingest.profile import Profile

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Extent = tuple[float, float, float, float]
WORLD: Extent = (-180.0, -90.0, 180.0, 90.0)
# Ending of --crs that turns the axes of a file round: «EPSG:4326+yx».
SWAPPED = "+yx"
# Degrees from its meridian within which a zone is plausible: half of a six-degree zone and a margin.
ZONE_REACH = 4.0
_SAMPLE = 200
_CANDIDATES = 8


@dataclass(frozen=True)
class Placement:
    """The system of a batch, whether its axes are turned round, and what the report says of it."""

    system: Definition
    catalogue: Catalogue
    swapped: bool = False
    note: str = ""

    @property
    def code(self) -> str:
        """Code of the system."""
        return self.system.code

    @property
    def identity(self) -> str:
        """What tells two placements of the same coordinates apart: another system makes another object of them."""
        return f"{self.system.code}|{self.system.definition}|{self.swapped}"


def placement_of(
    batch: Batch, profile: Profile, catalogue: Catalogue, override: str | None
) -> Placement | None:
    """The placement of a batch by the profile's rule; None where no row has a geometry.

    CrsError where the file does not say, or says something that nobody knows: a question, never a guess.
    """
    if shapely.is_missing(batch.geometries).all():
        return None
    rule = profile.crs
    if override:
        name = override.removesuffix(SWAPPED)
        said = batch.crs[:80] or "nothing"
        note = f"coordinate system by order (--crs {override}); the file says: {said}"
        return Placement(catalogue.resolve(name), catalogue, override.endswith(SWAPPED), note)
    swapped = rule.axes == "yx"
    note = "axes turned round as the profile says: northing or latitude first" if swapped else ""
    if rule.policy == "fixed" and rule.fixed:
        return Placement(catalogue.resolve(rule.fixed), catalogue, swapped, note)
    if not batch.crs:
        _ask(batch, profile, catalogue)
    if rule.policy == "by_name":
        return Placement(_named(batch.crs, rule.aliases, catalogue), catalogue, swapped, note)
    found = catalogue.find(batch.crs)
    if found is None:
        said_system = declared(batch.crs)
        found = catalogue.find(said_system.code) or catalogue.find(said_system.title) or said_system
    return Placement(found, catalogue, swapped, note)


def _named(name: str, aliases: dict[str, str], catalogue: Catalogue) -> Definition:
    """The system of a name, with or without the district before it; WKT is known by the name inside it."""
    known = {normalise(k): v for k, v in aliases.items()}
    if name.startswith(("PROJCRS[", "GEOGCRS[", "PROJCS[", "GEOGCS[", "BOUNDCRS[")):
        name = declared(name).title
    bare = (
        name.rpartition(":")[2]
        if ":" in name and not name.upper().startswith(("EPSG", "OGC", "URN"))
        else name
    )
    return catalogue.resolve(known.get(normalise(name), bare))


def _ask(batch: Batch, profile: Profile, catalogue: Catalogue) -> None:
    hint = candidates(batch.geometries, profile.crs.extent, catalogue)
    raise CrsError(
        "The file does not say its coordinate system.",
        f"Name it with --crs. {hint}".strip(),
        field="crs",
    )


def swap(geometries: Geometries) -> Geometries:
    """Geometries with their axes turned round."""
    return np.asarray(shapely.transform(geometries, lambda xy: xy[:, ::-1]), dtype=object)


def inside(bounds: Floats, extent: Extent) -> Flags:
    """Which bounds (degrees) lie in an extent; one whose east is past 180° reaches over the antimeridian."""
    west, south, east, north = extent
    with np.errstate(invalid="ignore"):
        shift = np.where((east > 180) & (bounds[:, 2] < west), 360.0, 0.0)
        return np.asarray(
            (bounds[:, 0] + shift >= west - 1e-9)
            & (bounds[:, 2] + shift <= east + 1e-9)
            & (bounds[:, 1] >= south - 1e-9)
            & (bounds[:, 3] <= north + 1e-9)
        )


def impossible(bounds: Floats, system: Definition) -> Flags:
    """Which bounds (in the system's own units) cannot be: degrees under a metric system, metres under a geographic one."""
    with np.errstate(invalid="ignore"):
        if system.crs.is_geographic:
            return np.asarray((np.abs(bounds) > 361).any(axis=1))
        return np.asarray((np.abs(bounds) <= 180.0).all(axis=1))


def candidates(geometries: Geometries, extent: Extent | None, catalogue: Catalogue) -> str:
    """A sentence with the systems under which the geometries would lie in the extent; never more than a hint."""
    if extent is None:
        return "The profile declares no extent, so nothing can be proposed."
    if not np.isfinite(shapely.bounds(geometries)).all(axis=1).any():
        return ""
    found = [f"{system.title} ({code})" for system, code in fitting(geometries, extent, catalogue)]
    if not found:
        return "No system of the catalogue would place it in the declared extent."
    # Geographic systems first, then the most particular ones: a zone says more than a system of the whole world.
    more = f" and {len(found) - _CANDIDATES} more" if len(found) > _CANDIDATES else ""
    return f"These would place it in the declared extent: {'; '.join(found[:_CANDIDATES])}{more}."


def _near_meridian(definition: Definition, lon: Floats) -> bool:
    """Whether a zone would be used where it belongs: surveyors do not work far outside their zone."""
    meridian = definition.meridian
    return meridian is None or bool(np.median(np.abs(lon - meridian)) <= ZONE_REACH)


def fitting(geometries: Geometries, extent: Extent, catalogue: Catalogue) -> Iterator[tuple[Definition, str]]:
    """Systems under which the geometries would lie in the extent, each with the name by which it is ordered."""
    bounds = shapely.bounds(geometries)
    bounds = bounds[np.isfinite(bounds).all(axis=1)][:_SAMPLE]
    if not len(bounds):
        return
    centres = np.column_stack((bounds[:, [0, 2]].mean(axis=1), bounds[:, [1, 3]].mean(axis=1)))
    unique = {d.definition: d for d in catalogue.definitions}
    for definition in sorted(
        unique.values(), key=lambda d: (not d.crs.is_geographic, d.kind != "local", d.code)
    ):
        for swapped in (False, True):
            xy = centres[:, ::-1] if swapped else centres
            if impossible(np.hstack((xy, xy)), definition).mean() > 0.1:
                continue
            lon, lat = transformer(definition.definition, WGS84).transform(xy[:, 0], xy[:, 1])
            placed = np.column_stack((lon, lat, lon, lat))
            if inside(placed, extent).mean() >= 0.9 and _near_meridian(definition, np.asarray(lon)):
                yield definition, f"{definition.code}{SWAPPED if swapped else ''}"
