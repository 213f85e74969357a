"""Words of a sheet in its language: numbers, degrees, dates and what stands in the margin."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Locale = Literal["ru", "en"]
_WORDS = {
    "legend": ("Условные обозначения", "Legend"),
    "scale": ("Масштаб", "Scale"),
    "centimetre": ("в 1 см {metres} м", "1 cm is {metres} m"),
    "metres": ("м", "m"),
    "kilometres": ("км", "km"),
    "rights": ("Права на {day}", "Rights as of {day}"),
    "known": ("по сведениям на {time}", "as known at {time}"),
    "made": ("Составлено {time}", "Made at {time}"),
    "projection": (
        "Проекция: поперечная Меркатора, осевой меридиан {lon}; координаты WGS 84",
        "Projection: transverse Mercator, central meridian {lon}; coordinates in WGS 84",
    ),
    "net": (
        "кресты: километровая сетка ГСК-2011, зона {zone}",
        "crosses: kilometre grid of GSK-2011, zone {zone}",
    ),
    "more": ("и ещё {count}", "and {count} more"),
    "title": ("Карта реестров", "Map of the registers"),
    "nothing": ("В рамке нет объектов показанных слоёв.", "No object of the layers shown lies in the frame."),
    "note": (
        "Печать в размере 100 %. Карта не заменяет выписку из реестра.",
        "Print at 100 %. The map does not replace an extract of the register.",
    ),
    "N": ("с. ш.", "N"),
    "S": ("ю. ш.", "S"),
    "E": ("в. д.", "E"),
    "W": ("з. д.", "W"),
}


@dataclass(frozen=True)
class Words:
    """The words of a language."""

    locale: Locale

    def __call__(self, name: str, **values: object) -> str:
        """A word of the margin, with its values."""
        return _WORDS[name][0 if self.locale == "ru" else 1].format(**values)

    def number(self, value: float, digits: int = 0) -> str:
        """A number with its separators."""
        text = f"{value:,.{digits}f}"
        if digits:
            text = text.rstrip("0").rstrip(".")
        return text if self.locale == "en" else text.replace(",", "\u00a0").replace(".", ",")

    def scale(self, denominator: int) -> str:
        """A scale as 1 : 50 000."""
        return f"1 : {self.number(denominator)}"

    def day(self, value: date) -> str:
        """A date."""
        return value.strftime("%d.%m.%Y") if self.locale == "ru" else f"{value.day} {value:%b %Y}"

    def time(self, value: datetime) -> str:
        """An instant with its zone as an offset from UTC."""
        offset = value.utcoffset()
        hours = (offset.total_seconds() if offset else 0) / 3600
        return f"{self.day(value)} {value:%H:%M} (UTC{hours:+g})"

    def angle(self, degrees: float, *, axis: Literal["lon", "lat"], seconds: int = -1) -> str:
        """Degrees and minutes, with ``seconds`` decimals of the seconds; −1 leaves out what is zero."""
        total = round(abs(degrees) * 3600, max(seconds, 0))
        whole, rest = divmod(total, 3600)
        minutes, left = divmod(rest, 60)
        text = f"{whole:.0f}°{minutes:02.0f}'"
        if seconds >= 0 or left:
            width = 3 + seconds if seconds > 0 else 2
            text += f"{left:0{width}.{max(seconds, 0)}f}''".replace(".", "," if self.locale == "ru" else ".")
        side = ("E" if degrees >= 0 else "W") if axis == "lon" else ("N" if degrees >= 0 else "S")
        return text if seconds < 0 else f"{text} {self(side)}"
