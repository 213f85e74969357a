"""Every set of real registry files goes in with one command, or is refused with a reason; the table of docs/ingest.md.

Set MEZHA_BLESS=1 to write the table anew.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from geo.errors import MezhaError
from geo.settings import Settings
from ingest import door
from ingest.pipeline import Options, Result
from ingest.readers.catalogue import reader_for
from ingest.source import Source

PAGE = Path(__file__).parents[2] / "docs" / "ingest.md"
BEGIN, END = "<!-- shared-sets: begin -->", "<!-- shared-sets: end -->"


@dataclass(frozen=True)
class Set:
    """A file, the profile that it is loaded with, and the option that it needs."""

    file: str
    profile: str
    crs: str = ""

    @property
    def command(self) -> str:
        """The command line without the program."""
        return f"{self.profile} {Path(self.file).name}" + (f" --crs {self.crs}" if self.crs else "")


SETS = (
    Set("bc-forest-licence-tfl6/tfl_6_boundary.gpkg", "bc-leases"),
    Set("bc-forest-licence-tfl6/ogma_legal_current_tfl6.gpkg", "bc-zones"),
    Set("bc-forest-licence-tfl6/wha_approved_tfl6.gpkg", "bc-wildlife"),
    Set("bc-forest-licence-tfl6/fwa_lakes_tfl6.gpkg", "bc-lakes"),
    Set("bc-forest-licence-tfl6/fwa_wetlands_tfl6.gpkg", "bc-wetlands"),
    Set("bc-forest-stands-k3z/vri_k3z.shp", "bc-stands"),
    Set("fgis-lk-formats/catalogsList/05072021/forestry.xlsx", "fgis-catalogue"),
    Set("fgis-lk-formats/catalogsList/05072021/tract.xlsx", "fgis-catalogue"),
    Set("fgis-lk-formats/catalogsList/05072021/unitType.xlsx", "fgis-catalogue"),
    Set("fgis-lk-formats/forestUsageReport/3.0/SampleFile.xml", "bc-zones"),
    Set("fgis-lk-formats/forestDeclaration/3.0/forestDeclaration-000000004_00037.zip", "bc-zones"),
    Set("finland-forest-stands/smk_demo_60stands.xml", "fi-stands"),
    Set("finland-forest-stands/smk_225stands.xml", "fi-stands"),
    Set("finland-forest-stands/SMK_source.gpkg", "fi-stands-gpkg"),
    Set("fkko-2026/fkko-2026-03-25.csv", "fkko"),
    Set("forest-irkutsk-lesnichestva/lesnichestva.geojson", "irkutsk-forestries"),
    Set("forest-irkutsk-lesnichestva/fires_2005_irk_filtered.geojson", "irkutsk-fires"),
    Set("forest-irkutsk-lesnichestva/raioni_fin_2018.dbf", "ru-municipalities"),
    Set("ghana-mining-licences/ghana_mining_license_report.csv", "ghana-licences"),
    Set("mining-salta-ar/catastro_minero_salta.gpkg", "salta-mining"),
    Set("mining-salta-ar/catastro_minero_salta_attrs.csv", "salta-mining"),
    Set("msk-crs-list/sk_list.txt", "msk-parameters"),
    Set("natural-earth-basemap/ne_110m_admin_0_countries.geojson", "world-countries"),
    Set("natural-earth-basemap/ne_110m_land.geojson", "world-water"),
    Set("natural-earth-basemap/ne_50m_lakes.geojson", "world-water"),
    Set("natural-earth-basemap/ne_50m_rivers_lake_centerlines.geojson", "world-water"),
    Set("natural-earth-basemap/ne_110m_rivers_lake_centerlines.geojson", "world-water"),
    Set("natural-earth-basemap/ne_50m_admin_0_boundary_lines_land.geojson", "world-water"),
    Set("natural-earth-basemap/ne_50m_populated_places_simple.geojson", "ru-municipalities"),
    Set("natural-earth-basemap/russia_regions_click_that_hood.geojson", "ru-municipalities"),
    Set("rosnedra-cp1251-derived/uchastki_cp1251.shp", "rosnedra-blocks"),
    Set("rosnedra-cp1251-derived/uchastki_tab.tab", "rosnedra-blocks"),
    Set("rosnedra-licence-blocks-ru/license_blocks_rosnedra_orders.gpkg", "rosnedra-licences"),
    Set("rosnedra-licence-blocks-ru/Auctions2023.csv", "rosnedra-auctions"),
    Set("rosnedra-licence-blocks-ru/Auctions2023.csv", "rosnedra-auctions-sk42"),
    Set("rosnedra-registry-row-sample/opendata_sample.csv", "licence-register"),
    Set("rosreestr-kpt-xml/kpt10_21_02_010106.xml", "rosreestr-kpt"),
    Set("rosreestr-kpt-xml/kpt10_21_02_010107.xml", "rosreestr-kpt"),
    Set("rosreestr-kpt-xml/kpt11_fragment_24_21_1003001_full.xml", "rosreestr-kpt"),
    Set("rosreestr-kpt-xml/kpt11_fragment_24_21_1003001_full.xml", "rosreestr-kpt-zones"),
    Set("rosreestr-kpt-xml/kpt11_fragment_24_21_1003001_full.xml", "rosreestr-kpt-boundaries"),
    Set("rosreestr-kpt-xml/kpt11_fragment_24_21_1003001_small.xml", "rosreestr-kpt"),
    Set("rosreestr-zonymozno-xml/02EE7227-3D55-4CBC-8BA5-1C07744C9AE5.xml", "rosreestr-zonymozno"),
    Set(
        "rosreestr-zonymozno-xml/02EE7227-3D55-4CBC-8BA5-1C07744C9AE5.xml", "rosreestr-zonymozno", "EPSG:4326"
    ),
    Set("rosreestr-zonymozno-xml/0B41ACB0-77D7-4B72-9805-030DDF872645.xml", "rosreestr-zonymozno"),
    Set("rosreestr-zonymozno-xml/1_CoordinateSystemDict.xml", "dictionary"),
    Set("rosreestr-zonymozno-xml/1_RegionDict.xml", "dictionary"),
    Set("ru-forest-taxation-maket-cp866/11431110.02", "taxation-cards"),
    Set("ru-reference/region.csv", "regions"),
    Set("ru-reference/city.csv", "cities"),
    Set("ru-reference/okved2_data-20231201-structure-20180402.csv", "okved"),
    Set("ru-reference/tom3_oktmo_1.csv", "oktmo-3-1"),
    Set("ru-reference/tom3_oktmo_2.csv", "oktmo-3-2"),
    Set("ru-reference/tom5_oktmo_1.csv", "oktmo-5-1"),
    Set("ru-reference/tom5_oktmo_2.csv", "oktmo-5-2"),
    Set("ru-reference/calendar-xml/ru-2026.xml", "working-calendar"),
    Set("ru-reference/holidays-calendar.json", "days-off"),
)


def _row(settings: Settings, data: Path, one: Set) -> str:
    source = data / one.file
    try:
        format_name = reader_for(Source.open(source)).name
    except MezhaError:
        format_name = "—"
    try:
        result = door.ingest(
            settings.url_for("registrar"),
            door.find(one.profile),
            source,
            Options(crs=one.crs or None, confirm_gone=True),
        )
    except MezhaError as err:
        return _cells(one, format_name, "refused", "", "", "", str(err))
    counts = result.counts
    loaded = counts["new"] + counts["changed"] + counts["unchanged"]
    return _cells(
        one, format_name, counts["read"], loaded, counts["rejected"], counts["warnings"], _why(result)
    )


def _cells(one: Set, *cells: object) -> str:
    texts = [re.sub(r"\s+", " ", str(c)).replace("|", "\\|") for c in (one.command, *cells)]
    return f"| `{texts[0]}` | {' | '.join(t if len(t) <= 230 else t[:227] + '…' for t in texts[1:])} |"


def _why(result: Result) -> str:
    """Kinds of problem with their number, and the decisions that were made by evidence."""
    kinds: dict[str, int] = {}
    for problem in result.problems:
        kinds[problem.code] = kinds.get(problem.code, 0) + 1
    said = ", ".join(f"{code} {count}" for code, count in sorted(kinds.items(), key=lambda k: (-k[1], k[0])))
    crs = ", ".join(result.crs)
    return "; ".join(part for part in (crs, said) if part)


@pytest.fixture(scope="module")
def table(new_database: Callable[[], Settings], shared_data: Path) -> list[str]:
    """The rows of the table, made by loading everything into one fresh database."""
    settings = new_database()
    return [_row(settings, shared_data, one) for one in SETS if (shared_data / one.file).exists()]


def test_every_set_goes_in_or_is_refused_with_a_cure(table: list[str]) -> None:
    assert len(table) >= 50
    for row in table:
        assert "Traceback" not in row
        cells = row.split(" | ")
        assert cells[2] == "refused" or int(cells[3]) > 0, row


def test_the_page_has_the_table(table: list[str]) -> None:
    head = "| command `mezha ingest …` | reader | rows | loaded | rejected | warnings | coordinate system; problems, or reason of the refusal |\n|---|---|---|---|---|---|---|"
    made = "\n".join([BEGIN, head, *table, END])
    page = PAGE.read_text("utf-8")
    if os.environ.get("MEZHA_BLESS"):
        PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: made, page, flags=re.DOTALL), "utf-8")
        page = PAGE.read_text("utf-8")
    assert made in page, "docs/ingest.md is out of date: MEZHA_BLESS=1 writes the table anew"
