"""Bad archives and XML: bombs, links, entities and files that are cut off are refused before they do harm."""

import random
import stat
import zipfile
from pathlib import Path

import pytest

from ingest.profile import profile
from ingest.readers import archive
from ingest.source import Source
from tests.ingest.examination import examine, refusal, zipped


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("a.geojson", "w", force_zip64=True) as out,
    ):
        for _ in range(200):
            out.write(bytes(1 << 20))
    assert "zip bomb" in refusal(file).message


def test_a_zip_that_lies_about_its_size_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = zipped(tmp_path / "lie.zip", {"a.geojson": b" " * 100_000})
    honest = archive.members

    def small(source: Source) -> list[zipfile.ZipInfo]:
        found = honest(source)
        for info in found:
            info.file_size = 10
        return found

    monkeypatch.setattr(archive, "members", small)
    assert "breaks off" in refusal(file).message


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.geojson", "/etc/passwd.geojson", "a/../../b.geojson", "C:\\b.geojson"]
)
def test_a_zip_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    assert "leads outside" in refusal(zipped(tmp_path / "out.zip", {name: b"{}"})).message


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "link.zip"
    info = zipfile.ZipInfo("plans.geojson")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(info, "/etc/passwd")
    assert "holds a link" in refusal(file).message


def test_a_zip_of_folders_and_layers(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "rosnedra-cp1251-derived"
    members = {f"реестр 2024/недра {p.name}": p.read_bytes() for p in folder.glob("uchastki_cp1251.*")}
    file = zipped(tmp_path / "nested.zip", members)
    rows, _ = examine(file, profile("rosnedra-blocks"))
    assert rows == 400
    members |= {"b/other.csv": b"a;b\n1;2\n3;4\n"}
    two = zipped(tmp_path / "two.zip", members)
    assert "holds 2 layers" in refusal(two).message
    chosen = profile("rosnedra-blocks").model_copy(update={"source_layer": "*.shp"})
    assert examine(two, chosen)[0] == 400


def test_a_broken_zip_is_refused(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "whole.zip", {"a.geojson": random.Random(1).randbytes(50_000)})
    file = tmp_path / "half.zip"
    file.write_bytes(whole.read_bytes()[:20_000])
    assert "damaged zip" in refusal(file).message


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize("root", ["KPT", "DataMessage", "ForestPropertyData", "kml", "gml"])
@pytest.mark.parametrize(
    "doctype",
    ['<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', f'<!DOCTYPE x [<!ENTITY l0 "ha">{_LAUGHS}]>'],
)
def test_entities_are_refused(tmp_path: Path, root: str, doctype: str) -> None:
    file = tmp_path / "evil.xml"
    file.write_text(f'<?xml version="1.0"?>{doctype}<{root}><Parcel CadastralNumber="&e;"/></{root}>')
    refusal(file)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_entities_do_not_hide_behind_an_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "evil.xml"
    text = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><KPT><Parcel CadastralNumber="&e;"/></KPT>'
    file.write_bytes((" " * 3_000 + text).encode(encoding))
    refusal(file, profile("rosreestr-kpt"))


def test_truncated_xml_is_refused_whole(tmp_path: Path, shared_data: Path) -> None:
    whole = (shared_data / "rosreestr-kpt-xml" / "kpt10_21_02_010106.xml").read_bytes()
    file = tmp_path / "half.xml"
    file.write_bytes(whole[: len(whole) // 2])
    assert "damaged XML" in refusal(file, profile("rosreestr-kpt")).message


def test_a_document_that_points_at_other_sources_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "evil.vrt"
    file.write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    )
    refusal(file)
