"""What a decision says, in the words of its reader: the facts of its template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from cases.evaluation import Evaluation
from cases.record import Case
from cases.rules import Outcome, RuleSet
from cases.service_definition import ServiceDefinition
from geo.dictionaries import label
from geo.history import Written
from geo.layers import layer

_UNITS = {"ha": "га", "m3": "м³", "t": "т"}
# From here on a list would be longer than anybody reads.
_MOST = 40


@dataclass(frozen=True)
class Ruling:
    """What was decided about a case, and on what it rests."""

    case: Case
    service: ServiceDefinition
    outcome: Literal["approved", "rejected"]
    reason: str
    officer: str
    subject: Mapping[str, Any]
    evaluation: Evaluation | None = None
    rules: RuleSet | None = None
    written: Sequence[Written] = ()
    appeal_until: date | None = None

    @property
    def granted(self) -> bool:
        """Whether the applicant got what he asked for."""
        return self.outcome == "approved"


def said(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".").replace(",", "\u202f").replace(".", ",")
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f") if abs(value) >= 10_000 else str(value)
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    text = str(value)
    if len(text) == 10 and text[4] == text[7] == "-" and text.replace("-", "").isdecimal():
        return ".".join(reversed(text.split("-")))
    return text


def facts(ruling: Ruling) -> list[tuple[str, str]]:
    """Who asked for what, and when."""
    case, service = ruling.case, ruling.service
    found = [
        ("Номер и услуга", f"{case.number}, {service.title.ru}"),
        ("Заявитель", f"{case.party_name}, ИНН {case.party_inn}".removeprefix(", ")),
    ]
    if case.lodged_at:
        found.append(("Подано", f"{case.lodged_at:%d.%m.%Y}"))
    if service.subject and ruling.subject:
        name = ruling.subject.get("number") or ruling.subject.get("name") or ""
        found.append((service.subject.title.ru, str(name)))
    if case.evidence_sha256:
        found.append(("Контрольная сумма поданного", " ".join(_grouped(case.evidence_sha256))))
    return found


def _grouped(digest: str) -> list[str]:
    return [digest[n : n + 16] for n in range(0, len(digest), 16)]


def answers(ruling: Ruling) -> list[tuple[str, str]]:
    """The form, question by question."""
    found = []
    for section in ruling.service.form.sections:
        for name in section.fields:
            ui, value = ruling.service.form.ui[name], ruling.case.payload.get(name)
            if value is None or value == "":
                continue
            shown = label(ui.dictionary, str(value), "ru") if ui.dictionary else _plain(ui.widget, value)
            unit = _UNITS.get(ui.unit, "")
            found.append((ui.label.ru, f"{shown} {unit}".strip()))
    return found


def _plain(widget: str, value: Any) -> str:
    return str(value) if widget == "year" else said(value)


def rules(ruling: Ruling) -> list[str]:
    """What the rules found on the day of the decision; what could not be checked is said too."""
    if ruling.evaluation is None or ruling.rules is None:
        return []
    answered = ruling.evaluation.answers
    clear = sum(a.outcome == Outcome.clear for a in answered)
    found = [f"Проверок проведено: {len(answered)}, без замечаний: {clear}."]
    for answer in answered:
        rule = ruling.rules.by_id[answer.rule]
        if answer.outcome == Outcome.hit:
            area = f", {said(round(answer.area_m2 / 10_000, 4))} га" if answer.area_m2 >= 1 else ""
            found.append(f"{rule.title.ru}{area} ({rule.norm.ru}).")
        elif answer.outcome != Outcome.clear:
            found.append(f"{rule.title.ru}: не проверено.")
    return found[:_MOST]


def changes(ruling: Ruling) -> list[str]:
    """What the decision changed in the registers."""
    return [f"{layer(w.layer).title['ru']}: объект {w.id}, версия {w.version}." for w in ruling.written][
        :_MOST
    ]


def appeal(ruling: Ruling) -> str:
    """How the decision can be appealed."""
    if ruling.granted or ruling.appeal_until is None:
        return ""
    return f"Решение можно обжаловать в кабинете до {ruling.appeal_until:%d.%m.%Y}: откройте дело и нажмите «Обжаловать»."
