"""Findings: the answers of the rules as they are kept with a case, and as each side may read them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.evaluation import Answer, Evaluation, Question
from cases.lifecycle import Role
from cases.rules import Outcome, Rule, RuleSet, Severity, fill
from geo.batch import Ask, order
from geo.layers import layer, model_of

# The database keeps a check with its answers and says its number.
_KEEP = text(
    "SELECT cases.keep_check(CAST(:head AS jsonb), CAST(:answers AS jsonb), CAST(:reasons AS jsonb)) AS kept"
)
_ADD = text("SELECT cases.keep_findings(:check, CAST(:answers AS jsonb), CAST(:reasons AS jsonb))")
_OF_CASE = text(
    """
    SELECT k.id AS check_id, k.moment, k.at, k.as_of, k.rules_digest, f.rule, f.outcome, f.severity, f.layer,
           f.layer_version, f.objects, f.area_m2, f.introduced, f.measures, f.cause,
           ST_AsGeoJSON(f.piece, 7) AS piece, a.reason, a.at AS acknowledged_at
    FROM (SELECT * FROM cases.checks WHERE case_id = :case ORDER BY id DESC LIMIT 1) k
    JOIN cases.findings f ON f.check_id = k.id
    LEFT JOIN cases.acknowledgements a ON a.check_id = k.id AND a.rule = f.rule
    """
)
_PIECES = text(
    "SELECT rule, ST_AsGeoJSON(CAST(piece AS geometry), 7) FROM"
    " jsonb_to_recordset(CAST(:rows AS jsonb)) AS p (rule text, piece text)"
)
_CAUSES = {
    "empty": ("в этом слое ещё нет данных", "this layer holds no data yet"),
    "outage": ("источник слоя недоступен", "the source of the layer is down"),
    "failed": ("проверка не удалась", "the check failed"),
    "no-geometry": ("граница ещё не указана", "there is no boundary yet"),
    "no-value": ("не заполнено поле, с которым сравнивают", "the field to compare with is empty"),
    "old": ("данные слоя устарели", "the data of the layer are old"),
}


def keeping(
    question: Question, evaluation: Evaluation, digest: str, *, reasons: Mapping[str, str]
) -> Ask[int]:
    """Keep a check with its answers, the clear ones too, and the reasons given to warnings; answers its number."""
    head = {
        "case": question.case,
        "moment": question.moment.value,
        "as_of": evaluation.at.as_of,
        "snapshot": evaluation.at.snapshot,
        "valid_on": question.valid_on,
        "digest": digest,
        "geometry": question.geometry,
        "parameters": {
            "payload": dict(question.payload),
            "subject": dict(question.subject),
            "values": dict(question.values),
            "subject_layer": question.subject_layer,
            "area_m2": question.area_m2,
            "lodged_order": question.lodged_order,
        },
    }
    values = {"head": json.dumps(head, default=str), **_values(evaluation.answers, reasons)}
    return Ask(_KEEP, values, lambda rows: int(rows[0]["kept"]))


def adding(check: int, answers: Sequence[Answer], reasons: Mapping[str, str]) -> Ask[None]:
    """Add answers to a check that was kept in this transaction without them."""
    return order(_ADD, {"check": check, **_values(answers, reasons)})


def _values(answers: Sequence[Answer], reasons: Mapping[str, str]) -> dict[str, str]:
    rows = [vars(a) | {"objects": list(a.objects), "measures": dict(a.measures)} for a in answers]
    asked = {a.rule for a in answers}
    given = {rule: reason for rule, reason in reasons.items() if rule in asked and reason.strip()}
    return {"answers": json.dumps(rows, default=str), "reasons": json.dumps(given)}


def unanswered(rules: RuleSet, answers: Iterable[Answer], reasons: Mapping[str, str]) -> list[Answer]:
    """Warnings that need a reason and have none."""
    return [
        a
        for a in answers
        if a.severity == Severity.warn
        and a.outcome == Outcome.hit
        and rules.by_id[a.rule].acknowledge
        and len(reasons.get(a.rule, "").strip()) < 3
    ]


async def visible(
    connection: AsyncConnection, objects: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], str]:
    """Titles of the objects that the caller may see, by layer and version; the others stay masked. One statement."""
    wanted: dict[str, list[int]] = {}
    for name, version in objects:
        wanted.setdefault(name, []).append(version)
    if not wanted:
        return {}
    parts, values = [], {}
    for name, versions in sorted(wanted.items()):
        known = {c.name for c in model_of(name).__table__.columns}
        title = ", ".join(c for c in layer(name).title_of if c in known)
        parts.append(
            f"SELECT '{name}' AS layer, version, coalesce({title}) AS title FROM gate.{name}"
            f" WHERE version = ANY (:v_{name})"
        )
        values[f"v_{name}"] = versions
    rows = await connection.execute(text(" UNION ALL ".join(parts)), values)
    return {(name, version): title or "" for name, version, title in rows}


def _amount(value: float, locale: str, digits: int) -> str:
    written = f"{value:,.{digits}f}"
    return written.replace(",", "\u00a0").replace(".", ",") if locale == "ru" else written


def area_text(m2: float, locale: str) -> str:
    """An area as people read it: hectares from 0,1 ha, square metres below."""
    unit = ("га", "м²") if locale == "ru" else ("ha", "m²")
    return (
        f"{_amount(m2 / 10_000, locale, 2)} {unit[0]}"
        if m2 >= 1000
        else f"{_amount(m2, locale, 0)} {unit[1]}"
    )


def _metres(value: float, locale: str) -> str:
    return f"{_amount(value, locale, 0)} {'м' if locale == 'ru' else 'm'}"


def message(rule: Rule, answer: Answer, locale: str) -> str:
    """What the answer says, with its numbers."""
    if answer.outcome in (Outcome.not_checked, Outcome.stale):
        cause = _CAUSES.get(answer.cause.partition(":")[0], (answer.cause, answer.cause))
        told = cause[1] if locale == "en" else cause[0]
        head = {
            (Outcome.not_checked, "ru"): "Не проверено",
            (Outcome.not_checked, "en"): "Not checked",
            (Outcome.stale, "ru"): "Проверено по старым данным",
            (Outcome.stale, "en"): "Checked against old data",
        }[answer.outcome, locale]
        return f"{head}: {told}."
    if answer.outcome == Outcome.clear:
        return "Нарушений нет." if locale == "ru" else "Nothing found."
    values: dict[str, str] = {"area": area_text(answer.area_m2, locale)}
    for name, value in answer.measures.items():
        if name in ("declared", "computed", "allowed"):
            values[name] = area_text(value, locale)
        elif name in ("distance", "length"):
            values[name] = _metres(value, locale)
        else:
            values[name] = _amount(value, locale, 0)
    return fill(rule.message.of(locale), values)


async def presented(
    connection: AsyncConnection,
    rules: RuleSet,
    answers: Sequence[Answer],
    *,
    role: Role | None,
    pieces: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Findings as a side may read them: objects and other cases that it may not see are masked."""
    named = [(a.layer, int(o["version"])) for a in answers for o in a.objects if a.layer and o.get("version")]
    titles = await visible(connection, named)
    if pieces is None:
        rows = [{"rule": a.rule, "piece": a.piece} for a in answers if a.piece]
        found = await connection.execute(_PIECES, {"rows": json.dumps(rows)}) if rows else ()
        pieces = {rule: json.loads(piece) for rule, piece in found if piece}
    shown = []
    for answer in answers:
        rule = rules.by_id[answer.rule]
        shown.append(
            {
                "rule": rule.id,
                "title": rule.title.model_dump(),
                "norm": rule.norm.model_dump(),
                "outcome": answer.outcome.value,
                "severity": answer.severity.value,
                "message": {locale: message(rule, answer, locale) for locale in ("ru", "en")},
                "fix": rule.fix.model_dump(),
                "acknowledge": rule.acknowledge and answer.severity == Severity.warn,
                "layer": answer.layer,
                "layer_version": answer.layer_version,
                "area_m2": answer.area_m2,
                "introduced": answer.introduced,
                "objects": [_object(answer, o, titles, role) for o in answer.objects],
                "piece": pieces.get(answer.rule),
                "reason": None,
                "checked_at": None,
            }
        )
    order = {"block": 0, "warn": 1, "info": 2, "off": 3}
    return sorted(shown, key=lambda f: (order[str(f["severity"])], -float(f["area_m2"])))


def _object(
    answer: Answer, found: Mapping[str, Any], titles: Mapping[tuple[str, int], str], role: Role | None
) -> dict[str, Any]:
    if "case" in found:
        # Who else asks for this ground is for the office to know, not for the competitor.
        if role == Role.applicant:
            return {"masked": True, "lodged_at": found["lodged_at"]}
        return dict(found)
    title = titles.get((answer.layer, int(found["version"])))
    if title is None:
        return {"masked": True, "layer": answer.layer}
    return {"layer": answer.layer, "id": found["id"], "version": found["version"], "title": title}


async def of_case(
    connection: AsyncConnection, rules: RuleSet, case: int, role: Role | None
) -> list[dict[str, Any]]:
    """The findings of the last check of a case, with the reasons given to warnings."""
    rows = (await connection.execute(_OF_CASE, {"case": case})).mappings().all()
    answers = [
        Answer(
            row["rule"],
            Outcome(row["outcome"]),
            Severity(row["severity"]),
            row["layer"],
            row["layer_version"],
            tuple(row["objects"]),
            row["area_m2"],
            row["introduced"],
            row["measures"],
            row["cause"],
        )
        for row in rows
        if row["rule"] in rules.by_id
    ]
    pieces = {row["rule"]: json.loads(row["piece"]) for row in rows if row["piece"]}
    reasons = {row["rule"]: row["reason"] for row in rows}
    checked = {row["rule"]: row["at"] for row in rows}
    shown = await presented(connection, rules, answers, role=role, pieces=pieces)
    return [f | {"reason": reasons[f["rule"]], "checked_at": checked[f["rule"]]} for f in shown]
