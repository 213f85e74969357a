"""Coordinate systems: by EPSG code, or by name from ``crs_definitions``; an unknown one is a question, never a guess.

Coordinates are easting–northing (longitude–latitude) everywhere inside Mezha; a reader turns its format's
order round before anything else sees them.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import psycopg
import shapely
import yaml
from numpy.typing import NDArray
from psycopg.rows import TupleRow
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from geo.errors import CrsError

WGS84 = "EPSG:4326"
Geometries = NDArray[np.object_]


@dataclass(frozen=True)
class ControlPoint:
    """A place whose coordinates are known in both systems: northing ``x``, easting ``y`` as surveyors write them."""

    name: str
    lon: float
    lat: float
    x: float
    y: float
    tolerance_m: float


@dataclass(frozen=True)
class Definition:
    """A coordinate system that files may name."""

    code: str
    title: str
    definition: str
    kind: str
    source: str
    spellings: tuple[str, ...] = ()
    control_points: tuple[ControlPoint, ...] = field(default=())
    # By which the database keeps its transformations; none for a system that only a file declares.
    srid: int | None = None

    @property
    def crs(self) -> CRS:
        """The system as pyproj knows it."""
        return _crs(self.definition)

    @property
    def meridian(self) -> float | None:
        """Central meridian in degrees of a transverse Mercator system; None for every other kind."""
        return _meridian(self.definition)

    @property
    def local(self) -> bool:
        """Whether it is a planar local system, in which cadastral areas are computed."""
        return self.kind == "local"


@lru_cache(maxsize=512)
def _crs(definition: str) -> CRS:
    return CRS.from_user_input(definition)


@lru_cache(maxsize=1024)
def _meridian(definition: str) -> float | None:
    crs = _crs(definition)
    crs = crs.source_crs if crs.is_bound and crs.source_crs else crs
    operation = crs.coordinate_operation
    if operation is None or "Transverse Mercator" not in operation.method_name:
        return None
    return next((float(p.value) for p in operation.params if p.name == "Longitude of natural origin"), None)


def declared(text: str) -> Definition:
    """The system that a file declares as EPSG code, WKT or PROJ text; CrsError where it makes no sense."""
    try:
        crs = _crs(text)
    except ProjError as err:
        raise CrsError(
            f"The file declares a coordinate system that makes no sense: “{text[:80]}”.",
            "Name the right one with --crs.",
            field="crs",
            value=text[:80],
        ) from err
    authority = crs.to_authority(min_confidence=90)
    code = ":".join(authority) if authority else crs.name[:60]
    return Definition(code, crs.name[:120], text, "declared", "file")


@lru_cache(maxsize=8192)
def normalise(name: str) -> str:
    """The form under which names are compared: «МСК - 26 от СК-95, зоны 1» → ``мск-26 от ск-95 зона 1``."""
    text = re.sub(r"[\s ]+", " ", name.strip().lower().replace("ё", "е"))
    text = re.sub(r"\s*-\s*", "-", text)
    text = re.sub(r"[,;]", " ", text)
    text = re.sub(r"зон[аыеу]?\s*№?\s*(\d+)", r"зона \1", text)
    text = re.sub(r"\b(?:мск|msk)[\s-]?(\d+)", r"мск-\1", text)
    text = re.sub(r"\b(\d)-?\s?(?:х\s)?градусн\w+", r"\1°", text)
    return re.sub(r"\s+", " ", text).strip()


@cache
def _seed() -> dict[str, Any]:
    return yaml.safe_load(files("geo").joinpath("crs_seed.yaml").read_text("utf-8"))  # type: ignore[no-any-return]


def _tmerc(lon_0: float, x_0: float, y_0: float) -> str:
    return f"+proj=tmerc +lat_0=0 +lon_0={lon_0:.11g} +k=1 +x_0={x_0:.10g} +y_0={y_0:.10g} {_seed()['shift']}"


def _control(entry: dict[str, Any], zone: int | None) -> tuple[ControlPoint, ...]:
    points = [p for p in entry.get("control", []) if p.get("zone") == zone]
    return tuple(ControlPoint(**{k: v for k, v in p.items() if k != "zone"}) for p in points)


def _epsg_seed() -> Iterator[Definition]:
    for entry in _seed()["epsg"]:
        yield Definition(
            entry["code"], entry["title"], entry["code"], "epsg", "EPSG", tuple(entry["spellings"])
        )
    for family in _seed()["gauss_kruger"]:
        for zone in range(family["from"], family["to"] + 1):
            code = f"EPSG:{family['code'] + zone}"
            spelling = family["spelling"].format(zone=zone)
            yield Definition(code, family["title"].format(zone=zone), code, "epsg", "EPSG", (spelling,))


def _local_seed() -> Iterator[Definition]:
    for entry in _seed()["local"]:
        number = entry["number"]
        for zone in range(1, entry["zones"] + 1):
            yield Definition(
                code=f"MSK-{number}/{zone}",
                title=f"МСК-{number}, зона {zone}",
                definition=_tmerc(
                    entry["lon_0"] + entry["step"] * (zone - 1), entry["x_0"] + 1e6 * (zone - 1), entry["y_0"]
                ),
                kind="local",
                source=entry["source"],
                spellings=(f"МСК-{number} зона {zone}", f"МСК-{int(number)} зона {zone}"),
                control_points=_control(entry, zone),
            )
    for entry in _seed()["single"]:
        yield Definition(
            code=f"MSK-{entry['number']}",
            title=f"МСК-{entry['number']}",
            definition=_tmerc(entry["lon_0"], entry["x_0"], entry["y_0"]),
            kind="local",
            source=entry["source"],
            spellings=(f"МСК-{entry['number']}", *entry.get("spellings", ())),
            control_points=_control(entry, None),
        )


@cache
def seeded() -> tuple[Definition, ...]:
    """The systems that every installation starts with."""
    return (*_epsg_seed(), *_local_seed())


def seed_statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Statements for the owner that add the seeded systems; what an administrator edited stays as it is."""
    rows = [
        {
            "code": d.code,
            "title": d.title,
            "definition": d.definition,
            "kind": d.kind,
            "source": d.source,
            "spellings": sorted({normalise(s) for s in (d.code, d.title, *d.spellings)}),
            "control_points": [vars(p) for p in d.control_points],
        }
        for d in seeded()
    ]
    yield (
        """
        INSERT INTO register.crs_definitions (code, title, definition, kind, source, spellings, control_points)
        SELECT code, title, definition, kind, source, spellings, control_points
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
          code text, title text, definition text, kind text, source text, spellings jsonb, control_points jsonb)
        ON CONFLICT (code) DO NOTHING
        """,
        {"rows": json.dumps(rows)},
    )


class Catalogue:
    """The coordinate systems of an installation, by code and by every spelling."""

    def __init__(self, definitions: Sequence[Definition]) -> None:
        self.definitions = tuple(definitions)
        self._by_name = {normalise(name): d for d in definitions for name in (d.code, d.title, *d.spellings)}

    @classmethod
    def load(cls, connection: psycopg.Connection[TupleRow]) -> "Catalogue":
        """The catalogue that an administrator keeps in the database."""
        rows = connection.execute(
            "SELECT code, title, definition, kind, source, spellings, control_points"
            " FROM register.crs_definitions WHERE active"
        ).fetchall()
        return cls(
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

    def find(self, name: str) -> Definition | None:
        """The system of that name or EPSG code, None where nobody defined it."""
        found = self._by_name.get(normalise(name))
        if found is None and name.strip().lower().endswith("crs84"):
            # Longitude first, which is how everything is kept here.
            found = self._by_name.get(normalise(WGS84))
        if found:
            return found
        match = re.fullmatch(
            r"(?:epsg:\s*|urn:(?:ogc|x-ogc):def:crs:epsg:[\d.]*:|https?://www\.opengis\.net/(?:def/crs/epsg/[\d.]+/|gml/srs/epsg\.xml#))(\d+)",
            name.strip().lower(),
        )
        if not match:
            return None
        code = f"EPSG:{match[1]}"
        try:
            return Definition(code, _crs(code).name, code, "epsg", "EPSG")
        except ProjError:
            return None

    def resolve(self, name: str) -> Definition:
        """The system of that name; CrsError with near names where there is none."""
        found = self.find(name)
        if found:
            return found
        digits = re.findall(r"\d+", name)
        near = [d.title for d in self.definitions if d.local and digits and f"-{digits[0]}" in d.title][:8]
        hint = (
            f"Near names: {'; '.join(near)}."
            if near
            else "An administrator can add it to the coordinate systems."
        )
        raise CrsError(
            f"The coordinate system “{name[:80]}” is unknown.",
            f"Name it with --crs (EPSG code or a name such as «МСК-54 зона 3»). {hint}",
            field="crs",
            value=name[:80],
        )


@lru_cache(maxsize=256)
def transformer(source: str, target: str) -> Transformer:
    """Transformer between two definitions, easting–northing on both sides, best operation for the area.

    CrsError where no accurate operation is known: a guess between two datums is never made.
    """
    try:
        return Transformer.from_crs(_crs(source), _crs(target), always_xy=True, allow_ballpark=False)
    except ProjError as err:
        raise CrsError(
            f"No accurate operation leads from “{source[:80]}” to “{target[:80]}”.",
            "It is no georeferenced system, or its datum is unknown: name the right one with --crs.",
            field="crs",
            value=source[:80],
        ) from err


def reproject(geometries: Geometries, source: str, target: str = WGS84) -> Geometries:
    """Geometries in ``target``; vectorised. Coordinates that the operation cannot carry become infinite."""
    if source == target:
        return geometries
    operation = transformer(source, target)

    def apply(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(operation.transform(xy[:, 0], xy[:, 1]))

    return shapely.transform(geometries, apply)  # type: ignore[no-any-return]


def miss_distance_m(definition: Definition, point: ControlPoint) -> float:
    """Metres by which a system misses a control point: the sanity of its parameters."""
    y, x = transformer(WGS84, definition.definition).transform(point.lon, point.lat)
    return float(np.hypot(x - point.x, y - point.y))
