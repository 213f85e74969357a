"""Held, applied, dropped and undone: a registrar's word, and its way back as new versions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from geo import search
from geo.settings import Settings
from ingest import pipeline
from ingest.errors import RefusedError
from ingest.pipeline import Options, ingest
from ingest.profile import profile
from ingest.undo import undo

PROFILE = "ru-municipalities"


def write(path: Path, places: dict[int, tuple[str, float]]) -> Path:
    """A file of square municipalities: number → name and width in degrees."""
    features = [
        {
            "type": "Feature",
            "properties": {"cartodb_id": number, "name": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [
                        [60, 50 + number],
                        [60 + width, 50 + number],
                        [60 + width, 50.5 + number],
                        [60, 50.5 + number],
                        [60, 50 + number],
                    ]
                ],
            },
        }
        for number, (name, width) in places.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


def current(settings: Settings) -> dict[str, tuple[str, int]]:
    """Key → (name, rounded area in km²) of what is current."""
    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute(
            "SELECT key, name, round(area_m2 / 1e6) FROM register.municipalities WHERE sys_to = 'infinity'"
        ).fetchall()
    return {key: (name, int(area)) for key, name, area in rows}


@pytest.fixture
def loaded(new_database: Callable[[], Settings], tmp_path: Path) -> tuple[Settings, Path]:
    settings = new_database()
    file = write(tmp_path / "places.geojson", {1: ("Один", 1), 2: ("Два", 1), 3: ("Три", 1)})
    ingest(settings.url_for("registrar"), profile(PROFILE), file)
    return settings, file


def test_differences_tell_fields_and_ground(loaded: tuple[Settings, Path]) -> None:
    settings, file = loaded
    write(file, {1: ("Первый", 1), 2: ("Два", 1.5)})
    result = ingest(settings.url_for("registrar"), profile(PROFILE), file, Options(hold=True))
    assert result.status == "waiting"
    with psycopg.connect(settings.database_url) as connection:
        rows: list[Any] = connection.execute(
            "SELECT key, action, fields, round(added_m2 / 1e6), round(removed_m2 / 1e6) FROM ingest.differences WHERE run = %s ORDER BY key",
            [result.run],
        ).fetchall()
    assert [(r[0], r[1]) for r in rows] == [("ru:1", "changed"), ("ru:2", "changed"), ("ru:3", "gone")]
    assert rows[0][2] == {"name": ["Один", "Первый"]}
    assert rows[1][3] == pytest.approx(1900, rel=0.02)
    assert rows[1][4] == 0
    assert rows[2][4] > 3600


def test_a_held_run_changes_nothing_until_it_is_applied(loaded: tuple[Settings, Path]) -> None:
    settings, file = loaded
    before = current(settings)
    write(file, {1: ("Первый", 1), 2: ("Два", 1), 3: ("Три", 1)})
    held = ingest(settings.url_for("registrar"), profile(PROFILE), file, Options(hold=True))
    assert current(settings) == before
    pipeline.apply(settings.url_for("registrar"), held.run)
    assert current(settings)["ru:1"][0] == "Первый"
    with pytest.raises(RefusedError):
        pipeline.apply(settings.url_for("registrar"), held.run)


def test_a_dropped_run_can_no_longer_be_applied(loaded: tuple[Settings, Path]) -> None:
    settings, file = loaded
    write(file, {1: ("Первый", 1), 2: ("Два", 1), 3: ("Три", 1)})
    held = ingest(settings.url_for("registrar"), profile(PROFILE), file, Options(hold=True))
    pipeline.drop(settings.url_for("registrar"), held.run)
    with pytest.raises(RefusedError):
        pipeline.apply(settings.url_for("registrar"), held.run)


def test_a_lost_staging_table_does_not_close_the_register(loaded: tuple[Settings, Path]) -> None:
    settings, file = loaded
    before = current(settings)
    held = ingest(
        settings.url_for("registrar"),
        profile(PROFILE),
        write(file, {1: ("Первый", 1), 2: ("Два", 1)}),
        Options(hold=True),
    )
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE ingest.stage_{held.run}")
    with pytest.raises(RefusedError, match="lost"):
        pipeline.apply(settings.url_for("registrar"), held.run, confirm_gone=True)
    assert current(settings) == before


def test_undo_brings_back_what_was_and_keeps_every_version(loaded: tuple[Settings, Path]) -> None:
    settings, file = loaded
    before = current(settings)
    changed = ingest(
        settings.url_for("registrar"),
        profile(PROFILE),
        write(file, {1: ("Первый", 2), 2: ("Два", 1), 4: ("Четыре", 1)}),
        Options(confirm_gone=True),
    )
    assert set(current(settings)) == {"ru:1", "ru:2", "ru:4"}
    undo(settings.url_for("registrar"), changed.run)
    assert current(settings) == before
    with psycopg.connect(settings.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM register.municipalities").fetchone()
    assert row == (3 + 2 + 2,)
    with pytest.raises(RefusedError, match="already"):
        undo(settings.url_for("registrar"), changed.run)


def test_undo_of_a_run_that_only_closed_objects(loaded: tuple[Settings, Path]) -> None:
    settings, file = loaded
    before = current(settings)
    shrunk = ingest(
        settings.url_for("registrar"),
        profile(PROFILE),
        write(file, {1: ("Один", 1), 2: ("Два", 1)}),
        Options(confirm_gone=True),
    )
    assert "ru:3" not in current(settings)
    undo(settings.url_for("registrar"), shrunk.run)
    assert current(settings) == before


def test_undo_is_refused_where_later_runs_changed_the_objects(loaded: tuple[Settings, Path]) -> None:
    settings, file = loaded
    first = ingest(
        settings.url_for("registrar"),
        profile(PROFILE),
        write(file, {1: ("Первый", 1), 2: ("Два", 1), 3: ("Три", 1)}),
    )
    ingest(
        settings.url_for("registrar"),
        profile(PROFILE),
        write(file, {1: ("Ещё раз", 1), 2: ("Два", 1), 3: ("Три", 1)}),
    )
    before = current(settings)
    with pytest.raises(RefusedError, match="later"):
        undo(settings.url_for("registrar"), first.run)
    assert current(settings) == before


def test_a_waiting_run_is_refused_when_what_it_left_alone_has_changed_since(
    loaded: tuple[Settings, Path], tmp_path: Path
) -> None:
    settings, file = loaded
    url = settings.url_for("registrar")
    # Place 1 is staged by its digest alone, for the register holds it word for word …
    waiting = write(tmp_path / "waiting.geojson", {1: ("Один", 1), 2: ("Второй", 1), 3: ("Три", 1)})
    held = ingest(url, profile(PROFILE), waiting, Options(hold=True))
    # … until somebody else changes it.
    ingest(url, profile(PROFILE), write(file, {1: ("Один", 2), 2: ("Два", 1), 3: ("Три", 1)}))
    before = current(settings)
    with pytest.raises(RefusedError, match="1 objects of municipalities were changed"):
        pipeline.apply(url, held.run)
    assert current(settings) == before


def test_what_was_loaded_again_is_not_taken_back(loaded: tuple[Settings, Path]) -> None:
    settings, file = loaded
    three = file.read_text("utf-8")
    write(file, {1: ("Один", 1), 2: ("Два", 1)})
    shorter = ingest(settings.url_for("registrar"), profile(PROFILE), file)
    file.write_text(three, "utf-8")
    ingest(settings.url_for("registrar"), profile(PROFILE), file)
    before = current(settings)
    with pytest.raises(RefusedError, match="1 objects of run"):
        undo(settings.url_for("registrar"), shorter.run)
    assert current(settings) == before


def searched(settings: Settings, text: str) -> list[str]:
    """Names of the municipalities with the text, as anybody finds them."""
    with psycopg.connect(settings.app_database_url) as app:
        rows = app.execute(
            "SELECT title FROM search.best(%s, 5) WHERE layer = 'municipalities' ORDER BY title",
            [search.pattern_of(text)],
        ).fetchall()
    return [name for (name,) in rows]


@pytest.mark.parametrize("filled", [False, True], ids=["waiting", "filled"])
def test_a_load_and_its_undoing_are_searched_at_once(loaded: tuple[Settings, Path], filled: bool) -> None:
    settings, file = loaded
    url = settings.url_for("registrar")
    if filled:
        search.fill(url)
    assert searched(settings, "один") == ["Один"]
    write(file, {1: ("Первый", 1), 2: ("Два", 1), 3: ("Три", 1)})
    run = ingest(url, profile(PROFILE), file).run
    if filled:
        search.fill(url)
    assert searched(settings, "первый") == ["Первый"]
    assert searched(settings, "один") == []
    undo(url, run)
    assert searched(settings, "первый") == []
    assert searched(settings, "один") == ["Один"]
