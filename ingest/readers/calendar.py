"""Production calendars: the XML of xmlcalendar.ru (days off, short days, working weekends) and lists of days as JSON."""

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

from ingest.batch import Batch
from ingest.errors import RefusedError
from ingest.readers import xml
from ingest.readers.record import Record, batches_of
from ingest.source import Source

_ROOT = re.compile(rb"<calendar\s[^>]*year=")
_JSON = re.compile(rb'\s*\{\s*"(holidays|preholidays|nowork)"\s*:\s*\[')
_KINDS = {"1": "off", "2": "short", "3": "working"}
_LISTS = {"holidays": "off", "preholidays": "short", "nowork": "off"}


class CalendarReader:
    """Days that differ from the plain week: ``date``, ``kind`` (off, short, working), ``title``, ``moved_from``."""

    name: ClassVar[str] = "calendar"

    def recognises(self, source: Source) -> bool:
        """Whether the root is a calendar of a year, or a JSON list of days off."""
        return bool(_ROOT.search(source.head[:2000]) or _JSON.match(source.head[:200]))

    def layers(self, source: Source) -> list[str]:
        """Days only."""
        return ["days"]

    def batches(self, source: Source, layer: str | None) -> Iterator[Batch]:
        """Days in the order of the file."""
        yield from batches_of(_json(source) if _JSON.match(source.head[:200]) else _xml(source))


def _xml(source: Source) -> Iterator[Record]:
    year = re.search(rb'<calendar\s[^>]*year="(\d{4})"', source.head)
    number = year[1].decode() if year else ""
    titles: dict[str, str] = {}
    for element in xml.events(source, ("holiday", "day")):
        if xml.local(element) == "holiday":
            titles[element.get("id") or ""] = element.get("title") or ""
            continue
        day = (element.get("d") or "").replace(".", "-")
        moved = (element.get("f") or "").replace(".", "-")
        yield Record(
            {
                "date": f"{number}-{day}",
                "kind": _KINDS.get(element.get("t") or "", element.get("t")),
                "title": titles.get(element.get("h") or "") or None,
                "moved_from": f"{number}-{moved}" if moved else None,
            },
            None,
            "",
        )


def _json(source: Source) -> Iterator[Record]:
    try:
        lists: dict[str, Any] = json.loads(source.path.read_bytes())
        days = [
            (date.fromisoformat(str(day)), kind)
            for name, kind in _LISTS.items()
            for day in lists.get(name) or ()
        ]
    except (ValueError, TypeError, RecursionError) as err:
        raise RefusedError(
            f"{source.name} is no calendar ({err}).",
            "Send the lists of days as 2026-01-01.",
            field="file",
        ) from err
    for day, kind in sorted(set(days)):
        yield Record({"date": day.isoformat(), "kind": kind, "title": None, "moved_from": None}, None, "")
