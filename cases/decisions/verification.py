"""What anybody may learn of a decision who holds its number or the code of its paper: that it is true, no more."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.decisions.errors import UnknownDecisionError

_ASK = text("SELECT * FROM cases.verify_decision(:code)")
_CODE = re.compile(r"[0-9A-Za-zА-Яа-яЁё-]{4,60}")


@dataclass(frozen=True)
class Proof:
    """A decision as the public sees it. ``state``: in_force, appealed, reopened, replaced.

    ``strand``, ``entry`` and ``leaf`` are its place in the journal, ``root`` the published root that covers it.
    """

    number: str
    outcome: str
    title: Mapping[str, str]
    sha256: str
    made_at: datetime
    state: str
    strand: int | None
    entry: int | None
    leaf: str | None
    root: str | None

    def shown(self) -> dict[str, Any]:
        """As the interface tells it."""
        place = {"strand": self.strand, "number": self.entry, "leaf": self.leaf, "root": self.root}
        plain = {k: getattr(self, k) for k in ("number", "outcome", "title", "sha256", "made_at", "state")}
        return plain | {"journal": place}


async def prove(connection: AsyncConnection, code: str) -> Proof:
    """The decision of a number or code; UnknownDecisionError where there is none."""
    wanted = code.strip()
    row = None
    if _CODE.fullmatch(wanted):
        row = (await connection.execute(_ASK, {"code": wanted})).mappings().first()
    if row is None:
        raise UnknownDecisionError(
            f"There is no decision “{wanted[:60]}”.",
            "Type the number as it stands on the paper, or scan its code.",
            field="code",
            value=wanted[:60],
        )
    return Proof(**row)
