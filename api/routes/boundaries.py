"""Files with a boundary of a case: sent, followed, answered. The worker reads them; DESIGN.md §2.1 keeps their bytes."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from api.params import SettingsDep, known_only
from api.routes.cases import ActorDep, DeskDep, KeyHeader, WriterDep
from cases import boundary_file, record, requests
from cases.boundary_file import NewFile
from cases.record import case_id
from geo.errors import ParameterError
from geo.problem import sentence_of
from geo.sentence import Sentence

Number = Annotated[int, Path(ge=1, lt=2**53)]
router = APIRouter(prefix="/api/v1/cases/{case}/boundaries", tags=["cases"])


class Answer(BaseModel):
    """The answer to what the reading asked."""

    model_config = ConfigDict(extra="forbid")

    crs: str | None = Field(None, max_length=120, description="EPSG code or a name such as «МСК-54 зона 3»")
    contours: list[int] | None = Field(None, min_length=1, max_length=500, description="Numbers of the areas")
    repair: bool | None = Field(None, description="Accept the proposed repair")


def shown(row: Any) -> dict[str, Any]:
    """A file as JSON: how it stands, what is asked, what was wrong."""
    problem = dict(row["problem"])
    for part in ("message", "remedy"):
        if part in problem:
            problem[part] = str(sentence_of(problem[part]))
    # Times as a repeated request is answered too.
    written = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}
    return written | {
        "problem": problem,
        "href": f"/api/v1/cases/{row['case_id']}/boundaries/{row['id']}",
    }


@router.post("", status_code=202, dependencies=[known_only()])
async def send(
    *,
    case: str,
    actor: ActorDep,
    desk: DeskDep,
    writer: WriterDep,
    settings: SettingsDep,
    file: UploadFile,
    crs: Annotated[str, Form(max_length=120, description="Where the file does not say it")] = "",
    key: KeyHeader = None,
) -> dict[str, Any]:
    """Send a file with a boundary: GeoPackage, zipped Shapefile, GeoJSON, KML, MIF, DXF, corner points … It is read
    by the worker; follow ``href``."""
    body = await file.read((settings.boundary_mb << 20) + 1)
    if len(body) > settings.boundary_mb << 20:
        raise ParameterError(
            Sentence("The file is larger than %(most)s MB.", most=settings.boundary_mb),
            Sentence("Send your own boundary only, or pack the file as zip."),
            field="file",
        )
    new = NewFile(file.filename or "", body, crs)
    async with writer.transaction(actor.caller) as connection:

        async def work() -> dict[str, Any]:
            number = await boundary_file.enter(connection, desk, actor, case_id(case), new)
            return shown(await boundary_file.one(connection, case_id(case), number))

        return await requests.once(connection, key, ["boundary", case_id(case), new.digest, crs], work)


@router.get("/{number}", dependencies=[known_only()])
async def one(case: str, number: Number, actor: ActorDep, writer: WriterDep) -> dict[str, Any]:
    """How a file stands: queued, reading, asking (with its question), refused (with the reason), done."""
    async with writer.transaction(actor.caller) as connection:
        found = await record.load(connection, case_id(case))
        return shown(await boundary_file.one(connection, found.id, number))


@router.post("/{number}/answer", status_code=202, dependencies=[known_only()])
async def answer(
    *,
    case: str,
    number: Number,
    body: Answer,
    actor: ActorDep,
    desk: DeskDep,
    writer: WriterDep,
    key: KeyHeader = None,
) -> dict[str, Any]:
    """Answer what was asked; the file is read again."""
    given = body.model_dump(exclude_none=True)
    async with writer.transaction(actor.caller) as connection:

        async def work() -> dict[str, Any]:
            await boundary_file.answer(connection, desk, actor, case_id(case), number=number, answers=given)
            return shown(await boundary_file.one(connection, case_id(case), number))

        return await requests.once(connection, key, ["answer", case_id(case), number, given], work)
