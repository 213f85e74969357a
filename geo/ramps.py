"""Ramps: the colour tables in which a raster of one band may be drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


@dataclass(frozen=True)
class Ramp:
    """A colour table: ``stops`` are nine colours from the least value to the greatest, evenly spaced.

    ``own`` tables are drawn straight between their stops; the others by rio-tiler's table of that name.
    """

    name: str
    title: Mapping[str, str]
    stops: tuple[str, ...]
    own: bool = False


@cache
def ramps() -> Mapping[str, Ramp]:
    """Every colour table by its name."""
    document = yaml.safe_load(files("geo").joinpath("ramps.yaml").read_text("utf-8"))
    return {name: Ramp(name, **entry | {"stops": tuple(entry["stops"])}) for name, entry in document.items()}
