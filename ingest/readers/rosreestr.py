"""Cadastral plans of territory, passports and extracts of Rosreestr, old (KPT, КВЗУ, КПЗУ) and new (extract_…) alike.

An extract of one parcel gives its holders, rights and restrictions as well.

Elements are matched by local name and the file is read as a stream. In these files x is north and y is east.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import shapely

from ingest.batch import Batch
from ingest.readers import extract, giant, xml
from ingest.readers.record import Record, bad_coordinate, batches_of
from ingest.readers.rings import joined, polygons
from ingest.source import Source

ROOTS = re.compile(
    rb"<(?:\w+:)?(KPT|KVZU|KPZU|Region_Cadastr|Region_Cadastr_Vidimus_K[VP]|extract_\w+|saved_entities)[\s>/]"
)
# Everything of which such a file may hold a great many: records that nobody asked for are dropped as they pass.
MASS = (
    "Parcel",
    "Building",
    "Construction",
    "Uncompleted",
    "Zone",
    "Bound",
    "OMSPoint",
    "land_record",
    "build_record",
    "construction_record",
    "object_under_construction_record",
    "zones_and_territories_record",
    "municipal_boundary_record",
    "inhabited_locality_boundary_record",
    "subject_boundary_record",
    "coastline_record",
    "surveying_project_record",
)
# Old files declare their coordinate systems in one place; the new ones name theirs at each contour.
OLD = re.compile(rb"<(?:\w+:)?(KPT|KVZU|KPZU|Region_Cadastr|Region_Cadastr_Vidimus_K[VP])[\s>/]")
Element = Any


def _ring(element: Element) -> tuple[list[tuple[float, float]], str | None]:
    """Easting–northing pairs of a spatial element, old (attributes X, Y) or new (children x, y), and its radius, if any."""
    points, radius = [], None
    for ordinate in element.iter("{*}Ordinate", "{*}NewOrdinate", "{*}ordinate"):
        if xml.local(ordinate) == "ordinate":
            said = {xml.local(c): c.text.strip() for c in ordinate if c.text and c.text.strip()}
            x, y, r = said.get("x"), said.get("y") or said.get("_y"), said.get("r")
        else:
            x, y, r = ordinate.get("X"), ordinate.get("Y", ""), ordinate.get("R")
        radius = radius or r
        if x is not None and y is not None:
            points.append((float(y), float(x)))
    return points, radius


def _geometry(spatials: list[Element]) -> Any:
    """Geometry of the contours of one record; None where it has no coordinates."""
    parts: list[Any] = []
    for spatial in spatials:
        elements = spatial.iter("{*}SpatialElement", "{*}spatial_element")
        read = [(points, radius) for points, radius in map(_ring, elements) if points]
        # A circle is one point with a radius in metres; 128 sides miss its area by 0.04 %.
        circles = [
            shapely.Point(points[0]).buffer(float(radius), quad_segs=32)
            for points, radius in read
            if len(points) == 1 and radius
        ]
        rings = [] if circles else [points for points, _ in read]
        parts += [*circles, *(polygons(rings) if rings else [])]
    return joined(parts)


def _district(number: str | None) -> str:
    return (number or "").split(":")[0]


class RosreestrReader:
    """Parcels, zones and municipal boundaries of a cadastral plan of territory."""

    name: ClassVar[str] = "rosreestr"
    kinds: ClassVar[tuple[str, ...]] = ("parcels", "zones", "boundaries")

    def recognises(self, source: Source) -> bool:
        """Whether the root element is one of Rosreestr's."""
        return ROOTS.search(source.head[:20_000]) is not None

    def layers(self, source: Source) -> list[str]:
        """The kinds of record that such a file may hold."""
        return list(self.kinds)

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Records of one kind, grouped by the coordinate system that they name."""
        yield from batches_of(
            _records(source, layer or "parcels"), ("axis order: X is north, Y is east (Rosreestr)",)
        )


def _systems(source: Source) -> dict[str, str]:
    """CsId → name of the coordinate systems that an old plan declares, often only at its end."""
    found: dict[str, str] = {}
    if not OLD.search(source.head[:20_000]):
        return found
    for element in xml.events(source, ("CoordSystem",), beside=MASS, thin=True):
        found[element.get("CsId") or ""] = element.get("Name") or ""
    return found


def _records(source: Source, kind: str) -> Iterator[Record]:
    tags: dict[str, dict[str, Callable[[Element, dict[str, str]], Record]]] = {
        "parcels": {"Parcel": _old_parcel, "land_record": _new_parcel},
        "zones": {"Zone": _old_zone, "zones_and_territories_record": _new_zone},
        "boundaries": {"municipal_boundary_record": _new_boundary},
    }
    systems: dict[str, Any] = dict(_systems(source))
    if extract.ROOT.search(source.head[:20_000]):
        # The records of rights stand behind the parcel that they are about.
        systems[extract.KEY] = extract.new(source)
    for element in xml.events(source, tuple(tags[kind]), beside=MASS, thin=True):
        number = element.get("CadastralNumber") or xml.text(element, "object/common_data/cad_number")
        if size := xml.giant_size(element):
            yield Record({"number": number}, None, "", (giant.problem(source, size),))
            continue
        try:
            yield tags[kind][xml.local(element)](element, systems)
        except ValueError as err:
            yield Record({"number": number}, None, "", (bad_coordinate(str(err)),))


def _old_spatials(element: Element) -> list[Element]:
    own = xml.find(element, "EntitySpatial")
    return (
        [own]
        if own is not None
        else [e for c in element if xml.local(c) == "Contours" for e in xml.descendants(c, "EntitySpatial")]
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
        "kind": xml.text(element, "Name"),
        "area": xml.text(element, "Area/Area"),
        "inaccuracy": xml.text(element, "Area/Inaccuracy"),
        "category": xml.text(element, "Category"),
        "permitted_use": xml.attribute(element, "Utilization", "ByDoc"),
        "address": re.sub(r"\s+", " ", xml.text(element, "Location/Address/Note") or "") or None,
        "cost": xml.attribute(element, "CadastralCost", "Value"),
        **extract.old(element),
    }
    return Record(columns, _geometry(spatials), _old_crs(spatials, systems, _district(number)))


def _new_spatials(element: Element) -> list[Element]:
    contours = [c for c in element if xml.local(c) in ("contours_location", "b_contours_location")]
    return [e for c in contours for e in xml.descendants(c, "entity_spatial")]


def _new_crs(spatials: list[Element], district: str) -> str:
    name = next((t for t in (xml.text(s, "sk_id") for s in spatials) if t), "")
    return f"{district}:{name}" if spatials else ""


def _new_parcel(element: Element, systems: dict[str, Any]) -> Record:
    number, spatials = xml.text(element, "object/common_data/cad_number"), _new_spatials(element)
    columns = {
        "number": number,
        "quarter": (number or "").rpartition(":")[0] or None,
        "region": _district(number),
        "state": None,
        "registered_on": (xml.text(element, "record_info/registration_date") or "")[:10] or None,
        "kind": xml.text(element, "object/subtype/code"),
        "area": xml.text(element, "params/area/value"),
        "inaccuracy": xml.text(element, "params/area/inaccuracy"),
        "category": xml.text(element, "params/category/type/value"),
        "permitted_use": xml.text(element, "params/permitted_use/permitted_use_established/by_document"),
        "address": xml.text(element, "address_location/address/readable_address"),
        "cost": xml.text(element, "cost/value"),
        **systems.get(extract.KEY, {}),
    }
    return Record(columns, _geometry(spatials), _new_crs(spatials, _district(number)))


def _old_zone(element: Element, systems: dict[str, str]) -> Record:
    number, spatials = xml.text(element, "AccountNumber"), _old_spatials(element)
    columns = {
        "number": number,
        "region": _district(number),
        "name": xml.text(element, "Description"),
        "type": (xml.text(element, "SpecialZone/ContentRestrictions") and "special")
        or ("territorial" if xml.find(element, "TerritorialZone") is not None else "special"),
        "restriction": xml.text(element, "SpecialZone/ContentRestrictions"),
        "document": xml.text(element, "Documents/Document/Name"),
        "registered_on": None,
    }
    return Record(columns, _geometry(spatials), _old_crs(spatials, systems, _district(number)))


def _boundary(element: Element, body: str) -> Record:
    number = xml.text(element, f"{body}/b_object/reg_numb_border")
    spatials = _new_spatials(element)
    columns = {
        "number": number,
        "region": _district(number),
        "name": xml.text(element, f"{body}/name_by_doc")
        or xml.text(element, f"{body}/name")
        or xml.text(element, f"{body}/number"),
        "type": xml.text(element, f"{body}/b_object/type_boundary/value"),
        "restriction": xml.text(element, f"{body}/description"),
        "document": None,
        "registered_on": (xml.text(element, "record_info/registration_date") or "")[:10] or None,
    }
    return Record(columns, _geometry(spatials), _new_crs(spatials, _district(number)))


def _new_zone(element: Element, _systems: dict[str, str]) -> Record:
    return _boundary(element, "b_object_zones_and_territories")


def _new_boundary(element: Element, _systems: dict[str, str]) -> Record:
    return _boundary(element, "b_object_municipal_boundary")
