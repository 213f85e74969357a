"""A turn: a case taken in hand for one action, and what every action leaves behind when it is made."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import action as journal_action
from accounts import journal
from accounts.journal import Entry
from cases import calendar, events, messages, record, terms
from cases.desk import Actor, Desk
from cases.errors import NotAllowedError, ReasonMissingError, WrongStateError
from cases.events import Appended, Step
from cases.lifecycle import Action, Move, Role, actions, move
from cases.record import Case
from cases.service_definition import ServiceDefinition
from cases.terms import Standing
from geo.batch import Ask, together
from geo.sentence import Sentence

_JOURNALLED = {
    Action.submit: journal_action.Action.submit,
    Action.withdraw: journal_action.Action.withdraw,
    Action.approve: journal_action.Action.decide,
    Action.reject: journal_action.Action.decide,
}


@dataclass(frozen=True)
class Turn:
    """A case in hand: locked, with its service, the side of the actor and the move that he is about to make."""

    case: Case
    service: ServiceDefinition
    role: Role
    action: Action
    move: Move
    standing: Standing
    account: int | None = None

    def step(self, reason: str = "") -> Step:
        """The event of this turn."""
        return Step(self.case.id, self.case.state, self.action, self.move, self.role, reason)

    def made(self, event: Appended) -> Case:
        """The case as the event has left it: what the database's own `cases.move` changes."""
        officer = event.account if self.role == Role.officer else self.case.officer
        return replace(self.case, state=self.move.to, state_since=event.at, officer=officer)


async def take(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, action: Action) -> Turn:
    """Lock a case for an action; WrongStateError or NotAllowedError where the table has no such move."""
    found, open_, days = record.asked(case_id, lock=True), terms.opened(case_id), calendar.asked(desk.today())
    await together(connection, found, open_, days)
    case = found.answer
    service = await record.definition_of(connection, desk, case)
    role = actor.role_in(case.party_inn, case.region)
    if role is None:
        raise NotAllowedError("You are on no side of this case.", "Log in as somebody who is.", field="case")
    way = move(case.state, action, role, service.actions)
    if role == Role.inspector:
        raise NotAllowedError(
            Sentence("An inspector looks at cases and moves none."),
            Sentence("An officer of the office decides: ask one, or an administrator for that duty."),
            field="case",
        )
    if way is None:
        possible = actions(case.state, role, service.actions)
        label = service.label(case.state, "applicant" if role == Role.applicant else "staff", "en")
        raise WrongStateError(
            f"{action} is not possible: case {case.number or case.id} is “{label}” ({case.state}).",
            f"Possible now: {', '.join(possible) or 'nothing'}.",
            field="action",
            value=case.state,
        )
    desk.after("take")
    standing = Standing(case.id, open_.answer, days.answer, desk.today())
    return Turn(case, service, role, action, way, standing, actor.caller.account)


def reasoned(turn: Turn, reason: str) -> str:
    """The reason, trimmed; ReasonMissingError where the move needs one (C-17)."""
    reason = reason.strip()
    if turn.move.guard == "reason" and len(reason) < 3:
        raise ReasonMissingError(
            f"{turn.action} needs a reason.", "Say in words why, and what to do about it.", field="reason"
        )
    return reason[:4000]


async def moved(
    connection: AsyncConnection,
    desk: Desk,
    turn: Turn,
    *,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
    found: Ask[None] | None = None,
) -> Case:
    """Append the event and its entry in the journal, bring the terms in line, tell both sides; ``found`` is what the
    check that the event rests on has to be given before."""
    appended = events.appended(turn.step(reason), data or {})
    entry = Entry(
        _JOURNALLED.get(turn.action, journal_action.Action.case_changed),
        account=turn.account,
        subject="cases",
        object=turn.case.id,
        region=turn.case.region,
        inn=turn.case.party_inn,
        details={"action": turn.action, "from": turn.case.state, "to": turn.move.to},
    )
    following = terms.follow(turn.service, turn.standing, turn.move.to)
    # From the lodging to the commit all who submit wait: what can be said in one go is.
    told = messages.of_event(
        turn.service,
        replace(turn.case, state=turn.move.to),
        action=turn.action,
        reason=reason,
        due=following.due,
    )
    before, after = [found] if found else [], [told] if told else []
    await together(connection, *before, appended, journal.recorded(entry), *following.orders, *after)
    for step in (*(["check"] if found else []), "event", "terms", "told"):
        desk.after(step)
    if told:
        await messages.send(connection, told.answer)
    return turn.made(appended.answer)
