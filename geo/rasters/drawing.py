"""Drawing: how a raster looks on the map, as the question to its tiles and as the legend beside it.

What the catalogue says of its colours comes first; without it the kind of the raster and its measured values decide.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from geo.ramps import ramps
from geo.rasters.catalogue import Item

# Colours of a raster of one band of which nobody has said any.
USUAL = {"terrain": "relief", "index": "rdylgn", "image": "gray", "scan": "gray"}
# Ground covered by a pixel of zoom 0 on the equator, metres, in tiles of 256 pixels.
_COARSEST = 156_543.03
_DEEPEST = 20


@dataclass(frozen=True)
class View:
    """One way to look at a raster: ``query`` is what its tiles are asked, ``legend`` what its colours mean."""

    name: str
    query: str
    legend: Mapping[str, Any]


# Hills in the light of the north-west, where maps have it.
_SHADE = View("shade", "bidx=1&algorithm=shade&buffer=3&resampling=bilinear", {})


def _colour(band: Mapping[str, Any]) -> str:
    return str(band.get("colour") or "")


def shown_bands(item: Item) -> list[int]:
    """Numbers of the bands that are drawn, from 1: the first three of a picture, else the first."""
    plain = [n for n, band in enumerate(item.bands, start=1) if _colour(band) != "alpha"]
    return plain[:3] if len(plain) >= 3 else plain[:1]


def ends(item: Item, band: int) -> tuple[float, float] | None:
    """Values of a band drawn with the first and the last colour; None where nobody knows them."""
    if item.least is not None and item.greatest is not None:
        return item.least, item.greatest
    if item.bands[band - 1]["type"] == "uint8" and item.kind != "index":
        return 0.0, 255.0
    found = (item.ranges or [None] * len(item.bands))[band - 1]
    if found is None:
        return None
    least, greatest = (
        (found["least"], found["greatest"]) if item.kind == "terrain" else (found["low"], found["high"])
    )
    return (least, greatest) if least < greatest else (least - 0.5, least + 0.5)


def views(item: Item) -> list[View]:
    """Ways to look at a raster, the usual one first."""
    bands = shown_bands(item)
    if len(bands) == 1 and _colour(item.bands[0]) != "palette":
        return [_ramp(item), *([_SHADE] if item.kind == "terrain" else [])]
    values = [("bidx", str(n)) for n in bands]
    whole = all(item.bands[n - 1]["type"] == "uint8" for n in bands)
    if not whole:
        values += [("rescale", _pair(found)) for n in bands if (found := ends(item, n))]
    return [View("colours", urlencode(values, safe=","), {"bands": bands})]


def _pair(found: tuple[float, float]) -> str:
    return ",".join(f"{value:.7g}" for value in found)


def _ramp(item: Item) -> View:
    ramp = ramps()[item.colours or USUAL[item.kind]]
    values = [("bidx", "1"), ("colormap_name", ramp.name)]
    legend: dict[str, Any] = {"stops": ramp.stops, "unit": item.unit}
    if found := ends(item, 1):
        values.append(("rescale", _pair(found)))
        legend |= {"least": found[0], "greatest": found[1]}
    if item.kind == "terrain":
        # Heights change steadily: near by, a hill is no staircase of pixels.
        values.append(("resampling", "bilinear"))
    return View("values", urlencode(values, safe=","), legend)


def zooms(item: Item) -> tuple[int, int]:
    """Zooms between which tiles are worth asking for: from where it is a spot to where a pixel is one of the screen."""
    west, south, east, north = item.box
    narrowing = math.cos(math.radians((south + north) / 2))
    deepest = math.ceil(math.log2(max(_COARSEST * narrowing / item.resolution_m, 1)))
    wide = max(east - west, north - south, 1e-6) / 360 * 256
    first = math.floor(math.log2(16 / wide)) if wide < 16 else 0
    last = min(_DEEPEST, max(deepest, 0))
    return min(max(first, 0), last), last
