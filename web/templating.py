"""Templates: an environment a language, and the page with the visitor's language and appearance."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from geo import remarks
from geo.dictionaries import label
from geo.settings import Settings
from web import csrf, language
from web.language import LOCALES
from web.modules import IMPORT_MAP

THEMES = ("auto", "light", "dark", "contrast")
_YEAR = 31_536_000


@cache
def environment(locale: str) -> Environment:
    """Jinja environment of a language: autoescaped, strict about missing names, with its numbers and dates."""
    made = Environment(
        loader=PackageLoader("web"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    translations = language.catalogue(locale)
    made.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    made.globals["csrf_token"] = csrf.token_of
    made.globals["import_map"] = Markup(IMPORT_MAP)  # noqa: S704 - a constant of ours
    made.filters |= {
        "number": partial(_swap, language.number, locale),
        "area": partial(_swap, language.area, locale),
        "day": partial(_swap, language.day, locale),
        "month": partial(_swap, language.month, locale),
        "instant": partial(_swap, language.instant, locale),
        "told": lambda error: language.problem(locale, error.code, error.message, error.remedy),
        "remark": lambda text: remarks.said(text, locale),
        "label": lambda code, dictionary: label(dictionary, code, locale),
    }
    return made


def _swap(function: Any, locale: str, value: Any, *rest: Any) -> str:
    """A filter gets its value first; the language is the environment's."""
    return str(function(value, locale, *rest))


def _chosen(request: Request, name: str, known: Mapping[str, Any] | tuple[str, ...], default: str) -> str:
    """What the visitor chose by the switch now, or earlier by the cookie, or the default."""
    for wanted in (request.query_params.get(name), request.cookies.get(f"mezha_{name}")):
        if wanted in known:
            return str(wanted)
    return default


def locale_of(request: Request) -> str:
    """Language of the page: the switch, the cookie, the setting."""
    settings: Settings = request.app.state.settings
    return _chosen(request, "lang", LOCALES, settings.locale)


def page(request: Request, template: str, data: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """A page; language and appearance chosen by a switch are remembered in cookies."""
    settings: Settings = request.app.state.settings
    locale, theme = locale_of(request), _chosen(request, "theme", THEMES, "auto")
    html = (
        environment(locale)
        .get_template(template)
        .render(request=request, locale=locale, theme=theme, locales=LOCALES, settings=settings, **data)
    )
    response = HTMLResponse(html, status_code=status)
    for name, value in (("lang", locale), ("theme", theme)):
        if request.query_params.get(name) == value:
            # The switches of the page write these cookies too, so that a choice needs no reload.
            response.set_cookie(f"mezha_{name}", value, max_age=_YEAR, samesite="lax")
    return response
