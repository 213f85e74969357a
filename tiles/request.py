"""What a tile's address means: layers, place in the grid, moment, attributes."""

import re
from functools import lru_cache
from urllib.parse import parse_qsl

from geo.errors import ParameterError
from geo.layers import layer
from geo.moment import Moment, parse
from tiles.filtered import Filter, condition_of
from tiles.vector import TileQuery

PATH = re.compile(r"/tiles/([^/]+)/([^/]+)/([^/]+)/([^/]+)\.mvt")
PARAMETERS = ("datetime", "as_of", "properties", "filter", "filter-lang", "v")


def layers_of(text: str) -> tuple[str, ...]:
    """Names of a comma-separated list; UnknownLayerError names the first that there is not."""
    names = tuple(dict.fromkeys(part for part in text.split(",") if part))
    if not names:
        raise ParameterError(
            "No layer is named.", "Name one or several layers, separated by commas.", field="layers"
        )
    for name in names:
        layer(name)
    return names


def address(z: str, x: str, y: str, deepest: int) -> tuple[int, int, int]:
    """Zoom, column and row of a tile; ParameterError where it lies outside the grid."""
    try:
        zoom, column, row = int(z), int(x), int(y)
    except ValueError:
        raise ParameterError(
            f"{z}/{x}/{y} is no tile.",
            "Write whole numbers: /tiles/LAYER/ZOOM/COLUMN/ROW.mvt.",
            field="tile",
            value=f"{z}/{x}/{y}"[:60],
        ) from None
    if not 0 <= zoom <= deepest:
        raise ParameterError(
            f"Zoom {zoom} is outside 0…{deepest}.",
            f"Choose a zoom from 0 to {deepest}.",
            field="z",
            value=str(zoom)[:20],
        )
    side = 1 << zoom
    if not (0 <= column < side and 0 <= row < side):
        raise ParameterError(
            f"Tile {zoom}/{column}/{row} is outside the grid.",
            f"At zoom {zoom} columns and rows run from 0 to {side - 1}.",
            field="tile",
            value=f"{zoom}/{column}/{row}"[:60],
        )
    return zoom, column, row


def query_of(path: str, text: str, today: Moment, deepest: int) -> TileQuery | None:
    """The query of a path and its query string; None where the path is no tile's."""
    match = PATH.fullmatch(path)
    if not match:
        return None
    names, moment, properties, wanted = _meaning(match[1], text, today)
    return TileQuery(names, *address(match[2], match[3], match[4], deepest), moment, properties, wanted)


@lru_cache(maxsize=128)
def _meaning(
    names: str, text: str, today: Moment
) -> tuple[tuple[str, ...], Moment, tuple[str, ...] | None, Filter | None]:
    """Layers, moment, attributes and filter: the same for every tile of a map, so read once."""
    layers = layers_of(names)
    if not text:
        return layers, today, None, None
    given = _parameters(text)
    moment = parse(given.get("datetime"), given.get("as_of"), today)
    return layers, moment, _properties(layers, given.get("properties")), _filter(layers, given)


def _filter(names: tuple[str, ...], given: dict[str, str]) -> Filter | None:
    """The filter, which every layer must understand."""
    text = given.get("filter")
    if not text:
        return None
    wanted = Filter(text, given.get("filter-lang") or "cql2-text")
    for name in names:
        condition_of(name, wanted)
    return wanted


def _parameters(text: str) -> dict[str, str]:
    given = dict(parse_qsl(text, keep_blank_values=True))
    unknown = sorted(set(given) - set(PARAMETERS))
    if unknown:
        raise ParameterError(
            f"The parameter “{unknown[0][:40]}” is unknown.",
            f"Tiles take {', '.join(PARAMETERS[:-1])}.",
            field=unknown[0][:40],
        )
    return given


def _properties(names: tuple[str, ...], text: str | None) -> tuple[str, ...] | None:
    """Attributes of ``properties=a,b``, each known to one layer at least; an empty text leaves the id alone."""
    if text is None:
        return None
    wanted = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    known = {p.name for name in names for p in layer(name).properties}
    for name in wanted:
        if name not in known:
            raise ParameterError(
                f"None of the layers has an attribute “{name[:40]}”.",
                f"They have: {', '.join(sorted(known))}.",
                field="properties",
                value=name[:40],
            )
    return wanted
