"""A small region to work in: a lease with its stands, a licence, a site, zones; its people and their shapes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from api.main import Mezha
from cases import drafts, ground, record, service, sheet, signing
from cases.desk import Actor, Desk
from cases.drafts import Change
from cases.record import Case
from cases.signatures import kept
from cases.signatures.kept import Level
from geo.access import Caller
from geo.db import Database
from geo.settings import Settings
from tests.conftest import make_object

INN = "5406000001"
RIVAL_INN = "5406000002"
LEASE = (83.00, 55.00, 83.10, 55.05)
APPLICANT = Actor(Caller(account=11, rank=1, inns=(INN,)), name="Лесник")
RIVAL = Actor(Caller(account=12, rank=1, inns=(RIVAL_INN,)), name="Сосед")
OFFICER = Actor(Caller(account=21, rank=1, regions=("54",), decides=("54",)), name="Исполнитель")
INSPECTOR = Actor(Caller(account=26, rank=1, regions=("54",)), name="Инспектор")
FOREIGN = Actor(Caller(account=22, rank=1, regions=("70",), decides=("70",)), name="Чужой исполнитель")
STRANGER = Actor(Caller(account=31, rank=1), name="Прохожий")
CLOCK = Actor(Caller(rank=3), name="clock")


def box(west: float, south: float, east: float, north: float) -> str:
    """WKT of a box in degrees."""
    return f"POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"


def polygon(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """GeoJSON of a box in degrees."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


# Well within the lease: about 71 ha.
PLOT = (83.01, 55.01, 83.02, 55.02)


@dataclass(frozen=True)
class Region:
    """Ids of what stands in the register."""

    lease: int
    rival_lease: int
    licence: int
    site: int
    extra: Mapping[str, int] = field(default_factory=dict)


def furnish(owner: psycopg.Connection[Any]) -> Region:
    """Put the region into the register."""
    lease = make_object(
        owner, "leases", geom=box(*LEASE), holder="ООО «Кедр»", holder_inn=INN, number="12-К", usage="1",
        annual_volume_m3=20_000, forestry="Приозёрное",
    )  # fmt: skip
    rival = make_object(
        owner, "leases", geom=box(*LEASE), holder="ООО «Сосна»", holder_inn=RIVAL_INN, number="13-С", usage="1",
        annual_volume_m3=20_000,
    )  # fmt: skip
    make_object(owner, "stands", geom=box(*LEASE), number="1")
    make_object(owner, "zones", geom=box(83.09, 55.0, 83.10, 55.05), kind="water_protection", status="active")
    make_object(owner, "zones", geom=box(83.0, 55.04, 83.05, 55.05), kind="ozu", status="active")
    make_object(owner, "cutting_areas", geom=box(82.0, 54.0, 82.01, 54.01), status="cut", year=2020)
    licence = make_object(
        owner, "licences", geom=box(84.0, 55.0, 84.02, 55.02), holder="ООО «Недра»", holder_inn=INN,
        number="НОВ 00001 ТЭ", status="active", expires_on="2027-06-01",
    )  # fmt: skip
    make_object(owner, "zones", geom=box(84.0, 55.0, 84.01, 55.01), kind="oopt", status="active")
    site = make_object(
        owner, "waste_sites", geom="POINT(85 55)", holder="ООО «Кедр»", holder_inn=INN, number="54-0001",
        accumulated_t=100,
    )  # fmt: skip
    return Region(lease, rival, licence, site)


def writer_of(settings: Settings) -> Database:
    """The writing connections."""
    return Database(settings, role="registrar")


DECLARATION = {
    "year": 2026,
    "usage_type": "1",
    "cutting_form": "clear",
    "area_ha": 71.0,
    "volume_m3": 5000,
    "species": "pine",
    "number": "3",
}


def area_ha(corners: tuple[float, float, float, float]) -> float:
    """Area that the boundary has, in hectares."""
    return round(ground.drawn(polygon(*corners)).area_m2 / 10_000, 4)


async def declaration(
    writer: Database,
    desk: Desk,
    region: Region,
    *,
    actor: Actor = APPLICANT,
    corners: tuple[float, float, float, float] = PLOT,
    **payload: Any,
) -> Case:
    """A complete draft of a forest declaration."""
    lease = region.lease if actor is not RIVAL else region.rival_lease
    inn = actor.caller.inns[0]
    async with writer.transaction(actor.caller) as connection:
        case = await drafts.create(connection, desk, actor, "forest-declaration", inn=inn, subject_id=lease)
        change = Change(
            payload=DECLARATION | {"area_ha": area_ha(corners), "year": desk.today().year} | payload,
            shape=ground.drawn(polygon(*corners)),
        )
        return await drafts.save(connection, desk, actor, case.id, change, revision=case.revision)


async def sign(writer: Database, actor: Actor, case: int, level: Level = "code") -> None:
    """Sign a case as it stands, as if the code or the certificate had been checked."""
    async with writer.transaction(actor.caller) as connection:
        found = await record.load(connection, case)
        sha256 = sheet.hashed(await signing.sheet_of(connection, found))
        new = kept.New(
            level, sha256, "code" if level == "code" else "cades", data=b"x" if level != "code" else None
        )
        await kept.add(connection, actor, found, new)


async def signed_at(client: httpx.AsyncClient, case: int) -> None:
    """Sign a case of the applicant at the application that a client talks to, at the higher level."""
    app: Mezha = client._transport.app  # type: ignore[attr-defined]
    await sign(app.writer, APPLICANT, case, "qualified")


async def lodged(writer: Database, desk: Desk, region: Region, **options: Any) -> Case:
    """A submitted declaration."""
    actor = options.get("actor", APPLICANT)
    case = await declaration(writer, desk, region, **options)
    return await act(writer, desk, actor, "submit", case.id)


async def act(writer: Database, desk: Desk, actor: Actor, name: str, case: int, **options: Any) -> Case:
    """One action in its own transaction; what is sent is signed first."""
    if name in ("submit", "answer") and actor.caller.inns:
        await sign(writer, actor, case)
    async with writer.transaction(actor.caller) as connection:
        done: Case = await getattr(service, name)(connection, desk, actor, case, **options)
    return done
