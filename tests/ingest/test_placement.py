"""Coordinate systems: refused where they are missing, lying or impossible, with what could be meant; never guessed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest
import shapely
from pyproj import Geod

from geo.crs import Catalogue, seeded, transformer
from geo.errors import CrsError, MezhaError
from geo.settings import Settings
from ingest.errors import RefusedError
from ingest.pipeline import Options, ingest
from ingest.placement import candidates, inside
from ingest.profile import profile
from ingest.readers.corners import coordinates
from ingest.readers.table import TableReader
from ingest.source import Source

CATALOGUE = Catalogue(seeded())
RUSSIA = (19.0, 41.0, 190.5, 82.0)


def _geojson(path: Path, ring: list[list[float]], **extra: Any) -> Path:
    feature = {
        "type": "Feature",
        "properties": {"cartodb_id": 1, "name": "n"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature], **extra}))
    return path


@pytest.mark.parametrize(
    "spelling",
    [
        "МСК-54 зона 3",
        "МСК - 54, зоны 3",
        "мск54 зона 3",
        "МСК-54, зона № 3",
        "MSK-54/3",
        "MSK-54 зона 3",
        "МСК 54 зона 3",
    ],
)
def test_a_local_system_is_known_in_every_spelling(spelling: str) -> None:
    assert CATALOGUE.resolve(spelling).code == "MSK-54/3"


def test_metres_in_geojson_are_refused_with_candidates(settings: Settings, tmp_path: Path) -> None:
    file = _geojson(
        tmp_path / "a.geojson", [[7.1e6, 6.1e6], [7.11e6, 6.1e6], [7.11e6, 6.11e6], [7.1e6, 6.1e6]]
    )
    with pytest.raises(RefusedError, match="coordinates are metres") as err:
        ingest(settings.url_for("registrar"), profile("ru-municipalities"), file)
    assert "EPSG:3857" in err.value.remedy


def test_the_region_file_of_degrees_under_a_metric_system_is_refused(
    settings: Settings, shared_data: Path, owner: psycopg.Connection[Any]
) -> None:
    file = shared_data / "rosreestr-zonymozno-xml/02EE7227-3D55-4CBC-8BA5-1C07744C9AE5.xml"
    with pytest.raises(RefusedError, match=r"EPSG:3857.*coordinates are degrees") as err:
        ingest(settings.url_for("registrar"), profile("rosreestr-zonymozno"), file)
    assert "EPSG:4326" in err.value.remedy
    result = ingest(
        settings.url_for("registrar"), profile("rosreestr-zonymozno"), file, Options(crs="EPSG:4326")
    )
    assert any("--crs EPSG:4326" in note for note in result.notes)
    row = owner.execute(
        "SELECT count(*), min(ST_XMin(geom)), max(ST_YMax(geom)) FROM register.zones WHERE key LIKE 'zonymozno%'"
    ).fetchone()
    assert row is not None
    # Arkhangelsk Oblast lies between 35° and 50° E, 60° and 67° N on the mainland.
    assert row[0] > 100
    assert 35 < row[1] < 50
    assert 60 < row[2] < 67


def test_a_missing_system_is_asked_for(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    file.write_text(
        "cartodb_id;name;wkt\n1;a;POLYGON((4400000 6000000,4410000 6000000,4410000 6010000,4400000 6000000))\n"
    )
    with pytest.raises(CrsError, match="does not say its coordinate system") as err:
        ingest(settings.url_for("registrar"), profile("ru-municipalities"), file)
    assert "МСК" in err.value.remedy or "СК-42" in err.value.remedy


def test_swapped_axes_are_named_among_the_candidates() -> None:
    moscow = np.array([shapely.Point(55.75, 37.6)], dtype=object)
    assert "EPSG:4326+yx" in candidates(moscow, (30.0, 50.0, 45.0, 60.0), CATALOGUE)


def test_an_extent_reaches_over_the_antimeridian() -> None:
    bounds = np.array([[-178.9, 68.1, -178.8, 68.2], [10.0, 50.0, 11.0, 51.0], [30.0, 50.0, 31.0, 51.0]])
    assert inside(bounds, RUSSIA).tolist() == [True, False, True]


def test_an_engineering_system_is_refused(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "plan.mif"
    file.write_text(
        'Version 300\nCharset "WindowsCyrillic"\nDelimiter ","\nCoordSys NonEarth Units "m" Bounds (0, 0) (99999, 99999)\n'
        "Columns 2\n  cartodb_id Integer\n  name Char(10)\nData\n\nRegion 1\n  4\n0 0\n500 0\n500 500\n0 0\n"
    )
    file.with_suffix(".mid").write_text('1,"a"\n')
    with pytest.raises(MezhaError, match=r"No accurate operation|sense") as err:
        ingest(settings.url_for("registrar"), profile("ru-municipalities"), file)
    assert "--crs" in str(err.value)


def test_the_703_points_agree_in_both_systems(shared_data: Path) -> None:
    table = pd.concat(
        frame
        for frame, *_ in TableReader().frames(
            Source.open(shared_data / "rosnedra-licence-blocks-ru/Auctions2023.csv"), None
        )
    )
    placed = {}
    for system, prefix in (("EPSG:7683", "gsk2011"), ("EPSG:4284", "pulk42")):
        parts = ("deg", "min", "sec")
        lon, _ = coordinates(table, [f"{prefix}_l_{p}" for p in parts], "lon")
        lat, _ = coordinates(table, [f"{prefix}_b_{p}" for p in parts], "lat")
        placed[system] = transformer(system, "EPSG:4326").transform(lon, lat)
    (lon_a, lat_a), (lon_b, lat_b) = placed.values()
    miss = np.asarray(Geod(ellps="WGS84").inv(lon_a, lat_a, lon_b, lat_b)[2])
    assert len(miss) == 703
    # Six points are slips of the pen in the file itself, whose Pulkovo seconds repeat the neighbouring column
    # (56 47 instead of the true seconds) or say 48" for 42": they miss by 93 m to 2 km and are no matter of datums.
    slips = np.flatnonzero(miss > 3)
    assert slips.tolist() == [159, 199, 200, 201, 202, 203]
    good = np.delete(miss, slips)
    # Measured: median 0.20 m, largest 0.40 m.
    assert np.median(good) < 0.3
    assert good.max() < 0.5


def test_parcels_lie_in_the_place_of_their_quarter(
    settings: Settings, shared_data: Path, owner: psycopg.Connection[Any]
) -> None:
    # The plan says the quarter of each parcel; parcels of one quarter lie together, and where the town is.
    places = {"21:02:010106": (47.500, 56.127), "24:21:1003001": (91.58, 56.20)}
    for name in ("kpt10_21_02_010106.xml", "kpt11_fragment_24_21_1003001_full.xml"):
        ingest(
            settings.url_for("registrar"), profile("rosreestr-kpt"), shared_data / "rosreestr-kpt-xml" / name
        )
    for quarter, (lon, lat) in places.items():
        row = owner.execute(
            "SELECT count(*), max(ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography))"
            " FROM register.parcels WHERE quarter = %s AND geom IS NOT NULL AND sys_to = 'infinity'",
            [lon, lat, quarter],
        ).fetchone()
        assert row is not None
        assert row[0] > 10
        assert row[1] < 15_000, f"{quarter}: {row[1]:.0f} m"
