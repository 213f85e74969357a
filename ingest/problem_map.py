"""The map of a run's problems: folium with Leaflet written into the page, so that it opens without internet."""

from collections.abc import Sequence
from html import escape
from typing import Any

import folium
import shapely

from geo import remarks
from ingest.leaflet import board
from ingest.problem import Problem

MARKERS = 2_000
SHAPES = 300
RED, AMBER, GREEN = "#b42318", "#b7791f", "#1a7f4b"


def html(problems: Sequence[Problem], outlines: Sequence[Any], titles: dict[str, str]) -> str:
    """A whole HTML document; empty where nothing has a place. ``outlines`` are rejected geometries in WGS 84."""
    placed = [p for p in problems if p.lon is not None and p.lat is not None][:MARKERS]
    proposals = [shapely.from_wkt(p.proposal) for p in placed[:SHAPES] if p.proposal]
    outlines = [o for o in outlines if o is not None and not o.is_empty][:SHAPES]
    boxes = [o.bounds for o in outlines] + [(p.lon, p.lat, p.lon, p.lat) for p in placed]
    if not boxes:
        return ""
    made = board()
    _add(made, outlines, RED, "Отклонённые объекты · Rejected")
    _add(made, proposals, GREEN, "Предложенное исправление · Proposed repair")
    marks = folium.FeatureGroup(name="Места дефектов · Places of defects")
    for p in placed:
        folium.CircleMarker(
            (p.lat or 0.0, p.lon or 0.0),
            radius=6,
            weight=2,
            color=AMBER if p.warning else RED,
            fill=True,
            tooltip=f"<b>{escape(titles.get(p.code, p.code))}</b><br>строка {p.row}<br>{escape(remarks.said(p.message, 'ru')[:400])}",
        ).add_to(marks)
    marks.add_to(made)
    folium.LayerControl(collapsed=False).add_to(made)
    made.fit_bounds(
        [
            [min(b[1] for b in boxes), min(b[0] for b in boxes)],
            [max(b[3] for b in boxes), max(b[2] for b in boxes)],
        ]
    )
    return str(made.get_root().render())


def _add(made: folium.Map, shapes: Sequence[Any], colour: str, name: str) -> None:
    if not shapes:
        return
    group = folium.FeatureGroup(name=name)
    dash = "6 4" if colour == GREEN else None
    for shape in shapes:
        folium.GeoJson(
            shapely.geometry.mapping(shape),
            style_function=lambda _: {"color": colour, "weight": 1.6, "fillOpacity": 0.08, "dashArray": dash},
        ).add_to(group)
    group.add_to(made)
