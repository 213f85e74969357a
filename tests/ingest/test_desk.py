"""The registrar's desk: an upload is read, waits, is applied or dropped, and its run undone, all by the worker."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.worker import work
from geo import imports
from geo.access import ANONYMOUS
from geo.db import Database
from geo.errors import ParameterError, UnknownObjectError
from geo.settings import Settings
from tests.ingest.test_undo import current, write


async def upload(
    settings: Settings, path: Path, profile: str = "ru-municipalities", *, called: str | None = None
) -> int:
    """Send a file as a page does, which stores it under a name of its own, and let the worker do what is asked for."""
    office = Database(settings, role="registrar")
    async with office.transaction(ANONYMOUS) as connection:
        new = imports.NewUpload(None, profile, None, called or path.name, str(path), 1)
        number = await imports.enter(connection, new)
    await work(settings, wait=False)
    await office.close()
    return number


async def seen(settings: Settings, number: int) -> Any:
    office = Database(settings, role="registrar")
    async with office.transaction(ANONYMOUS) as connection:
        row = await imports.upload(connection, number)
    await office.close()
    return row


async def word(settings: Settings, number: int, said: str) -> None:
    office = Database(settings, role="registrar")
    try:
        async with office.transaction(ANONYMOUS) as connection:
            await imports.decide(connection, number, said)
        await work(settings, wait=False)
    finally:
        await office.close()


async def test_an_upload_waits_is_applied_and_undone(
    new_database: Callable[[], Settings], tmp_path: Path
) -> None:
    settings = new_database()
    number = await upload(settings, write(tmp_path / "places.geojson", {1: ("Один", 1), 2: ("Два", 1)}))
    row = await seen(settings, number)
    assert (row["status"], row["rows_read"], row["counts"]["new"]) == ("waiting", 2, 2)
    assert current(settings) == {}
    await word(settings, number, "apply")
    assert (await seen(settings, number))["status"] == "applied"
    assert set(current(settings)) == {"ru:1", "ru:2"}
    office = Database(settings, role="registrar")
    async with office.transaction(ANONYMOUS) as connection:
        await imports.undo(connection, row["run"], None)
    await work(settings, wait=False)
    await office.close()
    assert current(settings) == {}


async def test_a_bad_upload_is_refused_with_its_reason(
    new_database: Callable[[], Settings], tmp_path: Path
) -> None:
    settings = new_database()
    bad = tmp_path / "bad.geojson"
    bad.write_text("no GIS file")
    row = await seen(settings, await upload(settings, bad, called="Участки № 7.geojson"))
    assert row["status"] == "refused"
    assert "Участки № 7.geojson" in row["message"]
    assert "bad.geojson" not in row["message"]
    # No reader knows it, and yet it is a run with a report in the office.
    assert imports.reports(settings.home, row["run"]) == ["html", "json"]


async def test_an_upload_refused_for_its_system_leaves_a_report_with_all_that_was_found(
    new_database: Callable[[], Settings], tmp_path: Path
) -> None:
    settings = new_database()
    file = write(tmp_path / "metres.geojson", {1: ("Один", 1), 2: ("Два", 1)})
    text = file.read_text("utf-8").replace("[60, 5", "[6000000, 500000").replace("[61, 5", "[6100000, 500000")
    file.write_text(text, "utf-8")
    row = await seen(settings, await upload(settings, file))
    assert (row["status"], current(settings)) == ("refused", {})
    found = json.loads(imports.report(settings.home, row["run"], "json").read_text("utf-8"))
    assert (found["run"], found["status"], found["file"]) == (row["run"], "refused", "metres.geojson")
    assert "its coordinates are metres" in found["problems"][0]["message"]
    assert "отказано" in imports.report(settings.home, row["run"], "html").read_text("utf-8")


async def test_a_decided_upload_cannot_be_decided_again(
    new_database: Callable[[], Settings], tmp_path: Path
) -> None:
    settings = new_database()
    number = await upload(settings, write(tmp_path / "places.geojson", {1: ("Один", 1)}))
    await word(settings, number, "drop")
    assert (await seen(settings, number))["status"] == "dropped"
    with pytest.raises(ParameterError):
        await word(settings, number, "apply")
    with psycopg.connect(settings.database_url) as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'ingest' AND tablename ~ '^(stage|compare)_'"
        ).fetchone()
    assert left == (0,)


async def test_an_upload_leaves_its_report_for_the_office(
    new_database: Callable[[], Settings], tmp_path: Path
) -> None:
    settings = new_database()
    file = write(tmp_path / "places.geojson", {1: ("Один", 1), 2: ("Два", 1)})
    file.write_text(file.read_text("utf-8").replace('"cartodb_id": 2', '"cartodb_id": 1'), "utf-8")
    number = await upload(settings, file, called="Районы (май).geojson")
    run = (await seen(settings, number))["run"]
    assert imports.reports(settings.home, run) == ["html", "json", "gpkg"]
    page = imports.report(settings.home, run, "html").read_text("utf-8")
    assert "Районы (май).geojson" in page
    await word(settings, number, "apply")
    with psycopg.connect(settings.database_url) as connection:
        known = connection.execute(
            "SELECT r.file_name, j.details ->> 'file' FROM ingest.runs r JOIN journal.entries j"
            " ON j.object = r.id AND j.action = 'imported' WHERE r.id = %s",
            [run],
        ).fetchone()
    assert known == ("Районы (май).geojson", "Районы (май).geojson")
    assert "Ключ ru:1 уже стоит в строке 1." in page
    assert "Оставьте одну из двух строк." in page
    with pytest.raises(UnknownObjectError):
        imports.report(settings.home, run, "../../secret")
    assert imports.reports(settings.home, run + 1) == []


async def test_a_reference_list_is_compared_waits_and_is_applied(
    new_database: Callable[[], Settings], tmp_path: Path
) -> None:
    settings = new_database()
    file = tmp_path / "fkko.csv"
    file.write_text("code\tname\tlink\n1 00 000 00 00 1\tЗола\t/x\n1 00 000 00 00 2\t\t/x\n", "utf-8")
    number = await upload(settings, file, "fkko")
    row = await seen(settings, number)
    assert (row["status"], row["counts"]["new"], row["counts"]["rejected"]) == ("waiting", 1, 1)
    assert imports.reports(settings.home, row["run"])[:2] == ["html", "json"]
    assert _entries(settings) == []
    await word(settings, number, "apply")
    assert (await seen(settings, number))["status"] == "applied"
    assert _entries(settings) == ["Зола"]
    # Dropped is dropped: the list stays as it is.
    file.write_text("code\tname\tlink\n1 00 000 00 00 1\tШлак\t/x\n", "utf-8")
    other = await upload(settings, file, "fkko")
    assert (await seen(settings, other))["counts"]["changed"] == 1
    await word(settings, other, "drop")
    assert ((await seen(settings, other))["status"], _entries(settings)) == ("dropped", ["Зола"])


def _entries(settings: Settings) -> list[str]:
    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute(
            "SELECT title FROM register.reference_entries WHERE list = 'fkko' AND sys_to = 'infinity'"
        ).fetchall()
    return [title for (title,) in rows]
