"""Paper: its sizes, where the map, its title and its legend lie on it, and the scales that are printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from geo.errors import ParameterError

SCALES = (5_000, 10_000, 25_000, 50_000, 100_000, 200_000)


@dataclass(frozen=True)
class Box:
    """A rectangle of the paper in millimetres from its upper left corner."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Right edge, mm."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Lower edge, mm."""
        return self.top + self.height


@dataclass(frozen=True)
class Paper:
    """A format: the whole sheet, the map on it and the legend beside or below it, in millimetres."""

    name: str
    title: Mapping[str, str]
    sheet: Box
    map: Box
    legend: Box


def _paper(name: str, ru: str, en: str, width: float, height: float) -> Paper:
    sheet = Box(0, 0, width, height)
    if width > height:
        map_box = Box(16, 24, width - 16 - 66, height - 24 - 22)
        legend = Box(map_box.right + 9, 24, 52, height - 24 - 10)
    else:
        map_box = Box(16, 24, width - 26, height - 24 - 78)
        legend = Box(16, map_box.bottom + 16, width - 26, 50)
    return Paper(name, MappingProxyType({"ru": ru, "en": en}), sheet, map_box, legend)


PAPERS: Mapping[str, Paper] = MappingProxyType(
    {
        paper.name: paper
        for paper in (
            _paper("a4-landscape", "А4, альбомный", "A4, landscape", 297, 210),
            _paper("a4-portrait", "А4, книжный", "A4, portrait", 210, 297),
            _paper("a3-landscape", "А3, альбомный", "A3, landscape", 420, 297),
            _paper("a3-portrait", "А3, книжный", "A3, portrait", 297, 420),
        )
    }
)


def paper_named(name: str) -> Paper:
    """The format of that name; ParameterError names the ones there are."""
    if name not in PAPERS:
        raise ParameterError(
            f"There is no paper “{name[:40]}”.",
            f"There are: {', '.join(PAPERS)}.",
            field="paper",
            value=name[:40],
        )
    return PAPERS[name]


def checked_scale(scale: int) -> int:
    """The denominator; ParameterError where it is not printed."""
    if scale not in SCALES:
        raise ParameterError(
            f"1:{scale} is not printed.",
            f"Choose one of: {', '.join(f'1:{s}' for s in SCALES)}.",
            field="scale",
            value=str(scale),
        )
    return scale
