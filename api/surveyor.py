"""The surveyor: reads the file with a boundary that an applicant sent into his case, and keeps or asks.

Here, because it needs the readers of the imports and the drafts of the cases, who know nothing of each other.
"""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import shapely
import structlog

from cases import boundary_file, ground
from cases.boundary_file import Outcome, Task
from cases.desk import CLOCK, Desk
from cases.errors import BrokenBoundaryError
from geo.crs import WGS84, reproject
from geo.db import Database
from geo.errors import MezhaError
from geo.geometry import area_geodesic
from geo.problem import problem_of
from geo.sentence import Sentence
from geo.settings import Settings
from ingest.boundary import Boundary, Contour, Manner, UnplacedError
from ingest.boundary import read as read_file
from ingest.errors import RefusedError

# What the page draws to choose from is a picture: the shapes themselves stay as they are.
PICTURE_POINTS = 20_000
PACE = 0.5
log = structlog.get_logger("surveyor")


class FaultError(MezhaError):
    """The reading broke off by a fault of the programme."""

    code = "unexpected"


async def survey(settings: Settings, number: int) -> None:
    """Read one file, step by step, so that a page can follow; whatever happens, the sender is told."""
    writer = Database(settings, role="registrar")
    try:
        async with writer.transaction(CLOCK.caller) as connection:
            task = await boundary_file.take(connection, number)
            systems = await ground.catalogue(connection)
        if task is None:
            return
        try:
            outcome = await _read(writer, Desk.of(settings), task, systems)
        except Exception:
            log.exception("a boundary file", number=number)
            fault = FaultError(
                Sentence("The file could not be read: a fault on our side."),
                Sentence("Try again; if it stays, draw the boundary or type its corner points."),
            )
            outcome = Outcome("refused", problem=problem_of(fault))
        async with writer.transaction(CLOCK.caller) as connection:
            await boundary_file.note(connection, number, outcome)
    finally:
        await writer.close()


async def _read(writer: Database, desk: Desk, task: Task, systems: Any) -> Outcome:
    """How the reading ends: with a shape in the case, a question, or a refusal with its reason."""
    seen = [0]
    manner = Manner(
        systems, str(task.answers.get("crs", "")), task.extent, lambda read: seen.__setitem__(0, read)
    )
    try:
        with tempfile.TemporaryDirectory(prefix="mezha-boundary-") as folder:
            path = Path(folder) / _name(task.file_name)
            path.write_bytes(task.body)
            found = await _watched(writer, task, asyncio.to_thread(read_file, path, manner), seen)
        return await _use(writer, desk, task, found)
    except UnplacedError as err:
        choices = [{"code": code, "title": title} for code, title in err.candidates]
        return Outcome("asking", "crs", choices, problem_of(err), seen[0])
    except MezhaError as err:
        return Outcome("refused", problem=problem_of(err), read=seen[0])


def _name(given: str) -> str:
    """The file's own name without any path: refusals speak of it, and some formats need its ending."""
    bare = PurePosixPath(given.replace("\\", "/")).name
    cleaned = "".join(c for c in bare if c.isprintable())[-100:].strip(". ")
    return cleaned or "file"


async def _watched(writer: Database, task: Task, work: Any, seen: list[int]) -> Boundary:
    """The result of ``work``; while it runs, what was read is noted for the page."""
    job: asyncio.Future[Boundary] = asyncio.ensure_future(work)
    told = 0
    while not (await asyncio.wait({job}, timeout=PACE))[0]:
        if seen[0] > told:
            told = seen[0]
            async with writer.transaction(CLOCK.caller) as connection:
                await boundary_file.progress(connection, task.id, told)
    return job.result()


async def _use(writer: Database, desk: Desk, task: Task, found: Boundary) -> Outcome:
    chosen = _chosen(found.contours, task.answers.get("contours"))
    count = len(found.contours)
    if not chosen:
        return Outcome("asking", "contours", pictures(found.contours), read=count)
    systems = {c.system.code for c in chosen}
    if len(systems) > 1:
        raise RefusedError(
            Sentence(
                "The chosen areas are in different coordinate systems: %(systems)s.",
                systems=", ".join(systems),
            ),
            Sentence("Choose areas of one system, or send them in one."),
            field="contours",
        )
    part = "" if len(chosen) == count else ",".join(str(c.number) for c in chosen)
    try:
        given = await asyncio.to_thread(
            ground.uploaded,
            task.body,
            found.format,
            [c.shape for c in chosen],
            chosen[0].system,
            part=part,
            mend=bool(task.answers.get("repair")),
        )
    except BrokenBoundaryError as err:
        if not err.repairable:
            raise
        problem = problem_of(err) | {"place": err.place}
        return Outcome("asking", "repair", pictures(chosen), problem, count)
    async with writer.transaction(task.sender.caller) as connection:
        geometry = await boundary_file.keep(connection, desk, task, given)
    return Outcome("done", read=count, geometry=geometry)


def _chosen(contours: Sequence[Contour], numbers: Any) -> list[Contour]:
    """The areas that were chosen; the only one needs no choice."""
    if len(contours) == 1:
        return list(contours)
    wanted = {int(n) for n in numbers or () if str(n).isdecimal()}
    return [c for c in contours if c.number in wanted]


def pictures(contours: Sequence[Contour]) -> list[Mapping[str, Any]]:
    """The areas as a page shows them: number, label, m², and the shape in degrees, thinned where it is very long."""
    shown: list[Mapping[str, Any]] = []
    many = sum(int(shapely.get_num_coordinates(c.shape)) for c in contours) > PICTURE_POINTS
    for contour in contours:
        shape = reproject(np.array([contour.shape], dtype=object), contour.system.definition, WGS84)
        drawn = shapely.simplify(shape, 1e-4) if many else shape
        finite = bool(np.isfinite(shapely.bounds(shape)).all())
        shown.append(
            {
                "number": contour.number,
                "label": contour.label,
                "area_m2": float(area_geodesic(shape)[0]) if finite else None,
                "geometry": shapely.to_geojson(drawn[0]) if finite else None,
            }
        )
    return shown
