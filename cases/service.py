"""What can be done with a case: one function an action, each within the one transaction of its caller.

Order of every action: lock the case, look up the move, check its guard, change what it changes, append the event,
bring the terms in line. `Desk.after` is told each step, so that tests can stop the process between any two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.errors import UnconfirmedError
from cases import calendar, drafts, findings, record, register_change, submission
from cases.decisions import issue
from cases.decisions.content import Ruling
from cases.desk import Actor, Desk
from cases.drafts import Change
from cases.errors import TermOverError
from cases.evaluation import Claims
from cases.lifecycle import Action, Role, State, actions
from cases.record import Case
from cases.rules import Moment
from cases.submission import Examined
from cases.turn import Turn, moved, reasoned, take
from geo.batch import Ask, order, together
from geo.history import Written

_LODGE = text(
    "SELECT given AS number, place AS lodged_order, instant AS lodged_at FROM cases.lodge(:case, :prefix, :zone, :evidence)"
)
_RENEW = text("SELECT cases.renew(:case, :evidence)")
_DUE = text(
    "SELECT 1 FROM cases.deadlines WHERE case_id = :case AND term = ANY (:terms) AND ended_at IS NULL AND due_on < :today"
)


async def _simple(
    connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, action: Action, *, reason: str = ""
) -> Case:
    turn = await take(connection, desk, actor, case_id, action)
    return await moved(connection, desk, turn, reason=reasoned(turn, reason))


def _check(examined: Examined, reasons: Mapping[str, str]) -> Ask[int] | None:
    """The check, to be kept; None for a service without rules."""
    if examined.rules is None:
        return None
    return findings.keeping(examined.question, examined.evaluation, examined.digest, reasons=reasons)


def _found(check: Ask[int] | None, claims: Claims, reasons: Mapping[str, str]) -> Ask[None] | None:
    """What others claim, to be added to the check, which was kept before its place in the queue was known."""
    return findings.adding(check.answer, claims.answers, reasons) if check else None


def _evidence_of(case: Case, examined: Examined, check: Ask[int] | None) -> dict[str, Any]:
    """What the event remembers of the submission: all of it, so that later saves lose nothing."""
    return {
        "payload": case.payload,
        "subject": [case.subject_layer, case.subject_id, case.subject_version],
        "geometry": case.geometry,
        "evidence_sha256": case.evidence_sha256,
        "check": check.answer if check else None,
        "documents": [[p.id, p.kind, p.name, p.sha256] for p in examined.papers],
    }


async def submit(
    connection: AsyncConnection,
    desk: Desk,
    actor: Actor,
    case_id: int,
    *,
    revision: int | None = None,
    acknowledgements: Mapping[str, str] | None = None,
) -> Case:
    """Lodge a draft: number, order and instant are given by the database; IncompleteError names all that is wrong.

    The rules are asked before the place in the queue is taken, the claims of others after it.
    """
    reasons = acknowledgements or {}
    turn = await take(connection, desk, actor, case_id, Action.submit)
    case = turn.case
    if revision is not None:
        drafts.check_revision(case, revision)
    drafts.may_apply(turn.service, actor, case.party_inn)
    if not actor.confirmed:
        raise UnconfirmedError(
            "Your identity is not confirmed yet.",
            "Confirm it in your profile; the draft stays.",
            field="account",
        )
    examined = await submission.examine(connection, desk, actor, case, turn.service, moment=Moment.submit)
    await submission.refuse(connection, actor, case, examined, reasons)
    desk.after("examine")
    check, claims = _check(examined, reasons), submission.claims_from(examined, None)
    case = await _lodge(connection, desk, turn, submission.evidence(case, examined), check, claims=claims)
    turn = replace(turn, case=case)
    desk.after("lodge")
    examined = submission.claimed(examined, claims, case.lodged_order)
    await submission.refuse(connection, actor, case, examined, reasons)
    data = _evidence_of(case, examined, check) | {"number": case.number, "lodged_at": case.lodged_at}
    return await moved(connection, desk, turn, data=data, found=_found(check, claims, reasons))


async def _lodge(
    connection: AsyncConnection,
    desk: Desk,
    turn: Turn,
    evidence: str,
    check: Ask[int] | None,
    *,
    claims: Claims,
) -> Case:
    """The case with its number and place, and the claims of those before it: asked in the same breath, but by a
    statement of its own, which sees all that was lodged while this one waited for its turn.

    From its place to the commit all who submit wait: every statement and every round to the database counts. So the
    check is kept before.
    """
    values = {
        "case": turn.case.id,
        "prefix": turn.service.prefix,
        "zone": desk.time_zone,
        "evidence": evidence,
    }
    place = Ask(_LODGE, values, lambda rows: dict(rows[0]))
    await together(connection, *([check] if check else []), place, *claims.asks)
    return replace(turn.case, **place.answer, evidence_sha256=evidence)


async def _relodge(
    connection: AsyncConnection,
    desk: Desk,
    actor: Actor,
    turn: Turn,
    *,
    acknowledgements: Mapping[str, str] | None,
    reason: str,
) -> Case:
    """Lodge changed evidence under the old number and place."""
    reasons = acknowledgements or {}
    case = turn.case
    # An amendment is one step with its change, so that nothing could be signed before it (C-97 is for what is sent).
    signed = turn.action != Action.amend
    examined = await submission.examine(
        connection, desk, actor, case, turn.service, moment=Moment.submit, signed=signed
    )
    case = replace(case, evidence_sha256=submission.evidence(case, examined))
    renewed = order(_RENEW, {"case": case.id, "evidence": case.evidence_sha256})
    turn = replace(turn, case=case)
    check, claims = _check(examined, reasons), submission.claims_from(examined, case.lodged_order)
    await together(connection, *([check] if check else []), renewed, *claims.asks)
    examined = submission.claimed(examined, claims, case.lodged_order)
    await submission.refuse(connection, actor, case, examined, reasons)
    data, found = _evidence_of(case, examined, check), _found(check, claims, reasons)
    return await moved(connection, desk, turn, reason=reason, data=data, found=found)


async def answer(
    connection: AsyncConnection,
    desk: Desk,
    actor: Actor,
    case_id: int,
    *,
    acknowledgements: Mapping[str, str] | None = None,
    reason: str = "",
) -> Case:
    """Answer a correction request with what was saved since; the term of the office runs on."""
    turn = await take(connection, desk, actor, case_id, Action.answer)
    return await _relodge(
        connection, desk, actor, turn, acknowledgements=acknowledgements, reason=reason.strip()
    )


async def amend(
    connection: AsyncConnection,
    desk: Desk,
    actor: Actor,
    case_id: int,
    change: Change,
    *,
    acknowledgements: Mapping[str, str] | None = None,
) -> Case:
    """Change what was sent, within the service's term and before somebody took it up (W-09)."""
    turn = await take(connection, desk, actor, case_id, Action.amend)
    await _within(
        connection,
        desk,
        turn.case.lodged_at and desk.day_of(turn.case.lodged_at),
        turn.service.amend_working_days,
    )
    case = await drafts.write(connection, desk, turn.service, turn.case, change)
    changed = replace(turn, case=case)
    return await _relodge(connection, desk, actor, changed, acknowledgements=acknowledgements, reason="")


async def _within(connection: AsyncConnection, desk: Desk, start: date | None, days: int | None) -> None:
    """TermOverError where so many working days have passed since ``start``."""
    if start is None or days is None:
        return
    last = (await calendar.read(connection, desk.today())).after(start, days)
    if desk.today() > last:
        raise TermOverError(
            f"The term of {days} working days ended on {last}.",
            "Write to the office if something has to change all the same.",
            field="term",
            value=str(last),
        )


async def discard(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int) -> Case:
    """Give up a draft."""
    return await _simple(connection, desk, actor, case_id, Action.discard)


async def withdraw(
    connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, *, reason: str = ""
) -> Case:
    """Take back what was submitted; its claim to the ground ends."""
    return await _simple(connection, desk, actor, case_id, Action.withdraw, reason=reason)


async def accept(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int) -> Case:
    """Take a submission in."""
    return await _simple(connection, desk, actor, case_id, Action.accept)


async def review(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int) -> Case:
    """Begin, or after a correction go on, with the review."""
    return await _simple(connection, desk, actor, case_id, Action.review)


async def ask_correction(
    connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, *, reason: str
) -> Case:
    """Ask the applicant to correct; the term of the office stands still until he answers (C-18, C-96)."""
    return await _simple(connection, desk, actor, case_id, Action.ask_correction, reason=reason)


async def suspend(
    connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, *, reason: str
) -> Case:
    """Stop the review for a reason that lies outside the case."""
    return await _simple(connection, desk, actor, case_id, Action.suspend, reason=reason)


async def resume(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int) -> Case:
    """Go on with a suspended review."""
    return await _simple(connection, desk, actor, case_id, Action.resume)


async def approve(
    connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, *, reason: str = ""
) -> Case:
    """Approve: the rules are asked again, the register is changed, the event is written, or nothing of it at all."""
    turn = await take(connection, desk, actor, case_id, Action.approve)
    case = turn.case
    examined = await submission.examine(connection, desk, actor, case, turn.service, moment=Moment.decide)
    examined = await submission.with_claims(connection, examined, case.lodged_order)
    acknowledged = {a.rule: "decided by the office" for a in examined.evaluation.answers}
    await submission.refuse(connection, actor, case, examined, acknowledged)
    # Before the register changes: the answers are of the ground as it was.
    check = _check(examined, {})
    await together(connection, *([check] if check else []))
    desk.after("check")
    desk.after("examine")
    written = await register_change.apply(connection, turn.service, case, examined.subject, desk.today())
    desk.after("register")
    reason = reason.strip()[:4000]
    decided = await _decided(connection, desk, actor, turn, reason, examined=examined, written=written)
    data = {
        "check": check.answer if check else None,
        "register": [vars(w) for w in written],
        "evidence_sha256": case.evidence_sha256,
    }
    return await moved(connection, desk, turn, reason=reason, data=data | decided)


async def _decided(
    connection: AsyncConnection,
    desk: Desk,
    actor: Actor,
    turn: Turn,
    reason: str,
    *,
    examined: Examined | None = None,
    written: Sequence[Written] = (),
) -> dict[str, Any]:
    """Issue the paper of the decision that this turn makes; what the event remembers of it."""
    case, days = turn.case, turn.service.appeal_working_days
    row: Mapping[str, Any] = (
        examined.subject if examined else await submission.object_of(connection, desk, case)
    )
    until = None
    if turn.move.to == State.rejected and days and Action.appeal in turn.service.actions:
        until = (await calendar.read(connection, desk.today())).after(desk.today(), days)
    ruling = Ruling(
        case,
        turn.service,
        "approved" if turn.move.to == State.approved else "rejected",
        reason,
        actor.name if turn.role != Role.system else "",
        row,
        evaluation=examined.evaluation if examined else None,
        rules=examined.rules if examined else None,
        written=written,
        appeal_until=until,
    )
    issued = await issue.issue(connection, desk, actor, ruling)
    desk.after("decision")
    document = issued.document
    return {"decision": {"number": issued.number, "document": document.id, "sha256": document.sha256}}


async def reject(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, *, reason: str) -> Case:
    """Refuse, with the reasons and what to do about them (C-17)."""
    turn = await take(connection, desk, actor, case_id, Action.reject)
    reason = reasoned(turn, reason)
    data = await _decided(connection, desk, actor, turn, reason)
    return await moved(connection, desk, turn, reason=reason, data=data)


async def appeal(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, *, reason: str) -> Case:
    """Appeal a refusal, within the service's term."""
    turn = await take(connection, desk, actor, case_id, Action.appeal)
    await _within(connection, desk, desk.day_of(turn.case.state_since), turn.service.appeal_working_days)
    return await moved(connection, desk, turn, reason=reasoned(turn, reason))


async def reopen(
    connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, *, reason: str = ""
) -> Case:
    """Grant an appeal: the case is reviewed again and claims its ground anew."""
    return await _simple(connection, desk, actor, case_id, Action.reopen, reason=reason)


async def uphold(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, *, reason: str) -> Case:
    """Dismiss an appeal: the refusal stands."""
    return await _simple(connection, desk, actor, case_id, Action.uphold, reason=reason)


async def close(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int) -> Case:
    """Close a decided case."""
    return await _simple(connection, desk, actor, case_id, Action.close)


async def lapse(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int) -> Case:
    """The clock: the applicant's term is over without an answer; TermOverError where it is not."""
    turn = await take(connection, desk, actor, case_id, Action.lapse)
    lapsing = [d.id for d in turn.service.deadlines if d.lapse == Action.lapse]
    values = {"case": case_id, "terms": lapsing, "today": desk.today()}
    if (await connection.execute(_DUE, values)).first() is None:
        raise TermOverError("The term is not over yet.", "Wait for its last day.", field="term")
    data = await _decided(connection, desk, actor, turn, "Срок для ответа на замечания истёк.")
    return await moved(
        connection, desk, turn, reason="Срок для ответа истёк. The term for an answer is over.", data=data
    )


async def possible(connection: AsyncConnection, desk: Desk, actor: Actor, case: Case) -> tuple[Action, ...]:
    """What the actor could do with a case as it stands."""
    service = await record.definition_of(connection, desk, case)
    role = actor.role_in(case.party_inn, case.region)
    return actions(case.state, role, service.actions) if role else ()


@dataclass(frozen=True)
class Given:
    """What came with an action; each takes what it needs."""

    reason: str = ""
    acknowledgements: Mapping[str, str] | None = None
    revision: int | None = None
    change: Change = field(default_factory=Change)


async def perform(
    connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, action: Action, *, given: Given
) -> Case:
    """The action of that name, for callers that learn it from a request."""
    if given.revision is not None:
        # Whoever names a revision acts upon what he saw, also where the action changes nothing of it.
        drafts.check_revision(await record.load(connection, case_id, lock=True), given.revision)
    plain = {
        Action.discard: discard,
        Action.accept: accept,
        Action.review: review,
        Action.resume: resume,
        Action.close: close,
        Action.lapse: lapse,
    }
    reasoned = {
        Action.withdraw: withdraw,
        Action.ask_correction: ask_correction,
        Action.approve: approve,
        Action.reject: reject,
        Action.suspend: suspend,
        Action.appeal: appeal,
        Action.reopen: reopen,
        Action.uphold: uphold,
    }
    if action in plain:
        return await plain[action](connection, desk, actor, case_id)
    if action in reasoned:
        return await reasoned[action](connection, desk, actor, case_id, reason=given.reason)
    reasons = given.acknowledgements
    if action == Action.submit:
        return await submit(
            connection, desk, actor, case_id, revision=given.revision, acknowledgements=reasons
        )
    if action == Action.answer:
        return await answer(connection, desk, actor, case_id, acknowledgements=reasons, reason=given.reason)
    return await amend(connection, desk, actor, case_id, given.change, acknowledgements=reasons)
