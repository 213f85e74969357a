"""Every definition is sound: states, terms, texts, layers, fields; and an unsound one is refused."""

import copy
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from cases import form
from cases.catalogue import Catalogue, digest_of, release
from cases.errors import IncompleteError, UnknownServiceError
from cases.rules import RuleSet, Text
from cases.service_definition import ServiceDefinition
from geo.dictionaries import dictionary
from geo.layers import layer

SERVICES = list(release().services.values())
RULE_SETS = list(release().rule_sets.values())
IDS = [f"{s.id}-{s.version}" for s in SERVICES]


def _texts(value: Any) -> Iterator[Text]:
    if isinstance(value, Text):
        yield value
    elif hasattr(value, "model_fields_set"):
        for name in type(value).model_fields:
            yield from _texts(getattr(value, name))
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _texts(part)


@pytest.mark.parametrize("definition", [*SERVICES, *RULE_SETS])
def test_every_text_is_in_both_languages(definition: Any) -> None:
    texts = list(_texts(definition))
    assert len(texts) > 10
    for text in texts:
        assert re.search("[а-яА-Я]", text.ru), text
        assert not re.search("[а-яА-Я]", text.en), text
        assert set(re.findall(r"{\w+}", text.ru)) == set(re.findall(r"{\w+}", text.en)), text


@pytest.mark.parametrize("service", SERVICES, ids=IDS)
def test_a_definition_names_what_there_is(service: ServiceDefinition) -> None:
    if service.subject:
        assert layer(service.subject.layer).held or not service.applicant.holds
    for effect in service.register_changes:
        names = {p.name for p in layer(effect.layer).properties}
        assert set(effect.values) <= names
    for ui in service.form.ui.values():
        if ui.dictionary:
            assert dictionary(ui.dictionary)
    release().rules_of(service)


@pytest.mark.parametrize("rules", RULE_SETS, ids=[r.name for r in RULE_SETS])
def test_every_rule_has_its_layer(rules: RuleSet) -> None:
    for rule in rules.rules:
        if not rule.layer:
            continue
        names = {p.name for p in layer(rule.layer).properties} | {"id"}
        assert {c.property for c in rule.where} <= names
        assert not rule.property or rule.property in names


def _changed(**changes: Any) -> dict[str, Any]:
    body = copy.deepcopy(SERVICES[0].model_dump(mode="json"))
    for path, value in changes.items():
        target = body
        *way, last = path.split("__")
        for part in way:
            target = target[part]
        if value is None:
            target.pop(last)
        else:
            target[last] = value
    return body


def test_an_unsound_definition_is_refused() -> None:
    actions = [a.value for a in SERVICES[0].actions]
    deadlines = SERVICES[0].model_dump(mode="json")["deadlines"]
    for body in (
        _changed(actions=[a for a in actions if a != "close"]),
        _changed(actions=[a for a in actions if a not in ("resume", "withdraw")]),
        _changed(actions=[a for a in actions if a != "lapse"]),
        _changed(states__draft=None),
        _changed(deadlines=deadlines[1:]),
        _changed(deadlines=[{**deadlines[0], "owner": "nobody"}, *deadlines[1:]]),
        _changed(title={"ru": "Только по-русски", "en": ""}),
        _changed(form__json_schema__additionalProperties=True),
        _changed(surprise=1),
    ):
        with pytest.raises(ValidationError):
            ServiceDefinition.model_validate(body)


def test_versions_stand_side_by_side() -> None:
    old = SERVICES[0]
    new = old.model_copy(update={"version": 2, "valid_from": date(2027, 1, 1)})
    both = Catalogue.of([old, new], RULE_SETS)
    assert both.service(old.id, date(2026, 12, 31)) == old
    assert both.service(old.id, date(2027, 1, 1)) == new
    assert digest_of(old) != digest_of(new)
    with pytest.raises(UnknownServiceError):
        both.service("nothing", date(2027, 1, 1))


DECLARATION = release().service("forest-declaration", date(2026, 11, 22))
GOOD: dict[str, Any] = {
    "year": "2026", "usage_type": "1", "cutting_form": "clear", "area_ha": "71,5", "volume_m3": "5 000", "number": "3",
}  # fmt: skip


def _codes(**changes: Any) -> dict[str, str]:
    payload = form.normalised(DECLARATION, GOOD | changes)
    return {p.field: p.code for p in form.problems(DECLARATION, payload, {}, date(2026, 11, 22))}


def test_a_form_takes_what_people_write() -> None:
    assert form.normalised(DECLARATION, GOOD)["area_ha"] == 71.5
    assert form.normalised(DECLARATION, GOOD)["volume_m3"] == 5000
    assert _codes() == {}


@pytest.mark.requirement("C-11", "C-12")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"year": "20240"}, {"year": "maximum"}),
        ({"year": "2024"}, {"year": "compare-ge"}),
        ({"year": ""}, {"year": "required"}),
        ({"year": "двадцать"}, {"year": "type"}),
        ({"area_ha": "0"}, {"area_ha": "exclusiveMinimum"}),
        ({"area_ha": "NaN"}, {"area_ha": "type"}),
        ({"usage_type": "99"}, {"usage_type": "enum"}),
        ({"note": "x" * 3000}, {"note": "maxLength"}),
        ({"year": "", "number": " ", "area_ha": "-1"}, {"year": "required", "number": "required", "area_ha": "exclusiveMinimum"}),
    ],
)  # fmt: skip
def test_a_mistake_names_its_field(changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert _codes(**changes) == expected


@pytest.mark.requirement("C-98")
@pytest.mark.parametrize(
    ("typed", "kept", "fine"),
    [
        ("31.12.2031", "2031-12-31", True),
        ("2031-12-31", "2031-12-31", True),
        ("31.12.20310", "31.12.20310", False),
        ("31.02.2031", "2031-02-31", False),
        ("20240-01-01", "20240-01-01", False),
        ("20311231", "20311231", False),
    ],
)
def test_both_ways_of_writing_a_date(typed: str, kept: str, fine: bool) -> None:
    service = release().service("licence-extension", date(2026, 11, 22))
    payload = form.normalised(service, {"new_expires_on": typed})
    assert payload["new_expires_on"] == kept
    wrong = [p.field for p in form.problems(service, payload, {}, date(2026, 11, 22))]
    assert ("new_expires_on" not in wrong) == fine


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(IncompleteError, match="hack"):
        form.normalised(DECLARATION, {"hack": 1})


def test_the_files_are_what_is_read() -> None:
    for service in SERVICES:
        text = yaml.safe_dump(service.model_dump(mode="json"), allow_unicode=True)
        assert ServiceDefinition.model_validate(yaml.safe_load(text)) == service
