"""Symbols on paper: the fill, outline and hatch of a layer as SVG, from the same registry as those of the screen."""

from collections.abc import Iterator
from html import escape
from itertools import pairwise
from typing import Any

import shapely

from geo.layers import Layer
from geo.sheet.content import Content

# A pixel of the screen's style is this wide on paper, in mm.
PIXEL = 0.2


def path_of(shape: Any) -> str:
    """Commands of an SVG path: rings of polygons, in millimetres to a hundredth."""
    parts: list[str] = []
    for polygon in shapely.get_parts(shape):
        if polygon.geom_type != "Polygon":
            continue
        for ring in (polygon.exterior, *polygon.interiors):
            places = shapely.get_coordinates(ring)[:-1]
            parts.append("M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in places) + "Z")
    return "".join(parts)


def width_of(pixels: float, zoom: float) -> float:
    """Width of a line in mm; thinner on small scales, as on the screen."""
    stops = ((5, 0.4), (9, 0.6), (11, 0.9), (14, 1.3))
    for (z0, f0), (z1, f1) in pairwise(stops):
        if zoom <= z1:
            return pixels * PIXEL * (f0 + (f1 - f0) * max(zoom - z0, 0) / (z1 - z0))
    return pixels * PIXEL * stops[-1][1]


def hatch(target: Layer) -> str:
    """The definition of a hatched layer's pattern."""
    return (
        f'<pattern id="hatch-{target.name}" width="1.3" height="1.3" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<path d="M0.65 -1V3" stroke="{target.style.fill}" stroke-width="0.16"/></pattern>'
    )


def _look(target: Layer, row: Any) -> tuple[str, float]:
    """Colour and opacity of an object's fill."""
    style = target.style
    if style.hatch:
        return f"url(#hatch-{target.name})", style.fill_opacity + 0.3
    if not style.fill_by:
        return style.fill, style.fill_opacity
    depth = style.depths.get(row[style.depth_by] or "", 0.6) if style.depth_by else 1
    return style.colours.get(row[style.fill_by] or "", style.fill), round(style.fill_opacity * depth, 3)


def _fills(content: Content) -> Iterator[str]:
    target = content.layer
    if target.style.fill_by:
        # A coverage: objects of one look are one path, which keeps the file small.
        classes: dict[tuple[str, float], list[str]] = {}
        for row, shape in zip(content.rows, content.shapes, strict=True):
            classes.setdefault(_look(target, row), []).append(path_of(shape))
        paths = [(look, "".join(parts)) for look, parts in classes.items()]
    else:
        paths = [
            (_look(target, row), path_of(shape))
            for row, shape in zip(content.rows, content.shapes, strict=True)
        ]
    for (colour, opacity), path in paths:
        if path and opacity:
            yield f'<path d="{path}" fill="{colour}" fill-opacity="{opacity:g}" fill-rule="evenodd"/>'


def drawn(content: Content, zoom: float) -> Iterator[str]:
    """The objects of a layer without their labels."""
    target, style = content.layer, content.layer.style
    if target.geometry == "POINT":
        radius = style.radius * PIXEL
        for x, y in shapely.get_coordinates(content.shapes):
            yield f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:g}" fill="{style.fill}" stroke="{style.outline}" stroke-width="{style.width * PIXEL:g}"/>'
        return
    yield from _fills(content)
    if style.fade and zoom < style.fade + 0.5:
        return
    lines = "".join(path_of(shape) for shape in content.shapes)
    width = width_of(style.width, zoom)
    if style.casing:
        yield f'<path d="{lines}" fill="none" stroke="{style.casing}" stroke-width="{width + 0.5:.3f}" stroke-linejoin="round"/>'
    dash = f' stroke-dasharray="{" ".join(f"{d * width:.2f}" for d in style.dash)}"' if style.dash else ""
    yield f'<path d="{lines}" fill="none" stroke="{style.outline}" stroke-width="{max(width, 0.08):.3f}" stroke-linejoin="round"{dash}/>'


def sample(target: Layer, x: float, y: float, *, code: str = "") -> str:
    """The symbol of a layer, or of one of its classes, 8 × 5 mm, for the legend."""
    style = target.style
    if target.geometry == "POINT":
        return f'<circle cx="{x + 4:.2f}" cy="{y + 2.5:.2f}" r="{style.radius * PIXEL:g}" fill="{style.fill}" stroke="{style.outline}" stroke-width="{style.width * PIXEL:g}"/>'
    fill, opacity = (
        _look(target, {style.fill_by: code, style.depth_by: "mature"}) if style.fill_by else _look(target, {})
    )
    dash = (
        f' stroke-dasharray="{" ".join(f"{d * style.width * PIXEL:.2f}" for d in style.dash)}"'
        if style.dash
        else ""
    )
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="8" height="5" fill="{fill}" fill-opacity="{opacity:g}"'
        f' stroke="{escape(style.outline)}" stroke-width="{max(style.width * PIXEL, 0.12):.2f}"{dash}/>'
    )
