"""Errors of the ground floor: each names the thing, the value and the cure."""

from dataclasses import dataclass


@dataclass
class MezhaError(Exception):
    """Base of every error that a person may see.

    ``code`` is stable and machine-readable, ``message`` says what happened, ``remedy`` the way out.
    """

    message: str
    remedy: str = ""
    field: str = ""
    value: str = ""

    code = "error"

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class SettingsError(MezhaError):
    """A setting is missing or makes no sense."""

    code = "settings"


class DatabaseMissingError(MezhaError):
    """The database does not answer, is locked or is not migrated."""

    code = "database-missing"


class UnknownLayerError(MezhaError):
    """There is no layer of that name, or the caller may not know of it."""

    code = "unknown-layer"


class UnknownObjectError(MezhaError):
    """There is no such object, or the caller may not know of it."""

    code = "unknown-object"


class ParameterError(MezhaError):
    """A parameter has a value that cannot be meant."""

    code = "bad-parameter"


class CrsError(MezhaError):
    """A coordinate system is unknown, missing or impossible for these coordinates."""

    code = "bad-crs"


class GeometryError(MezhaError):
    """A geometry cannot be used."""

    code = "bad-geometry"
