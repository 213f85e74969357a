"""Neighbours: overlaps and enclosed gaps of one file are told with their place and area."""

import json
from pathlib import Path

from geo.settings import Settings
from ingest.pipeline import ingest
from ingest.profile import NeighbourRule, profile

# Four bars round a gap of 0.0001° by 0.0001° at 60.0005, 50.0005, and a fifth that overlaps the first.
BARS = (
    (60.0, 50.0, 60.001, 50.00045),
    (60.0, 50.00055, 60.001, 50.001),
    (60.0, 50.00045, 60.00045, 50.00055),
    (60.00055, 50.00045, 60.001, 50.00055),
    (60.0009, 49.999, 60.002, 50.0002),
)


def test_overlaps_and_slivers_are_told(settings: Settings, tmp_path: Path) -> None:
    known = profile("ru-municipalities")
    rule = NeighbourRule(overlap_m2=1, sliver_m2=1000)
    asked = known.model_copy(
        update={"snapshot": "delta", "geometry": known.geometry.model_copy(update={"neighbours": rule})}
    )
    features = [
        {
            "type": "Feature",
            "properties": {"cartodb_id": n, "name": f"n{n}"},
            "geometry": {"type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n2], [w, n2], [w, s]]]},
        }
        for n, (w, s, e, n2) in enumerate(BARS, start=800)
    ]
    file = tmp_path / "bars.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    result = ingest(settings.url_for("registrar"), asked, file)
    assert result.counts["new"] == 5
    overlap = next(p for p in result.problems if p.code == "neighbour-overlap")
    sliver = next(p for p in result.problems if p.code == "neighbour-sliver")
    assert overlap.row == 5
    assert "row 1" in overlap.message
    assert sliver.lon is not None
    assert sliver.lat is not None
    assert abs(sliver.lon - 60.0005) < 5e-5
    assert abs(sliver.lat - 50.0005) < 5e-5
    assert all(p.warning for p in result.problems)
    # Nobody asked: nothing is looked for.
    file.write_text(file.read_text().replace("n80", "m80"))
    assert (
        ingest(settings.url_for("registrar"), known.model_copy(update={"snapshot": "delta"}), file).problems
        == []
    )
