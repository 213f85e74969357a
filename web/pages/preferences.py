"""How I am told: by letter at once, once a day or not at all, by short message, and where else letters go."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from cases import preferences
from geo.errors import MezhaError
from geo.identifiers import whole_number
from web.templating import page
from web.visitor import CallerDep, OfficeDep, PersonDep

router = APIRouter(prefix="/cabinet/preferences")
Text = Annotated[str, Form(max_length=300)]


async def _shown(request: Request, error: MezhaError | None = None, *, sent: str = "") -> Response:
    state = request.scope["state"]
    async with request.app.state.database.transaction(state["caller"]) as connection:
        chosen = await preferences.read(connection)
    data: dict[str, Any] = {
        "person": state["person"],
        "chosen": chosen,
        "topics": preferences.TOPICS,
        "ways": preferences.WAYS,
        "error": error,
        "sent": sent,
    }
    response = page(request, "messages/preferences.html", data, 422 if error else 200)
    response.headers["cache-control"] = "no-store"
    return response


@router.get("")
async def show(request: Request, person: PersonDep) -> Response:
    """My choices."""
    return await _shown(request)


@router.post("")
async def keep(request: Request, person: PersonDep, caller: CallerDep, writer: OfficeDep) -> Response:
    """Keep my choices."""
    form = await request.form()
    hour = whole_number(str(form.get("digest_hour", "")))
    try:
        async with writer.transaction(caller) as connection:
            await preferences.keep(
                connection,
                mail={t: str(form.get(f"mail.{t}", "at_once")) for t in preferences.TOPICS},
                sms=[str(v) for v in form.getlist("sms")],
                digest_hour=-1 if hour is None else hour,
            )
    except MezhaError as err:
        return await _shown(request, err)
    return RedirectResponse("/cabinet/preferences?saved=1", 303)


@router.post("/forwarding")
async def ask(
    request: Request, person: PersonDep, caller: CallerDep, writer: OfficeDep, address: Text = ""
) -> Response:
    """Have a code sent to another address, or forward no longer where none is given."""
    try:
        async with writer.transaction(caller) as connection:
            if not address.strip():
                await preferences.end_forwarding(connection, person.account or 0)
                return RedirectResponse("/cabinet/preferences?saved=1", 303)
            await preferences.ask_forwarding(connection, person.account or 0, address)
    except MezhaError as err:
        return await _shown(request, err)
    return await _shown(request, sent=address)


@router.post("/forwarding/code")
async def confirm(
    request: Request, person: PersonDep, caller: CallerDep, writer: OfficeDep, code: Text = ""
) -> Response:
    """Enter the code of the letter."""
    async with writer.transaction(caller) as connection:
        wrong = await preferences.confirm_forwarding(connection, person.account or 0, code)
    if wrong is not None:
        return await _shown(request, wrong)
    return RedirectResponse("/cabinet/preferences?saved=1", 303)
