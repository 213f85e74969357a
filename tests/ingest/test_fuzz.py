"""Fuzz: no bytes and no cell break a reader; what was found stays found."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from geo.errors import MezhaError
from ingest.errors import RefusedError
from ingest.readers.catalogue import reader_for
from ingest.readers.licence_register import cell
from ingest.source import Source
from tests.ingest.examination import examine

_CALM = hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_SEEDS = (
    b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":1},"geometry":{"type":"Polygon","coordinates":[[[1,2],[3,4],[5,1],[1,2]]]}}]}',
    "№ точки;Широта;Долгота;Имя\n1;55°10'11\";83°1'2\";a\n2;55,2;83,1;a\n3;55.3;83.3;a\n".encode(),
    b'<KPT><CoordSystem CsId="1" Name="EPSG:4326"/><Parcel CadastralNumber="21:02:010106:1"><EntitySpatial EntSys="1"><SpatialElement><Ordinate X="1" Y="2"/><Ordinate X="3" Y="2"/><Ordinate X="3" Y="5"/></SpatialElement></EntitySpatial></Parcel></KPT>',
    "11431102.01?\r\n0.84.1.1:1.2.1,8.82:17..3?\r\n1.3.3.3.7:3.Б.2.СЛТР.С3:10.1.8.Б.65.21.24.3.5.0,7..200?\r\n".encode(
        "cp866"
    ),
    b'Version 300\nCharset "Neutral"\nDelimiter ","\nCoordSys Earth Projection 1, 104\nColumns 1\n  a Char(5)\nData\n\nRegion 1\n  4\n0 0\n1 0\n1 1\n0 0\n',
)


@_CALM
@given(
    seed=st.sampled_from(_SEEDS),
    cuts=st.lists(
        st.tuples(st.integers(0, 400), st.binary(max_size=6), st.integers(0, 12)), min_size=1, max_size=4
    ),
)
@example(seed=_SEEDS[0], cuts=[(118, b"[]", 5)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_bytes_break_a_reader(tmp_path: Path, seed: bytes, cuts: list[tuple[int, bytes, int]]) -> None:
    content = seed
    for place, inserted, removed in cuts:
        content = content[:place] + inserted + content[place + removed :]
    file = tmp_path / "fuzzed.dat"
    file.write_bytes(content)
    try:
        examine(file)
    except MezhaError as err:
        assert err.message


@_CALM
@given(st.text(alphabet="0123456789°'\" .,NSЕЕСВсшвдШД№точкиПолигон-:\n\t", max_size=200))
def test_no_cell_breaks_the_licence_register(text: str) -> None:
    with suppress(ValueError):
        cell(text)


def test_nested_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "deep.geojson"
    file.write_text(
        '{"type":"Feature","properties":{},"geometry":'
        + '{"type":"GeometryCollection","geometries":[' * 4000
        + "]}" * 4000
        + "}"
    )
    with pytest.raises(RefusedError):
        examine(file)


def test_keys_that_stand_twice_in_json_are_noted(tmp_path: Path) -> None:
    file = tmp_path / "twice.geojson"
    feature = json.dumps({"type": "Feature", "properties": {"a": 1}, "geometry": None}).replace(
        '"a": 1', '"a": 1, "a": 2'
    )
    file.write_text(feature)
    source = Source.open(file)
    batch = next(reader_for(source).batches(source, None))
    assert any("duplicate keys" in note for note in batch.notes)
