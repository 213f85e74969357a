"""Rosreestr's extracts of one parcel, old and new: boundary, rights, restrictions, circles; x is north in all of them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.batch import Batch
from ingest.readers.catalogue import reader_for
from ingest.source import Source

OLD = """<?xml version="1.0" encoding="{encoding}"?>
<{root} xmlns="urn://x-artefacts-rosreestr-ru/outgoing/kvzu/7.0.1"><Parcels>
<Parcel CadastralNumber="54:35:091435:12" State="06" DateCreated="2011-02-03"><Area><Area>10000</Area></Area>
<Rights><Right><Name>Собственность</Name><Owners><Owner><Organization><Name>ООО «Кедр»</Name></Organization></Owner></Owners></Right></Rights>
<SubParcels><SubParcel><Encumbrance><Name>Аренда</Name></Encumbrance>
<EntitySpatial EntSys="ID1"><SpatialElement><SpelementUnit><Ordinate X="1" Y="1"/></SpelementUnit></SpatialElement></EntitySpatial></SubParcel></SubParcels>
<EntitySpatial EntSys="ID1"><SpatialElement>
<SpelementUnit><Ordinate X="480000" Y="3200000"/></SpelementUnit><SpelementUnit><Ordinate X="480100" Y="3200000"/></SpelementUnit>
<SpelementUnit><Ordinate X="480100" Y="3200050"/></SpelementUnit><SpelementUnit><Ordinate X="480000" Y="3200050"/></SpelementUnit>
</SpatialElement></EntitySpatial></Parcel></Parcels>
<CoordSystems><CoordSystem Name="МСК-54, зона 3" CsId="ID1"/></CoordSystems></{root}>"""

NEW = """<?xml version="1.0" encoding="utf-8"?><extract_about_property_land><land_record>
<object><common_data><cad_number>54:35:091435:13</cad_number></common_data></object>
<params><area><value>314</value></area></params>
<contours_location><contours><contour><entity_spatial><sk_id>МСК - 54, зоны 3</sk_id><spatials_elements><spatial_element><ordinates>
<ordinate><x>480000</x><_y>3200000</_y><r>10</r></ordinate></ordinates></spatial_element></spatials_elements></entity_spatial></contour></contours></contours_location>
</land_record><right_records><right_record><right_data><right_type><value>Собственность</value></right_type></right_data>
<right_holders><right_holder><legal_entity><entity><resident><name>АО «Север»</name><inn>7736050003</inn></resident></entity></legal_entity></right_holder></right_holders></right_record></right_records>
<restrict_records><restrict_record><restrictions_encumbrances_data><restriction_encumbrance_type><value>Аренда</value></restriction_encumbrance_type>
<period><period_info><end_date>2040-05-01T00:00:00</end_date></period_info></period></restrictions_encumbrances_data></restrict_record></restrict_records>
</extract_about_property_land>"""


def _batch(file: Path, content: bytes) -> Batch:
    file.write_bytes(content)
    source = Source.open(file)
    reader = reader_for(source)
    assert reader.name == "rosreestr"
    return next(reader.batches(source, None))


@pytest.mark.parametrize("root", ["KVZU", "KPZU"])
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251"])
def test_an_old_extract(tmp_path: Path, root: str, encoding: str) -> None:
    batch = _batch(tmp_path / "a.xml", OLD.format(root=root, encoding=encoding).encode(encoding))
    row = batch.columns.iloc[0]
    assert (row["number"], row["rights"], row["holder"], row["restrictions"]) == (
        "54:35:091435:12",
        "Собственность",
        "ООО «Кедр»",
        "Аренда",
    )
    # The part of the parcel is no boundary of it, and x is north.
    assert batch.geometries[0].bounds == (3200000, 480000, 3200050, 480100)
    assert batch.crs == "54:МСК-54, зона 3"


def test_a_new_extract_with_a_circle(tmp_path: Path) -> None:
    batch = _batch(tmp_path / "a.xml", NEW.encode())
    row = batch.columns.iloc[0]
    assert (row["holder"], row["holder_inn"], row["restrictions"]) == (
        "АО «Север»",
        "7736050003",
        "Аренда (до 2040-05-01)",
    )
    assert abs(batch.geometries[0].area - 314.16) < 0.2
    assert batch.crs == "54:МСК - 54, зоны 3"


# Reads a small file, then one thirty times as large, and prints by how many MB the second raised the peak of the process.
GROWTH = """
import sys
from pathlib import Path
from ingest.readers import record, rosreestr
from ingest.source import Source
record.BATCH_ROWS = 50
def peak(name):
    Path("/proc/self/clear_refs").write_text("5")
    rows = sum(len(b.rows) for b in rosreestr.RosreestrReader().batches(Source.open(Path(name)), sys.argv[3]))
    line = next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM"))
    return rows, int(line.split()[1]) / 1024
small, large = peak(sys.argv[1]), peak(sys.argv[2])
print(small[0], large[0], large[1] - small[1])
"""


def _plan(path: Path, count: int, *, old: bool) -> str:
    whole = (
        OLD.format(root="KPT", encoding="utf-8")
        if old
        else NEW.replace("about_property_land", "cadastral_plan_territory")
    )
    tag = "Parcel" if old else "land_record"
    begin, end = whole.index(f"<{tag} " if old else f"<{tag}>"), whole.index(f"</{tag}>") + len(f"</{tag}>")
    body = whole[begin:end]
    with path.open("w", encoding="utf-8") as stream:
        stream.write(whole[:begin])
        for number in range(count):
            stream.write(body.replace(":12", f":{number}").replace(":13", f":{number}"))
        stream.write(whole[end:])
    return str(path)


@pytest.mark.parametrize(
    ("old", "kind", "rows"), [(True, "parcels", 3000), (False, "parcels", 3000), (False, "zones", 0)]
)
def test_memory_stays_flat_however_large_the_plan(tmp_path: Path, old: bool, kind: str, rows: int) -> None:
    files = [_plan(tmp_path / "small.xml", 100, old=old), _plan(tmp_path / "large.xml", 3000, old=old)]
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, *files, kind], capture_output=True, text=True, check=True
    )
    small, large, growth = done.stdout.split()
    assert (int(small), int(large)) == (rows // 30, rows)
    # The whole tree would be more than ten.
    assert float(growth) < 6, growth


# Reads a plan of one ordinary parcel and a giant one, and prints what became of them and the growth of memory in MB.
GIANT = """
import sys
from pathlib import Path
from ingest.readers import rosreestr
from ingest.source import Source
def peak():
    return next(int(l.split()[1]) / 1024 for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM"))
before = peak()
found = [(list(b.columns["number"]), [g is None for g in b.geometries], [(p.row, p.code, p.message) for p in b.problems])
         for b in rosreestr.RosreestrReader().batches(Source.open(Path(sys.argv[1]), object_mb=4), "parcels")]
print(found)
print(peak() - before)
"""


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("contours", [1, 500])
def test_a_giant_parcel_is_turned_away_before_it_is_held_whole(
    tmp_path: Path, old: bool, contours: int
) -> None:
    """40 MB of one parcel, in one ring or in many: as a tree of elements they would take some 500 MB."""
    path = tmp_path / "plan.xml"
    _plan(path, 2, old=old)
    text = path.read_text("utf-8")
    point = (
        '<SpelementUnit><Ordinate X="480000" Y="3200000"/></SpelementUnit>'
        if old
        else "<ordinate><x>480000</x><_y>3200000</_y><r>10</r></ordinate>"
    )
    ring = "SpatialElement" if old else "spatial_element"
    opened = f"<{ring}>" if old else f"<{ring}><ordinates>"
    closed = f"</{ring}>" if old else f"</ordinates></{ring}>"
    many = 40_000_000 // len(point) // contours
    begin = text.rindex(opened)
    with path.open("w", encoding="utf-8") as stream:
        stream.write(text[:begin])
        for _ in range(contours):
            stream.write(opened + point * many + closed)
        stream.write(text[begin:])
    done = subprocess.run(
        [sys.executable, "-c", GIANT, str(path)], capture_output=True, text=True, check=True
    )
    found, growth = done.stdout.splitlines()
    batches = ast.literal_eval(found)
    missing = {n: m for numbers, gone, _ in batches for n, m in zip(numbers, gone, strict=True)}
    assert list(missing.values()).count(True) == 1
    assert len(missing) == 2
    ((row, code, message),) = [p for _, _, problems in batches for p in problems]
    assert (row, code) == (2, "giant-object")
    assert "4 MB are allowed" in message
    assert float(growth) < 120
