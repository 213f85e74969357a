"""Labels on paper: each stands inside its object, none over another, those of rights first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import shapely

from geo.sheet.content import Content
from geo.sheet.paper import Box

INK, PAPER = "#17211c", "#fbfbf8"
# Width of a letter and distance of lines, in sizes.
_LETTER, _LINE = 0.56, 1.15
_LONGEST = 18


def text_of(rule: str, row: Mapping[str, Any]) -> str:
    """A label by its rule; an area is in hectares with one decimal, written as in Russian."""
    hectares = f"{(row.get('area_m2') or 0) / 10_000:.1f}".replace(".", ",")
    parts = rule.replace("}", "{").split("{")
    filled = [
        hectares if part == "area_ha" else str(row.get(part) or "") if i % 2 else part
        for i, part in enumerate(parts)
    ]
    return "".join(filled).strip()


def lines_of(text: str) -> list[str]:
    """A text in short lines, broken between words."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < _LONGEST:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


@dataclass
class Labels:
    """The labels of a sheet; places are millimetres of the paper."""

    within: Box
    _taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def _free(self, box: tuple[float, float, float, float]) -> bool:
        left, top, right, bottom = box
        area = self.within
        if left < area.left or right > area.right or top < area.top or bottom > area.bottom:
            return False
        return not any(left < r and l_ < right and top < b and t < bottom for l_, t, r, b in self._taken)

    def of(self, content: Content, zoom: float) -> Iterator[str]:
        """Labels of a layer, the largest objects first; small objects whose label would not fit have none."""
        style = content.layer.style
        if zoom < style.label_zoom or not len(content.shapes):
            return
        size = 2.5 if style.label_bold else 2.1
        point = content.layer.geometry == "POINT"
        areas = shapely.area(content.shapes)
        middles = shapely.get_coordinates(shapely.point_on_surface(content.shapes))
        colour = INK if style.fill_by else style.fill if point else style.label_colour or style.outline
        weight = 700 if style.label_bold else 500 if style.caps else 400
        look = f'font-size="{size}" font-weight="{weight}" fill="{colour}"'
        for i in np.argsort(-areas):
            lines = lines_of(text_of(style.label, content.rows[i]))
            if style.caps:
                lines = [line.upper() for line in lines]
            x, y = float(middles[i][0]), float(middles[i][1]) + (size * 1.4 if point else 0)
            half, high = self._size(lines, size)
            if not lines or (not point and areas[i] < 2.2 * half * high):
                continue
            box = (x - half - 0.4, y - high / 2 - 0.2, x + half + 0.4, y + high / 2 + 0.2)
            if self._free(box):
                self._taken.append(box)
                yield self._written(lines, (x, y - high / 2), size, look)

    @staticmethod
    def _size(lines: Sequence[str], size: float) -> tuple[float, float]:
        return max(map(len, lines), default=0) * size * _LETTER / 2, len(lines) * size * _LINE

    @staticmethod
    def _written(lines: Sequence[str], at: tuple[float, float], size: float, look: str) -> str:
        x, top = at
        return "".join(
            f'<text x="{x:.2f}" y="{top + size * (_LINE * n + 0.9):.2f}" text-anchor="middle" {look}'
            f' stroke="{PAPER}" stroke-width="0.55" stroke-linejoin="round" paint-order="stroke">{escape(line)}</text>'
            for n, line in enumerate(lines)
        )
