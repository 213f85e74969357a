"""Cadastral plans of territory of Rosreestr, old (KPT v9, v10) and new (extract_cadastral_plan_territory) alike.

Elements are matched by local name and the file is read as a stream. In these files x is north and y is east.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import shapely
from lxml import etree

from ingest.batch import Batch
from ingest.errors import RefusedError
from ingest.source import Source

BATCH_ROWS = 5_000
ROOTS = re.compile(
    rb"<(?:\w+:)?(KPT|extract_cadastral_plan_territory|extract_about_property_land|saved_entities)[\s>/]"
)
Element = Any


@dataclass(frozen=True)
class Record:
    """One record of the file: its columns, its geometry (easting–northing) and the system it names."""

    columns: dict[str, str | None]
    geometry: Any
    crs: str


def _local(element: Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _find(element: Element | None, path: str) -> Element | None:
    """First descendant along a path of local names such as ``params/area/value``."""
    for name in path.split("/"):
        if element is None:
            return None
        element = next((child for child in element if _local(child) == name), None)
    return element


def _text(element: Element | None, path: str) -> str | None:
    found = _find(element, path)
    return found.text.strip() if found is not None and found.text and found.text.strip() else None


def _attribute(element: Element | None, path: str, name: str) -> str | None:
    found = _find(element, path) if path else element
    return found.get(name) if found is not None else None


def _descendants(element: Element, name: str) -> list[Element]:
    return [e for e in element.iter() if _local(e) == name]


def _polygons(rings: list[list[tuple[float, float]]]) -> list[Any]:
    """Polygons of one contour: a ring inside an earlier one is its hole, any other starts a new polygon."""
    shells: list[tuple[Any, list[Any]]] = []
    for points in rings:
        ring = points if points[0] == points[-1] else [*points, points[0]]
        if len(ring) < 4:
            shells.append((shapely.LineString(ring) if len(set(ring)) > 1 else shapely.Point(ring[0]), []))
            continue
        polygon = shapely.Polygon(ring)
        owner = next(
            (
                s
                for s in shells
                if s[0].geom_type == "Polygon"
                and s[0].covers(shapely.Point(ring[0]))
                and s[0].area > polygon.area
            ),
            None,
        )
        if owner:
            owner[1].append(ring)
        else:
            shells.append((polygon, []))
    return [shapely.Polygon(s.exterior.coords, holes) if holes else s for s, holes in shells]


def _ring(element: Element) -> list[tuple[float, float]]:
    """Easting–northing pairs of a spatial element, old (attributes X, Y) or new (children x, y)."""
    points = []
    for ordinate in element.iter():
        name = _local(ordinate)
        if name in ("Ordinate", "NewOrdinate") and ordinate.get("X") is not None:
            points.append((float(ordinate.get("Y")), float(ordinate.get("X"))))
        elif name == "ordinate":
            x, y = _text(ordinate, "x"), _text(ordinate, "y") or _text(ordinate, "_y")
            if x is not None and y is not None:
                points.append((float(y), float(x)))
    return points


def _geometry(spatials: list[Element]) -> Any:
    """Geometry of the contours of one record; None where it has no coordinates."""
    parts: list[Any] = []
    for spatial in spatials:
        elements = [e for e in spatial.iter() if _local(e) in ("SpatialElement", "spatial_element")]
        rings = [r for r in (_ring(e) for e in elements) if r]
        parts += _polygons(rings) if rings else []
    if not parts:
        return None
    if all(p.geom_type == "Polygon" for p in parts):
        return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return shapely.GeometryCollection(parts) if len(parts) > 1 else parts[0]


def _district(number: str | None) -> str:
    return (number or "").split(":")[0]


class RosreestrReader:
    """Parcels, zones and municipal boundaries of a cadastral plan of territory."""

    name = "rosreestr"
    kinds: ClassVar[tuple[str, ...]] = ("parcels", "zones", "boundaries")

    def recognises(self, source: Source) -> bool:
        """Whether the root element is one of Rosreestr's."""
        return ROOTS.search(source.head[:20_000]) is not None

    def layers(self, source: Source) -> list[str]:
        """The kinds of record that such a file may hold."""
        return list(self.kinds)

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Records of one kind, grouped by the coordinate system that they name."""
        kind = layer or "parcels"
        pending: list[tuple[int, Record]] = []
        for number, record in enumerate(_records(source, kind), start=1):
            pending.append((number, record))
            if len(pending) >= BATCH_ROWS:
                yield from _grouped(pending)
                pending = []
        yield from _grouped(pending)


def _grouped(pending: list[tuple[int, Record]]) -> Iterator[Batch]:
    ordered = sorted(pending, key=lambda item: item[1].crs)
    for crs, group in groupby(ordered, key=lambda item: item[1].crs):
        items = list(group)
        geometries = np.empty(len(items), dtype=object)
        geometries[:] = [record.geometry for _, record in items]
        yield Batch(
            pd.DataFrame([record.columns for _, record in items], dtype=object),
            geometries,
            np.array([number for number, _ in items], dtype=np.int64),
            crs,
        )


def _systems(source: Source) -> dict[str, str]:
    """CsId → name of the coordinate systems that an old plan declares, often only at its end."""
    found: dict[str, str] = {}
    for _, element in _events(source, ("CoordSystem",)):
        found[element.get("CsId") or ""] = element.get("Name") or ""
    return found


def _events(source: Source, names: tuple[str, ...]) -> Iterator[tuple[str, Element]]:
    """Elements of the given local names, one at a time; memory stays flat. No entity is ever resolved."""
    try:
        parser = etree.iterparse(
            str(source.path),
            events=("end",),
            tag=[f"{{*}}{n}" for n in names],
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        for event, element in parser:
            yield event, element
            element.clear()
            while element.getprevious() is not None and element.getparent() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as err:
        raise RefusedError(
            f"{source.path.name} is damaged XML ({err.msg}).",
            "Download the file from Rosreestr again.",
            field="file",
            value=source.path.name,
        ) from err


def _records(source: Source, kind: str) -> Iterator[Record]:
    tags: dict[str, dict[str, Callable[[Element, dict[str, str]], Record]]] = {
        "parcels": {"Parcel": _old_parcel, "land_record": _new_parcel},
        "zones": {"Zone": _old_zone, "zones_and_territories_record": _new_zone},
        "boundaries": {"municipal_boundary_record": _new_boundary},
    }
    systems = _systems(source)
    for _, element in _events(source, tuple(tags[kind])):
        yield tags[kind][_local(element)](element, systems)


def _old_spatials(element: Element) -> list[Element]:
    own = _find(element, "EntitySpatial")
    return (
        [own]
        if own is not None
        else [e for c in element if _local(c) == "Contours" for e in _descendants(c, "EntitySpatial")]
    )


def _old_crs(spatials: list[Element], systems: dict[str, str], district: str) -> str:
    name = systems.get(spatials[0].get("EntSys") or "", "") if spatials else ""
    return f"{district}:{name or next(iter(systems.values()), '')}" if spatials else ""


def _old_parcel(element: Element, systems: dict[str, str]) -> Record:
    number, spatials = element.get("CadastralNumber"), _old_spatials(element)
    columns = {
        "number": number,
        "quarter": (number or "").rpartition(":")[0] or None,
        "region": _district(number),
        "state": element.get("State"),
        "registered_on": element.get("DateCreated"),
        "kind": _text(element, "Name"),
        "area": _text(element, "Area/Area"),
        "inaccuracy": _text(element, "Area/Inaccuracy"),
        "category": _text(element, "Category"),
        "permitted_use": _attribute(element, "Utilization", "ByDoc"),
        "address": re.sub(r"\s+", " ", _text(element, "Location/Address/Note") or "") or None,
        "cost": _attribute(element, "CadastralCost", "Value"),
    }
    return Record(columns, _geometry(spatials), _old_crs(spatials, systems, _district(number)))


def _new_spatials(element: Element) -> list[Element]:
    contours = [c for c in element if _local(c) in ("contours_location", "b_contours_location")]
    return [e for c in contours for e in _descendants(c, "entity_spatial")]


def _new_crs(spatials: list[Element], district: str) -> str:
    name = next((t for t in (_text(s, "sk_id") for s in spatials) if t), "")
    return f"{district}:{name}" if spatials else ""


def _new_parcel(element: Element, _systems: dict[str, str]) -> Record:
    number, spatials = _text(element, "object/common_data/cad_number"), _new_spatials(element)
    columns = {
        "number": number,
        "quarter": (number or "").rpartition(":")[0] or None,
        "region": _district(number),
        "state": None,
        "registered_on": (_text(element, "record_info/registration_date") or "")[:10] or None,
        "kind": _text(element, "object/subtype/code"),
        "area": _text(element, "params/area/value"),
        "inaccuracy": _text(element, "params/area/inaccuracy"),
        "category": _text(element, "params/category/type/value"),
        "permitted_use": _text(element, "params/permitted_use/permitted_use_established/by_document"),
        "address": _text(element, "address_location/address/readable_address"),
        "cost": _text(element, "cost/value"),
    }
    return Record(columns, _geometry(spatials), _new_crs(spatials, _district(number)))


def _old_zone(element: Element, systems: dict[str, str]) -> Record:
    number, spatials = _text(element, "AccountNumber"), _old_spatials(element)
    columns = {
        "number": number,
        "region": _district(number),
        "name": _text(element, "Description"),
        "type": (_text(element, "SpecialZone/ContentRestrictions") and "special")
        or ("territorial" if _find(element, "TerritorialZone") is not None else "special"),
        "restriction": _text(element, "SpecialZone/ContentRestrictions"),
        "document": _text(element, "Documents/Document/Name"),
        "registered_on": None,
    }
    return Record(columns, _geometry(spatials), _old_crs(spatials, systems, _district(number)))


def _boundary(element: Element, body: str) -> Record:
    number = _text(element, f"{body}/b_object/reg_numb_border")
    spatials = _new_spatials(element)
    columns = {
        "number": number,
        "region": _district(number),
        "name": _text(element, f"{body}/name_by_doc")
        or _text(element, f"{body}/name")
        or _text(element, f"{body}/number"),
        "type": _text(element, f"{body}/b_object/type_boundary/value"),
        "restriction": _text(element, f"{body}/description"),
        "document": None,
        "registered_on": (_text(element, "record_info/registration_date") or "")[:10] or None,
    }
    return Record(columns, _geometry(spatials), _new_crs(spatials, _district(number)))


def _new_zone(element: Element, _systems: dict[str, str]) -> Record:
    return _boundary(element, "b_object_zones_and_territories")


def _new_boundary(element: Element, _systems: dict[str, str]) -> Record:
    return _boundary(element, "b_object_municipal_boundary")
