"""Repeated requests: the same key gives the same answer, and is never done twice."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.errors import RepeatedKeyError

_TAKE = text(
    "INSERT INTO cases.requests (account, key, digest) VALUES ((SELECT access.account()), :key, :digest)"
    " ON CONFLICT (account, key) DO NOTHING RETURNING key"
)
_FIND = text(
    "SELECT digest, answer FROM cases.requests WHERE account = (SELECT access.account()) AND key = :key"
)
_KEEP = text(
    "UPDATE cases.requests SET answer = CAST(:answer AS jsonb) WHERE account = (SELECT access.account()) AND key = :key"
)


def _plain(value: Any) -> str:
    """Times as the first answer wrote them: the repeated one must not differ by a letter."""
    return str(value.isoformat()) if isinstance(value, date) else str(value)


async def once(
    connection: AsyncConnection, key: str | None, request: Any, work: Callable[[], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """The answer of ``work``, done once a key: a second request waits for the first and gets its answer.

    RepeatedKeyError where the key came with another request, or cannot be one.
    """
    if key is None:
        return await work()
    if not 8 <= len(key) <= 200:
        raise RepeatedKeyError(
            f"An idempotency key has 8 to 200 characters, this one {len(key)}.",
            "Use a UUID.",
            field="Idempotency-Key",
            value=key[:40],
        )
    digest = hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()
    taken = (await connection.execute(_TAKE, {"key": key, "digest": digest})).first()
    if taken is None:
        row = (await connection.execute(_FIND, {"key": key})).one()
        if row.digest != digest:
            raise RepeatedKeyError(
                "This idempotency key was used for another request.",
                "Use a new key for a new request.",
                field="Idempotency-Key",
                value=key[:40],
            )
        return dict(row.answer)
    answer = await work()
    await connection.execute(_KEEP, {"key": key, "answer": json.dumps(answer, default=_plain)})
    return answer
