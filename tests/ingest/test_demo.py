"""The demo region: same seed same bytes, an exact tiling, numbers that hold, conflicts that can be found, a past."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
import shapely

from geo.dictionaries import dictionary
from geo.identifiers import inn_is_valid, licence_number, ogrn_is_valid
from geo.layers import all_layers
from geo.settings import Settings
from ingest.demo import archive, conflicts, names
from ingest.demo.history import MOMENTS, Archive
from ingest.demo.history import archive as make
from ingest.demo.presence import DELIVERIES, wanted
from ingest.errors import RefusedError

FACTOR = 0.04


@pytest.fixture(scope="module")
def region() -> Archive:
    return make(11, FACTOR)


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted(folder.rglob("*"))
        if f.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        archive.write(tmp_path / name, 11, FACTOR)
    one, two = _hashes(tmp_path / "one"), _hashes(tmp_path / "two")
    assert {Path(n).suffix for n in one} >= {
        ".gpkg",
        ".xml",
        ".shp",
        ".dbf",
        ".cpg",
        ".tab",
        ".xlsx",
        ".csv",
        ".geojson",
    }
    assert one == two


def test_stands_tile_quarters_and_quarters_tile_forestries(region: Archive) -> None:
    woods = region.region.forest
    stands, quarters = woods.stands["geometry"].to_numpy(), woods.quarters["geometry"].to_numpy()
    assert shapely.is_valid(stands).all()
    assert (shapely.get_type_id(stands) == 3).all()
    assert shapely.coverage_is_valid(stands)
    assert shapely.coverage_is_valid(quarters)
    own = np.bincount(woods.stands["quarter_at"], shapely.area(stands))
    np.testing.assert_allclose(own, shapely.area(quarters), rtol=1e-12)
    levels = woods.forestries.groupby("kind")["geometry"].apply(lambda s: shapely.area(s.to_numpy()).sum())
    np.testing.assert_allclose(
        [levels["forestry"], levels["subforestry"]], shapely.area(quarters).sum(), rtol=1e-12
    )
    assert not woods.stands.duplicated(["forestry", "subforestry", "quarter", "number"]).any()


def test_municipalities_tile_the_region(region: Archive) -> None:
    shapes = region.region.municipalities["geometry"].to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(region.region.outline.area)


def test_numbers_pass_their_checks(region: Archive) -> None:
    for holder in names.HOLDERS:
        assert inn_is_valid(holder.inn), holder
        assert ogrn_is_valid(holder.ogrn), holder
    assert len({h.inn for h in names.HOLDERS}) == len(names.HOLDERS)
    for delivery in region.deliveries:
        for layer, frame in delivery.items():
            if "holder_inn" in frame:
                assert frame["holder_inn"].map(inn_is_valid).all(), layer
        if "licences" in delivery:
            assert [licence_number(n) for n in delivery["licences"]["number"]] == delivery["licences"][
                "number"
            ].tolist()


def test_formulas_sum_to_ten_and_begin_with_the_leading_species(region: Archive) -> None:
    from ingest.demo.inventory import SPECIES

    grown = region.region.forest.stands.dropna(subset=["formula"])
    parts = grown["formula"].str.findall(r"(\d+)([А-Я][а-я]?)")
    assert (parts.map(lambda found: sum(int(n) for n, _ in found)) == 10).all()
    letters = {name: s.letter for name, s in SPECIES.items()}
    assert (parts.map(lambda found: found[0][1]) == grown["species"].map(letters)).all()
    assert (parts.map(lambda found: int(found[0][0]) >= max(int(n) for n, _ in found))).all()


def _count(settings: Settings, statement: str, *values: Any) -> int:
    with psycopg.connect(settings.database_url) as connection:
        row = connection.execute(statement, values).fetchone()
    assert row is not None
    return int(row[0])


def test_every_row_of_every_delivery_is_loaded(demo_settings: Settings) -> None:
    assert _count(demo_settings, "SELECT count(*) FROM ingest.runs WHERE status <> 'done'") == 0
    assert _count(demo_settings, "SELECT count(DISTINCT (profile, sha256)) FROM ingest.runs") == DELIVERIES
    assert _count(demo_settings, "SELECT count(*) FROM ingest.rejects") == 0
    assert not wanted(demo_settings.database_url)


@pytest.mark.parametrize("layer", sorted(all_layers()))
def test_every_code_has_a_label(demo_settings: Settings, layer: str) -> None:
    for field in (p for p in all_layers()[layer].properties if p.dictionary):
        codes = list(dictionary(field.dictionary))
        strange = f"SELECT count(*) FROM register.{layer} WHERE {field.name} <> ALL (%s)"
        assert _count(demo_settings, strange, codes) == 0, field.name


def test_stands_tile_their_quarters_in_the_register_too(demo_settings: Settings) -> None:
    bad = """
        SELECT count(*) FROM (
          SELECT q.key FROM register.quarters q
          JOIN register.stands s ON (s.forestry, s.subforestry, s.quarter) = (q.forestry, q.subforestry, q.number) AND s.sys_to = 'infinity'
          GROUP BY q.key, q.geom, q.area_m2
          HAVING abs(sum(s.area_m2) - q.area_m2) > 0.5 OR ST_Area(ST_SymDifference(q.geom, ST_Union(s.geom))) > 1e-12) AS x
    """
    assert _count(demo_settings, bad) == 0


OVERLAP = "SELECT count(*) FROM register.{} a JOIN register.{} b ON ST_Relate(a.geom, b.geom, 'T********') AND a.sys_to = 'infinity' AND b.sys_to = 'infinity' WHERE {}"


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ("licences", "zones", f"a.number = '{conflicts.LICENCE_OVER_RESERVE}' AND b.kind = 'oopt'"),
        (
            "leases",
            "leases",
            f"a.number = '{conflicts.LEASE_WITHIN_LEASE}' AND b.number <> a.number AND b.status = 'active'",
        ),
        (
            "cutting_areas",
            "zones",
            f"a.declaration = '{conflicts.CUTTING_IN_WATER_ZONE}' AND b.kind = 'water_protection'",
        ),
        (
            "waste_sites",
            "zones",
            f"a.number = '{conflicts.WASTE_IN_WATER_ZONE}' AND b.kind = 'water_protection'",
        ),
        (
            "leases",
            "leases",
            f"a.id = b.id AND a.number = '{conflicts.EXPIRED_LEASE}' AND a.status = 'overdue' AND a.ends_on < current_date",
        ),
    ],
)
def test_the_conflicts_are_there(demo_settings: Settings, one: str, other: str, where: str) -> None:
    assert _count(demo_settings, OVERLAP.format(one, other, where)) > 0


@pytest.mark.parametrize(
    "layer", ["stands", "forest_plots", "leases", "licences", "zones", "cutting_areas", "waste_sites"]
)
def test_there_is_a_past_to_travel_to(demo_settings: Settings, layer: str) -> None:
    past = (
        f"SELECT count(*) FROM register.{layer} WHERE sys_to < 'infinity' AND sys_from >= %s AND sys_to <= %s"
    )
    assert _count(demo_settings, past, MOMENTS[0], MOMENTS[-1]) > 0


def test_a_second_load_changes_nothing(demo_settings: Settings) -> None:
    total = "SELECT sum(n) FROM (SELECT count(*) AS n FROM register.stands UNION ALL SELECT count(*) FROM ingest.runs) AS x"
    before = _count(demo_settings, total)
    assert archive.fill(demo_settings.database_url, seed=archive.SEED, factor=0.1) == 0
    assert _count(demo_settings, total) == before


def test_another_seed_is_refused_and_nothing_changes(demo_settings: Settings, tmp_path: Path) -> None:
    runs = "SELECT count(*) FROM ingest.runs"
    before = _count(demo_settings, runs)
    other = archive.write(tmp_path, 11, FACTOR)
    with pytest.raises(RefusedError, match="33 registry files"):
        archive.load(demo_settings.database_url, other)
    assert _count(demo_settings, runs) == before


def test_a_database_with_other_registers_is_left_alone(new_database: Any) -> None:
    settings = new_database()
    assert wanted(settings.database_url)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO ingest.runs (profile, layer, file_name, sha256, size, status, stage) VALUES ('ru-municipalities', 'municipalities', 'f', 's', 1, 'done', 'report')"
        )
    assert not wanted(settings.database_url)
