"""Events of a case: appended in the transaction of their action; the database moves the state by them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.lifecycle import Action, Move, Role, State
from geo.batch import Ask

_APPEND = text(
    "INSERT INTO cases.events (case_id, seq, action, from_state, to_state, role, reason, data)"
    " VALUES (:case, 0, :action, :from_state, :to_state, :role, :reason, CAST(:data AS jsonb)) RETURNING id, at, account"
)
_OF_CASE = text(
    "SELECT seq, at, action, from_state, to_state, role, account, reason, data FROM cases.events"
    " WHERE case_id = :case ORDER BY seq"
)


@dataclass(frozen=True)
class Step:
    """One step to append: by whom, along which move, why."""

    case: int
    state: State
    action: Action
    move: Move
    role: Role
    reason: str = ""


@dataclass(frozen=True)
class Appended:
    """What the database gave an event."""

    id: int
    at: datetime
    account: int | None


def appended(step: Step, data: Mapping[str, Any]) -> Ask[Appended]:
    """Append an event; its number, account and time are the database's."""
    values = {
        "case": step.case,
        "action": step.action.value,
        "from_state": step.state.value,
        "to_state": step.move.to.value,
        "role": step.role.value,
        "reason": step.reason,
        "data": json.dumps(data, default=str, ensure_ascii=False),
    }
    return Ask(_APPEND, values, lambda rows: Appended(**rows[0]))


async def of_case(connection: AsyncConnection, case: int) -> Sequence[RowMapping]:
    """Every event of a case, oldest first (C-16, F-31)."""
    return (await connection.execute(_OF_CASE, {"case": case})).mappings().all()
