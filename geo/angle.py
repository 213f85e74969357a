"""Angles as people write them: 72°03'04" с.ш., N 56 08 04.5, 42°25'13,2"Е, 55,1234, or degrees, minutes, seconds."""

import math
import re
from dataclasses import dataclass
from typing import Literal

Axis = Literal["lat", "lon"]

# Longest first; «Е» and «С» come in Cyrillic and Latin alike.  Latin S is south, Cyrillic С is north.
_HEMISPHERES: tuple[tuple[str, Axis, int], ...] = (
    (r"северной\s+широты|сев\.?\s*ш(?:ир)?\.?|с\.?\s*ш\.?", "lat", 1),
    (r"южной\s+широты|ю\.?\s*ш\.?", "lat", -1),
    (r"восточной\s+долготы|вост\.?\s*д(?:олг)?\.?|в\.?\s*д\.?", "lon", 1),
    (r"западной\s+долготы|з\.?\s*д\.?", "lon", -1),
    (r"N|С", "lat", 1),
    (r"S|Ю", "lat", -1),
    (r"E|Е|В", "lon", 1),
    (r"W|З", "lon", -1),
)
_NUMBER = r"\d{1,3}(?:[.,]\d+)?"
_DEGREE, _MINUTE, _SECOND = "[°º˚]|гр(?:ад)?\\.?", "['′’`´]|мин\\.?", "[\"″”“]|''|′′|’’|сек\\.?"
_ANGLE = (
    rf"(?P<sign>[-−+])?\s*(?P<deg>{_NUMBER})\s*(?:{_DEGREE}|\s|$)\s*"
    rf"(?:(?P<min>{_NUMBER})\s*(?:{_MINUTE}|\s|$)\s*(?:(?P<sec>{_NUMBER})\s*(?:{_SECOND})?)?)?"
)
_HEMISPHERE = "|".join(f"(?P<{{place}}{i}>{pattern})" for i, (pattern, _, _) in enumerate(_HEMISPHERES))
ANGLE = re.compile(
    rf"\s*(?:{_HEMISPHERE.replace('{place}', 'before')})?\s*{_ANGLE}\s*(?:{_HEMISPHERE.replace('{place}', 'after')})?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Angle:
    """Degrees with sign, and the axis where the text says it."""

    degrees: float
    axis: Axis | None


def of_parts(degrees: float, minutes: float = 0.0, seconds: float = 0.0, sign: int = 1) -> float:
    """Degrees of degrees, minutes and seconds; ValueError where minutes or seconds reach 60."""
    if not all(map(math.isfinite, (degrees, minutes, seconds))):
        raise ValueError("an angle must be a finite number")
    if not (0 <= minutes < 60 and 0 <= seconds < 60):
        raise ValueError("minutes and seconds must be less than 60")
    if degrees < 0 or math.copysign(1, degrees) < 0:
        sign, degrees = -sign, -degrees
    return sign * (degrees + minutes / 60 + seconds / 3600)


def parse(text: str) -> Angle:
    """The angle that a text writes; ValueError with the reason where it writes none."""
    match = ANGLE.fullmatch(text)
    if match is None:
        raise ValueError(f"“{text.strip()[:40]}” is no angle")
    return _angle(match)


def _angle(match: re.Match[str]) -> Angle:
    found = [
        (axis, sign)
        for i, (_, axis, sign) in enumerate(_HEMISPHERES)
        if match[f"before{i}"] or match[f"after{i}"]
    ]
    if len(found) > 1:
        raise ValueError("an angle has one hemisphere")
    axis, sign = found[0] if found else (None, 1)
    if match["sign"] in ("-", "−"):
        sign = -sign
    numbers = [float(match[name].replace(",", ".")) if match[name] else 0.0 for name in ("deg", "min", "sec")]
    value = of_parts(numbers[0], numbers[1], numbers[2], sign)
    if abs(value) > (90 if axis == "lat" else 360):
        raise ValueError(f"{value:g}° cannot be meant")
    return Angle(value, axis)


def pairs(text: str) -> list[tuple[float, float]]:
    """Longitude–latitude pairs of a running text in which every angle names its hemisphere.

    «1 42°25'13.235"N 47°09'42.698"Е 2 …» or «72°03'04" северной широты и 65°10'34" восточной долготы;».
    """
    lats: list[float] = []
    lons: list[float] = []
    for match in _RUNNING.finditer(text):
        angle = parse(match[0])
        (lats if angle.axis == "lat" else lons).append(angle.degrees)
    if len(lats) != len(lons):
        raise ValueError(f"{len(lats)} latitudes stand against {len(lons)} longitudes")
    return list(zip(lons, lats, strict=True))


_RUNNING = re.compile(
    rf"{_NUMBER}\s*(?:{_DEGREE})\s*(?:{_NUMBER}\s*(?:{_MINUTE})\s*(?:{_NUMBER}\s*(?:{_SECOND}))?)?\s*"
    rf"(?:{'|'.join(pattern for pattern, _, _ in _HEMISPHERES)})",
    re.IGNORECASE,
)
