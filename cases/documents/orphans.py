"""Orphans: bytes in the store that no document names, left where a process died between keeping a file and its row."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cases.documents.store import store_of
from geo.session import connect
from geo.settings import Settings

# From the keeping of a file to the commit of its row pass seconds; who comes later begins anew, for to keep bytes that
# are there already makes them young again.
GRACE = timedelta(days=7)
# As the owner: nobody else sees every document, and one that is not seen would be taken for none.
_OWNER = "SET LOCAL ROLE mezha_owner"
_NAMED = "SELECT DISTINCT sha256 FROM cases.documents WHERE sha256 = ANY (%s)"
_log = logging.getLogger("mezha.documents")


async def sweep(settings: Settings, *, now: datetime | None = None) -> int:
    """Remove what has lain in the store for a week and is named by no row, removed documents included; how many.

    Bytes that somebody keeps again meanwhile stay: rows are asked first, then the age anew.
    """
    store, oldest = store_of(settings), (now or datetime.now(UTC)) - GRACE
    removed = 0
    async for some in store.listed():
        old = [sha256 for sha256, kept_at in some if kept_at < oldest]
        named = await asyncio.to_thread(_named, settings, old) if old else set()
        for sha256 in old:
            if sha256 not in named:
                removed += await store.remove(sha256, oldest)
    if removed:
        _log.warning("removed %d files that no document names from the store of documents", removed)
    return removed


def _named(settings: Settings, digests: Sequence[str]) -> set[str]:
    """Those of them that a document names."""
    with connect(settings.url_for("owner")) as connection:
        connection.execute(_OWNER)
        return {row[0] for row in connection.execute(_NAMED, [list(digests)])}
