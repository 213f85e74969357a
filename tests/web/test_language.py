"""Language of the pages: every message is translated, no template speaks past the catalogue, numbers and dates read right."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.extract import extract
from jinja2 import Environment

from api import main  # noqa: F401  (every room's errors are known once it is loaded)
from cases.ground import _DEFECTS
from geo.errors import MezhaError
from geo.problem import kept, sentence_of
from geo.sentence import Sentence
from web import language
from web.language import LOCALES

WEB = Path(language.__file__).parent
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
NBSP = "\u00a0"


def _messages(path: Path, method: str, keywords: dict[str, tuple[int, ...] | None]) -> Iterator[str]:
    options = {"newstyle_gettext": "true"} if "jinja" in method else {"parse_template_string": "true"}
    with path.open("rb") as source:
        for _, message, _, _ in extract(method, source, keywords=keywords, options=options):
            if isinstance(message, tuple):
                yield from filter(None, message[:1])
            else:
                yield str(message)


def spoken() -> Iterator[tuple[str, str]]:
    """Every message that templates, Python and scripts ask for, with the file that asks."""
    for path in TEMPLATES:
        yield from (
            (path.name, m)
            for m in _messages(
                path, "jinja2.ext:babel_extract", {"_": None, "gettext": None, "ngettext": (1, 2)}
            )
        )
    for path in sorted(WEB.rglob("*.py")):
        if "node_modules" not in path.parts:
            yield from ((path.name, m) for m in _messages(path, "python", {"translate": (2,), "_": None}))
    for path in sorted((WEB / "static" / "js").rglob("*.js")):
        yield from ((path.name, m) for m in _messages(path, "javascript", {"t": None, "tn": (1, 2)}))


@pytest.mark.requirement("N-33")
@pytest.mark.parametrize("locale", [code for code in LOCALES if code != language.SOURCE])
def test_every_message_is_translated(locale: str) -> None:
    catalogue = language.catalogue(locale)
    known = set(getattr(catalogue, "_catalog", {}))
    known |= {m[0] for m in known if isinstance(m, tuple)}
    missing = {(file, message) for file, message in spoken() if message not in known}
    assert not missing


def _raised() -> Iterator[tuple[str, str]]:
    """Every sentence that the rooms below make for people."""
    root = WEB.parent
    for room in ("geo", "accounts", "cases", "ingest", "tiles", "api", "web"):
        for path in sorted((root / room).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield from ((path.name, m) for m in _messages(path, "python", {"Sentence": None}))


def test_every_sentence_of_the_engine_is_translated() -> None:
    known = set(language.catalogue("ru")._catalog)  # type: ignore[attr-defined]
    assert not {found for found in _raised() if found[1] not in known}
    assert not set(_DEFECTS.values()) - known


def _errors(kind: type[MezhaError]) -> Iterator[type[MezhaError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _errors(narrower)


def test_every_code_of_an_error_says_in_russian_what_happened_and_the_way_out() -> None:
    codes = {kind.code for kind in _errors(MezhaError) if not kind.__module__.startswith("tests")}
    assert len(codes) > 40
    for code in codes:
        message, remedy = language.problem("ru", code, "Nobody has translated %r.", "Nor this.")
        assert "error:" not in message, code
        assert message, code
        assert remedy, code
        assert not re.search("[A-Za-z]{4,}", message + remedy), code


def test_a_sentence_keeps_its_values_and_its_parts_in_both_languages() -> None:
    defect = Sentence("the boundary crosses itself")
    said = Sentence("The boundary is not valid: %(what)s at %(x)s %(y)s.", what=defect, x="83.01", y="55")
    assert str(said) == "The boundary is not valid: the boundary crosses itself at 83.01 55."
    russian = "Граница неправильная: граница пересекает сама себя в точке 83.01 55."
    assert language.sentence("ru", said) == russian
    again = sentence_of(json.loads(json.dumps(kept(said))))
    assert language.sentence("ru", again) == russian
    assert language.sentence("en", again) == str(said)


def test_scripts_find_their_messages_in_the_catalogue_that_the_map_ships() -> None:
    shipped = set(language.messages("ru", "map"))
    asked = {m for file, m in spoken() if file.endswith(".js")}
    assert asked <= shipped


class _Texts(HTMLParser):
    """Words that a visitor would read and that do not come from the catalogue."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "kbd", "code")
        spoken_attributes = ("placeholder", "aria-label", "title", "alt")
        self.found += [v for k, v in attrs if k in spoken_attributes and v and any(map(str.isalpha, v))]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "kbd", "code")

    def handle_data(self, data: str) -> None:
        # A macro may make a run of attributes: that is no text.
        words = re.sub(r'[a-z-]+="[^"]*"', "", data).strip()
        if not self._silent and any(map(str.isalpha, words)):
            self.found.append(words)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(WEB / "templates")))
def test_no_template_speaks_past_the_catalogue(path: Path) -> None:
    tokens = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).lex(path.read_text("utf-8"))
    reader = _Texts()
    reader.feed("".join(value for _, kind, value in tokens if kind == "data"))
    assert not reader.found


def test_numbers_and_areas_read_as_people_write_them() -> None:
    assert language.number(12345.6, "ru") == f"12{NBSP}345,6"
    assert language.number(12345.6, "en") == "12,345.6"
    assert language.area(123_456_000, "ru") == f"12{NBSP}345,6 га"
    assert language.area(43_000, "ru") == "4,3 га"
    assert language.area(4_200, "ru") == "0,42 га"
    assert language.area(512, "en") == "512 m²"
    assert language.area(None, "ru") == "—"


def test_dates_follow_the_language_and_times_state_their_zone() -> None:
    assert language.day(date(2026, 11, 22), "ru") == "22.11.2026"
    assert language.day(date(2026, 11, 22), "en") == "22 Nov 2026"
    moment = datetime(2026, 11, 22, 12, 16, tzinfo=UTC)
    assert language.instant(moment, "ru", "Asia/Novosibirsk") == "22.11.2026 19:16 (UTC+7)"
    assert language.instant(moment, "ru", "Asia/Kolkata") == "22.11.2026 17:46 (UTC+5:30)"


def test_plurals_of_russian_have_three_forms() -> None:
    forms = [language.catalogue("ru").ngettext("%(count)s object", "%(count)s objects", n) for n in (1, 3, 5)]
    assert [f % {"count": n} for f, n in zip(forms, (1, 3, 5), strict=True)] == [
        "1 объект",
        "3 объекта",
        "5 объектов",
    ]
