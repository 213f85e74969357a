"""Services: what can be asked for, with its form, files, states and terms. Public."""

from typing import Any

from fastapi import APIRouter

from api.params import SettingsDep, known_only
from cases.desk import Desk
from cases.service_definition import ServiceDefinition

router = APIRouter(prefix="/api/v1/services", tags=["services"])


def summary(service: ServiceDefinition) -> dict[str, Any]:
    """What a list of services shows."""
    return {
        "id": service.id,
        "version": service.version,
        "title": service.title.model_dump(),
        "summary": service.summary.model_dump(),
        "cabinet": service.cabinet,
        "signature": service.signature,
        "href": f"/api/v1/services/{service.id}",
    }


@router.get("", dependencies=[known_only()])
async def services(settings: SettingsDep) -> dict[str, Any]:
    """The services that can be begun today."""
    desk = Desk.of(settings)
    return {"services": [summary(s) for s in desk.catalogue.on(desk.today())]}


@router.get("/{service}", dependencies=[known_only()])
async def service(service: str, settings: SettingsDep) -> dict[str, Any]:
    """One service: JSON Schema of its form, files, states with their labels, terms, rules."""
    desk = Desk.of(settings)
    found = desk.catalogue.service(service, desk.today())
    rules = desk.catalogue.rules_of(found)
    body = found.model_dump(mode="json", exclude={"register_changes"})
    return body | {"rules": rules[0].model_dump(mode="json")["rules"] if rules else []}
