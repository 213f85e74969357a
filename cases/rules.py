"""Rules on geometry as data: what is asked, of which layer, how severe the answer is at each moment. Pure."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Moment(StrEnum):
    """When a rule is asked."""

    draft = "draft"
    submit = "submit"
    decide = "decide"


class Severity(StrEnum):
    """What a hit means at a moment: ``off`` is not shown, ``info`` and ``warn`` are, ``block`` stops the action."""

    off = "off"
    info = "info"
    warn = "warn"
    block = "block"


class Outcome(StrEnum):
    """What a rule answered. ``not_checked`` is never shown as ``clear``."""

    clear = "clear"
    hit = "hit"
    not_checked = "not_checked"
    stale = "stale"


class Predicate(StrEnum):
    """The questions that exist; each is a statement in ``cases/sql/rule_<predicate>.sql``."""

    within = "within"
    overlaps = "overlaps"
    touches = "touches"
    distance = "distance"
    area_tolerance = "area_tolerance"
    covered_by_own_right = "covered_by_own_right"
    not_declared_twice = "not_declared_twice"
    attribute_sum = "attribute_sum"


# Predicates that ask the case itself or other cases, not a layer of the register.
WITHOUT_LAYER = frozenset({Predicate.area_tolerance, Predicate.not_declared_twice})


class Text(BaseModel):
    """A text in both languages; neither may be empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ru: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def of(self, locale: str) -> str:
        """The text in a language."""
        return self.en if locale == "en" else self.ru


class Condition(BaseModel):
    """Which objects of the layer count: ``value`` is a constant, a list, or ``$field`` of the form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    property: str
    op: Literal["eq", "ne", "in", "ge", "le"] = "eq"
    value: str | int | float | tuple[str | int, ...]


class Limit(BaseModel):
    """The greatest sum: a number, or an attribute of the object that the case is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None = None
    object_property: str = ""


class Rule(BaseModel):
    """One rule. ``tolerance`` is in m² for areas, m for distances and common borders, units for sums."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: Text
    norm: Text
    predicate: Predicate
    layer: str = ""
    where: tuple[Condition, ...] = ()
    tolerance: float = Field(0, ge=0)
    distance_m: float = Field(0, ge=0)
    accuracy_m: float = Field(0, ge=0, description="Mt of the area tolerance 3.5·Mt·√P")
    field: str = Field("", description="Field of the form with the declared value")
    field_factor: float = Field(1, description="Factor from the field's unit to m² or the property's unit")
    property: str = Field("", description="Property whose sum is limited")
    limit: Limit = Limit()
    severity: Mapping[Moment, Severity]
    not_checked: Severity = Severity.block
    max_age_days: int | None = Field(None, ge=1, description="Older data of the layer answers stale")
    acknowledge: bool = Field(False, description="A warning that the applicant must answer with a reason")
    valid_from: date
    valid_to: date | None = None
    message: Text
    fix: Text

    @model_validator(mode="after")
    def _sound(self) -> "Rule":
        if (self.layer == "") != (self.predicate in WITHOUT_LAYER):
            raise ValueError(f"{self.id}: {self.predicate} needs {'no' if self.layer else 'a'} layer")
        if self.predicate == Predicate.distance and not self.distance_m:
            raise ValueError(f"{self.id}: distance needs distance_m")
        if self.predicate == Predicate.attribute_sum and not (self.property and self.field):
            raise ValueError(f"{self.id}: attribute_sum needs property and field")
        if self.predicate == Predicate.area_tolerance and not self.field:
            raise ValueError(f"{self.id}: area_tolerance needs field")
        if self.not_checked == Severity.off:
            raise ValueError(f"{self.id}: an unanswered rule may not be hidden")
        return self

    def severity_at(self, moment: Moment) -> Severity:
        """How severe a hit is at a moment; a moment that is not named is off."""
        return self.severity.get(moment, Severity.off)

    def holds_on(self, day: date) -> bool:
        """Whether the norm is in force on that day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


class RuleSet(BaseModel):
    """The rules of a service, as one version: a decision names it and can be recomputed with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int = Field(ge=1)
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _unique(self) -> "RuleSet":
        ids = [rule.id for rule in self.rules]
        if len(ids) != len(set(ids)):
            raise ValueError(f"{self.name}: two rules share an id")
        return self

    @cached_property
    def by_id(self) -> Mapping[str, Rule]:
        """The rules by their ids."""
        return {rule.id: rule for rule in self.rules}

    def active(self, moment: Moment, day: date) -> tuple[Rule, ...]:
        """Rules that are asked at a moment on a day."""
        return tuple(r for r in self.rules if r.holds_on(day) and r.severity_at(moment) != Severity.off)


def verdict(rule: Rule, moment: Moment, outcome: Outcome, *, introduced: bool) -> Severity:
    """What an answer means: a defect that was there before the submission never blocks, it warns."""
    if outcome == Outcome.clear:
        return Severity.off
    at_moment = rule.severity_at(moment)
    if outcome == Outcome.not_checked:
        # While typing nothing can block anyway; what could not be asked is shown all the same.
        return Severity.warn if moment == Moment.draft else rule.not_checked
    if outcome == Outcome.stale:
        return Severity.info if at_moment == Severity.info else Severity.warn
    if at_moment == Severity.block and not introduced:
        return Severity.warn
    return at_moment


def fill(text: str, values: Mapping[str, Any]) -> str:
    """A message with its values; a value that is missing is shown as a dash, never as an error."""

    class _Dash(dict[str, Any]):
        def __missing__(self, key: str) -> str:
            return "—"

    return text.format_map(_Dash(values))
