"""The margin of a sheet: frame, grid, corner coordinates, scale bar, legend, title and what the sheet is about."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import shapely

from geo.dictionaries import dictionary
from geo.layers import Layer
from geo.sheet import symbols
from geo.sheet.content import Content
from geo.sheet.frame import Frame
from geo.sheet.kilometres import Kilometres
from geo.sheet.labels import INK, PAPER
from geo.sheet.words import Words

_GRID = "#2459a6"
_ROW = 6.6


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: float = 2.6,
    anchor: str = "start",
    weight: int = 400,
    colour: str = INK,
) -> str:
    """A line of text; ``y`` is its base line."""
    return f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def frame_lines(frame: Frame) -> str:
    """The neat line around the map, double as on topographic sheets."""
    a = frame.paper.map
    return (
        f'<rect x="{a.left}" y="{a.top}" width="{a.width}" height="{a.height}" fill="none" stroke="{INK}" stroke-width="0.35"/>'
        f'<rect x="{a.left - 1.2}" y="{a.top - 1.2}" width="{a.width + 2.4}" height="{a.height + 2.4}" fill="none" stroke="{INK}" stroke-width="0.12"/>'
    )


def grid(frame: Frame, words: Words) -> Iterator[str]:
    """Meridians and parallels across the map, with their degrees outside of the frame."""
    a = frame.paper.map
    area = shapely.box(a.left, a.top, a.right, a.bottom)
    for axis, value, line in frame.grid():
        inside = shapely.intersection(line, area)
        places = shapely.get_coordinates(inside)
        if len(places) < 2:
            continue
        path = "L".join(f"{x:.2f} {y:.2f}" for x, y in places)
        yield f'<path d="M{path}" fill="none" stroke="{_GRID}" stroke-width="0.1" stroke-opacity="0.75"/>'
        name = words.angle(value, axis="lon" if axis == "lon" else "lat")
        if axis == "lon":
            top, bottom = min(places, key=lambda p: p[1]), max(places, key=lambda p: p[1])
            if top[1] <= a.top + 0.01 and a.left + 44 < top[0] < a.right - 44:
                yield text(top[0], a.top - 2, name, size=2.1, anchor="middle", colour=_GRID)
            if bottom[1] >= a.bottom - 0.01 and a.left + 44 < bottom[0] < a.right - 44:
                yield text(bottom[0], a.bottom + 3.6, name, size=2.1, anchor="middle", colour=_GRID)
        else:
            left = min(places, key=lambda p: p[0])
            if left[0] <= a.left + 0.01 and a.top + 8 < left[1] < a.bottom - 8:
                yield (
                    f'<g transform="translate({a.left - 2:.2f} {left[1]:.2f}) rotate(-90)">'
                    f"{text(0, 0, name, size=2.1, anchor='middle', colour=_GRID)}</g>"
                )


def kilometres(frame: Frame, words: Words) -> Iterator[str]:
    """Crosses of the kilometre grid, with their kilometres at the right and the upper edge."""
    found = Kilometres.of(frame)
    if found is None:
        return
    a = frame.paper.map
    arms = "".join(f"M{x - 1.5:.2f} {y:.2f}h3M{x:.2f} {y - 1.5:.2f}v3" for x, y in found.crosses())
    yield f'<path d="{arms}" fill="none" stroke="{INK}" stroke-width="0.12"/>'
    for axis, metres, x, y in found.ends():
        name = words.number(metres / 1000, 1)
        if axis == "x" and a.top + 12 < y < a.bottom - 12:
            yield f'<path d="M{a.right - 2:.2f} {y:.2f}h2" stroke="{INK}" stroke-width="0.12"/>'
            yield _haloed(a.right - 2.6, y + 0.7, name, "end")
        elif axis == "y" and a.left + 12 < x < a.right - 16:
            yield f'<path d="M{x:.2f} {a.top:.2f}v2" stroke="{INK}" stroke-width="0.12"/>'
            yield _haloed(x, a.top + 4.4, name, "middle")


def _haloed(x: float, y: float, words: str, anchor: str) -> str:
    """Text over the map: once as a pale border, once as itself."""
    look = f'x="{x:.2f}" y="{y:.2f}" font-size="1.9" text-anchor="{anchor}"'
    return (
        f'<text {look} fill="{PAPER}" stroke="{PAPER}" stroke-width="0.7" stroke-linejoin="round">{escape(words)}</text>'
        f'<text {look} fill="{INK}">{escape(words)}</text>'
    )


def corners(frame: Frame, words: Words) -> str:
    """Latitude and longitude of the four corners, to a tenth of a second."""
    a = frame.paper.map
    upper_left, upper_right, lower_right, lower_left = (
        f"{words.angle(lat, axis='lat', seconds=1)}  {words.angle(lon, axis='lon', seconds=1)}"
        for lon, lat in frame.corners()
    )
    look: dict[str, Any] = {"size": 2.1}
    return (
        text(a.left, a.top - 2, upper_left, **look)
        + text(a.right, a.top - 2, upper_right, anchor="end", **look)
        + text(a.left, a.bottom + 3.6, lower_left, **look)
        + text(a.right, a.bottom + 3.6, lower_right, anchor="end", **look)
    )


def scale_bar(frame: Frame, words: Words) -> str:
    """Four parts of a round length, black and white, with their metres or kilometres on the ground."""
    a = frame.paper.map
    part = max(m * 10**k for k in range(1, 5) for m in (1, 2, 2.5, 5) if m * 10**k * 1000 / frame.scale <= 18)
    wide = part * 1000 / frame.scale
    x, y = a.left, a.bottom + 9.5
    unit, share = (words("kilometres"), 1000) if part * 4 >= 1000 else (words("metres"), 1)
    blocks = "".join(
        f'<rect x="{x + i * wide:.4f}" y="{y}" width="{wide:.4f}" height="1.4" fill="{INK if i % 2 == 0 else PAPER}" stroke="{INK}" stroke-width="0.15"/>'
        for i in range(4)
    )
    figures = "".join(
        text(
            x + i * wide,
            y - 0.9,
            words.number(part * i / share, 3) + (f" {unit}" if i == 4 else ""),
            size=2.1,
            anchor="middle",
        )
        for i in range(5)
    )
    name = f"{words('scale')} {words.scale(frame.scale)}, {words('centimetre', metres=words.number(frame.scale / 100))}"
    return blocks + figures + text(x + 4 * wide + 12, y + 1.3, name, size=2.8, weight=500)


def legend(frame: Frame, contents: Sequence[Content], words: Words) -> Iterator[str]:
    """Symbols of the layers that the map really shows, with their classes."""
    box = frame.paper.legend
    yield text(box.left, box.top + 2.4, words("legend"), size=3.2, weight=700)
    entries = [
        entry for content in reversed(contents) if len(content.shapes) for entry in _entries(content, words)
    ]
    if not entries:
        yield text(box.left, box.top + 9, words("nothing"), size=2.2)
    columns = max(1, int(box.width // 58))
    rows = int((box.height - 8) // _ROW)
    wide = box.width / columns
    for n, (target, code, name) in enumerate(entries[: rows * columns]):
        x, y = box.left + (n // rows) * wide, box.top + 6 + (n % rows) * _ROW
        if n == rows * columns - 1 and len(entries) > rows * columns:
            yield text(x, y + 3.5, words("more", count=len(entries) - n), size=2.3)
            return
        yield symbols.sample(target, x, y, code=code)
        for line, part in enumerate(_wrapped(name)):
            yield text(x + 10.5, y + (2.2 if len(_wrapped(name)) > 1 else 3.4) + line * 2.7, part, size=2.3)


def _entries(content: Content, words: Words) -> Iterator[tuple[Layer, str, str]]:
    style = content.layer.style
    if not style.fill_by:
        yield content.layer, "", content.layer.title[words.locale]
        return
    codes = dictionary(content.layer.property_named(style.fill_by).dictionary)
    present = {row[style.fill_by] for row in content.rows}
    for code in style.colours:
        if code in present:
            yield content.layer, code, f"{content.layer.one[words.locale]}: {codes[code][words.locale]}"


def _wrapped(name: str, longest: int = 30) -> list[str]:
    lines = [""]
    for word in name.split():
        if lines[-1] and len(lines[-1]) + len(word) >= longest:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines[:2]
