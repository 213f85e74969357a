"""The one table of errors and statuses, and problem documents (RFC 9457)."""

import asyncio
from typing import Any

import orjson
import structlog
from psycopg import OperationalError as PsycopgDown
from psycopg.errors import QueryCanceled
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as EngineTimeout

from geo.errors import (
    CrsError,
    DatabaseMissingError,
    GeometryError,
    MezhaError,
    ParameterError,
    SettingsError,
    UnknownLayerError,
    UnknownObjectError,
)

STATUS: dict[type[MezhaError], int] = {
    ParameterError: 400,
    CrsError: 400,
    GeometryError: 422,
    UnknownLayerError: 404,
    UnknownObjectError: 404,
    DatabaseMissingError: 503,
    SettingsError: 500,
}
PROBLEM = "application/problem+json"
log = structlog.get_logger("api")


def register(statuses: dict[type[MezhaError], int]) -> None:
    """Add the statuses of another room's errors to the one table; called by the composition root."""
    STATUS.update(statuses)


def status_of(err: MezhaError) -> int:
    """HTTP status of an error: that of its nearest class in the table."""
    return next((STATUS[kind] for kind in type(err).__mro__ if kind in STATUS), 400)


def problem(err: MezhaError, path: str) -> dict[str, Any]:
    """The problem document of an error."""
    document: dict[str, Any] = {
        "type": f"https://mezha.invalid/problems/{err.code}",
        "title": err.message,
        "status": status_of(err),
        "code": err.code,
        "detail": err.remedy,
        "instance": path,
    }
    if err.field:
        document["field"] = err.field
    if err.value:
        document["value"] = err.value
    # RFC 9457 extension members: an error that has more to tell, such as every wrong field at once.
    return document | dict(getattr(err, "extensions", {}))


class BusyDatabaseError(MezhaError):
    """A statement took longer than a request may."""

    code = "too-slow"


class UnexpectedError(MezhaError):
    """A fault of the programme; its details go to the log, never to the caller."""

    code = "unexpected"


STATUS |= {BusyDatabaseError: 503, UnexpectedError: 500}


def translate(err: BaseException) -> MezhaError:
    """The error that a person may see for anything that went wrong; faults are logged whole."""
    if isinstance(err, MezhaError):
        return err
    original = err.orig if isinstance(err, DBAPIError) and err.orig is not None else err
    if isinstance(original, QueryCanceled):
        return BusyDatabaseError("The answer would take too long.", "Ask for a smaller area or fewer layers.")
    if isinstance(
        original, PsycopgDown | PoolTimeout | EngineTimeout | ConnectionError | asyncio.TimeoutError
    ) or isinstance(err, OperationalError):
        return DatabaseMissingError(
            "The database does not answer.", "Try again in a minute; /healthz tells when it is back."
        )
    log.error("fault", exc_info=err)
    return UnexpectedError(
        "Something went wrong on our side.", "Try again; if it stays, tell support the time of this message."
    )


def document_of(err: BaseException, path: str) -> tuple[int, bytes]:
    """Status and JSON bytes for anything that went wrong."""
    seen = translate(err)
    return status_of(seen), orjson.dumps(problem(seen, path))
