"""The one registry of layers: table, titles, properties, zooms, access, style."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

import yaml
from sqlalchemy import ColumnElement, Date, Double, Integer

from geo.errors import UnknownLayerError
from geo.models import LAYER_MODELS, Version

Locale = Literal["ru", "en"]


class Access(IntEnum):
    """Who sees a layer, or an object narrower than its layer; the number is the rank that a caller needs."""

    public = 0
    registered = 1
    restricted = 2
    sealed = 3


@dataclass(frozen=True)
class Property:
    """A column that people see: type is one of ``text``, ``integer``, ``number``, ``date``."""

    name: str
    type: str
    title: Mapping[str, str]
    unit: str = ""
    dictionary: str = ""


@dataclass(frozen=True)
class Style:
    """The one symbol of a layer: fill + outline + label rule, used by map, legend, print and report."""

    outline: str
    width: float
    fill: str
    fill_opacity: float
    label: str
    label_zoom: float
    label_bold: bool = False
    label_colour: str = ""
    label_once: bool = False
    caps: bool = False
    fade: float = 0
    dash: tuple[float, ...] = ()
    casing: str = ""
    hatch: bool = False
    radius: float = 0
    fill_by: str = ""
    colours: Mapping[str, str] = field(default_factory=dict)
    depth_by: str = ""
    depths: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Right:
    """Columns that say under which paper a right stands and for how long; "" where the layer has no such column."""

    paper: str = ""
    begins: str = ""
    ends: str = ""
    # Codes of ``status`` under which the right no longer holds, whatever its dates say.
    ended: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """One layer: also the OGC collection id, the tile layer name and the table name."""

    name: str
    title: Mapping[str, str]
    one: Mapping[str, str]
    group: str
    access: Access
    geometry: str
    properties: tuple[Property, ...]
    title_of: tuple[str, ...]
    subtitle_of: tuple[str, ...]
    search: tuple[str, ...]
    filters: tuple[str, ...]
    tile: tuple[str, ...]
    zoom: tuple[int, int]
    area: str
    style: Style
    shown: bool = True
    right: Right | None = None

    def property_named(self, name: str) -> Property:
        """The property of that name; KeyError where the layer has none."""
        return next(p for p in self.properties if p.name == name)

    @property
    def held(self) -> bool:
        """Whether its objects have a holder."""
        return any(p.name == "holder_inn" for p in self.properties)


def _type_of(column: ColumnElement[Any]) -> str:
    if isinstance(column.type, Integer):
        return "integer"
    if isinstance(column.type, Double):
        return "number"
    return "date" if isinstance(column.type, Date) else "text"


# Columns of every layer that close the list of its properties, in this order.
_TAIL = ("area_m2", "area_declared_m2", "area_method", "region", "key")


def _properties(model: type[Version]) -> tuple[Property, ...]:
    columns = {c.name: c for c in model.__table__.columns if "ru" in c.info}
    own = [name for name in columns if name not in _TAIL and name not in ("holder", "holder_inn")]
    holder = [name for name in ("holder", "holder_inn") if name in columns]
    # The address in the forest comes after what the object is, the holder right after its first three facts.
    ordered = [*own[:3], *holder, *own[3:], *_TAIL]
    return tuple(
        Property(
            name=name,
            type=_type_of(columns[name]),
            title=MappingProxyType({"ru": columns[name].info["ru"], "en": columns[name].info["en"]}),
            unit=columns[name].info["unit"],
            dictionary=columns[name].info["dictionary"],
        )
        for name in ordered
    )


def _layer(model: type[Version], entry: dict[str, Any]) -> Layer:
    style = {**entry["style"], "dash": tuple(entry["style"].get("dash", ()))}
    lists = {k: tuple(entry[k]) for k in ("title_of", "subtitle_of", "search", "filters", "tile")}
    return Layer(
        name=model.__tablename__,
        title=entry["title"],
        one=entry["one"],
        group=entry["group"],
        access=Access[entry["access"]],
        geometry=model.geometry_type,
        properties=_properties(model),
        zoom=(entry["zoom"][0], entry["zoom"][1]),
        area=entry["area"],
        shown=entry.get("shown", True),
        style=Style(**style),
        right=_right(entry.get("right")),
        **lists,
    )


def _right(entry: dict[str, Any] | None) -> Right | None:
    return Right(**entry | {"ended": tuple(entry.get("ended", ()))}) if entry else None


@cache
def all_layers() -> Mapping[str, Layer]:
    """Every layer by name, in the order of the design page."""
    entries = yaml.safe_load(files("geo").joinpath("layers.yaml").read_text("utf-8"))
    return MappingProxyType({m.__tablename__: _layer(m, entries[m.__tablename__]) for m in LAYER_MODELS})


@cache
def model_of(name: str) -> type[Version]:
    """The typed table of a layer."""
    return next(m for m in LAYER_MODELS if m.__tablename__ == name)


def layer(name: str) -> Layer:
    """The layer of that name; UnknownLayerError names the ones there are."""
    found = all_layers().get(name)
    if found is None:
        raise UnknownLayerError(
            f"There is no layer “{name[:60]}”.",
            f"The layers are: {', '.join(all_layers())}.",
            field="layer",
            value=name[:60],
        )
    return found


# Order in which overlapping objects are listed and layers drawn: rights above restrictions above forest.
GROUPS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "rights": {"ru": "Права", "en": "Rights"},
        "subsoil": {"ru": "Недра", "en": "Subsoil"},
        "waste": {"ru": "Отходы", "en": "Waste"},
        "restrictions": {"ru": "Ограничения", "en": "Restrictions"},
        "forest": {"ru": "Лес", "en": "Forest"},
        "land": {"ru": "Земля", "en": "Land"},
        "base": {"ru": "Территория", "en": "Territory"},
    }
)
# Drawn from below: territory, forest, land, restrictions, subsoil, rights, points.
DRAWN = (
    "municipalities",
    "forestries",
    "stands",
    "quarters",
    "parcels",
    "deposits",
    "zones",
    "forest_plots",
    "cutting_areas",
    "leases",
    "licences",
    "waste_sites",
)
