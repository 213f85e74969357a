"""The desk: what the worker does with a raster that the office sent in, step by step, so that a page can follow it."""

import shutil
import time
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from geo.errors import MezhaError
from geo.problem import problem_of
from geo.rasters import catalogue
from geo.rasters.errors import RasterFileError
from geo.rasters.uploads import folder as uploads_folder
from geo.sentence import Sentence
from geo.session import connect
from geo.settings import Settings
from tiles.rasters import ranges, workshop

log = structlog.get_logger("rasters")
# What nobody refers to is kept for so long: a conversion may be about to refer to it (seconds).
DAY = 86_400
_ACTIVE = "status IN ('queued', 'working')"
Row = dict[str, Any]


def convert(settings: Settings, number: int) -> None:
    """Check one upload, make its COG, enter it; whatever happens, the sender is told and the upload is deleted."""
    url = settings.url_for("registrar")
    upload = _take(url, number)
    if upload is None:
        return
    try:
        made = workshop.make(
            Path(upload["path"]),
            catalogue.folder(settings),
            upload["file_name"],
            alone=True,
            watch=lambda stage, share: _note(url, number, stage=stage, share=share),
        )
        _enter(url, upload, made)
    except workshop.DroppedError:
        log.info("an upload was dropped", number=number)
    except MezhaError as err:
        _note(url, number, status="refused", problem=Jsonb(problem_of(err)))
    except Exception:
        log.exception("a raster", number=number)
        fault = RasterFileError(
            Sentence("The file could not be taken: a fault on our side."),
            Sentence("Try again; if it stays, tell the administrator."),
        )
        _note(url, number, status="refused", problem=Jsonb(problem_of(fault)))
    shutil.rmtree(Path(upload["path"]).parent, ignore_errors=True)


def _take(url: str, number: int) -> Row | None:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(
            f"UPDATE rasters.uploads SET status = 'working', stage = 'checking', changed_at = clock_timestamp()"
            f" WHERE id = %s AND {_ACTIVE} RETURNING *".encode(),
            [number],
        ).fetchone()


def _note(url: str, number: int, **values: Any) -> bool:
    """Write columns of an upload at work; False where it is not wanted any more."""
    names = ", ".join(f"{name} = %({name})s" for name in values)
    with connect(url, autocommit=True) as connection:
        done = connection.execute(
            f"UPDATE rasters.uploads SET {names}, changed_at = clock_timestamp() WHERE id = %(number)s AND {_ACTIVE}".encode(),
            values | {"number": number},
        )
        return done.rowcount == 1


def _enter(url: str, upload: Row, made: Row) -> None:
    said = upload["item"]
    new = catalogue.Item(
        name=said["name"],
        title=said["title"],
        collection=said["collection"],
        sha256=made["sha256"],
        source_name=upload["file_name"],
        source_sha256=made["source_sha256"],
        crs=made["crs"],
        bands=made["bands"],
        resolution_m=made["resolution_m"],
        bytes=made["bytes"],
        taken=date.fromisoformat(said["taken"]),
        region=upload["region"],
        rank=said["rank"],
        box=tuple(made["box"]),
        kind=said["kind"],
        attribution=said["attribution"],
        unit=said["unit"] or str(made["bands"][0].get("unit") or "")[:20],
        ranges=made["ranges"],
    )
    with connect(url) as connection:
        connection.execute("SELECT set_config('mezha.account', %s, true)", [str(upload["account"] or "")])
        done = connection.execute(
            f"UPDATE rasters.uploads SET status = 'done', share = 1, changed_at = clock_timestamp() WHERE id = %s AND {_ACTIVE}".encode(),
            [upload["id"]],
        )
        if done.rowcount:
            catalogue.add(connection, new)


def sweep(settings: Settings, *, age: float = DAY) -> int:
    """Delete uploads that no job works at and COGs that no raster is drawn from, once they are old; how many there were.

    Rasters that were entered before ranges were measured are measured.
    """
    with connect(settings.url_for("registrar"), autocommit=True) as connection:
        held = {
            Path(row[0]).parent
            for row in connection.execute(f"SELECT path FROM rasters.uploads WHERE {_ACTIVE}".encode())
        }
        kept = {f"{row[0]}.tif" for row in connection.execute("SELECT sha256 FROM rasters.items")}
        _measure(connection, settings)
    gone = [path for path in _of(uploads_folder(settings)) if path not in held and _older(path, age)]
    gone += [path for path in _of(catalogue.folder(settings)) if path.name not in kept and _older(path, age)]
    for path in gone:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(gone)


def _measure(connection: psycopg.Connection[Any], settings: Settings) -> None:
    for name, sha256 in connection.execute(
        "SELECT name, sha256 FROM rasters.items WHERE ranges IS NULL"
    ).fetchall():
        path = catalogue.folder(settings) / f"{sha256}.tif"
        if path.is_file():
            connection.execute(
                "UPDATE rasters.items SET ranges = %s WHERE name = %s", [Jsonb(ranges.measure(path)), name]
            )


def _of(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _older(path: Path, age: float) -> bool:
    return time.time() - path.stat().st_mtime > age
