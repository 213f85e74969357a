"""What an answer about a layer is worth: ``clear``, ``hit``, ``not_checked`` or ``stale``, with the layer's version.

"Not checked" is never shown as "clear": a layer that the caller does not see whole, or that holds nothing,
cannot clear a place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from geo.access import Caller
from geo.moment import Moment

_STATES = """
SELECT s.layer, s.newest, s.changed_at, s.confirmed_at, s.loaded, s.narrowed, access.layer_rank(s.layer)
FROM spatial.layer_states(%(as_of)s) s
"""


class Outcome(StrEnum):
    """The four values of an answer."""

    clear = "clear"
    hit = "hit"
    not_checked = "not_checked"
    stale = "stale"


@dataclass(frozen=True)
class Standing:
    """Answer of one layer. ``reason`` says why it could not be checked or is stale: ``no-access``, ``partly-hidden``,
    ``empty``, ``old``, ``pending``. ``version`` is the newest row of the layer, ``changed_at`` its last change,
    ``confirmed_at`` the last load of its register; all three are withheld where part of it is hidden."""

    layer: str
    outcome: Outcome
    hits: int = 0
    reason: str = ""
    version: int | None = None
    changed_at: datetime | None = None
    confirmed_at: datetime | None = None

    def document(self) -> dict[str, Any]:
        """As the interfaces write it."""
        return {
            "answer": self.outcome.value,
            "hits": self.hits,
            "reason": self.reason or None,
            "version": self.version,
            "changed_at": self.changed_at and self.changed_at.isoformat(),
            "confirmed_at": self.confirmed_at and self.confirmed_at.isoformat(),
        }

    def found(self, hits: int) -> "Standing":
        """The same standing once that many objects were hit: what was seen is a hit, whatever else is hidden."""
        return replace(self, hits=hits, outcome=Outcome.hit if hits else self.outcome)


@dataclass(frozen=True)
class Terms:
    """Who asks about which moment, and from when a layer is too old to clear a place.

    ``home`` is the region that the installation serves: its staff see all of it.
    """

    caller: Caller
    moment: Moment
    stale_after: timedelta
    home: str

    @property
    def day(self) -> date:
        """The day at which rights are judged."""
        return self.moment.last or datetime.now(UTC).date()

    def sees_all(self, rank: int) -> bool:
        """Whether nothing of that rank is hidden from the caller."""
        return rank <= self.caller.rank or self.home in self.caller.regions


async def standings(
    connection: psycopg.AsyncConnection[TupleRow], names: Iterable[str], terms: Terms
) -> Mapping[str, Standing]:
    """Standing of each layer before anything is looked for: ``clear`` where nothing hinders a clean answer."""
    cursor = await connection.execute(_STATES, {"as_of": terms.moment.as_of}, prepare=True)
    rows = {row[0]: row for row in await cursor.fetchall()}
    return {name: _standing(name, rows.get(name), terms) for name in names}


def _standing(name: str, row: TupleRow | None, terms: Terms) -> Standing:
    if row is None or not terms.sees_all(row[6]):
        return Standing(name, Outcome.not_checked, reason="no-access")
    _, newest, changed_at, confirmed_at, loaded, narrowed, _ = row
    known = Standing(
        name, Outcome.clear, version=newest, changed_at=changed_at, confirmed_at=confirmed_at or changed_at
    )
    if not loaded:
        return replace(known, outcome=Outcome.not_checked, reason="empty")
    if narrowed > terms.caller.rank:
        # Version and times count hidden rows too: they would tell when something hidden changed.
        return Standing(name, Outcome.not_checked, reason="partly-hidden")
    fresh = max(t for t in (changed_at, confirmed_at) if t)
    if terms.moment.as_of is None and datetime.now(UTC) - fresh > terms.stale_after:
        return replace(known, outcome=Outcome.stale, reason="old")
    return known
