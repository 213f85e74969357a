"""A guessed profile names the known one where it fits, and runs as it is printed."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from api.cli import app
from geo.settings import Settings
from ingest import door
from ingest.guess import guess
from ingest.pipeline import Options


@pytest.mark.parametrize(
    "expected",
    [
        ("ghana-mining-licences/ghana_mining_license_report.csv", "ghana-licences", "licences"),
        ("mining-salta-ar/catastro_minero_salta.gpkg", "salta-mining", "licences"),
        ("rosnedra-cp1251-derived/uchastki_tab.tab", "rosnedra-blocks", "licences"),
        ("forest-irkutsk-lesnichestva/lesnichestva.geojson", "irkutsk-forestries", "forestries"),
    ],
)
def test_a_guessed_profile_runs_as_printed(
    settings: Settings, shared_data: Path, tmp_path: Path, expected: tuple[str, str, str]
) -> None:
    file, known, layer = expected
    found = guess(shared_data / file)
    assert known in [name for name, _ in found.fitting]
    assert yaml.safe_load(found.yaml)["layer"] == layer
    path = tmp_path / "guessed.yaml"
    path.write_text(found.yaml, "utf-8")
    result = door.ingest(
        settings.url_for("registrar"), door.find(str(path)), shared_data / file, Options(dry=True)
    )
    assert result.counts["new"] > 0.8 * result.counts["read"]


def test_the_command_prints_yaml(tmp_path: Path) -> None:
    file = tmp_path / "sites.csv"
    file.write_text(
        "Код объекта;Наименование;ФККО;lon;lat\n1;Полигон;47110101521;83;55\n2;Отвал;47110101521;84;55\n"
    )
    said = CliRunner().invoke(app, ["ingest", "--guess", str(file)])
    assert said.exit_code == 0
    document = yaml.safe_load(said.stdout)
    assert document["layer"] == "waste_sites"
    assert document["key"] == "sites:{Код объекта}"


def test_the_command_shows_a_system_with_its_control_points(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEZHA_DATABASE_URL", settings.database_url)
    said = CliRunner().invoke(app, ["crs", "МСК - 21, зоны 1"])
    assert said.exit_code == 0
    assert "Новочебоксарск" in said.stdout
    assert "MSK-21/1" in said.stdout
