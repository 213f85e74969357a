"""Pages for what went wrong: what happened, to what, and the way out."""

from datetime import UTC, datetime

from fastapi import Request
from fastapi.responses import Response

from geo.errors import MezhaError
from web.templating import page


def error_page(request: Request, err: MezhaError | None, status: int) -> Response:
    """The page of an error; a fault of ours shows no details but its time."""
    return page(request, "error.html", {"error": err, "status": status, "now": datetime.now(UTC)}, status)
