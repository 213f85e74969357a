"""Backoff: when something that failed is tried again, and when it is given up."""

from datetime import datetime, timedelta

# A week with its Monday: nobody reads a letter that was due before that.
LIFE = timedelta(days=5)


def next_try(begun: datetime, now: datetime, tries: int, *, most: timedelta) -> datetime | None:
    """The next try after so many failed ones: pauses double from one minute up to ``most``; None after five days."""
    pause = min(timedelta(minutes=2 ** min(max(tries - 1, 0), 20)), most)
    return None if now + pause > begun + LIFE else now + pause
