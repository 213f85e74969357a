"""Templates: the one environment, with the visitor's language, numbers and dates."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from geo.settings import Settings

LOCALES = ("ru", "en")


@cache
def environment() -> Environment:
    """Jinja environment: autoescaped, strict about missing names."""
    return Environment(
        loader=PackageLoader("web"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def locale_of(request: Request) -> str:
    """Language of the page: the switch, the cookie, the setting."""
    settings: Settings = request.app.state.settings
    for wanted in (request.query_params.get("lang"), request.cookies.get("mezha_lang")):
        if wanted in LOCALES:
            return str(wanted)
    return settings.locale


def page(request: Request, template: str, data: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """A page; a language chosen by the switch is remembered in a cookie."""
    locale = locale_of(request)
    html = (
        environment()
        .get_template(template)
        .render(request=request, locale=locale, settings=request.app.state.settings, **data)
    )
    response = HTMLResponse(html, status_code=status)
    if request.query_params.get("lang") in LOCALES:
        response.set_cookie("mezha_lang", locale, max_age=31_536_000, samesite="lax", httponly=True)
    return response
