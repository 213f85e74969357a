"""Rules: every predicate hits what it should and nothing else; not checked is never clear; old defects never block."""

from datetime import date
from typing import Any

import psycopg
import pytest

from cases import evaluation, ground, submission
from cases.desk import Desk
from cases.errors import IncompleteError
from cases.evaluation import Answer, Evaluation, Question
from cases.findings import message
from cases.lifecycle import State
from cases.rules import Moment, Outcome, Rule, RuleSet, Severity, verdict
from geo.db import Database
from tests.cases.region import (
    APPLICANT,
    LEASE,
    OFFICER,
    PLOT,
    RIVAL,
    Region,
    act,
    area_ha,
    declaration,
    lodged,
    polygon,
)
from tests.conftest import make_object

TEXT = {"ru": "Заходит на {area}.", "en": "Enters by {area}."}


def rule(predicate: str, **changes: Any) -> Rule:
    """A rule that blocks at every moment."""
    return Rule.model_validate(
        {
            "id": "probe",
            "title": TEXT,
            "norm": TEXT,
            "predicate": predicate,
            "severity": {"draft": "block", "submit": "block", "decide": "block"},
            "valid_from": "2000-01-01",
            "message": TEXT,
            "fix": TEXT,
        }
        | changes
    )


async def ask(
    writer: Database,
    desk: Desk,
    region: Region,
    asked: Rule,
    corners: tuple[float, float, float, float],
    **changes: Any,
) -> Answer:
    """What one rule answers for a boundary."""
    case = await declaration(writer, desk, region, corners=corners)
    async with writer.transaction(APPLICANT.caller) as connection:
        question = Question(
            case=case.id,
            geometry=case.geometry,
            moment=Moment.submit,
            valid_on=desk.today(),
            payload=case.payload,
            subject={"id": region.lease, "number": "12-К", "annual_volume_m3": 20_000.0},
            values=case.values(desk.today()),
            subject_layer="leases",
            area_m2=area_ha(corners) * 10_000,
        )
        question = Question(**{**vars(question), **changes})
        rules = RuleSet(name="probe", version=1, rules=(asked,))
        found: Evaluation = await evaluation.evaluate(connection, rules, question, rank=1)
    return found.answers[0]


INSIDE, CROSSING, OUTSIDE = PLOT, (83.095, 55.01, 83.105, 55.02), (83.2, 55.2, 83.21, 55.21)
WATER = {"layer": "zones", "where": [{"property": "kind", "value": "water_protection"}]}


@pytest.mark.parametrize(
    ("asked", "corners", "outcome"),
    [
        (rule("within", layer="stands", tolerance=10), INSIDE, Outcome.clear),
        (rule("within", layer="stands", tolerance=10), CROSSING, Outcome.hit),
        (rule("within", layer="stands", tolerance=10), OUTSIDE, Outcome.hit),
        (rule("covered_by_own_right", layer="leases", tolerance=10), INSIDE, Outcome.clear),
        (rule("covered_by_own_right", layer="leases", tolerance=10), CROSSING, Outcome.hit),
        (rule("overlaps", **WATER), INSIDE, Outcome.clear),
        (rule("overlaps", **WATER), CROSSING, Outcome.hit),
        (rule("overlaps", tolerance=1e9, **WATER), CROSSING, Outcome.clear),
        (rule("touches", layer="zones", tolerance=1), (83.08, 55.0, 83.09, 55.01), Outcome.hit),
        (rule("touches", layer="zones", tolerance=1), (83.07, 55.0, 83.0899, 55.01), Outcome.clear),
        (rule("distance", layer="waste_sites", distance_m=1000), (84.98, 54.99, 84.99, 55.0), Outcome.hit),
        (rule("distance", layer="waste_sites", distance_m=500), (84.98, 54.99, 84.99, 55.0), Outcome.clear),
        (rule("attribute_sum", layer="cutting_areas", property="volume_m3", field="volume_m3", limit={"value": 4999}), INSIDE, Outcome.hit),
        (rule("attribute_sum", layer="cutting_areas", property="volume_m3", field="volume_m3", limit={"value": 1e9}), INSIDE, Outcome.clear),
        (rule("overlaps", valid_to="2020-01-01", layer="stands"), INSIDE, None),
    ],
)  # fmt: skip
async def test_predicates(
    writer: Database, desk: Desk, region: Region, *, asked: Rule, corners: Any, outcome: Outcome | None
) -> None:
    if outcome is None:
        assert not asked.holds_on(desk.today())
        return
    answer = await ask(writer, desk, region, asked, corners)
    assert answer.outcome == outcome
    assert (answer.severity == Severity.block) == (outcome == Outcome.hit)


async def test_a_finding_carries_piece_area_and_objects(writer: Database, desk: Desk, region: Region) -> None:
    answer = await ask(writer, desk, region, rule("overlaps", **WATER), CROSSING)
    assert answer.area_m2 == pytest.approx(area_ha((83.095, 55.01, 83.1, 55.02)) * 10_000, rel=1e-3)
    assert answer.piece
    assert len(answer.objects) == 1
    assert "@" in answer.layer_version
    assert "35,61 га" in message(rule("overlaps", **WATER), answer, "ru")


async def test_declared_area_is_compared_with_the_boundary(
    writer: Database, desk: Desk, region: Region
) -> None:
    asked = rule("area_tolerance", field="area_ha", field_factor=10_000, accuracy_m=5)
    assert (await ask(writer, desk, region, asked, INSIDE)).outcome == Outcome.clear
    wrong = await ask(writer, desk, region, asked, INSIDE, payload={"area_ha": 50})
    assert wrong.outcome == Outcome.hit
    assert wrong.measures["allowed"] == pytest.approx(3.5 * 5 * (500_000**0.5))


async def test_an_empty_layer_is_not_checked(writer: Database, desk: Desk, region: Region) -> None:
    answer = await ask(writer, desk, region, rule("overlaps", layer="deposits"), INSIDE)
    assert (answer.outcome, answer.severity, answer.cause) == (Outcome.not_checked, Severity.block, "empty")
    lenient = await ask(writer, desk, region, rule("overlaps", layer="deposits", not_checked="warn"), INSIDE)
    assert (lenient.outcome, lenient.severity) == (Outcome.not_checked, Severity.warn)


async def test_a_source_that_is_down_is_not_checked(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    owner.execute("INSERT INTO cases.outages (layer, reason) VALUES ('stands', 'maintenance')")
    try:
        answer = await ask(writer, desk, region, rule("within", layer="stands"), INSIDE)
        assert (answer.outcome, answer.cause) == (Outcome.not_checked, "outage: maintenance")
    finally:
        owner.execute("UPDATE cases.outages SET until = clock_timestamp()")
    assert (await ask(writer, desk, region, rule("within", layer="stands"), INSIDE)).outcome == Outcome.clear


async def test_a_layer_that_vanishes_is_not_checked_and_spoils_no_other_rule(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    owner.execute("ALTER VIEW gate.stands RENAME TO stands_gone")
    try:
        draft = await declaration(writer, desk, region)
        async with writer.transaction(APPLICANT.caller) as connection:
            found = (await submission.validate(connection, desk, APPLICANT, draft.id))["findings"]
        outcomes = {f["rule"]: f["outcome"] for f in found}
        assert outcomes["within-stands"] == "not_checked"
        assert outcomes["own-lease"] == "clear"
        assert outcomes["water-protection"] == "clear"
    finally:
        owner.execute("ALTER VIEW gate.stands_gone RENAME TO stands")


async def test_old_data_is_stale_and_never_clear(writer: Database, desk: Desk, region: Region) -> None:
    asked = rule("overlaps", layer="stands", max_age_days=1, where=[{"property": "number", "value": "none"}])
    assert (await ask(writer, desk, region, asked, INSIDE)).outcome == Outcome.clear
    assert verdict(asked, Moment.submit, Outcome.stale, introduced=False) == Severity.warn


def test_an_old_defect_warns_and_a_new_one_blocks() -> None:
    asked = rule("overlaps", layer="zones")
    assert verdict(asked, Moment.submit, Outcome.hit, introduced=False) == Severity.warn
    assert verdict(asked, Moment.submit, Outcome.hit, introduced=True) == Severity.block
    assert verdict(asked, Moment.submit, Outcome.not_checked, introduced=False) == Severity.block


@pytest.mark.requirement("C-11", "F-46")
async def test_a_submission_is_refused_with_everything_at_once(
    writer: Database, desk: Desk, region: Region
) -> None:
    draft = await declaration(
        writer, desk, region, corners=CROSSING, area_ha=1, volume_m3=30_000, year=20240, usage_type="99"
    )
    with pytest.raises(IncompleteError) as caught:
        await act(writer, desk, APPLICANT, "submit", draft.id)
    assert {p["field"] for p in caught.value.problems} == {"year", "usage_type"}
    blocking = {f["rule"] for f in caught.value.findings if f["severity"] == "block"}
    assert blocking == {"own-lease", "water-protection", "declared-area", "annual-volume"}


async def test_a_warning_needs_a_reason_and_keeps_it(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    draft = await declaration(writer, desk, region, corners=(83.01, 55.035, 83.02, 55.045))
    with pytest.raises(IncompleteError, match=r"acknowledgements\.special-forest"):
        await act(writer, desk, APPLICANT, "submit", draft.id)
    reasons = {"special-forest": "Выборочная санитарная рубка по акту № 5"}
    case = await act(writer, desk, APPLICANT, "submit", draft.id, acknowledgements=reasons)
    kept = owner.execute(
        "SELECT a.rule, a.reason, a.account FROM cases.acknowledgements a JOIN cases.checks k ON k.id = a.check_id"
        " WHERE k.case_id = %s",
        [case.id],
    ).fetchall()
    assert kept == [("special-forest", reasons["special-forest"], 11)]


async def test_the_second_on_the_same_ground_is_told_and_the_first_is_masked(
    writer: Database, desk: Desk, region: Region
) -> None:
    spot = (83.055, 55.02, 83.06, 55.025)
    first = await lodged(writer, desk, region, corners=spot)
    second = await lodged(writer, desk, region, actor=RIVAL, corners=spot)
    assert first.lodged_order
    assert second.lodged_order
    assert first.lodged_order < second.lodged_order
    from cases import findings, record

    for actor, masked in ((RIVAL, True), (OFFICER, False)):
        async with writer.transaction(actor.caller) as connection:
            service = await record.definition_of(connection, desk, second)
            found = desk.catalogue.rules_of(service)
            assert found
            role = actor.role_in(second.party_inn, second.region)
            shown = await findings.of_case(connection, found[0], second.id, role)
        claim = next(f for f in shown if f["rule"] == "claimed")
        assert claim["outcome"] == "hit"
        assert claim["area_m2"] == pytest.approx(second_area(spot), rel=1e-3)
        assert (claim["objects"][0].get("number") is None) == masked
        assert str(first.party_inn) not in str(claim)
    # The earlier one is decided first; the later cannot overtake it.
    for action in ("accept", "review"):
        await act(writer, desk, OFFICER, action, second.id)
    with pytest.raises(IncompleteError, match="claimed"):
        await act(writer, desk, OFFICER, "approve", second.id)
    await act(writer, desk, APPLICANT, "withdraw", first.id)
    assert (await act(writer, desk, OFFICER, "approve", second.id)).state == State.approved


def second_area(corners: tuple[float, float, float, float]) -> float:
    """Square metres of a box."""
    return area_ha(corners) * 10_000


async def test_a_hidden_object_is_masked(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    spot = (83.065, 55.03, 83.07, 55.035)
    west, south, east, north = spot
    wkt = f"POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"
    make_object(owner, "licences", geom=wkt, number="СЕКРЕТ 1", status="active", visibility=3, region="24")
    draft = await declaration(writer, desk, region, corners=spot)
    async with writer.transaction(APPLICANT.caller) as connection:
        shown = (await submission.validate(connection, desk, APPLICANT, draft.id))["findings"]
    licence = next(f for f in shown if f["rule"] == "licence")
    assert licence["outcome"] == "hit"
    assert licence["objects"] == [{"masked": True, "layer": "licences"}]
    assert "СЕКРЕТ" not in str(shown)


async def test_a_decision_is_recomputed_as_of_its_day(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    spot = (83.075, 55.03, 83.08, 55.035)
    case = await lodged(writer, desk, region, corners=spot)
    for action in ("accept", "review", "approve"):
        await act(writer, desk, OFFICER, action, case.id)
    checks = [
        number
        for (number,) in owner.execute(
            "SELECT id FROM cases.checks WHERE case_id = %s ORDER BY id", [case.id]
        )
    ]
    assert len(checks) == 2
    # The world moves on: a protected area over the spot, the lease closed, and other ground claimed.
    make_object(owner, "zones", geom=f"POLYGON(({LEASE[0]} 55,{LEASE[2]} 55,{LEASE[2]} 55.05,{LEASE[0]} 55.05,{LEASE[0]} 55))", kind="oopt")  # fmt: skip
    owner.execute("UPDATE register.leases SET sys_to = clock_timestamp() WHERE id = %s", [region.rival_lease])
    owner.execute(
        "UPDATE register.stands SET sys_to = clock_timestamp() WHERE number = '1' AND sys_to = 'infinity'"
    )
    for check in checks:
        async with writer.transaction(OFFICER.caller) as connection:
            replayed = await submission.replay(connection, OFFICER, check)
        assert replayed.same, [
            (a, b)
            for a, b in zip(
                sorted(x.essence() for x in replayed.then),
                sorted(x.essence() for x in replayed.again),
                strict=True,
            )
            if a != b
        ]
    # Asked now, the same rules answer otherwise: the replay did not just repeat what was kept.
    async with writer.transaction(OFFICER.caller) as connection:
        now = await submission.validate(connection, desk, OFFICER, case.id)
    outcomes = {f["rule"]: f["outcome"] for f in now["findings"]}
    assert outcomes["protected-area"] == "hit"
    assert outcomes["within-stands"] == "hit"


async def test_a_change_of_a_boundary_is_shown_and_only_its_new_part_blocks(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    base = make_object(
        owner, "leases", holder_inn="5406000001", number="14-К",
        geom="POLYGON((86 55,86.02 55,86.02 55.01,86 55.01,86 55))",
    )  # fmt: skip
    make_object(owner, "zones", geom="POLYGON((86 55,86.005 55,86.005 55.01,86 55.01,86 55))", kind="oopt")
    make_object(
        owner, "zones", geom="POLYGON((86.025 55,86.03 55,86.03 55.01,86.025 55.01,86.025 55))", kind="oopt"
    )
    service = desk.catalogue.service("forest-declaration", date(2026, 11, 22))
    changing = service.model_copy(update={"ground": service.ground.model_copy(update={"kind": "change"})})
    case = await declaration(writer, desk, region)
    moved = type(case)(**{**vars(case), "subject_id": base, "subject_version": _version(owner, base)})
    async with writer.transaction(APPLICANT.caller) as connection:
        for corners, outcome in (
            ((86.0, 55.0, 86.024, 55.01), Severity.warn),
            ((86.0, 55.0, 86.03, 55.01), Severity.block),
        ):
            number = await ground.store(connection, moved, changing, ground.drawn(polygon(*corners)))
            shown = await ground.show(connection, number)
            assert set(shown["change"]) == {"added", "removed", "unchanged"}
            assert shown["change"]["removed"]["area_m2"] == pytest.approx(0, abs=1)
            question = Question(
                case.id, number, Moment.submit, desk.today(), {}, {}, case.values(desk.today()), area_m2=1.0
            )
            asked = rule(
                "overlaps", layer="zones", where=[{"property": "kind", "value": "oopt"}], tolerance=10
            )
            found = await evaluation.evaluate(
                connection, RuleSet(name="p", version=1, rules=(asked,)), question, rank=1
            )
            assert found.answers[0].outcome == Outcome.hit
            assert found.answers[0].severity == outcome


def _version(owner: psycopg.Connection[Any], identity: int) -> int:
    row = owner.execute("SELECT version FROM register.leases WHERE id = %s", [identity]).fetchone()
    assert row
    return int(row[0])
