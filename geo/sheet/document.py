"""The sheet as a PDF: layers from below, labels above them, the margin around; vectors from end to end."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from geo.layers import DRAWN, Layer, layer
from geo.moment import Moment
from geo.sheet import margin, symbols
from geo.sheet.content import MOST, Content, load
from geo.sheet.fonts import FAMILIES
from geo.sheet.frame import Frame
from geo.sheet.kilometres import Kilometres
from geo.sheet.labels import Labels
from geo.sheet.words import Words

_GROUND = "#f7f6f0"
_PAGE = """#set page(width: {width}mm, height: {height}mm, margin: 0mm)
#set document(title: sys.inputs.title)
#set text(lang: "{lang}")
#image("map.svg", width: {width}mm, height: {height}mm, alt: sys.inputs.title)
"""


@dataclass(frozen=True)
class Order:
    """What is printed: the frame, layers with their filters as CQL2, the moment, title and language."""

    frame: Frame
    layers: Sequence[Layer]
    moment: Moment
    words: Words
    now: datetime
    title: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The title, or what the sheet is."""
        return self.title or self.words("title")


async def contents(connection: AsyncConnection, order: Order) -> list[Content]:
    """Objects of the layers that are drawn at this scale, from below."""
    found: list[Content] = []
    room = MOST
    names = {target.name for target in order.layers}
    for target in (layer(name) for name in DRAWN if name in names):
        if order.frame.zoom < target.zoom[0]:
            continue
        text = order.filters.get(target.name, "")
        found.append(await load(connection, target, order.frame, order.moment, filter_text=text, room=room))
        room -= len(found[-1].rows)
    return found


def _margin(order: Order, shown: Sequence[Content]) -> str:
    frame, words = order.frame, order.words
    sheet, area = frame.paper.sheet, frame.paper.map
    day = order.moment.last or order.now.date()
    about = words("rights", day=words.day(day))
    if order.moment.as_of:
        about += ", " + words("known", time=words.time(order.moment.as_of.astimezone(order.now.tzinfo)))
    projection = words("projection", lon=words.angle(frame.lon, axis="lon", seconds=0))
    net = Kilometres.of(frame)
    if net:
        projection += "; " + words("net", zone=net.zone)
    parts = [
        margin.text(area.left, 11, order.name, size=5, weight=700),
        margin.text(area.left, 16.5, f"{words.scale(frame.scale)} · {about}", size=3),
        margin.frame_lines(frame),
        margin.corners(frame, words),
        *margin.grid(frame, words),
        *margin.kilometres(frame, words),
        margin.scale_bar(frame, words),
        *margin.legend(frame, shown, words),
        margin.text(area.left, sheet.height - 7.5, projection, size=2.1),
        margin.text(
            area.left,
            sheet.height - 4.5,
            f"{words('made', time=words.time(order.now))}. {words('note')}",
            size=2.1,
        ),
    ]
    return "".join(parts)


def svg(order: Order, shown: Sequence[Content]) -> str:
    """The whole sheet in millimetres."""
    sheet, area = order.frame.paper.sheet, order.frame.paper.map
    zoom = order.frame.zoom
    labels = Labels(area)
    hatches = "".join(symbols.hatch(c.layer) for c in shown if c.layer.style.hatch)
    shapes = "".join(part for content in shown for part in symbols.drawn(content, zoom))
    # The last drawn is labelled first; its labels stand above all the others.
    written = [part for content in reversed(shown) for part in labels.of(content, zoom)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{sheet.width}mm" height="{sheet.height}mm"'
        f' viewBox="0 0 {sheet.width} {sheet.height}" font-family="{FAMILIES}">'
        f'<defs>{hatches}<clipPath id="map"><rect x="{area.left}" y="{area.top}" width="{area.width}" height="{area.height}"/></clipPath></defs>'
        f'<g clip-path="url(#map)"><rect x="{area.left}" y="{area.top}" width="{area.width}" height="{area.height}" fill="{_GROUND}"/>'
        f"{shapes}{''.join(reversed(written))}</g>{_margin(order, shown)}</svg>"
    )


def pdf(order: Order, shown: Sequence[Content], fonts: Path) -> bytes:
    """The PDF of a sheet; ``fonts`` is a folder of TrueType files."""
    # A start must not wait for what only sheets need.
    import typst

    sheet = order.frame.paper.sheet
    page = _PAGE.format(width=sheet.width, height=sheet.height, lang=order.words.locale)
    files: Any = {"main": page.encode(), "map.svg": svg(order, shown).encode()}
    made: bytes = typst.compile(
        files, format="pdf", font_paths=[fonts] if fonts.is_dir() else [], sys_inputs={"title": order.name}
    )
    return made


async def printed(order: Order, shown: Sequence[Content], fonts: Path) -> bytes:
    """`pdf` beside the event loop."""
    return await asyncio.to_thread(pdf, order, shown, fonts)
