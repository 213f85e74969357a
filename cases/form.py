"""The form of a service: what was typed brought to its types, and every mistake named with its field and its cure."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from jsonschema import ValidationError

from cases.errors import IncompleteError
from cases.expression import resolve
from cases.rules import fill
from cases.service_definition import Comparison, ServiceDefinition

_RUSSIAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_INTEGER = re.compile(r"[+-]?\d{1,15}")
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{1,10})?")


@dataclass(frozen=True)
class Problem:
    """One mistake: the field, a stable code, the text in both languages."""

    field: str
    code: str
    ru: str
    en: str

    def as_dict(self) -> dict[str, str]:
        """As problem documents carry it."""
        return asdict(self)


def normalised(service: ServiceDefinition, typed: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed in the types of the schema where it can be meant: 05.11.2026 is a day, 12,5 a number.

    What cannot be meant stays as it was typed, so that a draft loses nothing. IncompleteError names unknown fields.
    """
    properties: dict[str, Any] = service.form.json_schema["properties"]
    if unknown := sorted(set(typed) - set(properties)):
        raise IncompleteError(
            f"The form has no field “{unknown[0][:60]}”.",
            f"Its fields are: {', '.join(properties)}.",
            field=unknown[0][:60],
        )
    found = {name: _meant(properties[name], value) for name, value in typed.items()}
    return {name: value for name, value in found.items() if value is not None and value != ""}


def _meant(schema: Mapping[str, Any], value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.replace("\x00", "").strip()
    compact = text.replace(" ", "").replace("\u00a0", "")
    kind = schema.get("type")
    if kind == "integer" and _INTEGER.fullmatch(compact):
        return int(compact)
    if kind == "number" and _NUMBER.fullmatch(compact):
        return float(compact.replace(",", "."))
    if kind == "boolean" and text in ("true", "on", "false", ""):
        return text in ("true", "on")
    if schema.get("format") == "date" and (day := _RUSSIAN_DAY.fullmatch(text)):
        return f"{day[3]}-{int(day[2]):02}-{int(day[1]):02}"
    return text


def problems(
    service: ServiceDefinition,
    payload: Mapping[str, Any],
    subject: Mapping[str, Any],
    today: date,
) -> list[Problem]:
    """Every mistake of a form at once, in the order of its fields; empty where it is complete."""
    found = [_problem(service, error) for error in service.validator.iter_errors(dict(payload))]
    wrong = {p.field for p in found}
    for check in service.checks:
        if check.field not in wrong and (problem := _compared(check, payload, subject, today)):
            found.append(problem)
    order = [name for section in service.form.sections for name in section.fields]
    return sorted(found, key=lambda p: order.index(p.field) if p.field in order else len(order))


def _compared(
    check: Comparison, payload: Mapping[str, Any], subject: Mapping[str, Any], today: date
) -> Problem | None:
    value = payload.get(check.field)
    limit = resolve(check.value, payload, subject, {"this_year": today.year})
    if value is None or limit is None:
        return None
    if isinstance(limit, date):
        limit = limit.isoformat()
    holds = {"gt": value > limit, "ge": value >= limit, "lt": value < limit, "le": value <= limit}[check.op]
    if holds:
        return None
    shown = {"value": limit}
    return Problem(
        check.field, f"compare-{check.op}", fill(check.message.ru, shown), fill(check.message.en, shown)
    )


def _problem(service: ServiceDefinition, error: ValidationError) -> Problem:
    kind = str(error.validator)
    if kind == "required":
        name = str(error.message).split("'")[1]
    else:
        name = str(error.absolute_path[0]) if error.absolute_path else ""
    ru, en = _words(kind, error)
    ui = service.form.ui.get(name)
    if ui and ui.hint and kind in ("pattern", "format", "type"):
        ru, en = f"{ru} {ui.hint.ru}.", f"{en} {ui.hint.en}."
    return Problem(name, kind, ru, en)


def _words(kind: str, error: ValidationError) -> tuple[str, str]:
    """What is wrong and what to write instead."""
    limit = error.validator_value
    words = {
        "required": ("Заполните это поле.", "Fill in this field."),
        "minimum": (f"Не меньше {limit}.", f"Not less than {limit}."),
        "exclusiveMinimum": (f"Больше {limit}.", f"More than {limit}."),
        "maximum": (f"Не больше {limit}.", f"Not more than {limit}."),
        "enum": ("Выберите значение из списка.", "Choose a value from the list."),
        "pattern": ("Запись не подходит.", "This does not have the right form."),
        "minLength": (
            f"Напишите подробнее: не меньше {limit} знаков.",
            f"Write more: {limit} characters at least.",
        ),
        "maxLength": (f"Сократите: не больше {limit} знаков.", f"Shorten it: {limit} characters at most."),
        "format": (
            "Такой даты нет: напишите день, месяц и год.",
            "There is no such date: write day, month and year.",
        ),
    }
    if kind == "type":
        return {
            "integer": ("Напишите целое число.", "Write a whole number."),
            "number": ("Напишите число.", "Write a number."),
        }.get(str(limit), ("Значение не того вида.", "The value is of the wrong kind."))
    return words.get(kind, ("Исправьте это значение.", "Correct this value."))
