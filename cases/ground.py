"""The geometry of a case: from whatever was given to evidence, its derived shape and its area."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.errors import BrokenBoundaryError, ObjectGoneError
from cases.record import Case
from cases.service_definition import ServiceDefinition
from geo.crs import WGS84, Catalogue, ControlPoint, Definition, reproject, transformer
from geo.errors import CrsError, GeometryError, ParameterError
from geo.geometry import area_geodesic, area_planar, as_multipolygons, defects, force_2d, repaired
from geo.layers import layer
from geo.sentence import Sentence

_MAX_POINTS = 200_000
_DMS = re.compile(
    r"\s*(-?\d{1,3})\s*(?:°|º|\s)\s*(\d{1,2})\s*(?:['′’]|\s)\s*(\d{1,2}(?:[.,]\d+)?)\s*(?:\"|″|''|”)?\s*"
)
_CRS = text(
    "SELECT code, title, definition, kind, source, spellings, control_points"
    " FROM register.crs_definitions WHERE active"
)
_INSERT = text(
    "INSERT INTO cases.geometries (case_id, way, source, source_format, source_crs, sha256, repair, source_part,"
    " source_shape, geom, base, area_m2, area_method, made_by) VALUES (:case_id, :way, :source, :source_format,"
    " :source_crs, :sha256, :repair, :source_part, :source_shape, ST_Multi(ST_GeomFromWKB(:geom, 4326)), CAST(:base AS geometry), :area_m2, :area_method, (SELECT access.account()))"
    " RETURNING id"
)
_CHANGE = text(
    """
    SELECT part, ST_AsGeoJSON(shape, 7) AS geometry, ST_Area(shape::geography) AS area_m2 FROM (
      SELECT 'added' AS part, ST_CollectionExtract(ST_Difference(geom, base), 3) AS shape
      FROM cases.geometries WHERE id = :id AND base IS NOT NULL
      UNION ALL
      SELECT 'removed', ST_CollectionExtract(ST_Difference(base, geom), 3)
      FROM cases.geometries WHERE id = :id AND base IS NOT NULL
      UNION ALL
      SELECT 'unchanged', ST_CollectionExtract(ST_Intersection(geom, base), 3)
      FROM cases.geometries WHERE id = :id AND base IS NOT NULL
    ) parts
    """
)
_SHOW = text(
    "SELECT id, way, source_crs, source_format, source_part, sha256, repair, area_m2, area_method, made_at,"
    " ST_AsGeoJSON(geom, 7) AS geometry, ST_XMin(geom) AS west, ST_YMin(geom) AS south, ST_XMax(geom) AS east,"
    " ST_YMax(geom) AS north FROM cases.geometries WHERE id = :id"
)


@dataclass(frozen=True)
class Given:
    """A shape with its evidence: the bytes that were given, their format and system, and what was made of them."""

    way: str
    source: bytes
    source_format: str
    source_crs: str
    shape: Any
    area_m2: float
    area_method: str
    repair: str = ""
    # Which objects of a file, where it was not the whole of it.
    part: str = ""
    # The shape in its own system, WKB.
    own: bytes | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes that were given."""
        return hashlib.sha256(self.source).hexdigest()


async def catalogue(connection: AsyncConnection) -> Catalogue:
    """The coordinate systems of the installation."""
    rows = (await connection.execute(_CRS)).all()
    return Catalogue(
        [
            Definition(
                row[0],
                row[1],
                row[2],
                row[3],
                row[4],
                tuple(row[5]),
                tuple(ControlPoint(**p) for p in row[6]),
            )
            for row in rows
        ]
    )


# What GEOS says of a ring, in words; the msgids of the catalogues.
_DEFECTS = {
    "self-intersection": "the boundary crosses itself",
    "ring-self-intersection": "the boundary touches itself",
    "hole-lies-outside-shell": "a hole lies outside of the area",
    "nested-holes": "one hole lies within another",
    "nested-shells": "one contour lies within another",
    "duplicate-rings": "two contours are the same",
    "too-few-points-in-geometry-component": "a contour has fewer than three points",
    "interior-is-disconnected": "holes cut the area apart",
    "not-finite": "a coordinate is no number",
    "empty": "there is no boundary in it",
    "missing": "there is no boundary in it",
}


def _sound(shape: Any, system: Definition, *, accept_repair: bool) -> tuple[Any, str]:
    """The shape as valid multi-polygon in its own system; a defect is told with its place, a repair only if accepted."""
    shapes = force_2d(np.array([shape], dtype=object))
    if shapely.get_dimensions(shapes)[0] != 2:
        raise GeometryError(
            Sentence("The geometry is no area."),
            Sentence("Draw or give a polygon."),
            field="geometry",
            value=shape.geom_type,
        )
    found = defects(shapes)
    if not found:
        return as_multipolygons(shapes)[0], ""
    first = found[0]
    mended = repaired(shapes, 2)[0] if first.kind not in ("missing", "empty", "not-finite") else None
    if mended is not None and accept_repair:
        difference = float(shapely.area(mended) - shapely.area(shapes[0]))
        return mended, f"{first.kind} at {first.x:.7g} {first.y:.7g}: make-valid, area {difference:+.6g}"
    raise BrokenBoundaryError(
        Sentence(
            "The boundary is not valid: %(what)s at %(x)s %(y)s.",
            what=Sentence(_DEFECTS.get(first.kind, first.kind)),
            x=f"{first.x:.8g}",
            y=f"{first.y:.8g}",
        ),
        Sentence("Correct the boundary, or accept the repair (repair=true).")
        if mended is not None
        else Sentence("Give the boundary again."),
        field="geometry",
        value=first.kind,
        place=_degrees(first.x, first.y, system),
        repairable=mended is not None,
    )


def _degrees(x: float, y: float, system: Definition) -> tuple[float, float] | None:
    """Longitude and latitude of a place; None where it lies nowhere."""
    lon, lat = transformer(system.definition, WGS84).transform(x, y)
    return (float(lon), float(lat)) if np.isfinite([lon, lat]).all() else None


def _placed(way: str, source: bytes, form: str, shape: Any, system: Definition, *, mend: bool) -> Given:
    shape, repair = _sound(shape, system, accept_repair=mend)
    own = np.array([shape], dtype=object)
    degrees = reproject(own, system.definition, WGS84)
    bounds = shapely.bounds(degrees)[0]
    if (
        not np.isfinite(bounds).all()
        or np.abs(bounds[[0, 2]]).max() > 180
        or np.abs(bounds[[1, 3]]).max() > 90
    ):
        raise CrsError(
            Sentence("These coordinates do not lie on Earth in %(system)s.", system=system.title),
            Sentence("Check the coordinate system and the order of the axes (x is north in a local system)."),
            field="crs",
            value=system.code,
        )
    if not shapely.is_valid(degrees[0]):
        raise GeometryError(
            Sentence("The boundary becomes invalid in degrees."),
            Sentence("Give it in another system."),
            field="geometry",
        )
    area = float((area_planar(own) if system.local else area_geodesic(degrees))[0])
    method = "planar" if system.local else "geodesic"
    own_shape = None if system.code == WGS84 else shapely.to_wkb(shape, include_srid=False)
    return Given(way, source, form, system.code, degrees[0], area, method, repair, own=own_shape)


def drawn(geometry: Mapping[str, Any], *, mend: bool = False) -> Given:
    """A shape drawn on the map: GeoJSON in degrees."""
    source = json.dumps(geometry, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        shape = shapely.from_geojson(source)
    except (shapely.errors.GEOSException, TypeError) as err:
        raise GeometryError(
            "This is no GeoJSON geometry.", "Give a Polygon or MultiPolygon.", field="geometry"
        ) from err
    if shapely.get_num_coordinates(shape) > _MAX_POINTS:
        raise GeometryError(
            f"The boundary has more than {_MAX_POINTS} points.",
            "Split it into several cases.",
            field="geometry",
        )
    system = Definition(WGS84, "WGS 84", WGS84, "epsg", "EPSG")
    return _placed("drawn", source, "geojson", shape, system, mend=mend)


def _number(value: Any, place: str) -> float:
    """A coordinate: decimal with point or comma, or degrees, minutes and seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    cleaned = str(value).strip()
    if dms := _DMS.fullmatch(cleaned):
        degrees, minutes, seconds = float(dms[1]), float(dms[2]), float(dms[3].replace(",", "."))
        if minutes < 60 and seconds < 60:
            return float(np.copysign(abs(degrees) + minutes / 60 + seconds / 3600, degrees))
    try:
        return float(cleaned.replace("\u00a0", "").replace(" ", "").replace(",", "."))
    except ValueError:
        raise GeometryError(
            f"{place}: “{cleaned[:30]}” is no coordinate.",
            "Write 6123456.78, or 55°01'02,3\".",
            field="geometry",
            value=cleaned[:30],
        ) from None


def typed(systems: Catalogue, table: Mapping[str, Any], *, mend: bool = False) -> Given:
    """Corner points typed from a document: ``crs``, ``axes`` (``north-east`` as surveyors write, or ``east-north``),
    ``rings`` of point pairs; a ring inside another is a hole."""
    system = systems.resolve(str(table.get("crs", "")))
    axes = table.get("axes")
    if axes not in ("north-east", "east-north"):
        raise ParameterError(
            f"axes={str(axes)[:20]} does not say which number comes first.",
            "Choose north-east (x north, y east, as surveyors write) or east-north.",
            field="axes",
            value=str(axes)[:20],
        )
    rings = table.get("rings")
    if not isinstance(rings, Sequence) or not rings or sum(len(r) for r in rings) > _MAX_POINTS:
        raise ParameterError("There are no corner points.", "Give rings of points.", field="rings")
    made = []
    for n, ring in enumerate(rings, 1):
        points = [
            (_number(p[0], f"ring {n}, point {k}"), _number(p[1], f"ring {n}, point {k}"))
            for k, p in enumerate(ring, 1)
            if len(p) >= 2
        ]
        if len(points) < 3:
            raise GeometryError(
                f"Ring {n} has {len(points)} points.", "A boundary needs three at least.", field="rings"
            )
        made.append([(b, a) for a, b in points] if axes == "north-east" else points)
    shape = _polygons(made)
    source = json.dumps(dict(table), ensure_ascii=False, separators=(",", ":")).encode()
    return _placed("typed", source, "points", shape, system, mend=mend)


def _polygons(rings: list[list[tuple[float, float]]]) -> Any:
    """Rings as areas: what lies inside an earlier ring is cut out of it."""
    shape: Any = None
    for ring in rings:
        polygon = shapely.Polygon(ring)
        if shape is not None and polygon.is_valid and shape.is_valid and shapely.contains(shape, polygon):
            shape = shapely.difference(shape, polygon)
        else:
            shape = polygon if shape is None else shapely.MultiPolygon([*_parts(shape), polygon])
    return shape


def _parts(shape: Any) -> list[Any]:
    return [p for p in shapely.get_parts(np.array([shape], dtype=object)) if p.geom_type == "Polygon"]


def uploaded(
    source: bytes, form: str, shapes: Sequence[Any], system: Definition, *, part: str = "", mend: bool = False
) -> Given:
    """The areas that were chosen from a file, as one boundary; ``shapes`` are in ``system``'s own coordinates."""
    sound = [_sound(shape, system, accept_repair=mend) for shape in shapes]
    whole = sound[0][0] if len(sound) == 1 else shapely.union_all([shape for shape, _ in sound])
    repair = "; ".join(note for _, note in sound if note)
    made = _placed("uploaded", source, form, whole, system, mend=False)
    return replace(made, part=part, repair=repair)


async def picked(connection: AsyncConnection, layer_name: str, ids: Sequence[int]) -> Given:
    """Objects picked from the register, as the caller sees them; their versions are the evidence."""
    name = layer(layer_name).name
    wanted = sorted({int(i) for i in ids})[:500]
    row = (
        await connection.execute(
            text(
                "SELECT count(*), jsonb_agg(jsonb_build_object('id', id, 'version', version) ORDER BY id),"
                f" ST_AsBinary(ST_Multi(ST_CollectionExtract(ST_Union(geom), 3))) FROM gate.{name}"
                " WHERE id = ANY (:ids) AND sys_to = 'infinity' AND geom IS NOT NULL AND ST_Dimension(geom) = 2"
                " AND valid_to > current_date AND valid_from <= current_date"
            ),
            {"ids": wanted},
        )
    ).one()
    if not wanted or row[0] < len(wanted):
        raise ObjectGoneError(
            f"Of {len(wanted)} objects of {name}, {row[0]} can be picked.",
            "Pick again: an object may have changed, or has no area.",
            field="ids",
            value=",".join(map(str, wanted))[:60],
        )
    source = json.dumps({"layer": name, "objects": row[1]}, separators=(",", ":")).encode()
    system = Definition(WGS84, "WGS 84", WGS84, "epsg", "EPSG")
    return _placed("picked", source, "objects", shapely.from_wkb(row[2]), system, mend=False)


async def store(connection: AsyncConnection, case: Case, service: ServiceDefinition, given: Given) -> int:
    """Keep a shape with its evidence; where the case changes a boundary, the old one is kept beside it."""
    base = None
    if service.ground.kind in ("change", "object") and case.subject_layer:
        name = layer(case.subject_layer).name
        found = await connection.execute(
            text(f"SELECT ST_AsHEXEWKB(ST_Multi(geom)) FROM gate.{name} WHERE version = :version"),
            {"version": case.subject_version},
        )
        base = found.scalar_one_or_none()
    values = {
        "case_id": case.id,
        "way": given.way,
        "source": given.source,
        "source_format": given.source_format,
        "source_crs": given.source_crs,
        "sha256": given.sha256,
        "repair": given.repair,
        "source_part": given.part,
        "source_shape": given.own,
        "geom": shapely.to_wkb(given.shape),
        "base": base,
        "area_m2": given.area_m2,
        "area_method": given.area_method,
    }
    number: int = (await connection.execute(_INSERT, values)).scalar_one()
    return number


async def show(connection: AsyncConnection, identity: int) -> dict[str, Any]:
    """A shape as pages and interfaces show it, with the change of the boundary where there is one."""
    row = (await connection.execute(_SHOW, {"id": identity})).mappings().one()
    parts = (await connection.execute(_CHANGE, {"id": identity})).mappings().all()
    shown = {k: v for k, v in row.items() if k not in ("west", "south", "east", "north")}
    return shown | {
        "geometry": json.loads(row["geometry"]),
        "bbox": [row["west"], row["south"], row["east"], row["north"]],
        "change": {
            p["part"]: {"geometry": json.loads(p["geometry"]), "area_m2": p["area_m2"]} for p in parts
        },
    }


async def given(connection: AsyncConnection, form: Mapping[str, Any]) -> Given | None:
    """The shape that a request gives in one of the ways ``drawn``, ``typed``, ``picked``; None where it gives none."""
    mend = bool(form.get("repair"))
    if form.get("drawn"):
        return drawn(form["drawn"], mend=mend)
    if form.get("typed"):
        return typed(await catalogue(connection), form["typed"], mend=mend)
    if form.get("picked"):
        return await picked(connection, str(form["picked"].get("layer", "")), form["picked"].get("ids", ()))
    return None


def rings_of(points: str) -> list[list[list[str]]]:
    """Rings of a text: one point a line, its two numbers apart by a space, tab or semicolon; an empty line parts rings."""
    rings: list[list[list[str]]] = [[]]
    for line in points.splitlines():
        cleaned = line.strip()
        if not cleaned:
            rings.append([])
            continue
        parts = [
            p for p in re.split(r"[;\t]+|\s{2,}|(?<=[\d\"″])\s+(?=-?\d{2,}[°.,\d])", cleaned) if p.strip()
        ]
        rings[-1].append([p.strip() for p in parts[-2:]])
    return [ring for ring in rings if ring]
