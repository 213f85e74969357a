"""An import killed at any stage, or a database that crashes under it: nothing half-loaded, nothing lost."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from geo.cluster import Cluster
from geo.errors import DatabaseMissingError
from geo.settings import Settings
from ingest.errors import BusyError
from ingest.pipeline import STAGES, Options, ingest
from ingest.profile import profile

PROFILE = "bc-zones"
ROWS = 165
HOOKS = [s for s in STAGES if s != "map"]


@pytest.fixture(scope="module")
def file(shared_data: Path) -> Path:
    return shared_data / "bc-forest-licence-tfl6" / "ogma_legal_current_tfl6.gpkg"


def killed_at(stage: str, url: str, file: Path) -> int:
    """Run an import in a child that is killed when it has completed a stage; returns the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            ingest(
                url,
                profile(PROFILE),
                file,
                Options(after=lambda s: os.kill(os.getpid(), signal.SIGKILL) if s == stage else None),
            )
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def state(settings: Settings) -> tuple[int, int, int]:
    """Versions of the layer, distinct current objects, staging tables left."""
    with psycopg.connect(settings.database_url) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM register.zones), (SELECT count(DISTINCT id) FROM register.zones WHERE sys_to = 'infinity'),"
            " (SELECT count(*) FROM pg_tables WHERE schemaname = 'ingest' AND tablename ~ '^(stage|compare)_')"
        ).fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize("stage", HOOKS)
def test_a_killed_import_is_whole_after_the_next_run(
    new_database: Callable[[], Settings], file: Path, stage: str
) -> None:
    settings = new_database()
    assert killed_at(stage, settings.url_for("registrar"), file) == signal.SIGKILL
    loaded = stage == "report"
    assert state(settings)[0] == (ROWS if loaded else 0)
    result = ingest(settings.url_for("registrar"), profile(PROFILE), file)
    assert result.counts["new"] == (0 if loaded else ROWS)
    assert state(settings) == (ROWS, ROWS, 0)
    # What was staged whole is taken up, not read again.
    assert result.resumed == (stage in {"stage", "compare", "load"})


def test_a_database_crash_in_the_middle_loses_nothing(file: Path, tmp_path: Path) -> None:
    from geo.migration import migrate

    cluster = Cluster.temporary()
    cluster.start()
    try:
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE mezha")
        migrate(cluster.url(), frozenset())
        settings = Settings(database_url=cluster.url(), home=tmp_path)
        with pytest.raises((psycopg.OperationalError, DatabaseMissingError)):
            ingest(
                settings.url_for("registrar"),
                profile(PROFILE),
                file,
                Options(after=lambda s: cluster.stop("immediate") if s == "compare" else None),
            )
        cluster.start()
        result = ingest(settings.url_for("registrar"), profile(PROFILE), file)
        assert result.counts["new"] == ROWS
        assert state(settings) == (ROWS, ROWS, 0)
    finally:
        cluster.destroy()


def test_two_imports_of_one_layer_never_interleave(new_database: Callable[[], Settings], file: Path) -> None:
    settings = new_database()
    busy: list[BusyError] = []

    def other() -> None:
        with pytest.raises(BusyError) as caught:
            ingest(settings.url_for("registrar"), profile(PROFILE), file)
        busy.append(caught.value)

    def second(stage: str) -> None:
        if stage == "stage":
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()

    ingest(settings.url_for("registrar"), profile(PROFILE), file, Options(after=second))
    assert len(busy) == 1
    assert state(settings) == (ROWS, ROWS, 0)


def test_a_dry_run_changes_nothing_and_tells_all(new_database: Callable[[], Settings], file: Path) -> None:
    settings = new_database()
    result = ingest(settings.url_for("registrar"), profile(PROFILE), file, Options(dry=True))
    assert result.status == "dry"
    assert result.counts["new"] == ROWS
    assert state(settings) == (0, 0, 0)


def test_a_snapshot_with_too_much_gone_is_refused_unless_confirmed(
    new_database: Callable[[], Settings], file: Path, tmp_path: Path
) -> None:
    import pyogrio

    from ingest.errors import RefusedError

    settings = new_database()
    ingest(settings.url_for("registrar"), profile(PROFILE), file)
    part = tmp_path / "part.gpkg"
    pyogrio.write_dataframe(pyogrio.read_dataframe(file).iloc[:90], part)
    with pytest.raises(RefusedError, match="would be closed"):
        ingest(settings.url_for("registrar"), profile(PROFILE), part)
    assert state(settings) == (ROWS, ROWS, 0)
    result = ingest(settings.url_for("registrar"), profile(PROFILE), part, Options(confirm_gone=True))
    assert result.counts["gone"] == ROWS - 90
    assert state(settings) == (ROWS, 90, 0)
