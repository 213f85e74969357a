"""GeoJSON up to 32 MB, read strictly: what GDAL would drop or mend silently is told with its place.

Larger files go through GDAL by Arrow batches.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import shapely

from ingest.batch import Batch
from ingest.encoding import decide
from ingest.errors import RefusedError
from ingest.problem import Problem
from ingest.source import Source

MAX_BYTES = 32 << 20
CRS84 = "OGC:CRS84"
# Depth of the lists around a position, and points that the innermost list must have.
_DEPTH = {
    "Point": (0, 1),
    "MultiPoint": (1, 0),
    "LineString": (1, 2),
    "MultiLineString": (2, 2),
    "Polygon": (2, 4),
    "MultiPolygon": (3, 4),
}
_OTHER = re.compile(
    rb'"type"\s*:\s*"(Topology|gdal_streamed_alg|CityJSON)"|"(esri)?geometryType"|"stac_version"'
)


class _FaultError(ValueError):
    """Something wrong with one feature: a code and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class GeojsonReader:
    """Features of a collection, one feature, or one bare geometry."""

    name: ClassVar[str] = "geojson"

    def recognises(self, source: Source) -> bool:
        """Whether it is one JSON object of a size to be read whole, and no other dialect."""
        head = source.head.lstrip(b"\xef\xbb\xbf \r\n\t")
        if not head.startswith(b"{") or source.size > MAX_BYTES or _OTHER.search(source.head[:5000]):
            return False
        first, _, second = head.partition(b"\n")
        # Newline-delimited features are another format.
        return not (first.rstrip().endswith(b"}") and second.lstrip().startswith(b"{"))

    def layers(self, source: Source) -> list[str]:
        """The one layer."""
        return [source.path.stem]

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """All features at once: the size is bounded."""
        document, repeated = _parsed(source)
        features = _features(source, document)
        columns: list[dict[str, Any]] = []
        texts: list[str | None] = []
        problems: list[Problem] = []
        for row, feature in enumerate(features, start=1):
            properties, text, found = _read(feature, row)
            columns.append(properties)
            texts.append(text)
            problems += found
        geometries = np.asarray(shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore"))
        notes = [decide(source.head).note]
        if repeated:
            notes.append(f"duplicate keys in JSON, the last one counts: {', '.join(sorted(repeated)[:10])}")
        yield Batch(
            pd.DataFrame(columns, dtype=object),
            np.asarray(geometries, dtype=object).reshape(len(texts)),
            np.arange(1, len(texts) + 1, dtype=np.int64),
            _crs(document),
            tuple(notes),
            tuple(problems),
        )


def _refuse(source: Source, message: str, remedy: str = "Ask its sender for valid GeoJSON.") -> RefusedError:
    return RefusedError(f"{source.name} {message}", remedy, field="file", value=source.name)


def _parsed(source: Source) -> tuple[dict[str, Any], set[str]]:
    repeated: set[str] = set()

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            repeated.update(name for name in made if names.count(name) > 1)
        return made

    encoding = decide(source.head).name
    try:
        document = json.loads(source.path.read_bytes().decode(encoding), object_pairs_hook=collect)
    except UnicodeDecodeError as err:
        raise _refuse(source, f"is not {encoding} throughout (byte {err.start}).") from err
    except json.JSONDecodeError as err:
        raise _refuse(
            source, f"is damaged JSON at line {err.lineno}, column {err.colno}: {err.msg}."
        ) from err
    except (RecursionError, ValueError) as err:
        raise _refuse(source, "is nested too deeply or holds a number of too many digits.") from err
    if not isinstance(document, dict):
        raise _refuse(source, "is JSON, but no GeoJSON object.")
    return document, repeated


def _features(source: Source, document: dict[str, Any]) -> list[Any]:
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list):
            raise _refuse(source, "is a FeatureCollection whose “features” is no list.")
        if not features:
            raise _refuse(source, "is a FeatureCollection without features.")
        return features
    if kind == "Feature":
        return [document]
    if kind in _DEPTH or kind == "GeometryCollection":
        return [{"type": "Feature", "properties": {}, "geometry": document}]
    if kind is None:
        raise _refuse(source, "is JSON without a “type”: no GeoJSON.")
    raise _refuse(source, f"has the unknown type “{str(kind)[:40]}”; capitals count.")


def _crs(document: dict[str, Any]) -> str:
    """CRS84 as RFC 7946 wants it, or what the old member ``crs`` declares."""
    crs = document.get("crs")
    if not isinstance(crs, dict):
        return CRS84
    properties = crs.get("properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    return str(name) if isinstance(name, str) and name else CRS84


def _read(feature: Any, row: int) -> tuple[dict[str, Any], str | None, list[Problem]]:
    """Properties, geometry as JSON text, and what is wrong with one feature."""
    problems: list[Problem] = []

    def tell(code: str, message: str, *, warning: bool = False) -> None:
        problems.append(
            Problem(
                row, code, "geometry", "", f"Feature {row}: {message}.", "Correct it at the source.", warning
            )
        )

    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        tell("not-a-feature", "it is no object of the type “Feature”")
        return {}, None, problems
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        if properties is not None or "properties" not in feature:
            tell("bad-properties", "its “properties” is no object", warning=True)
        properties = {}
    columns = {
        k: v if not isinstance(v, (dict, list)) else json.dumps(v, ensure_ascii=False)
        for k, v in properties.items()
    }
    if isinstance(feature.get("id"), (str, int)) and "id" not in columns:
        columns["id"] = feature["id"]
    if "geometry" not in feature:
        tell("no-geometry-member", "it has no member “geometry”")
    geometry = feature.get("geometry")
    if geometry is None:
        return columns, None, problems
    try:
        mended = _mended(geometry, lambda message: tell("ring-not-closed", message, warning=True))
    except _FaultError as fault:
        tell(fault.code, str(fault))
        return columns, None, problems
    return columns, json.dumps(mended), problems


def _mended(geometry: Any, warn: Any) -> dict[str, Any]:
    """The geometry with its rings closed; _FaultError where its structure is wrong."""
    if not isinstance(geometry, dict):
        raise _FaultError("geometry-not-an-object", "its geometry is no object")
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        parts = geometry.get("geometries")
        if not isinstance(parts, list):
            raise _FaultError("bad-geometries", "its “geometries” is no list")
        return {"type": kind, "geometries": [_mended(part, warn) for part in parts]}
    if kind not in _DEPTH:
        raise _FaultError("unknown-geometry-type", f"“{str(kind)[:40]}” is no type of geometry")
    if not isinstance(geometry.get("coordinates"), list):
        raise _FaultError("no-coordinates", "its geometry has no list of coordinates")
    depth, least = _DEPTH[kind]
    coordinates = _checked(geometry["coordinates"], depth)
    if kind in ("Polygon", "MultiPolygon"):
        polygons = [coordinates] if kind == "Polygon" else coordinates
        for ring in (r for polygon in polygons for r in polygon):
            _close(ring, least, warn)
    return {"type": kind, "coordinates": coordinates}


def _checked(value: Any, depth: int) -> Any:
    """Coordinates of the right depth, heights dropped; _FaultError where they are nested wrongly or no numbers."""
    if depth:
        if not isinstance(value, list) or (value and not isinstance(value[0], list)):
            raise _FaultError("wrong-nesting", "its coordinates are nested too shallowly for its type")
        return [_checked(v, depth - 1) for v in value]
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _FaultError("wrong-nesting", "its coordinates are nested too shallowly for its type")
    if any(isinstance(v, list) for v in value):
        raise _FaultError("wrong-nesting", "its coordinates are nested too deeply for its type")
    if len(value) < 2:
        raise _FaultError("short-position", "a position has fewer than two numbers")
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value):
        raise _FaultError("bad-coordinate", "a coordinate is no number")
    if not all(np.isfinite(float(v)) if abs(v) < 1e300 else False for v in value[:2]):
        raise _FaultError("geometry-not-finite", "a coordinate is not a finite number")
    return list(value[:2])


def _close(ring: list[Any], least: int, warn: Any) -> None:
    if len({tuple(p) for p in ring}) < least - 1:
        raise _FaultError(
            "ring-too-short", f"a ring has {len({tuple(p) for p in ring})} different points; three are needed"
        )
    if ring[0] != ring[-1]:
        warn(
            f"a ring is not closed at {ring[-1][0]:.9g} {ring[-1][1]:.9g}; its first point was added as the last"
        )
        ring.append(list(ring[0]))
