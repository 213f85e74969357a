"""A problem: something wrong with a row, its place and its cure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Something wrong with a row: a rejected row has at least one problem that is not a warning.

    ``lon``/``lat`` place it in WGS 84; ``value`` holds the place or the text as the source has it. For a defect of
    a geometry ``proposal`` is the repaired geometry (WKT, WGS 84) and the areas are in m².
    """

    row: int
    code: str
    field: str
    value: str
    message: str
    remedy: str
    warning: bool = False
    lon: float | None = None
    lat: float | None = None
    proposal: str | None = None
    area_before_m2: float | None = None
    area_after_m2: float | None = None
