"""The states of a case and the moves between them; pure, without database or web.

The same table stands in the database (``cases.transitions``), which refuses every other move by itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a case stands."""

    draft = "draft"
    submitted = "submitted"
    accepted = "accepted"
    in_review = "in_review"
    correction_asked = "correction_asked"
    answered = "answered"
    approved = "approved"
    rejected = "rejected"
    closed = "closed"
    withdrawn = "withdrawn"
    suspended = "suspended"
    appealed = "appealed"


class Role(StrEnum):
    """Who meets a case: somebody of the party, an officer of the office of its region, who decides, an inspector or
    registrar of it, who looks and moves nothing, or the clock."""

    applicant = "applicant"
    officer = "officer"
    inspector = "inspector"
    system = "system"


class Action(StrEnum):
    """What moves a case; each has one function in `cases.service`."""

    submit = "submit"
    discard = "discard"
    amend = "amend"
    accept = "accept"
    review = "review"
    ask_correction = "ask_correction"
    answer = "answer"
    approve = "approve"
    reject = "reject"
    withdraw = "withdraw"
    suspend = "suspend"
    resume = "resume"
    appeal = "appeal"
    reopen = "reopen"
    uphold = "uphold"
    close = "close"
    lapse = "lapse"


@dataclass(frozen=True)
class Move:
    """Where an action leads, who may do it, and the code of the guard that must hold (empty: none)."""

    to: State
    roles: frozenset[Role]
    guard: str = ""


_A = frozenset({Role.applicant})
_O = frozenset({Role.officer})
_S = frozenset({Role.system})
_OS = frozenset({Role.officer, Role.system})
_WITHDRAW = Move(State.withdrawn, _A)
_ASK = Move(State.correction_asked, _O, "reason")
_REJECT = Move(State.rejected, _O, "reason")

# Guards: complete (form, files, rules), within_term (the service's term for it runs), reason (a reason is
# given), rules (the rules do not block), term_over (the deadline has passed).
TRANSITIONS: Mapping[tuple[State, Action], Move] = MappingProxyType(
    {
        (State.draft, Action.submit): Move(State.submitted, _A, "complete"),
        (State.draft, Action.discard): Move(State.withdrawn, _A),
        (State.submitted, Action.amend): Move(State.submitted, _A, "within_term"),
        (State.submitted, Action.accept): Move(State.accepted, _O),
        (State.submitted, Action.ask_correction): _ASK,
        (State.submitted, Action.withdraw): _WITHDRAW,
        (State.accepted, Action.review): Move(State.in_review, _O),
        (State.accepted, Action.ask_correction): _ASK,
        (State.accepted, Action.withdraw): _WITHDRAW,
        (State.in_review, Action.ask_correction): _ASK,
        (State.in_review, Action.approve): Move(State.approved, _O, "rules"),
        (State.in_review, Action.reject): _REJECT,
        (State.in_review, Action.suspend): Move(State.suspended, _O, "reason"),
        (State.in_review, Action.withdraw): _WITHDRAW,
        (State.correction_asked, Action.answer): Move(State.answered, _A, "complete"),
        (State.correction_asked, Action.withdraw): _WITHDRAW,
        (State.correction_asked, Action.lapse): Move(State.rejected, _S, "term_over"),
        (State.answered, Action.review): Move(State.in_review, _O),
        (State.answered, Action.withdraw): _WITHDRAW,
        (State.suspended, Action.resume): Move(State.in_review, _O),
        (State.suspended, Action.withdraw): _WITHDRAW,
        (State.approved, Action.close): Move(State.closed, _OS),
        (State.rejected, Action.close): Move(State.closed, _OS),
        (State.rejected, Action.appeal): Move(State.appealed, _A, "reason"),
        (State.appealed, Action.reopen): Move(State.in_review, _O),
        (State.appealed, Action.uphold): Move(State.closed, _O, "reason"),
    }
)
FINAL = frozenset({State.closed, State.withdrawn})
# States in which the applicant may change what he wrote.
EDITABLE = frozenset({State.draft, State.correction_asked, State.submitted})


def move(state: State, action: Action, role: Role, allowed: Iterable[Action] = Action) -> Move | None:
    """The move that the table has for this role; ``allowed`` are the actions of the service. None: refused."""
    found = TRANSITIONS.get((state, action))
    if found is None or role not in found.roles or action not in set(allowed):
        return None
    return found


def actions(state: State, role: Role, allowed: Iterable[Action] = Action) -> tuple[Action, ...]:
    """What a role may do now, in the order of the table."""
    known = tuple(allowed)
    return tuple(
        action for (start, action) in TRANSITIONS if start == state and move(state, action, role, known)
    )


def reachable(allowed: Iterable[Action]) -> frozenset[State]:
    """States to which the actions of a service can lead from the draft."""
    known, found, todo = set(allowed), {State.draft}, [State.draft]
    while todo:
        here = todo.pop()
        for (start, action), target in TRANSITIONS.items():
            if start == here and action in known and target.to not in found:
                found.add(target.to)
                todo.append(target.to)
    return frozenset(found)


def dead_ends(allowed: Iterable[Action]) -> frozenset[State]:
    """Reachable states from which no final state can be reached any more."""
    known = set(allowed)
    alive = set(FINAL)
    edges = {(start, target.to) for (start, action), target in TRANSITIONS.items() if action in known}
    while grown := {start for start, to in edges if to in alive} - alive:
        alive |= grown
    return reachable(known) - alive
