"""Errors of the case engine."""

from dataclasses import dataclass, field
from typing import Any

from geo.errors import GeometryError, MezhaError


class UnknownServiceError(MezhaError):
    """There is no service of that name or version."""

    code = "unknown-service"


class UnknownCaseError(MezhaError):
    """There is no such case, or the caller may not know of it."""

    code = "unknown-case"


class NotAllowedError(MezhaError):
    """The caller may not do this at all."""

    code = "not-allowed"


class UnknownWebhookError(MezhaError):
    """There is no such webhook or delivery, or it is another party's."""

    code = "unknown-webhook"


class WrongStateError(MezhaError):
    """The case does not stand where this action begins."""

    code = "wrong-state"


class ReasonMissingError(MezhaError):
    """The action needs a reason in words."""

    code = "reason-missing"


class OutdatedError(MezhaError):
    """Somebody saved in between: what was sent rests on an older revision."""

    code = "outdated"


class RevisionMissingError(MezhaError):
    """The change does not say on which revision it rests."""

    code = "revision-missing"


class RepeatedKeyError(MezhaError):
    """The idempotency key was used for another request."""

    code = "repeated-key"


class TermOverError(MezhaError):
    """The term within which this was possible is over, or not over yet."""

    code = "term"


class ObjectGoneError(MezhaError):
    """The object that the case is about does not exist any more, or is not the applicant's."""

    code = "object-gone"


@dataclass
class BrokenBoundaryError(GeometryError):
    """A boundary is no valid area; ``place`` is where (degrees), ``repairable`` whether a repair can be accepted."""

    place: tuple[float, float] | None = None
    repairable: bool = False

    @property
    def extensions(self) -> dict[str, Any]:
        """What a problem document tells besides."""
        return {"place": self.place, "repairable": self.repairable}


@dataclass
class IncompleteError(MezhaError):
    """The submission has mistakes; ``problems`` names every field, ``findings`` every rule that blocks."""

    problems: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)

    code = "incomplete"

    @property
    def extensions(self) -> dict[str, Any]:
        """What a problem document tells besides."""
        return {"problems": self.problems, "findings": self.findings}
