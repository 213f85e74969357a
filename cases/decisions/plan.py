"""The plan of a decision: a vector drawing at a true scale, with neighbours, grid, scale bar and numbered corners.

Everything is in millimetres of the sheet. The projection is a transverse Mercator through the middle of the ground
with scale 1 there, so that a millimetre of the drawing is exactly so many metres.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import shapely

from cases.decisions.surroundings import Neighbour
from geo.crs import WGS84, reproject

WIDTH, HEIGHT = 170.0, 150.0
# The ground fills no more than this part of the sheet, so that its neighbours are seen.
_FILLED = 0.7
SCALES = (
    500,
    1000,
    2000,
    5000,
    10_000,
    25_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_500_000,
    10_000_000,
)
# A single point has no size of its own.
_POINT_SCALE = 10_000
# Steps of the grid in seconds of arc.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18_000, 36_000)
MOST_LABELS = 60
_RED = "#b3261e"
_INK = "#17211c"


@dataclass(frozen=True)
class Frame:
    """A sheet over the ground: where its middle lies, its scale, the way from degrees to millimetres and back."""

    lon: float
    lat: float
    scale: int

    @property
    def projection(self) -> str:
        """The projection of the sheet, in metres from its middle."""
        return f"+proj=tmerc +lat_0={self.lat:.9f} +lon_0={self.lon:.9f} +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m"

    @property
    def metres(self) -> float:
        """Metres of one millimetre."""
        return self.scale / 1000

    def on_sheet(self, shape: Any) -> Any:
        """A shape of degrees in millimetres: x to the right, y downwards."""
        metres = reproject(np.array([shape], dtype=object), WGS84, self.projection)[0]
        return shapely.transform(
            metres,
            lambda xy: np.column_stack(
                (WIDTH / 2 + xy[:, 0] / self.metres, HEIGHT / 2 - xy[:, 1] / self.metres)
            ),
        )

    def box(self) -> tuple[float, float, float, float]:
        """The sheet in degrees: west, south, east, north."""
        half_x, half_y = WIDTH / 2 * self.metres, HEIGHT / 2 * self.metres
        ring = shapely.box(-half_x, -half_y, half_x, half_y).segmentize(max(half_x, half_y) / 4)
        corners = reproject(np.array([ring], dtype=object), self.projection, WGS84)[0]
        west, south, east, north = shapely.bounds(corners)
        return float(west), float(south), float(east), float(north)


def frame(ground: Any) -> Frame:
    """The largest scale at which the ground fits the sheet with its surroundings."""
    west, south, east, north = shapely.bounds(ground)
    lon, lat = float((west + east) / 2), float((south + north) / 2)
    probe = Frame(lon, lat, 1000)
    left, top, right, bottom = shapely.bounds(probe.on_sheet(ground))
    needed = 1000 * max((right - left) / (WIDTH * _FILLED), (bottom - top) / (HEIGHT * _FILLED))
    if needed <= 0:
        return Frame(lon, lat, _POINT_SCALE)
    return Frame(lon, lat, next((s for s in SCALES if s >= needed), math.ceil(needed / 1e6) * 1_000_000))


def _path(shape: Any) -> str:
    """SVG path of the areas and lines of a shape on the sheet."""
    parts = []
    for piece in shapely.get_parts(shape):
        if piece.geom_type == "Polygon":
            for ring in (piece.exterior, *piece.interiors):
                parts.append(_line(shapely.get_coordinates(ring)) + "Z")
        elif piece.geom_type == "LineString":
            parts.append(_line(shapely.get_coordinates(piece)))
        elif piece.geom_type in ("MultiPolygon", "MultiLineString", "GeometryCollection"):
            parts.append(_path(piece))
    return "".join(parts)


def _line(points: Any) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)


def draw(
    frame_: Frame, ground: Any, neighbours: Sequence[Neighbour], corners: Sequence[tuple[float, float]]
) -> str:
    """The plan as SVG; ``corners`` are the numbered points in degrees."""
    body = [
        *_beside(frame_, neighbours),
        *_grid(frame_),
        *_own(frame_, ground),
        *_numbers(frame_, corners),
        *_labels(frame_, neighbours),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}mm" height="{HEIGHT:g}mm" viewBox="0 0 {WIDTH:g} {HEIGHT:g}"'
        ' font-family="Libertinus Serif">'
        f'<defs><clipPath id="sheet"><rect width="{WIDTH:g}" height="{HEIGHT:g}"/></clipPath></defs>'
        f'<g clip-path="url(#sheet)"><rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#fbfbf8"/>{"".join(body)}</g>'
        f"{''.join(_margin(frame_))}</svg>"
    )


def _beside(frame_: Frame, neighbours: Sequence[Neighbour]) -> Iterator[str]:
    for one in neighbours:
        shape = shapely.simplify(frame_.on_sheet(one.shape), 0.03)
        style = one.style
        dash = (
            f' stroke-dasharray="{" ".join(f"{d * style.width * 0.35:.2f}" for d in style.dash)}"'
            if style.dash
            else ""
        )
        fill = min(style.fill_opacity, 0.12 if style.hatch else 0.2)
        if path := _path(shape):
            yield (
                f'<path d="{path}" fill="{style.fill}" fill-opacity="{fill:g}" fill-rule="evenodd"'
                f' stroke="{style.outline}" stroke-width="{style.width * 0.18:.2f}"{dash}/>'
            )
        if style.hatch:
            yield from _hatch(shape, style.outline)


def _hatch(shape: Any, colour: str) -> Iterator[str]:
    """Restrictions are hatched: lines at 45°, two and a half millimetres apart."""
    left, top, right, bottom = shapely.bounds(shape)
    left, top, right, bottom = max(left, -5), max(top, -5), min(right, WIDTH + 5), min(bottom, HEIGHT + 5)
    if not (left < right and top < bottom):
        return
    height = bottom - top
    lines = shapely.MultiLineString(
        [[(x, bottom), (x + height, top)] for x in np.arange(left - height, right, 2.5).tolist()]
    )
    try:
        cut = shapely.intersection(lines, shape)
    except shapely.errors.GEOSException:
        return
    if path := _path(cut):
        yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="0.12"/>'


def _own(frame_: Frame, ground: Any) -> Iterator[str]:
    """The ground itself, every vertex of it, with a halo."""
    shape = frame_.on_sheet(ground)
    if ground.geom_type == "Point":
        x, y = shapely.get_coordinates(shape)[0]
        yield f'<circle cx="{x:.2f}" cy="{y:.2f}" r="2.2" fill="#fff" stroke="{_RED}" stroke-width="0.8"/>'
        yield f'<circle cx="{x:.2f}" cy="{y:.2f}" r="0.8" fill="{_RED}"/>'
        return
    path = _path(shape)
    yield f'<path d="{path}" fill="none" stroke="#fff" stroke-width="1.8" stroke-linejoin="round"/>'
    yield (
        f'<path d="{path}" fill="{_RED}" fill-opacity="0.08" fill-rule="evenodd" stroke="{_RED}" stroke-width="0.55"'
        ' stroke-linejoin="round"/>'
    )


def _numbers(frame_: Frame, corners: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Numbered corners; where there are too many for the sheet, each so-manieth is numbered."""
    if not corners:
        return
    shape = frame_.on_sheet(shapely.MultiPoint(corners))
    points = shapely.get_coordinates(shape)
    middle = points.mean(axis=0)
    step = math.ceil(len(points) / MOST_LABELS)
    for n, (x, y) in enumerate(points, 1):
        if step == 1 or len(points) <= 400:
            yield f'<circle cx="{x:.2f}" cy="{y:.2f}" r="0.6" fill="#fff" stroke="{_RED}" stroke-width="0.3"/>'
        if (n - 1) % step == 0:
            away = np.array([x, y]) - middle
            away = away / (np.hypot(*away) or 1) * 2.6
            yield _text(x + away[0], y + away[1] + 0.9, str(n), 2.6, _RED, weight="bold")


def _text(
    x: float, y: float, text: str, size: float, colour: str, *, anchor: str = "middle", weight: str = "normal"
) -> str:
    place = f'x="{x:.2f}" y="{y:.2f}" font-size="{size:g}" text-anchor="{anchor}" font-weight="{weight}"'
    words = escape(text)
    return f'<text {place} fill="none" stroke="#fff" stroke-width="0.7" stroke-linejoin="round">{words}</text><text {place} fill="{colour}">{words}</text>'


def _labels(frame_: Frame, neighbours: Sequence[Neighbour]) -> Iterator[str]:
    """Names of neighbours where there is room for them, the large first."""
    taken: list[tuple[float, float]] = []
    sheet = shapely.box(6, 5, WIDTH - 6, HEIGHT - 12)
    shapes = [(frame_.on_sheet(n.shape), n) for n in neighbours if n.title and n.layer != "forestries"]
    for shape, one in sorted(shapes, key=lambda pair: -pair[0].area):
        part = shapely.intersection(shapely.make_valid(shape), sheet)
        if part.is_empty or part.area < 40 or len(taken) >= 40:
            continue
        x, y = shapely.get_coordinates(shapely.point_on_surface(part))[0]
        if all(abs(x - a) > 16 or abs(y - b) > 4 for a, b in taken):
            taken.append((x, y))
            yield _text(x, y, one.title[:30], 2.8, one.style.label_colour or one.style.outline)


def dms(value: float, places: int = 0) -> str:
    """Degrees, minutes, seconds."""
    sign, seconds = ("−" if value < 0 else ""), round(abs(value) * 3600, places)
    degrees, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    width = 2 if places == 0 else 3 + places
    return f"{sign}{int(degrees)}°{int(minutes):02d}′{seconds:0{width}.{places}f}″".replace(".", ",")


def _grid(frame_: Frame) -> Iterator[str]:
    """A thin grid of degrees through the sheet, some five lines each way."""
    west, south, east, north = frame_.box()
    for (low, high, crossing), upright in (
        ((west, east, (south, north)), True),
        ((south, north, (west, east)), False),
    ):
        for value in _ticks(low, high):
            ends = [(value, c) if upright else (c, value) for c in np.linspace(*crossing, 9)]
            line = shapely.get_coordinates(frame_.on_sheet(shapely.LineString(ends)))
            yield f'<path d="{_line(line)}" fill="none" stroke="{_INK}" stroke-opacity="0.35" stroke-width="0.1"/>'
            inside = [p for p in line if -20 <= p[0] <= WIDTH + 20 and -20 <= p[1] <= HEIGHT + 20]
            if len(inside) < 2:
                continue
            if upright:
                x = float(np.interp(3, line[::-1, 1], line[::-1, 0]))
                if 9 < x < WIDTH - 9:
                    yield _text(x, 3.2, dms(value), 2.3, _INK)
            else:
                y = float(np.interp(1, line[:, 0], line[:, 1]))
                if 6 < y < HEIGHT - 14:
                    yield _text(1.2, y - 0.6, dms(value), 2.3, _INK, anchor="start")


def _ticks(low: float, high: float) -> list[float]:
    span = (high - low) * 3600
    step = next((s for s in _STEPS if span / s <= 5), _STEPS[-1])
    first = math.ceil(low * 3600 / step)
    return [n * step / 3600 for n in range(first, math.floor(high * 3600 / step) + 1)]


def _margin(frame_: Frame) -> Iterator[str]:
    """Frame, scale bar and north."""
    yield f'<rect x="0.15" y="0.15" width="{WIDTH - 0.3:g}" height="{HEIGHT - 0.3:g}" fill="none" stroke="{_INK}" stroke-width="0.3"/>'
    length = next(n * 10**p for p in range(6, -1, -1) for n in (5, 2, 1) if n * 10**p / frame_.metres <= 50)
    piece = length / frame_.metres / 4
    x, y = 6.0, HEIGHT - 7
    yield f'<rect x="{x - 3:g}" y="{y - 5:g}" width="{piece * 4 + 13:.2f}" height="9" fill="#fff" fill-opacity="0.85"/>'
    for n in range(4):
        fill = _INK if n % 2 == 0 else "#fff"
        yield f'<rect x="{x + n * piece:.3f}" y="{y:g}" width="{piece:.3f}" height="1.4" fill="{fill}" stroke="{_INK}" stroke-width="0.15"/>'
    unit, divisor = ("км", 1000) if length >= 1000 else ("м", 1)
    for n in (0, 2, 4):
        value = f"{length * n / 4 / divisor:g}".replace(".", ",")
        yield _text(x + n * piece, y - 1, value + (f" {unit}" if n == 4 else ""), 2.5, _INK)
    yield f'<path d="M{WIDTH - 8:g} 14L{WIDTH - 6:g} 6L{WIDTH - 4:g} 14L{WIDTH - 6:g} 12Z" fill="{_INK}"/>'
    yield _text(WIDTH - 6, 17.5, "С", 3, _INK, weight="bold")
