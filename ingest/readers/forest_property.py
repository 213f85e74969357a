"""Forest stands in the Finnish standard (ForestPropertyData, V20): one record a stand, GML in EPSG:3067."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from ingest.batch import Batch
from ingest.readers import xml
from ingest.readers.record import Record, bad_coordinate, batches_of
from ingest.readers.rings import joined, polygons
from ingest.source import Source

_ROOT = re.compile(rb"<(?:\w+:)?ForestPropertyData[\s>]")
_TREE = ("TreeSpecies", "Age", "BasalArea", "MeanDiameter", "MeanHeight", "Volume")


class ForestPropertyReader:
    """Stands with the strata of their trees: ``formula`` gives species and share of volume, as foresters write it."""

    name: ClassVar[str] = "forest_property"

    def recognises(self, source: Source) -> bool:
        """Whether the root element is ForestPropertyData."""
        return _ROOT.search(source.head[:20_000]) is not None

    def layers(self, source: Source) -> list[str]:
        """Stands only."""
        return ["stands"]

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Stands in the order of the file."""
        yield from batches_of(_records(source))


def _records(source: Source) -> Iterator[Record]:
    for stand in xml.events(source, ("Stand",)):
        basic = xml.find(stand, "StandBasicData")
        columns: dict[str, Any] = {"id": stand.get("id"), "realEstateId": stand.get("realEstateId")}
        for child in basic if basic is not None else ():
            if len(child) == 0 and child.text and child.text.strip():
                columns[xml.local(child)] = child.text.strip()
        columns |= _trees(stand)
        try:
            geometry, system = _geometry(stand)
            yield Record(columns, geometry, system)
        except ValueError as err:
            yield Record(columns, None, "", (bad_coordinate(str(err)),))


def _trees(stand: Any) -> dict[str, Any]:
    """The newest inventory of the stand: volume, and age and height of the leading stratum."""
    dates = xml.descendants(stand, "TreeStandDataDate")
    # Type 1 is the inventory, 2 is computed to a later day, 3 is a forecast.
    measured = [d for d in dates if d.get("type") == "1"] or dates
    if not measured:
        return {}
    newest = max(measured, key=lambda d: d.get("date") or "")
    strata = [{n: xml.text(s, n) for n in _TREE} for s in xml.descendants(newest, "TreeStratum")]
    volumes = [(float(s["Volume"] or 0), s) for s in strata]
    total = sum(v for v, _ in volumes)
    found: dict[str, Any] = {"inventory": newest.get("date"), "strata": len(strata)}
    if total > 0:
        leading = max(volumes, key=lambda item: item[0])[1]
        found |= {f"leading_{n}": leading[n] for n in _TREE}
        shares = [(round(10 * v / total), s["TreeSpecies"]) for v, s in sorted(volumes, key=lambda i: -i[0])]
        found["formula"] = " ".join(f"{share or '+'}[{species}]" for share, species in shares)
        found["stock_m3_ha"] = round(total, 3)
    return found


def _geometry(stand: Any) -> tuple[Any, str]:
    parts: list[Any] = []
    system = ""
    for polygon in xml.descendants(stand, "Polygon"):
        system = polygon.get("srsName") or system
        rings = [
            [_point(pair) for pair in (coordinates.text or "").split()]
            for coordinates in xml.descendants(polygon, "coordinates")
        ]
        parts += polygons([r for r in rings if r]) if any(rings) else []
    return joined(parts), system


def _point(pair: str) -> tuple[float, float]:
    x, y = pair.split(",")[:2]
    return float(x), float(y)
