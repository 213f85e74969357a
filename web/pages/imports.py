"""Imports in the office: upload a registry file, look at what it would change, apply or drop it, undo a run."""

import secrets
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from geo import imports
from geo.access import Caller
from geo.errors import ParameterError
from geo.settings import Settings
from web import language
from web.templating import locale_of, page
from web.visitor import CallerDep, OfficeDep, RegistrarDep, SettingsDep

router = APIRouter(prefix="/office/imports")
_CHUNK = 1 << 20
BUSY = frozenset({"queued", "reading", "applying"})


def _profiles(request: Request, locale: str) -> list[tuple[str, str]]:
    return sorted(((p.name, p.title[locale]) for p in request.app.state.profiles), key=lambda pair: pair[1])


def _titles(request: Request) -> dict[str, str]:
    """Registers and lists as the reader of the page calls them, by the names of their profiles."""
    return dict(_profiles(request, locale_of(request)))


@router.get("")
async def overview(
    request: Request, registrar: RegistrarDep, office: OfficeDep, caller: CallerDep
) -> Response:
    """Upload, what is under way, and the history of runs."""
    return await _overview(request, office, caller)


async def _overview(
    request: Request, office: Any, caller: Caller, *, error: str = "", status: int = 200
) -> Response:
    async with office.transaction(caller) as connection:
        data: dict[str, Any] = {
            "uploads": await imports.uploads(connection),
            "runs": await imports.runs(connection),
        }
    profiles = {"ru": _profiles(request, "ru"), "en": _profiles(request, "en")}
    data |= {"profiles": profiles, "titles": _titles(request), "error": error, "busy": BUSY}
    return page(request, "imports/overview.html", data, status)


def _check_profile(request: Request, profile: str) -> None:
    if profile not in {p.name for p in request.app.state.profiles}:
        raise ParameterError(
            f"There is no profile “{profile}”.", "Choose one of the list.", field="profile", value=profile
        )


def _store(file: UploadFile, settings: Settings) -> tuple[Path, int]:
    """Keep the bytes as they came, under a name of our own; ParameterError where there are none or too many."""
    suffix = Path(file.filename or "").suffix.lower()[:12]
    folder = settings.home / "uploads" / secrets.token_hex(8)
    folder.mkdir(parents=True, mode=0o700)
    target = folder / f"file{suffix if suffix[1:].isalnum() else ''}"
    size = 0
    with target.open("wb") as stream:
        while chunk := file.file.read(_CHUNK):
            size += len(chunk)
            if size > settings.upload_mb << 20:
                stream.close()
                target.unlink()
                raise ParameterError(
                    f"The file is larger than {settings.upload_mb} MB.",
                    "Load it with the `mezha ingest` command.",
                    field="file",
                )
            stream.write(chunk)
    if not size:
        raise ParameterError("The file is empty.", "Choose another file.", field="file")
    return target, size


@router.post("")
async def send(
    request: Request,
    registrar: RegistrarDep,
    office: OfficeDep,
    caller: CallerDep,
    settings: SettingsDep,
    *,
    file: UploadFile,
    profile: Annotated[str, Form(max_length=80)],
    crs: Annotated[str, Form(max_length=80)] = "",
) -> Response:
    """Take a file; the worker reads it."""
    try:
        _check_profile(request, profile)
        path, size = await run_in_threadpool(_store, file, settings)
    except ParameterError as err:
        return await _overview(
            request,
            office,
            caller,
            error=" ".join(language.problem(locale_of(request), err.code, err.message, err.remedy)),
            status=400,
        )
    new = imports.NewUpload(
        registrar.account, profile, crs.strip() or None, (file.filename or "file")[:200], str(path), size
    )
    async with office.transaction(caller) as connection:
        number = await imports.enter(connection, new)
    return RedirectResponse(f"/office/imports/{number}", 303)


@router.get("/{number}")
async def show(
    request: Request, number: int, registrar: RegistrarDep, office: OfficeDep, caller: CallerDep
) -> Response:
    """One upload: its state, what it would change, what is wrong with it."""
    return await _upload(request, number, office, caller, "imports/upload.html")


@router.get("/{number}/state")
async def state(
    request: Request, number: int, registrar: RegistrarDep, office: OfficeDep, caller: CallerDep
) -> Response:
    """The part of the page that changes while the worker works."""
    return await _upload(request, number, office, caller, "imports/state.html")


async def _upload(request: Request, number: int, office: Any, caller: Caller, template: str) -> Response:
    async with office.transaction(caller) as connection:
        upload = await imports.upload(connection, number)
        problems = await imports.problems(connection, upload["run"]) if upload["run"] else []
        changes = await imports.differences(connection, upload["run"]) if upload["run"] else {"changes": []}
    return page(
        request,
        template,
        {
            "upload": upload,
            "problems": problems,
            "changes": changes["changes"],
            "titles": _titles(request),
            "busy": BUSY,
        },
    )


@router.get("/runs/{run}/differences.json")
async def differences(
    run: int, registrar: RegistrarDep, office: OfficeDep, caller: CallerDep
) -> JSONResponse:
    """What a run changes, for the map."""
    async with office.transaction(caller) as connection:
        return JSONResponse(await imports.differences(connection, run))


@router.post("/{number}/decision")
async def decide(
    number: int,
    registrar: RegistrarDep,
    office: OfficeDep,
    caller: CallerDep,
    *,
    word: Annotated[str, Form(max_length=20)],
    confirm_gone: Annotated[bool, Form()] = False,
) -> Response:
    """Apply or drop."""
    async with office.transaction(caller) as connection:
        await imports.decide(connection, number, word, confirm_gone=confirm_gone)
    return RedirectResponse(f"/office/imports/{number}", 303)


@router.get("/runs/{run}")
async def show_run(
    request: Request,
    run: int,
    registrar: RegistrarDep,
    office: OfficeDep,
    caller: CallerDep,
    *,
    settings: SettingsDep,
) -> Response:
    """One run of the history."""
    async with office.transaction(caller) as connection:
        found = await imports.run(connection, run)
        problems = await imports.problems(connection, run)
        changes = (await imports.differences(connection, run))["changes"]
    data = {"run": found, "problems": problems, "changes": changes, "titles": _titles(request)}
    return page(request, "imports/run.html", data | {"reports": imports.reports(settings.home, run)})


@router.get("/runs/{run}/report/{kind}")
async def report(
    run: int,
    kind: str,
    registrar: RegistrarDep,
    office: OfficeDep,
    caller: CallerDep,
    *,
    settings: SettingsDep,
) -> Response:
    """The report of a run: its page (html), its data (json), the rows that were turned away (gpkg)."""
    async with office.transaction(caller) as connection:
        await imports.run(connection, run)
    path = imports.report(settings.home, run, kind)
    # A page with scripts of its own is looked at as a file, not under this address.
    return FileResponse(path, filename=path.name, media_type="application/octet-stream")


@router.post("/runs/{run}/undo")
async def undo(run: int, registrar: RegistrarDep, office: OfficeDep, caller: CallerDep) -> Response:
    """Ask for the undo of a run."""
    async with office.transaction(caller) as connection:
        await imports.run(connection, run)
        await imports.undo(connection, run, registrar.account)
    return RedirectResponse(f"/office/imports/runs/{run}?undo=asked", 303)
