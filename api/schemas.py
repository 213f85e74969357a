"""What machine interfaces take in bodies."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Beginning(_Body):
    """Beginning a case."""

    service: str = Field(max_length=60, description="Id of the service")
    party_inn: str = Field(max_length=12, description="INN of the party for which you act")
    subject: int | None = Field(
        None, ge=1, lt=2**53, description="Object of the register that the case is about"
    )


class Picked(_Body):
    """Objects picked from a layer."""

    layer: str = Field(max_length=40)
    ids: list[int] = Field(min_length=1, max_length=500)


class Typed(_Body):
    """Corner points typed from a document."""

    crs: str = Field(max_length=120, description="EPSG code or a name such as «МСК-54 зона 3»")
    axes: str = Field(max_length=20, description="north-east (x north, y east) or east-north")
    rings: list[list[list[str | float]]] = Field(min_length=1, max_length=1000)


class _WithGround(_Body):
    payload: dict[str, Any] | None = Field(None, description="Values of the form's fields")
    subject: int | None = Field(None, ge=1, lt=2**53)
    drawn: dict[str, Any] | None = Field(None, description="GeoJSON Polygon or MultiPolygon in degrees")
    picked: Picked | None = None
    typed: Typed | None = None
    repair: bool = Field(False, description="Accept the proposed repair of an invalid boundary")

    def ground(self) -> dict[str, Any]:
        """The boundary that is given, in its way."""
        return self.model_dump(include={"drawn", "picked", "typed", "repair"}, exclude_none=True)


class Saving(_WithGround):
    """Saving a draft."""


class Acting(_WithGround):
    """Moving a case."""

    reason: str = Field("", max_length=4000)
    acknowledgements: dict[str, str] = Field(
        default_factory=dict, description="Reasons with which warnings are answered, by rule"
    )


class Marking(_Body):
    """Marking messages."""

    mark: Literal["receipt", "archive", "restore"]
    messages: list[Annotated[int, Field(ge=1, lt=2**53)]] | Literal["all"] = Field(
        description="Ids, or all of them"
    )


class Choosing(_Body):
    """Choosing how one is told, by topic: final, event, thread, reminder."""

    mail: dict[str, str] = Field(default_factory=dict, description="at_once, digest or off by topic")
    sms: list[str] = Field(
        default_factory=list, max_length=10, description="Topics told by short message too"
    )
    digest_hour: int = Field(9, description="Hour of the region at which the letter of the day goes")


class Forwarding(_Body):
    """Forwarding letters to another address."""

    address: str = Field(max_length=254)


class Proving(_Body):
    """Entering a code that came by letter."""

    code: str = Field(max_length=20)


class Remark(_Body):
    """Writing into the thread of a case."""

    text: str = Field(max_length=20_000)


class Subscribing(_Body):
    """Setting up a webhook."""

    party_inn: str = Field(max_length=12, description="INN of the party for which you act")
    url: str = Field(max_length=2000, description="https address to call")
    topics: list[str] = Field(
        default_factory=lambda: ["event", "thread", "reminder"],
        max_length=10,
        description="event, thread, reminder",
    )
    note: str = Field("", max_length=200)
