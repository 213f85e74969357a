"""Asking the rules: all of a case in one statement over the gates, now or as of an earlier instant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.expression import resolve
from cases.rules import Moment, Outcome, Predicate, Rule, RuleSet, Severity, verdict
from geo.batch import Ask, Rows, attempt, order, together
from geo.geometry import tolerance_m2
from geo.layers import layer
from geo.session import sql_of

_OPERATORS = {"eq": "=", "ne": "IS DISTINCT FROM", "ge": ">=", "le": "<="}
# The rules see every object; what the applicant may not see is masked where findings are shown.
_SEE_OWN = text("SELECT set_config('mezha.rank', :rank, true)")
_GHOSTS = text(
    "SELECT DISTINCT at FROM history.layer_changes WHERE at <= :as_of"
    " AND NOT pg_visible_in_snapshot(xid, CAST(:snapshot AS pg_snapshot))"
)
_CLAIMS = text(
    "SELECT c.case_id, c.number, c.lodged_at, c.area_m2,"
    " CASE WHEN row_number() OVER (ORDER BY c.lodged_order) = 1 THEN encode(ST_AsEWKB(c.piece), 'hex') END AS piece"
    " FROM cases.geometries g, cases.claims(g.geom, :own, coalesce(CAST(:moment AS timestamptz), clock_timestamp()),"
    " CAST(:lodged_order AS bigint), :tolerance) c WHERE g.id = :geometry ORDER BY c.lodged_order"
)
_LAYER_STATES = text(sql_of("cases", "layer_states"))


@dataclass(frozen=True)
class Instant:
    """The system time as of which the layers are read; ``snapshot`` tells which writers were still at work."""

    as_of: datetime
    snapshot: str
    ghosts: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Question:
    """What the rules are asked about: kept with the check, so that it can be asked again."""

    case: int
    geometry: int | None
    moment: Moment
    valid_on: date
    payload: Mapping[str, Any]
    subject: Mapping[str, Any]
    values: Mapping[str, Any]
    subject_layer: str = ""
    area_m2: float | None = None
    lodged_order: int | None = None


@dataclass(frozen=True)
class Answer:
    """What one rule answered: objects hit, m², the offending piece (EWKB, hex), and what the message says."""

    rule: str
    outcome: Outcome
    severity: Severity
    layer: str = ""
    layer_version: str = ""
    objects: tuple[Mapping[str, Any], ...] = ()
    area_m2: float = 0.0
    introduced: bool = False
    measures: Mapping[str, float] = field(default_factory=dict)
    cause: str = ""
    piece: str | None = None

    def essence(self) -> tuple[Any, ...]:
        """What two askings must agree on."""
        ids = tuple((o.get("id"), o.get("version"), o.get("case")) for o in self.objects)
        measures = tuple(sorted((k, round(v, 3)) for k, v in self.measures.items()))
        return (
            self.rule,
            self.outcome,
            self.severity,
            ids,
            round(self.area_m2, 3),
            self.introduced,
            measures,
        )


@dataclass(frozen=True)
class Evaluation:
    """The answers of a rule set at one instant."""

    at: Instant
    answers: tuple[Answer, ...]

    @property
    def blocking(self) -> tuple[Answer, ...]:
        """Answers that stop the action."""
        return tuple(a for a in self.answers if a.severity == Severity.block)


def _literal(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _where(rule: Rule, n: int, question: Question, values: dict[str, Any]) -> str:
    """Conditions on properties; names come from the layer registry, values are bound with the column's type."""
    known = {p.name: p.type for p in layer(rule.layer).properties} | {"id": "bigint"}
    types = {"integer": "integer", "number": "float8", "date": "date", "text": "text", "bigint": "bigint"}
    parts = []
    for k, condition in enumerate(rule.where):
        kind = types[known[condition.property]]
        name = f"where_{n}_{k}"
        value = resolve(_literal(condition.value), question.payload, question.subject, question.values)
        column = f"o.{condition.property}"
        if condition.op == "in":
            values[name] = [str(v) for v in value]
            parts.append(f"AND {column} = ANY (CAST(:{name} AS text[])::{kind}[])")
        else:
            values[name] = None if value is None else str(value)
            parts.append(f"AND {column} {_OPERATORS[condition.op]} CAST(CAST(:{name} AS text) AS {kind})")
    return " ".join(parts)


def _moment(replayed: bool) -> str:
    valid = "o.valid_from <= :valid_on AND o.valid_to > :valid_on"
    if not replayed:
        return f"o.sys_to = 'infinity' AND {valid}"
    return (
        "o.sys_from <= :as_of AND o.sys_from <> ALL (CAST(:ghosts AS timestamptz[]))"
        f" AND (o.sys_to > :as_of OR o.sys_to = ANY (CAST(:ghosts AS timestamptz[]))) AND {valid}"
    )


def statement(
    rules: Sequence[Rule], question: Question, *, replayed: bool
) -> tuple[TextClause, dict[str, Any]]:
    """One statement that asks these rules, and the values that it binds."""
    values: dict[str, Any] = {"geometry": question.geometry, "valid_on": question.valid_on}
    branches = []
    for n, rule in enumerate(rules):
        template = sql_of("cases", f"rule_{rule.predicate}")
        if rule.predicate not in (Predicate.distance, Predicate.attribute_sum):
            values[f"tolerance_{n}"] = rule.tolerance
        if rule.predicate == Predicate.distance:
            values[f"distance_{n}"] = rule.distance_m
        own = ""
        if rule.predicate == Predicate.covered_by_own_right:
            values["inn"] = question.values.get("party_inn")
            if question.subject_layer == rule.layer:
                values["own"] = question.subject.get("id")
                own = "AND o.id = :own"
        branch = template.format(
            n=n,
            layer=layer(rule.layer).name,
            moment=_moment(replayed),
            where=_where(rule, n, question, values),
            own=own,
            property=rule.property and layer(rule.layer).property_named(rule.property).name,
        )
        branches.append(f"SELECT '{rule.id}' AS rule, b{n}.* FROM (\n{branch}) b{n}")
    return _parsed("\nUNION ALL\n".join(branches)), values


@lru_cache(maxsize=256)
def _parsed(branches: str) -> TextClause:
    """The statement of these branches; read for its parameters once, not at every submission."""
    return text(sql_of("cases", "findings").format(branches=branches))


@dataclass(frozen=True)
class LayerState:
    """What is known of a layer at an instant: its version, its last change, and why it cannot be asked."""

    version: str
    at: datetime | None
    cause: str


States = tuple[Instant, Mapping[str, LayerState]]


def states_asked(rule_set: RuleSet, moment: Moment, valid_on: date, at: Instant | None = None) -> Ask[States]:
    """The instant of the check and what is known of the layers then; whatever is sent after it sees everything, until
    `evaluate` gives the caller's rank back."""
    values = {
        "layers": sorted({r.layer for r in rule_set.active(moment, valid_on) if r.layer}),
        "as_of": at.as_of if at else None,
        "snapshot": at.snapshot if at else None,
    }

    def shape(rows: Rows) -> States:
        found = {}
        for row in rows:
            cause = f"outage: {row['outage']}" if row["outage"] else "" if row["id"] else "empty"
            version = f"{row['id']}@{row['at'].isoformat()}" if row["id"] else ""
            found[row["layer"]] = LayerState(version, row["at"], cause)
        return at or Instant(rows[0]["as_of"], rows[0]["snapshot"]), found

    return Ask(_LAYER_STATES, values, shape)


async def evaluate(
    connection: AsyncConnection,
    rule_set: RuleSet,
    question: Question,
    *,
    rank: int,
    at: Instant | None = None,
    states: Ask[States] | None = None,
) -> Evaluation:
    """Answers of all rules but those about other claims (`claims`); ``rank`` is the caller's, given back after.

    With ``at`` they are asked as of that instant. ``states`` are those of the layers where they were sent already
    (`states_asked`). A rule that cannot be asked answers not_checked, never clear.
    """
    rules = rule_set.active(question.moment, question.valid_on)
    if states is None:
        states = states_asked(rule_set, question.moment, question.valid_on, at)
        await together(connection, states)
    instant, known = states.answer
    own = order(_SEE_OWN, {"rank": str(rank)})
    askable = _askable(rules, question, known)
    rows, failed = await _ask(connection, askable, question, instant if at else None, own)
    answers = [
        _answer(
            rule,
            question,
            rows.get(rule.id),
            state=known.get(rule.layer),
            failure=failed.get(rule.id),
            instant=instant,
        )
        for rule in rules
        if rule.predicate != Predicate.not_declared_twice
    ]
    return Evaluation(instant, tuple(answers))


async def ghosts(connection: AsyncConnection, as_of: datetime, snapshot: str) -> Instant:
    """An earlier instant, with the writers that had begun before it and were not yet seen."""
    rows = await connection.execute(_GHOSTS, {"as_of": as_of, "snapshot": snapshot})
    return Instant(as_of, snapshot, tuple(at for (at,) in rows))


def _askable(rules: Sequence[Rule], question: Question, states: Mapping[str, LayerState]) -> list[Rule]:
    """Rules about layers that can be read now, and about what the case has."""
    found = [r for r in rules if r.layer and not states[r.layer].cause]
    if question.geometry is None:
        return [r for r in found if r.predicate == Predicate.attribute_sum]
    return found


async def _ask(
    connection: AsyncConnection,
    rules: Sequence[Rule],
    question: Question,
    replayed: Instant | None,
    own: Ask[None],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Rows by rule, and the causes of the rules that could not be asked; ``own`` is sent after the last of them."""
    if not rules:
        await together(connection, own)
        return {}, {}
    try:
        return await _rows(connection, rules, question, replayed, own), {}
    except DBAPIError:
        rows: dict[str, Any] = {}
        failed: dict[str, str] = {}
        for rule in rules:
            try:
                rows |= await _rows(connection, [rule], question, replayed)
            except DBAPIError as err:
                failed[rule.id] = f"failed: {type(err.orig).__name__}"
        await together(connection, own)
        return rows, failed


async def _rows(
    connection: AsyncConnection,
    rules: Sequence[Rule],
    question: Question,
    replayed: Instant | None,
    *after: Ask[None],
) -> dict[str, Any]:
    asked, values = statement(rules, question, replayed=replayed is not None)
    if replayed:
        values |= {"as_of": replayed.as_of, "ghosts": list(replayed.ghosts)}
    found = Ask(asked, values, lambda rows: {row["rule"]: row for row in rows})
    await attempt(connection, found, *after)
    return found.answer


def _answer(
    rule: Rule,
    question: Question,
    row: Mapping[str, Any] | None,
    *,
    state: LayerState | None,
    failure: str | None,
    instant: Instant,
) -> Answer:
    """The answer of one rule from its row: none is clear, unless something kept the rule from being asked."""
    if rule.predicate == Predicate.area_tolerance:
        return _area_answer(rule, question)
    cause = failure or (state.cause if state else "")
    if question.geometry is None and rule.predicate != Predicate.attribute_sum:
        cause = cause or "no-geometry"
    version = state.version if state else ""
    if cause:
        severity = verdict(rule, question.moment, Outcome.not_checked, introduced=True)
        return Answer(rule.id, Outcome.not_checked, severity, rule.layer, version, cause=cause)
    if rule.predicate == Predicate.attribute_sum:
        return _sum_answer(rule, question, row, version)
    outcome, introduced, measures = Outcome.clear, False, {}
    if row:
        outcome, introduced = Outcome.hit, bool(row["introduced"])
        measures = {"distance": row["least"]} if rule.predicate == Predicate.distance else {}
        measures |= {"length": row["total"]} if rule.predicate == Predicate.touches else {}
    elif _stale(rule, state, instant):
        outcome, cause = Outcome.stale, "old"
    return Answer(
        rule.id,
        outcome,
        verdict(rule, question.moment, outcome, introduced=introduced),
        rule.layer,
        version,
        tuple(row["objects"] or ()) if row else (),
        float(row["area_m2"]) if row else 0.0,
        introduced,
        measures,
        cause,
        row["piece"] if row else None,
    )


def _stale(rule: Rule, state: LayerState | None, instant: Instant) -> bool:
    return bool(
        rule.max_age_days and state and state.at and (instant.as_of - state.at).days > rule.max_age_days
    )


def _declared(rule: Rule, question: Question) -> float | None:
    value = question.payload.get(rule.field)
    return float(value) * rule.field_factor if isinstance(value, int | float) else None


def _area_answer(rule: Rule, question: Question) -> Answer:
    declared = _declared(rule, question)
    if declared is None or question.area_m2 is None:
        severity = verdict(rule, question.moment, Outcome.not_checked, introduced=True)
        return Answer(rule.id, Outcome.not_checked, severity, cause="no-value")
    allowed = max(float(tolerance_m2(np.array([declared]), rule.accuracy_m)[0]), rule.tolerance)
    measures = {"declared": declared, "computed": question.area_m2, "allowed": allowed}
    difference = abs(declared - question.area_m2)
    outcome = Outcome.hit if difference > allowed else Outcome.clear
    severity = verdict(rule, question.moment, outcome, introduced=True)
    hit = outcome == Outcome.hit
    return Answer(
        rule.id, outcome, severity, area_m2=difference if hit else 0.0, introduced=hit, measures=measures
    )


def _sum_answer(rule: Rule, question: Question, row: Mapping[str, Any] | None, version: str) -> Answer:
    limit = rule.limit.value
    if rule.limit.object_property:
        limit = question.subject.get(rule.limit.object_property)
    declared = _declared(rule, question)
    if limit is None or declared is None:
        severity = verdict(rule, question.moment, Outcome.not_checked, introduced=True)
        return Answer(rule.id, Outcome.not_checked, severity, rule.layer, version, cause="no-value")
    total = declared + (float(row["total"]) if row else 0.0)
    measures = {"sum": total, "limit": float(limit)}
    hit = total > float(limit) + rule.tolerance
    outcome = Outcome.hit if hit else Outcome.clear
    severity = verdict(rule, question.moment, outcome, introduced=True)
    objects = tuple(row["objects"] or ()) if row and hit else ()
    return Answer(rule.id, outcome, severity, rule.layer, version, objects, 0.0, hit, measures)


@dataclass(frozen=True)
class Claims:
    """What other cases claim of the same ground, asked of each rule about it: to be sent, then answered."""

    question: Question
    asked: tuple[tuple[Rule, Ask[Rows] | None], ...]

    @classmethod
    def of(cls, rule_set: RuleSet, question: Question, at: Instant | None = None) -> "Claims":
        """Those lodged earlier than the question's place in the queue, or all where it has none."""
        found = [
            (rule, None if question.geometry is None else _claim(rule, question, at))
            for rule in rule_set.active(question.moment, question.valid_on)
            if rule.predicate == Predicate.not_declared_twice
        ]
        return cls(question, tuple(found))

    @property
    def asks(self) -> list[Ask[Rows]]:
        """What to send."""
        return [ask for _, ask in self.asked if ask]

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What came back."""
        return tuple(_claimed(rule, self.question, ask) for rule, ask in self.asked)


def _claim(rule: Rule, question: Question, at: Instant | None) -> Ask[Rows]:
    values = {
        "own": question.case,
        "moment": at.as_of if at else None,
        "tolerance": rule.tolerance,
        "geometry": question.geometry,
        "lodged_order": question.lodged_order,
    }
    return Ask(_CLAIMS, values, list)


def _claimed(rule: Rule, question: Question, ask: Ask[Rows] | None) -> Answer:
    if ask is None:
        severity = verdict(rule, question.moment, Outcome.not_checked, introduced=True)
        return Answer(rule.id, Outcome.not_checked, severity, cause="no-geometry")
    rows = ask.answer
    outcome = Outcome.hit if rows else Outcome.clear
    return Answer(
        rule.id,
        outcome,
        verdict(rule, question.moment, outcome, introduced=bool(rows)),
        objects=tuple(
            {"case": r["case_id"], "number": r["number"], "lodged_at": r["lodged_at"].isoformat()}
            for r in rows
        ),
        area_m2=sum(r["area_m2"] for r in rows),
        introduced=bool(rows),
        piece=rows[0]["piece"] if rows else None,
    )


async def claims(
    connection: AsyncConnection, rule_set: RuleSet, question: Question, at: Instant | None = None
) -> tuple[Answer, ...]:
    """Answers about other cases on the same ground: those lodged earlier, or all while nothing is lodged yet.

    Asked after the place in the queue is given, so that of two at once the second sees the first.
    """
    asked = Claims.of(rule_set, question, at)
    await together(connection, *asked.asks)
    return asked.answers
