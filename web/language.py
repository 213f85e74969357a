"""Language of the pages: messages of the catalogues, numbers with units, dates with their zone.

Messages are written in English in the templates; English needs no catalogue, every other language has
``web/locale/LANG/LC_MESSAGES/*.po``: one file a room, read together.
"""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from io import BytesIO
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from geo.sentence import Sentence

SOURCE = "en"
LOCALES: Mapping[str, str] = {"ru": "Русский", "en": "English"}
_DAY = {"ru": "dd.MM.yyyy", "en": "d MMM yyyy"}


@cache
def catalogue(locale: str) -> NullTranslations:
    """Translations of a language, compiled in memory from every .po file of its folder."""
    if locale == SOURCE:
        return NullTranslations()
    merged = Translations()
    folder = files("web").joinpath("locale", locale, "LC_MESSAGES")
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name.endswith(".po"):
            compiled = BytesIO()
            with path.open("rb") as source:
                write_mo(compiled, read_po(source, locale=locale))
            compiled.seek(0)
            room = Translations(compiled)
            merged.merge(room)
            # Every file of a language states the same plural rule; a merge does not carry it over.
            merged.plural = room.plural
    return merged


@cache
def messages(locale: str, room: str) -> Mapping[str, str | list[str]]:
    """The catalogue of one file, for the modules that run in the browser; plurals are lists of forms."""
    path = files("web").joinpath("locale", locale, "LC_MESSAGES", f"{room}.po")
    if locale == SOURCE or not path.is_file():
        return {}
    with path.open("rb") as source:
        entries = [message for message in read_po(source, locale=locale) if message.id]
    return {
        (m.id if isinstance(m.id, str) else m.id[0]): (
            m.string if isinstance(m.string, str) else list(m.string or ())
        )
        for m in entries
    }


def translate(locale: str, message: str, **values: object) -> str:
    """A message in a language; ``%(name)s`` takes the values."""
    text = catalogue(locale).gettext(message)
    return text % values if values else text


def sentence(locale: str, said: str) -> str | None:
    """A sentence of the engine in a language; None where its catalogue has none."""
    if locale == SOURCE:
        return str(said)
    pattern = said.pattern if isinstance(said, Sentence) else said
    found = catalogue(locale).gettext(pattern) if pattern else pattern
    if found == pattern:
        return None if pattern else ""
    if not isinstance(said, Sentence) or not said.values:
        return found
    values = {k: sentence(locale, v) or v if isinstance(v, str) else v for k, v in said.values.items()}
    return found % values


def problem(locale: str, code: str, message: str, remedy: str) -> tuple[str, str]:
    """What happened and the way out, for people of the language: the sentence itself where the catalogue has it,
    what every error of that code means elsewhere."""
    told, cure = sentence(locale, message), sentence(locale, remedy)
    known = catalogue(locale)
    if told is None:
        told = known.gettext(f"error:{code}")
        told = known.gettext("error:error") if told == f"error:{code}" else told
        # A general sentence goes with its general cure: a particular one might speak of what was not said.
        cure = None
    if cure is None:
        general = known.gettext(f"cure:{code}")
        cure = "" if general == f"cure:{code}" else general
    return told, cure


def number(value: float | None, locale: str, digits: int = 1) -> str:
    """A number as people of that language write it: ``12 345,6``; an em dash where there is none."""
    if value is None:
        return "—"
    pattern = "#,##0." + "#" * digits if digits else "#,##0"
    return format_decimal(value, pattern, locale=Locale(locale))


def area(square_metres: float | None, locale: str) -> str:
    """An area for people: hectares from 0.1 ha (one digit from 100 ha, four below 1 ha), square metres under it."""
    if square_metres is None:
        return "—"
    if abs(square_metres) < 1000:
        return f"{number(square_metres, locale, 0)} {translate(locale, 'm²')}"
    hectares = square_metres / 10_000
    digits = 1 if hectares >= 100 else 2 if hectares >= 1 else 4
    return f"{number(hectares, locale, digits)} {translate(locale, 'ha')}"


def day(value: date | None, locale: str) -> str:
    """A date as people of that language write it."""
    return "—" if value is None else format_date(value, _DAY[locale], locale=Locale(locale))


def month(value: date, locale: str) -> str:
    """A month and its year: ``ноябрь 2026``."""
    return format_date(value, "LLLL yyyy", locale=Locale(locale))


def instant(value: datetime | None, locale: str, zone: str) -> str:
    """Date and time in the zone, which is stated: ``22.11.2026 19:16 (UTC+7)``."""
    if value is None:
        return "—"
    local = value.astimezone(ZoneInfo(zone))
    offset = local.strftime("%z")
    hours = f"UTC{offset[0]}{int(offset[1:3])}" + (f":{offset[3:]}" if offset[3:] != "00" else "")
    return f"{format_datetime(local, _DAY[locale] + ' HH:mm', locale=Locale(locale))} ({hours})"
