"""What is checked before anything is lodged: form, object, boundary and rules, all findings at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import journal
from accounts.action import Action
from cases import evaluation, findings, form, record, sheet, subject
from cases.desk import Actor, Desk
from cases.documents import shelf
from cases.documents.shelf import Document
from cases.errors import IncompleteError
from cases.evaluation import Answer, Claims, Evaluation, Instant, Question
from cases.form import Problem
from cases.record import Case
from cases.rules import Moment, Outcome, RuleSet, Severity, verdict
from cases.service_definition import ServiceDefinition
from cases.signatures import kept, requirements
from cases.signatures.kept import Signature
from geo.batch import Ask, together

_GROUND = text("SELECT area_m2, sha256 FROM cases.geometries WHERE id = :id")
_CHECK = text(
    "SELECT k.case_id, k.moment, k.as_of, CAST(k.snapshot AS text) AS snapshot, k.valid_on, k.rules_digest, k.geometry,"
    # The check of a submission is kept before the case has its place; from there, and then, the claims were asked.
    " k.parameters, coalesce(CAST(k.parameters ->> 'lodged_order' AS bigint), c.lodged_order) AS lodged_order,"
    " CASE WHEN k.parameters ->> 'lodged_order' IS NULL THEN c.lodged_at ELSE k.as_of END AS claimed_at"
    " FROM cases.checks k JOIN cases.cases c ON c.id = k.case_id WHERE k.id = :id"
)
_ANSWERS = text(
    "SELECT rule, outcome, severity, layer, layer_version, objects, area_m2, introduced, measures, cause"
    " FROM cases.findings WHERE check_id = :id ORDER BY rule"
)


@dataclass(frozen=True)
class Examined:
    """A case with everything that was found: ``problems`` of the form, ``evaluation`` of the rules."""

    question: Question
    problems: tuple[Problem, ...]
    evaluation: Evaluation
    rules: RuleSet | None
    digest: str
    subject: Mapping[str, Any]
    geometry_sha256: str = ""
    papers: tuple[Document, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing keeps the case from going on."""
        return not self.problems and not self.evaluation.blocking


def evidence(case: Case, examined: Examined) -> str:
    """SHA-256 of what is submitted: form, object, boundary and documents."""
    return sheet.digest(case, examined.geometry_sha256, examined.papers)


async def object_of(connection: AsyncConnection, desk: Desk, case: Case) -> dict[str, Any]:
    """The object that a case is about as it stands today; empty where there is none, or not any more."""
    if not case.subject_layer or case.subject_id is None:
        return {}
    return await subject.read(connection, case.subject_layer, case.subject_id, desk.today()) or {}


async def examine(
    connection: AsyncConnection,
    desk: Desk,
    actor: Actor,
    case: Case,
    service: ServiceDefinition,
    *,
    moment: Moment,
    signed: bool = True,
) -> Examined:
    """Ask form, documents, signature and rules; the claims of other cases are asked apart, once the case has its
    place in the queue. ``signed`` is whether a submission needs its signature."""
    today = desk.today()
    found = desk.catalogue.rules_of(service)
    # The last of the batch, since the rules see more than the caller.
    states = evaluation.states_asked(found[0], moment, today) if found else None
    given = await _given(connection, case, today, *([states] if states else []))
    row, papers = given.row, given.papers if moment != Moment.decide else ()
    problems = [*_missing(service, case, row), *form.problems(service, case.payload, row or {}, today)]
    if moment != Moment.decide:
        problems += requirements.of_documents(service, papers, given.signatures, today)
        if moment == Moment.submit and signed:
            digest_ = sheet.digest(case, given.sha256, papers)
            problems += requirements.of_submission(service, given.signatures, digest_)
    question = Question(
        case=case.id,
        geometry=case.geometry,
        moment=moment,
        valid_on=today,
        payload=case.payload,
        subject=row or {},
        values=case.values(today),
        subject_layer=case.subject_layer or "",
        area_m2=given.area_m2,
        lodged_order=case.lodged_order,
    )
    if found is None:
        answers, rules, digest = Evaluation(Instant(datetime.now(UTC), ""), ()), None, ""
    else:
        rules, digest = found
        answers = await evaluation.evaluate(
            connection, rules, question, rank=actor.caller.rank, states=states
        )
    return Examined(question, tuple(problems), answers, rules, digest, row or {}, given.sha256, papers)


@dataclass(frozen=True)
class _Given:
    """What a case rests on: its object as it stands today, the size and hash of its boundary, papers and signatures."""

    row: Mapping[str, Any] | None
    area_m2: float | None
    sha256: str
    papers: tuple[Document, ...]
    signatures: Sequence[Signature]


async def _given(connection: AsyncConnection, case: Case, today: date, *after: Ask[Any]) -> _Given:
    shape = Ask(_GROUND, {"id": case.geometry}, lambda rows: rows[0] if rows else None)
    papers, signatures = shelf.asked(case.id), kept.asked(case.id)
    asks: list[Ask[Any]] = [shape, papers, signatures]
    row = None
    if case.subject_layer and case.subject_id is not None:
        row = subject.asked(case.subject_layer, case.subject_id, today)
        asks.append(row)
    await together(connection, *asks, *after)
    area, sha256 = (shape.answer["area_m2"], shape.answer["sha256"]) if shape.answer else (None, "")
    newest = tuple(shelf.newest(papers.answer))
    return _Given(row.answer if row else None, area, sha256, newest, signatures.answer)


def _missing(service: ServiceDefinition, case: Case, row: Mapping[str, Any] | None) -> list[Problem]:
    """What is missing beside the fields: the object, the boundary."""
    found = []
    if service.subject and service.subject.required and row is None:
        title = service.subject.title
        found.append(Problem("subject", "required", f"Выберите: {title.ru}.", f"Choose: {title.en}."))
    elif service.applicant.holds and row is not None and row.get("holder_inn") != case.party_inn:
        found.append(
            Problem(
                "subject", "not-held", "Этот объект больше не ваш.", "You do not hold this object any more."
            )
        )
    if service.ground.kind != "none" and case.geometry is None:
        hint = service.ground.hint
        found.append(
            Problem(
                "geometry",
                "required",
                hint.ru if hint else "Укажите границу.",
                hint.en if hint else "Give the boundary.",
            )
        )
    return found


async def with_claims(connection: AsyncConnection, examined: Examined, lodged_order: int | None) -> Examined:
    """The same with what other cases claim, seen from a place in the queue (None: from its end)."""
    claims = claims_from(examined, lodged_order)
    await together(connection, *claims.asks)
    return claimed(examined, claims, lodged_order)


def claims_from(examined: Examined, lodged_order: int | None) -> Claims:
    """What other cases claim, seen from a place in the queue. None: its end, to be asked right after a case took the
    last place, when all who have one stand before it."""
    question = replace(examined.question, lodged_order=lodged_order)
    return Claims.of(examined.rules, question) if examined.rules else Claims(question, ())


def claimed(examined: Examined, claims: Claims, lodged_order: int | None) -> Examined:
    """What was found, with the claims that came back and the place from which they are seen."""
    if examined.rules is None:
        return examined
    question = replace(examined.question, lodged_order=lodged_order)
    answers = (*examined.evaluation.answers, *claims.answers)
    return replace(examined, question=question, evaluation=Evaluation(examined.evaluation.at, answers))


async def refuse(
    connection: AsyncConnection, actor: Actor, case: Case, examined: Examined, reasons: Mapping[str, str]
) -> None:
    """IncompleteError with every problem and every finding at once, where something stops the case."""
    problems = list(examined.problems)
    if examined.rules:
        open_ = findings.unanswered(examined.rules, examined.evaluation.answers, reasons)
        problems += [
            Problem(
                f"acknowledgements.{a.rule}",
                "reason-needed",
                f"Объясните: {examined.rules.by_id[a.rule].title.ru}.",
                f"Explain: {examined.rules.by_id[a.rule].title.en}.",
            )
            for a in open_
        ]
    blocking = examined.evaluation.blocking
    if not problems and not blocking:
        return
    shown = await presented(connection, actor, case, examined)
    names = [p.field for p in problems] + [a.rule for a in blocking]
    raise IncompleteError(
        f"The case cannot go on: {len(problems)} fields and {len(blocking)} rules stand against it"
        f" ({', '.join(names[:5])}).",
        "Correct what is named and try again; nothing was lost.",
        field=names[0],
        problems=[p.as_dict() for p in problems],
        findings=shown,
    )


async def presented(
    connection: AsyncConnection, actor: Actor, case: Case, examined: Examined
) -> list[dict[str, Any]]:
    """The findings as the actor may read them."""
    if examined.rules is None:
        return []
    role = actor.role_in(case.party_inn, case.region)
    return await findings.presented(connection, examined.rules, examined.evaluation.answers, role=role)


async def validate(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int) -> dict[str, Any]:
    """Every problem and finding of a case as it stands, without keeping or changing anything."""
    case = await record.load(connection, case_id)
    service = await record.definition_of(connection, desk, case)
    await _noted(connection, actor, case)
    examined = await examine(connection, desk, actor, case, service, moment=Moment.draft)
    examined = await with_claims(connection, examined, case.lodged_order)
    shown = await presented(connection, actor, case, examined)
    strict = replace(examined.question, moment=Moment.submit)
    sha256 = evidence(case, examined)
    signatures = await kept.of_case(connection, case.id)
    signed = requirements.fulfilled(service, signatures, sha256)
    return {
        "signature": {"level": service.signature, "signed": signed, "sha256": sha256},
        "complete": not examined.problems,
        "would_block": _would_block(examined, strict),
        "problems": [p.as_dict() for p in examined.problems],
        "findings": shown,
    }


async def _noted(connection: AsyncConnection, actor: Actor, case: Case) -> None:
    """That somebody had a case checked: the answer may rest on what he does not see."""
    entry = journal.Entry(
        Action.checked,
        account=actor.caller.account,
        subject="cases",
        object=case.id,
        region=case.region,
        inn=case.party_inn,
    )
    await journal.record(connection, entry)


def _would_block(examined: Examined, strict: Question) -> list[str]:
    """Rules that would stop the submission as things stand."""
    if examined.rules is None:
        return []
    return [
        a.rule
        for a in examined.evaluation.answers
        if verdict(examined.rules.by_id[a.rule], strict.moment, a.outcome, introduced=a.introduced)
        == Severity.block
    ]


@dataclass(frozen=True)
class Replay:
    """A check asked again as of its instant: what was answered then, what is answered now for then."""

    then: tuple[Answer, ...]
    again: tuple[Answer, ...]

    @property
    def same(self) -> bool:
        """Whether both agree on every rule."""
        first = sorted(a.essence() for a in self.then)
        return first == sorted(a.essence() for a in self.again)


async def replay(connection: AsyncConnection, actor: Actor, check: int) -> Replay:
    """Recompute a check with the rules and layers of its instant, whatever has changed since."""
    row = (await connection.execute(_CHECK, {"id": check})).mappings().one()
    rules = await record.rules_at(connection, row["rules_digest"])
    asked = row["parameters"]
    question = Question(
        case=row["case_id"],
        geometry=row["geometry"],
        moment=Moment(row["moment"]),
        valid_on=row["valid_on"],
        payload=asked["payload"],
        subject=asked["subject"],
        values=asked["values"],
        subject_layer=asked["subject_layer"],
        area_m2=asked["area_m2"],
        lodged_order=row["lodged_order"],
    )
    instant = await evaluation.ghosts(connection, row["as_of"], row["snapshot"])
    found = await evaluation.evaluate(connection, rules, question, rank=actor.caller.rank, at=instant)
    claimed_at = replace(instant, as_of=row["claimed_at"])
    claims = await evaluation.claims(connection, rules, question, claimed_at)
    return Replay(await _kept(connection, check), (*found.answers, *claims))


async def _kept(connection: AsyncConnection, check: int) -> tuple[Answer, ...]:
    rows: Sequence[Any] = (await connection.execute(_ANSWERS, {"id": check})).mappings().all()
    return tuple(
        Answer(
            r["rule"],
            Outcome(r["outcome"]),
            Severity(r["severity"]),
            r["layer"],
            r["layer_version"],
            tuple(r["objects"]),
            r["area_m2"],
            r["introduced"],
            r["measures"],
            r["cause"],
        )
        for r in rows
    )
