"""At the desk: who acts, and what every action needs besides its connection."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from accounts.person import Membership, Person
from cases.catalogue import Catalogue, release
from cases.lifecycle import Role
from geo.access import Caller
from geo.errors import SettingsError
from geo.settings import Settings


@dataclass(frozen=True)
class Actor:
    """Who acts, with his memberships in parties; ``confirmed`` when his identity was (C-40)."""

    caller: Caller
    name: str = ""
    memberships: tuple[Membership, ...] = ()
    confirmed: bool = True

    @classmethod
    def of(cls, caller: Caller, person: Person | None) -> "Actor":
        """The actor of a request."""
        if person is None:
            return cls(caller)
        return cls(caller, person.name, person.memberships, person.confirmed)

    def member_of(self, inn: str) -> Membership | None:
        """His membership in a party."""
        return next((m for m in self.memberships if m.inn == inn), None)

    def role_in(self, party_inn: str, region: str) -> Role | None:
        """The side of a case on which he is; one's own case is never one's own to decide."""
        if party_inn in self.caller.inns:
            return Role.applicant
        if region in self.caller.regions:
            return Role.officer if region in self.caller.decides else Role.inspector
        return Role.system if self.caller.rank >= 3 else None

    @property
    def staff(self) -> bool:
        """Whether he works for an office."""
        return bool(self.caller.regions)


# The clock sees every case and acts as the system.
CLOCK = Actor(Caller(rank=3), name="clock")


def _nothing(step: str) -> None:
    """No observer."""


@dataclass(frozen=True)
class Desk:
    """Definitions, region and zone of an installation; ``after`` is told each step that an action has done."""

    region: str
    time_zone: str
    catalogue: Catalogue = field(default_factory=release)
    after: Callable[[str], None] = _nothing
    clock: Callable[[], datetime] | None = None
    settings: Settings | None = None

    @classmethod
    def of(cls, settings: Settings, **changes: Any) -> "Desk":
        """The desk of an installation."""
        return cls(settings.region, settings.time_zone, settings=settings, **changes)

    @property
    def installation(self) -> Settings:
        """Settings of the installation: where its documents lie, with which key it signs."""
        if self.settings is None:
            raise SettingsError("This desk has no settings.", "Make it with Desk.of(settings).")
        return self.settings

    def today(self) -> date:
        """This day in the region."""
        now = self.clock() if self.clock else datetime.now(ZoneInfo(self.time_zone))
        return now.astimezone(ZoneInfo(self.time_zone)).date()

    def day_of(self, instant: datetime) -> date:
        """The day of an instant in the region."""
        return instant.astimezone(ZoneInfo(self.time_zone)).date()
