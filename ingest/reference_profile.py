"""The profile of a reference list: which columns are its code, its title and the code above."""

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field, ValidationError

from ingest.errors import ProfileError
from ingest.profile import FieldRule, ReadRule, Strict, read_yaml

LAYER = "reference_entries"


class ReferenceProfile(Strict):
    """One list: which columns are the code, the title and the code above; the rest is kept as it stands."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    kind: Literal["reference"]
    title: dict[Literal["ru", "en"], str]
    list: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="name under which the list is known")
    reader: str | None = None
    read: ReadRule = ReadRule()
    source_layer: str | None = None
    snapshot: Literal["full", "delta"] = "full"
    gone_limit: float = Field(0.2, ge=0, le=1)
    code: str
    entry: FieldRule
    parent: FieldRule | None = None

    @property
    def layer(self) -> str:
        """The table that holds the entries of every list."""
        return LAYER


def parse(text: str, origin: str) -> ReferenceProfile:
    """The profile of a list; ProfileError where it is not sound."""
    try:
        return ReferenceProfile.model_validate(read_yaml(text, origin))
    except ValidationError as err:
        raise ProfileError(
            f"The profile {origin} is not sound: {err}", "Correct the YAML file.", value=origin
        ) from err


@cache
def built_in() -> dict[str, ReferenceProfile]:
    """Lists that come with Mezha, by name."""
    folder = files("ingest").joinpath("profiles", "references")
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    profiles = [parse(f.read_text("utf-8"), f.name) for f in found]
    return {p.name: p for p in profiles}
