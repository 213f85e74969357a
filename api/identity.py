"""Who asks: established once per request, before anything else sees it."""

from collections.abc import MutableMapping
from typing import Any

from geo.access import ANONYMOUS, Caller
from geo.db import Database

Scope = MutableMapping[str, Any]


class Identity:
    """Turns a session cookie or a token into a `Caller`; without either the caller is anonymous."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def caller(self, scope: Scope) -> Caller:
        """The caller of a request."""
        return ANONYMOUS
