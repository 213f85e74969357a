"""Errors of decisions."""

from geo.errors import MezhaError


class NoSealError(MezhaError):
    """The office has no key with which it could sign: nothing can be decided."""

    code = "no-seal"


class UnknownDecisionError(MezhaError):
    """There is no decision of that number or code."""

    code = "unknown-decision"
