"""Moments: which state of the map is meant, in valid time (what held) and in system time (what was known)."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from geo.errors import ParameterError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Moment:
    """A closed interval of valid days (None is open) and the system time, None for what is known now."""

    first: date | None
    last: date | None
    as_of: datetime | None = None

    @classmethod
    def today(cls, time_zone: str) -> "Moment":
        """What holds today in the region, as known now."""
        day = datetime.now(ZoneInfo(time_zone)).date()
        return cls(day, day)

    @property
    def one_day(self) -> bool:
        """Whether one state of the map is meant: on one day an object has one state, over several it may have more."""
        return self.first is not None and self.first == self.last


# Every day, as known now: what a register holds altogether.
ALWAYS = Moment(None, None)


def _day(text: str, field: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        if re.match(r"\d{4}-\d{2}-\d{2}[Tt ]", text):
            return datetime.fromisoformat(text.replace("z", "Z")).date()
    except ValueError:
        pass
    raise ParameterError(
        f"“{text[:40]}” is no date.",
        "Write 2024-02-28, 2024-02-28T12:00:00Z, or an interval 2023-01-01/2024-01-01 with .. for an open end.",
        field=field,
        value=text[:40],
    )


def parse(datetime_text: str | None, as_of_text: str | None, default: Moment) -> Moment:
    """Moment of the parameters ``datetime`` (valid time, as in OGC API) and ``as_of`` (system time).

    ParameterError where a text is no date, an interval is reversed or ``as_of`` lies in the future.
    """
    first, last = default.first, default.last
    if datetime_text is not None:
        parts = datetime_text.strip().split("/")
        if len(parts) > 2 or (not parts[0].strip() and len(parts) == 1):
            raise ParameterError(
                f"“{datetime_text[:60]}” is no interval.",
                "Write first/last.",
                field="datetime",
                value=datetime_text[:60],
            )
        days = [None if p.strip() in ("", "..") else _day(p.strip(), "datetime") for p in parts]
        first, last = days[0], days[-1]
        if first and last and first > last:
            raise ParameterError(
                f"The interval {datetime_text[:60]} ends before it begins.",
                "Write first/last.",
                field="datetime",
                value=datetime_text[:60],
            )
    return Moment(first, last, _as_of(as_of_text) if as_of_text else default.as_of)


def _as_of(text: str) -> datetime:
    try:
        known = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        raise ParameterError(
            f"“{text[:40]}” is no time.", "Write as_of=2024-02-28T12:00:00Z.", field="as_of", value=text[:40]
        ) from None
    known = known if known.tzinfo else known.replace(tzinfo=UTC)
    if known > datetime.now(UTC):
        raise ParameterError(
            f"{text[:40]} lies in the future: nobody knows yet what will be known then.",
            "Choose a past time for as_of.",
            field="as_of",
            value=text[:40],
        )
    return known
