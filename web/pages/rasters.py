"""Rasters in the office: send pictures in, follow their conversion, say how they are drawn, take them out."""

from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from geo.access import Caller
from geo.db import Database
from geo.errors import MezhaError, ParameterError
from geo.problem import sentence_of
from geo.ramps import ramps
from geo.rasters import catalogue, drawing, uploads
from geo.rasters.catalogue import KINDS, RANKS
from geo.rasters.uploads import BUSY, Sent, discard
from geo.sentence import Sentence
from geo.settings import Settings
from web import language
from web.templating import locale_of, page
from web.visitor import CallerDep, OfficeDep, RegistrarDep, SettingsDep

router = APIRouter(prefix="/office/rasters")
_MOST_FILES = 20
_EMPTY = {"title": "", "name": "", "taken": "", "kind": "image", "access": "restricted"}
_EMPTY |= {"collection": "", "attribution": "", "unit": "", "region": ""}
Short = Annotated[str, Form(max_length=300)]


def _regions(caller: Caller, settings: Settings) -> tuple[str, ...]:
    return caller.regions or (settings.region,)


def _called(file: UploadFile) -> str:
    """The file's own name without a path, for people."""
    bare = PurePosixPath((file.filename or "").replace("\\", "/")).name
    return "".join(c for c in bare if c.isprintable())[-100:].strip() or "file"


@router.get("")
async def overview(
    request: Request, registrar: RegistrarDep, office: OfficeDep, caller: CallerDep
) -> Response:
    """The form, what is under way, and the catalogue."""
    return await _overview(request, office, caller, _EMPTY)


async def _overview(
    request: Request,
    office: Database,
    caller: Caller,
    values: dict[str, str],
    error: MezhaError | None = None,
) -> Response:
    async with office.transaction(caller) as connection:
        sent = await uploads.uploads(connection)
        held = await catalogue.held(connection)
    settings: Settings = request.app.state.settings
    data = {
        "uploads": sent,
        "items": [(item, drawing.views(item)[0]) for item in held],
        "values": values,
        "region_options": [(region, region) for region in _regions(caller, settings)],
        "error": error,
        "errors": _told(request, error),
        "busy": BUSY,
        "today": date.today(),
    }
    return page(request, "rasters/overview.html", data, 400 if error else 200)


def _told(request: Request, error: MezhaError | None) -> dict[str, str]:
    """The error beside its field, in the language of the page."""
    if error is None:
        return {}
    words = language.problem(locale_of(request), error.code, error.message, error.remedy)
    return {error.field or "file": " ".join(words)}


@router.post("")
async def send(
    request: Request,
    registrar: RegistrarDep,
    office: OfficeDep,
    caller: CallerDep,
    settings: SettingsDep,
    *,
    files: Annotated[list[UploadFile], Form()],
    taken: Short,
    title: Short = "",
    name: Short = "",
    kind: Short = "image",
    access: Short = "restricted",
    collection: Short = "",
    attribution: Short = "",
    unit: Short = "",
    region: Short = "",
) -> Response:
    """Take one file or several; the worker converts them one after another."""
    fields = {"title": title, "name": name, "taken": taken, "kind": kind, "access": access}
    fields |= {"collection": collection, "attribution": attribution, "unit": unit, "region": region}
    try:
        numbers = await _take(office, caller, settings, files, fields)
    except MezhaError as err:
        return await _overview(request, office, caller, fields, err)
    target = f"/office/rasters/uploads/{numbers[0]}" if len(numbers) == 1 else "/office/rasters"
    return RedirectResponse(target, 303)


async def _take(
    office: Database, caller: Caller, settings: Settings, files: list[UploadFile], fields: dict[str, str]
) -> list[int]:
    """Numbers of the uploads: all of them are entered, or none is."""
    if len(files) > _MOST_FILES:
        raise ParameterError(
            Sentence("%(count)s files are too many at once.", count=len(files)),
            Sentence("Send twenty at most."),
            field="files",
        )
    region = uploads.one_of(
        fields["region"] or _regions(caller, settings)[0], _regions(caller, settings), "region"
    )
    # Several files have titles of their own.
    own = {"title": "", "name": ""} if len(files) > 1 else {}
    said = [(file, uploads.wanted(fields | own, _called(file))) for file in files]
    stored = []
    try:
        for file, _ in said:
            stored.append(await run_in_threadpool(uploads.store, file.file, settings, _called(file)))
        async with office.transaction(caller) as connection:
            return [
                await uploads.enter(
                    connection, Sent(caller.account, region, _called(file), str(path), size), raster
                )
                for (file, raster), (path, size) in zip(said, stored, strict=True)
            ]
    except MezhaError:
        for path, _ in stored:
            discard(path)
        raise


@router.get("/uploads/{number}")
async def show(
    request: Request, number: int, registrar: RegistrarDep, office: OfficeDep, caller: CallerDep
) -> Response:
    """One upload: how far it is, what is wrong with it."""
    return await _upload(request, number, office, caller, "rasters/upload.html")


@router.get("/uploads/{number}/state")
async def state(
    request: Request, number: int, registrar: RegistrarDep, office: OfficeDep, caller: CallerDep
) -> Response:
    """The part of the page that changes while the worker works."""
    return await _upload(request, number, office, caller, "rasters/state.html")


async def _upload(request: Request, number: int, office: Database, caller: Caller, template: str) -> Response:
    async with office.transaction(caller) as connection:
        upload = await uploads.upload(connection, number)
    problem = upload["problem"]
    told: tuple[str, ...] = ()
    if problem:
        parts = [sentence_of(problem[part]) for part in ("message", "remedy")]
        told = language.problem(locale_of(request), problem["code"], *parts)
    return page(request, template, {"upload": upload, "told": told, "busy": BUSY})


@router.post("/uploads/{number}/drop")
async def drop(number: int, registrar: RegistrarDep, office: OfficeDep, caller: CallerDep) -> Response:
    """Stop an upload."""
    async with office.transaction(caller) as connection:
        await uploads.drop(connection, number)
    return RedirectResponse(f"/office/rasters/uploads/{number}", 303)


@router.get("/{name}")
async def item(
    request: Request, name: str, registrar: RegistrarDep, office: OfficeDep, caller: CallerDep
) -> Response:
    """One raster: what it is, how it is drawn."""
    return await _item(request, office, caller, name)


async def _item(
    request: Request, office: Database, caller: Caller, name: str, error: MezhaError | None = None
) -> Response:
    async with office.transaction(caller) as connection:
        found = await catalogue.held_one(connection, name)
    titles = [(ramp.name, ramp.title[locale_of(request)]) for ramp in ramps().values()]
    data: dict[str, Any] = {
        "item": found,
        "views": drawing.views(found),
        "access": RANKS[found.rank],
        "ramps": titles,
        "kinds": KINDS,
        "errors": _told(request, error),
    }
    return page(request, "rasters/item.html", data, 400 if error else 200)


@router.post("/{name}")
async def change(
    request: Request,
    name: str,
    registrar: RegistrarDep,
    office: OfficeDep,
    caller: CallerDep,
    *,
    title: Short,
    taken: Short,
    kind: Short,
    access: Short,
    attribution: Short = "",
    unit: Short = "",
    colours: Short = "",
    least: Short = "",
    greatest: Short = "",
) -> Response:
    """Change what a raster is called and how it is drawn."""
    fields = {"title": title, "taken": taken, "kind": kind, "access": access, "attribution": attribution}
    fields |= {"unit": unit, "colours": colours, "least": least, "greatest": greatest}
    try:
        look = uploads.look(fields)
    except ParameterError as err:
        return await _item(request, office, caller, name, err)
    async with office.transaction(caller) as connection:
        await catalogue.change(connection, name, look)
    return RedirectResponse(f"/office/rasters/{name}?saved=yes", 303)


@router.post("/{name}/out")
async def take_out(
    request: Request,
    name: str,
    registrar: RegistrarDep,
    office: OfficeDep,
    caller: CallerDep,
    *,
    reason: Short = "",
) -> Response:
    """Take a raster out of the catalogue, with a reason for the journal."""
    if not reason.strip():
        missing = ParameterError(
            Sentence("The reason is missing."), Sentence("Say it in a few words."), field="reason"
        )
        return await _item(request, office, caller, name, missing)
    async with office.transaction(caller) as connection:
        await catalogue.take_out(connection, name, reason.strip())
    return RedirectResponse("/office/rasters?out=yes", 303)
