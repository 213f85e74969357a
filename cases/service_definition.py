"""A service as data: what its YAML may say. DESIGN.md §7 lists the parts; docs/cases.md explains how one is written."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any, Literal

from jsonschema import Draft202012Validator, FormatChecker
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cases.file_format import Format
from cases.lifecycle import FINAL, TRANSITIONS, Action, State, dead_ends, reachable
from cases.rules import Text

FORMATS = FormatChecker(formats=())
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@FORMATS.checks("date")
def _is_day(value: object) -> bool:
    """A day between 1900 and 2100; 20240-01-01 is a slip of the finger, not a day."""
    if not isinstance(value, str):
        return True
    if not _DAY.fullmatch(value) or not 1900 <= int(value[:4]) <= 2100:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Applicant(_Part):
    """Who may apply: kinds of party, roles of the member within it, and a right that the party must hold."""

    kinds: tuple[Literal["company", "division", "entrepreneur", "person", "state", "foreign"], ...] = Field(
        min_length=1
    )
    roles: tuple[Literal["owner", "operator", "controller", "contractor"], ...] = Field(min_length=1)
    holds: str = Field("", description="Layer of which the party must hold the object of the case")


class Subject(_Part):
    """The object of the register that a case is about, such as the lease of a declaration."""

    layer: str
    required: bool = True
    title: Text


class Ground(_Part):
    """The geometry of a case: made by the applicant (``polygon``), a new boundary of the subject (``change``: rules
    run on the difference), or the subject's own (``object``)."""

    kind: Literal["none", "polygon", "change", "object"]
    ways: tuple[Literal["drawn", "picked", "uploaded", "typed"], ...] = ()
    pick_from: tuple[str, ...] = Field((), description="Layers from which shapes may be picked")
    rules: str = Field("", description="Name of the rule set")
    rules_version: int = Field(1, ge=1)
    hint: Text | None = None


class FieldUi(_Part):
    """How a field is shown: label as a question, hint under it, where its first value comes from."""

    label: Text
    hint: Text | None = None
    widget: Literal["text", "number", "date", "select", "textarea", "checkbox", "year"] = "text"
    unit: str = ""
    dictionary: str = Field(
        "", description="Dictionary of geo/dictionaries.yaml with the labels of the codes"
    )
    prefill: str = Field(
        "", description="party.name, party.inn, subject.<property>, last.<field>, year, ground.area_ha"
    )


class Section(_Part):
    """A group of fields under a heading."""

    title: Text
    fields: tuple[str, ...] = Field(min_length=1)


class Form(_Part):
    """The form: JSON Schema for the values, ui for the people."""

    sections: tuple[Section, ...] = Field(min_length=1)
    json_schema: dict[str, Any]
    ui: dict[str, FieldUi]

    @model_validator(mode="after")
    def _sound(self) -> "Form":
        Draft202012Validator.check_schema(self.json_schema)
        names = set(self.json_schema.get("properties", {}))
        shown = [name for section in self.sections for name in section.fields]
        if names != set(shown) or names != set(self.ui) or len(shown) != len(set(shown)):
            raise ValueError(f"schema, sections and ui name different fields: {sorted(names ^ set(shown))}")
        if self.json_schema.get("additionalProperties") is not False:
            raise ValueError("the schema must refuse fields that it does not name")
        return self


class Comparison(_Part):
    """A field against another value: ``$field``, ``$subject.…``, ``$case.this_year``; with ``± n``."""

    field: str
    op: Literal["gt", "ge", "lt", "le"]
    value: str
    message: Text


class FileKind(_Part):
    """A kind of attachment; limits are per kind and service (C-90, C-91, C-99)."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    formats: tuple[Format, ...] = Field(min_length=1)
    max_mb: float = Field(gt=0, le=100)
    min_dpi: int | None = Field(None, ge=50, le=1200, description="Least resolution of a scan")
    max_age_days: int | None = Field(
        None, ge=1, description="Oldest date of the paper on the day of submission"
    )
    signed: bool = Field(False, description="Whether a detached signature of the file is needed")
    least: int = Field(0, ge=0)
    most: int = Field(1, ge=1, le=50)


class StateLabel(_Part):
    """What each side reads; every cabinet has its own words (C-93)."""

    applicant: Text
    staff: Text


class Deadline(_Part):
    """A term in working days, with its owner; paused while the case stands in one of ``pauses``."""

    id: str
    title: Text
    owner: Literal["applicant", "officer"]
    starts: tuple[State, ...] = Field(min_length=1)
    working_days: int = Field(ge=1, le=400)
    ends: tuple[State, ...] = Field(min_length=1)
    pauses: tuple[State, ...] = ()
    remind: tuple[int, ...] = ()
    lapse: Action | None = Field(None, description="What the clock does when the term is over")


class Fee(_Part):
    """A fee with its validity; the amount is a setting with a date, not a constant."""

    title: Text
    amount_rub: float = Field(ge=0)
    valid_from: date


class Effect(_Part):
    """What an approval changes in a register: values are constants, ``$field``, ``$case.…`` or ``$subject.…``."""

    layer: str
    change: Literal["add", "update"]
    geometry: Literal["ground", "none"] = "none"
    values: dict[str, str | int | float]


class DecisionForm(_Part):
    """The decision's document."""

    template: str
    title: Text


class ServiceDefinition(_Part):
    """One version of one service."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: int = Field(ge=1)
    valid_from: date
    valid_to: date | None = None
    title: Text
    summary: Text
    cabinet: Literal["forest", "subsoil", "waste"]
    prefix: str = Field(pattern=r"^[А-Я]{1,4}$")
    applicant: Applicant
    signature: Literal["none", "code", "code_or_qualified", "qualified"]
    amend_working_days: int | None = Field(None, ge=1)
    appeal_working_days: int | None = Field(None, ge=1)
    subject: Subject | None = None
    ground: Ground
    form: Form
    checks: tuple[Comparison, ...] = ()
    files: tuple[FileKind, ...] = ()
    actions: tuple[Action, ...] = Field(min_length=3)
    states: Mapping[State, StateLabel]
    deadlines: tuple[Deadline, ...] = ()
    fees: tuple[Fee, ...] = ()
    decision: DecisionForm
    register_changes: tuple[Effect, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> "ServiceDefinition":
        """Every state reachable and labelled, no dead end, every action used, every term begun, ended and owned."""
        there = reachable(self.actions)
        if set(self.states) != there:
            raise ValueError(f"labels and reachable states differ: {sorted(set(self.states) ^ there)}")
        if dead_ends(self.actions):
            raise ValueError(f"no way out of {sorted(dead_ends(self.actions))}")
        used = {action for (state, action) in TRANSITIONS if state in there}
        if idle := set(self.actions) - used:
            raise ValueError(f"actions that nobody can take: {sorted(idle)}")
        for term in self.deadlines:
            if missing := {*term.starts, *term.ends, *term.pauses} - there:
                raise ValueError(f"{term.id} names states that are never reached: {sorted(missing)}")
            if term.lapse and term.lapse not in self.actions:
                raise ValueError(f"{term.id} lapses by an action that the service lacks")
        if stray := {c.field for c in self.checks} - set(self.form.ui):
            raise ValueError(f"checks of fields that the form lacks: {sorted(stray)}")
        waiting = there - FINAL - {State.draft, State.approved, State.rejected}
        watched = {state for term in self.deadlines for state in (*term.starts, *self._between(term))}
        if unwatched := waiting - watched:
            raise ValueError(f"nobody's clock runs in {sorted(unwatched)}")
        if (Action.amend in self.actions) != (self.amend_working_days is not None):
            raise ValueError("amend and amend_working_days belong together")
        if Action.amend in self.actions and self.signature == "qualified":
            raise ValueError(
                "an amendment is not signed: a service of qualified signatures asks for corrections"
            )
        if len({k.kind for k in self.files}) != len(self.files) or {"decision", "office"} & {
            k.kind for k in self.files
        }:
            raise ValueError("kinds of documents must differ, and decision and office are taken")
        if (Action.appeal in self.actions) != (self.appeal_working_days is not None):
            raise ValueError("appeal and appeal_working_days belong together")
        return self

    def _between(self, term: Deadline) -> frozenset[State]:
        """States through which the case can pass while the term runs."""
        found, todo = set(term.starts), list(term.starts)
        while todo:
            here = todo.pop()
            for (start, action), target in TRANSITIONS.items():
                if start == here and action in self.actions and target.to not in {*found, *term.ends}:
                    found.add(target.to)
                    todo.append(target.to)
        return frozenset(found)

    @cached_property
    def validator(self) -> Draft202012Validator:
        """The compiled form schema; formats are checked by `cases.form`."""
        return Draft202012Validator(self.form.json_schema, format_checker=FORMATS)

    def label(self, state: State, side: Literal["applicant", "staff"], locale: str) -> str:
        """The word that one side reads for a state."""
        label: Text = getattr(self.states[state], side)
        return label.of(locale)

    def valid_on(self, day: date) -> bool:
        """Whether new cases of this version may be begun on that day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)
