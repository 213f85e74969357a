"""The services and rule sets of this release, every version of them side by side."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel

from cases.errors import UnknownServiceError
from cases.rules import RuleSet
from cases.service_definition import ServiceDefinition


def body_of(definition: BaseModel) -> dict[str, Any]:
    """A definition as it is kept with the cases that rest on it."""
    return definition.model_dump(mode="json")


def digest_of(definition: BaseModel) -> str:
    """SHA-256 of a definition: the name under which it is kept."""
    text = json.dumps(body_of(definition), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _documents(folder: str) -> Iterator[dict[str, Any]]:
    for entry in sorted(files("cases").joinpath(folder).iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".yaml"):
            yield yaml.safe_load(entry.read_text("utf-8"))


@dataclass(frozen=True)
class Catalogue:
    """Services by (id, version) and rule sets by (name, version), with their digests."""

    services: Mapping[tuple[str, int], ServiceDefinition]
    rule_sets: Mapping[tuple[str, int], RuleSet]
    digests: Mapping[tuple[str, int], str]

    @classmethod
    def of(cls, services: list[ServiceDefinition], rule_sets: list[RuleSet]) -> "Catalogue":
        """A catalogue of these definitions."""
        by_id = {(s.id, s.version): s for s in services}
        sets = {(r.name, r.version): r for r in rule_sets}
        digests = {k: digest_of(s) for k, s in by_id.items()} | {
            (f"rules:{name}", version): digest_of(r) for (name, version), r in sets.items()
        }
        return cls(by_id, sets, digests)

    def on(self, day: date) -> tuple[ServiceDefinition, ...]:
        """The newest version of each service that may be begun on that day."""
        newest: dict[str, ServiceDefinition] = {}
        for (name, _), service in sorted(self.services.items()):
            if service.valid_on(day):
                newest[name] = service
        return tuple(newest.values())

    def service(self, name: str, day: date) -> ServiceDefinition:
        """The version of a service that is begun on that day; UnknownServiceError where there is none."""
        found = {s.id: s for s in self.on(day)}
        if name not in found:
            raise UnknownServiceError(
                f"There is no service “{name[:60]}”.",
                f"The services are: {', '.join(found)}.",
                field="service",
                value=name[:60],
            )
        return found[name]

    def digest(self, service: ServiceDefinition) -> str:
        """Digest of a service of this catalogue."""
        return self.digests[service.id, service.version]

    def rules_of(self, service: ServiceDefinition) -> tuple[RuleSet, str] | None:
        """Rule set of a service with its digest; None where the service has no geometry to check."""
        if not service.ground.rules:
            return None
        key = (service.ground.rules, service.ground.rules_version)
        return self.rule_sets[key], self.digests[f"rules:{key[0]}", key[1]]


@cache
def release() -> Catalogue:
    """The catalogue that this release carries."""
    return Catalogue.of(
        [ServiceDefinition.model_validate(d) for d in _documents("services")],
        [RuleSet.model_validate(d) for d in _documents("rule_sets")],
    )
