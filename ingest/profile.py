"""Profiles: how a register's columns become a layer's fields. A new register is a new YAML file and no code."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from geo.errors import UnknownLayerError
from geo.layers import layer
from ingest.errors import ProfileError

# The safe loader; written in C it is ten times as quick.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Kind = Literal["text", "integer", "number", "date", "inn", "licence_number", "cadastral_number"]
# Factors to the unit in which the register keeps a value.
UNITS: dict[str, float] = {
    "m2": 1.0,
    "ha": 1e4,
    "km2": 1e6,
    "m": 1.0,
    "km": 1e3,
    "t": 1.0,
    "kt": 1e3,
    "rub": 1.0,
}


class Strict(BaseModel):
    """No key that nobody knows, and no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldRule(Strict):
    """Where a field comes from: a source column (the first that is filled), a template or a constant."""

    from_: Annotated[list[str] | str | None, Field(alias="from")] = None
    template: str | None = None
    constant: str | float | None = None
    as_: Annotated[Kind, Field(alias="as")] = "text"
    unit: str | None = None
    unit_from: str | None = None
    values: dict[str, str] = {}
    default: str | None = None
    required: bool = False
    bad: Literal["reject", "warn"] = "reject"

    @property
    def sources(self) -> list[str]:
        """Source columns in the order in which they are asked."""
        if self.from_ is None:
            return []
        return [self.from_] if isinstance(self.from_, str) else list(self.from_)


class CrsRule(Strict):
    """What to believe about coordinates: what the file declares, a fixed system, or a name to look up."""

    policy: Literal["declared", "fixed", "by_name"] = "declared"
    fixed: str | None = None
    aliases: dict[str, str] = {}
    axes: Literal["xy", "yx"] = Field("xy", description="yx: the file has northing or latitude first")
    extent: tuple[float, float, float, float] | None = Field(
        None, description="west, south, east, north in degrees"
    )


class NeighbourRule(Strict):
    """From which size (m²) overlaps of neighbours and slivers between them are told; None: not looked for."""

    overlap_m2: float | None = Field(None, ge=0)
    sliver_m2: float | None = Field(None, ge=0, description="gaps enclosed by neighbours, up to this area")


class GeometryRule(Strict):
    """What to do with broken and missing geometry; the source geometry is kept in either case."""

    broken: Literal["repair", "reject"] = "reject"
    missing: Literal["accept", "reject"] = "reject"
    accuracy_m: float | None = Field(
        None, gt=0, description="Mt of order П/0393: the declared area may differ by 3.5·Mt·√P"
    )
    neighbours: NeighbourRule = NeighbourRule()


class ReadRule(Strict):
    """How to read a table where its content does not say: everything here overrides what is found by evidence."""

    encoding: str | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    columns: list[str] = Field([], description="names of the columns of a table without a header")
    header_rows: int | None = Field(None, ge=0, le=10)
    wkt: str | None = Field(None, description="column with well-known text")
    x: list[str] = Field([], description="columns of easting or longitude: one, or degrees, minutes, seconds")
    y: list[str] = Field([], description="columns of northing or latitude: one, or degrees, minutes, seconds")
    coordinates: str | None = Field(None, description="column with corner points as free text")
    group: list[str] = Field(
        [], description="columns that tell one object of a corner-point table from another"
    )
    contour: str | None = None
    ring: str | None = None
    order: str | None = Field(None, description="column with the number of the corner point")


class SourceRule(Strict):
    """Where the worker finds the register by itself, and how often it looks (at least every five minutes)."""

    url: str | None = None
    folder: str | None = Field(None, description="pattern of files, the newest one counts: /data/in/*.xml")
    every_minutes: int = Field(1440, ge=5)

    @model_validator(mode="after")
    def _one(self) -> "SourceRule":
        if (self.url is None) == (self.folder is None):
            raise ValueError("a source is either an url or a folder")
        return self


class Profile(Strict):
    """One register: its layer, key, fields and rules."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: dict[Literal["ru", "en"], str]
    layer: str
    reader: str | None = None
    read: ReadRule = ReadRule()
    source_layer: str | None = None
    source: SourceRule | None = None
    snapshot: Literal["full", "delta"] = "delta"
    scope: list[str] = []
    gone_limit: float = Field(0.2, ge=0, le=1)
    key: str
    region: FieldRule
    visibility: int = Field(0, ge=0, le=3)
    valid_from: str | None = None
    valid_to: str | None = None
    crs: CrsRule = CrsRule()
    geometry: GeometryRule = GeometryRule()
    fields: dict[str, FieldRule]
    keep_rest: bool = True
    bad_rows: Literal["reject", "refuse"] = Field(
        "reject", description="refuse: one bad row refuses the file"
    )

    @model_validator(mode="after")
    def _sound(self) -> "Profile":
        names = {p.name for p in layer(self.layer).properties}
        unknown = sorted(set(self.fields) - names)
        if unknown:
            raise ValueError(f"layer {self.layer} has no field {', '.join(unknown)}")
        for moment in (self.valid_from, self.valid_to):
            if moment and moment not in self.fields:
                raise ValueError(f"{moment} is used as a moment but is not among the fields")
        for name, rule in self.fields.items():
            if rule.unit and rule.unit not in UNITS:
                raise ValueError(f"{name}: unknown unit {rule.unit}; known are {', '.join(UNITS)}")
        return self


def read_yaml(text: str, origin: str) -> Any:
    """The content of a profile's file; ProfileError where it is no YAML."""
    try:
        return yaml.load(text, Loader=LOADER)  # noqa: S506 the C parser of the same safe loader
    except yaml.YAMLError as err:
        raise ProfileError(
            f"The profile {origin} is no YAML: {err}", "Correct the file.", value=origin
        ) from err


def _parse(text: str, origin: str) -> Profile:
    try:
        return Profile.model_validate(read_yaml(text, origin))
    except (ValidationError, UnknownLayerError) as err:
        raise ProfileError(
            f"The profile {origin} is not sound: {err}", "Correct the YAML file.", value=origin
        ) from err


@cache
def built_in() -> dict[str, Profile]:
    """Profiles that come with Mezha, by name."""
    found = sorted(
        (f for f in files("ingest").joinpath("profiles").iterdir() if f.name.endswith(".yaml")),
        key=lambda f: f.name,
    )
    profiles = [_parse(f.read_text("utf-8"), f.name) for f in found]
    return {p.name: p for p in profiles}


def scheduled(folder: Path | None) -> list[Profile]:
    """Profiles that name a source: built-in ones and those of the installation's own folder."""
    own = sorted(folder.glob("*.yaml")) if folder else []
    return [p for p in (*built_in().values(), *(profile(str(path)) for path in own)) if p.source]


def profile(name: str) -> Profile:
    """A built-in profile by name, or the profile in a YAML file by path."""
    if name in built_in():
        return built_in()[name]
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise ProfileError(f"There is no profile file {name}.", "Check the path.", value=name)
        return _parse(path.read_text("utf-8"), name)
    raise ProfileError(
        f"There is no profile “{name[:60]}”.",
        f"The profiles are: {', '.join(built_in())}; a path of a YAML file works too.",
        field="profile",
        value=name[:60],
    )
