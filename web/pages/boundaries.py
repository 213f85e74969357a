"""A boundary from a file, in the case's page: sent, followed while the worker reads it, asked about, shown on the map."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from cases import boundary_file
from cases.boundary_file import NewFile
from cases.record import case_id, load
from geo.errors import MezhaError, ParameterError
from geo.identifiers import whole_number
from geo.sentence import Sentence
from web import case_view
from web.pages.cabinet import case_page, dossier_of, shown
from web.visitor import Number, SettingsDep

router = APIRouter(prefix="/cabinet/cases/{case}/boundaries")


@router.post("")
async def send(
    request: Request,
    case: str,
    settings: SettingsDep,
    file: UploadFile,
    crs: Annotated[str, Form(alias="file_crs", max_length=120)] = "",
) -> Response:
    """Take a file; the worker reads it."""
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    try:
        body = await file.read((settings.boundary_mb << 20) + 1)
        if len(body) > settings.boundary_mb << 20:
            raise ParameterError(
                Sentence("The file is larger than %(most)s MB.", most=settings.boundary_mb),
                Sentence("Send your own boundary only, or pack the file as zip."),
                field="file",
            )
        async with case_view.writer_of(request).transaction(actor.caller) as connection:
            new = NewFile(file.filename or "", body, crs)
            await boundary_file.enter(connection, desk, actor, case_id(case), new)
    except MezhaError as err:
        return case_page(request, await dossier_of(request, case), error=err, status=422)
    return RedirectResponse(f"/cabinet/cases/{case_id(case)}#map-section", 303)


@router.get("/{number}")
async def state(request: Request, case: str, number: Number) -> Response:
    """The part of the page that changes while the worker reads; a finished file loads the case anew."""
    actor = case_view.actor_of(request)
    async with request.app.state.database.transaction(actor.caller) as connection:
        found = await load(connection, case_id(case))
        row = await boundary_file.one(connection, found.id, number)
    response = shown(
        request, "boundary_file", {"file": case_view.file_view(dict(row), request), "case": found}
    )
    if row["status"] in ("done", "refused"):
        response.headers["hx-refresh"] = "true"
    return response


@router.post("/{number}")
async def answer(
    request: Request,
    case: str,
    number: Number,
    crs: Annotated[str, Form(max_length=120)] = "",
    other: Annotated[str, Form(max_length=120)] = "",
) -> Response:
    """Answer what was asked: the system, the areas, or whether a repair is accepted."""
    actor, desk = case_view.actor_of(request), case_view.desk_of(request)
    form = await request.form()
    answers: dict[str, Any] = {}
    if crs or other:
        answers["crs"] = other.strip() or crs
    if chosen := [n for text in form.getlist("contours") if (n := whole_number(str(text))) is not None]:
        answers["contours"] = chosen
    if form.get("repair"):
        answers["repair"] = True
    try:
        async with case_view.writer_of(request).transaction(actor.caller) as connection:
            await boundary_file.answer(connection, desk, actor, case_id(case), number=number, answers=answers)
    except MezhaError as err:
        return case_page(request, await dossier_of(request, case), error=err, status=422)
    return RedirectResponse(f"/cabinet/cases/{case_id(case)}#map-section", 303)
