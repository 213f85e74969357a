"""A person (or system) who was recognised, and what the database and the pages need to know of him."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geo.access import Caller
from geo.layers import Access

# Roles that see all that their party holds; a contractor sees what is shared with him.
WHOLE = frozenset({"owner", "operator", "controller"})
FEDERAL = "*"


@dataclass(frozen=True)
class Membership:
    """A role in a party; ``objects`` None is everything that the party holds."""

    party: int
    name: str
    kind: str
    inn: str | None
    role: str
    objects: tuple[int, ...] | None
    confirmed: bool


@dataclass(frozen=True)
class Duty:
    """A duty in an office: officer, inspector, registrar or administrator; region * is federal."""

    duty: str
    region: str
    office: str


@dataclass(frozen=True)
class Person:
    """Who asks. ``stage`` is full once the log-in is complete; ``strong`` when a second factor was shown.

    ``acting`` is the party for which this session acts: None all of them, 0 the person alone; ``choices`` counts
    those among which he may choose.
    """

    account: int | None
    name: str
    login: str = ""
    email: str = ""
    locale: str = "ru"
    status: str = "active"
    session: int | None = None
    stage: str = "full"
    strong: bool = False
    method: str = ""
    second: bool = False
    memberships: tuple[Membership, ...] = ()
    duties: tuple[Duty, ...] = ()
    acting: int | None = None
    choices: int = 0
    client: str = ""
    scopes: tuple[str, ...] = ("read", "write")

    @property
    def confirmed(self) -> bool:
        """Whether the person's identity was confirmed; only then he may submit (C-40)."""
        return self.status == "confirmed"

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles and duties, each once."""
        found = [m.role for m in self.memberships] + [d.duty for d in self.duties]
        return tuple(dict.fromkeys(found))

    @property
    def parties(self) -> tuple[int, ...]:
        """Parties for which he acts."""
        return tuple(m.party for m in self.memberships)

    @property
    def administrator(self) -> bool:
        """Whether he administers the installation."""
        return any(d.duty == "administrator" for d in self.duties)

    def serves(self, duty: str, region: str | None = None) -> bool:
        """Whether he has a duty, in any region or in the one named."""
        return any(
            d.duty == duty and (region in (None, d.region) or d.region == FEDERAL) for d in self.duties
        )

    def caller(self) -> Caller:
        """What the access policies need to know."""
        whole = [m for m in self.memberships if m.confirmed and m.role in WHOLE and m.objects is None]
        limited = [m for m in self.memberships if m.confirmed and m.objects is not None]
        federal = any(d.region == FEDERAL for d in self.duties)
        rank = Access.sealed if self.administrator else Access.restricted if federal else Access.registered
        return Caller(
            account=self.account,
            rank=int(rank),
            regions=tuple(sorted({d.region for d in self.duties} - {FEDERAL})),
            inns=tuple(sorted({m.inn for m in whole if m.inn and m.kind != "division"})),
            objects=tuple(sorted({o for m in limited for o in m.objects or ()})),
            decides=tuple(sorted({d.region for d in self.duties if d.duty == "officer"} - {FEDERAL})),
        )


def person_of(document: Mapping[str, Any]) -> Person:
    """A person from the document of ``accounts.session`` or ``accounts.token``."""
    plain = Person.__dataclass_fields__.keys() - {"scopes", "memberships", "duties"}
    fields = {k: v for k, v in document.items() if k in plain}
    memberships = tuple(
        Membership(**(m | {"objects": None if m["objects"] is None else tuple(m["objects"])}))
        for m in document["members"]
    )
    duties = tuple(Duty(**d) for d in document["duties"])
    scopes = tuple(document.get("scopes", ("read", "write")))
    return Person(**({"account": None} | fields), memberships=memberships, duties=duties, scopes=scopes)
