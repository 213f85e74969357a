"""Faults of comparable systems, each with a test that fails where Mezha would share it; the others stand beside their subject.

No constraint while the source is down: test_rules.py, `test_a_source_that_is_down_is_not_checked`. A validator removed because
it refused lawful plans: there, `test_an_old_defect_warns_and_a_new_one_blocks`. Relabelled coordinates: test_boundary_file.py,
`test_a_relabelled_system_is_found_out`. The year 20240: test_service_definition.py.
"""

import json
import math
from typing import Any

import psycopg
import pytest
import shapely

from cases import ground, queue, submission
from cases.desk import Desk
from cases.drafts import Change, save
from geo.db import Database
from tests.cases.region import APPLICANT, Region, declaration


def _wavy() -> Any:
    """A boundary with corners 0.7 m apart: any thinning would take some of them."""
    turns = [2 * math.pi * n / 2000 for n in range(2000)]
    shape = shapely.Polygon(
        [
            (83.03 + (0.004 + 1e-5 * math.sin(90 * t)) * math.cos(t), 55.02 + 0.002 * math.sin(t))
            for t in turns
        ]
    )
    assert shape.is_valid
    return shape


async def test_a_stored_boundary_is_never_simplified(writer: Database, desk: Desk, region: Region) -> None:
    """The fault: every stored boundary simplified by 2.5 m, for good. Here each corner comes back, on save and on reading."""
    case = await declaration(writer, desk, region, corners=(83.02, 55.02, 83.03, 55.03))
    shape = _wavy()
    given = ground.drawn(json.loads(shapely.to_geojson(shape)))
    async with writer.transaction(APPLICANT.caller) as connection:
        await save(connection, desk, APPLICANT, case.id, Change(shape=given), revision=case.revision)
        shown = (await queue.dossier(connection, desk, APPLICANT, case.id)).geometry
    assert shown is not None
    kept = shapely.from_geojson(json.dumps(shown["geometry"]))
    assert shapely.get_num_coordinates(kept) == shapely.get_num_coordinates(shape)
    assert shapely.hausdorff_distance(kept, shape) < 1e-7
    assert shown["area_m2"] == pytest.approx(given.area_m2, rel=1e-9)


async def test_a_distance_that_cannot_be_measured_is_not_checked(
    writer: Database, desk: Desk, region: Region, owner: psycopg.Connection[Any]
) -> None:
    """The fault: the check goes on without the buffer when buffering fails. Here the rule says that it was not asked."""
    case = await declaration(writer, desk, region, corners=(83.03, 55.02, 83.04, 55.03))
    owner.execute("ALTER VIEW gate.waste_sites RENAME COLUMN geom TO lost")
    try:
        async with writer.transaction(APPLICANT.caller) as connection:
            answer = await submission.validate(connection, desk, APPLICANT, case.id)
    finally:
        owner.execute("ALTER VIEW gate.waste_sites RENAME COLUMN lost TO geom")
    found = {f["rule"]: f for f in answer["findings"]}
    assert found["waste-site-near"]["outcome"] == "not_checked"
    assert "Не проверено" in found["waste-site-near"]["message"]["ru"]
    others = [f for rule, f in found.items() if rule not in ("waste-site-near", "licence")]
    assert {f["outcome"] for f in others if f["layer"] in ("leases", "stands", "zones")} <= {"clear", "hit"}
