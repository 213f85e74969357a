"""Background jobs: asked for by name in the transaction of their cause, done by the worker."""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ENQUEUE = text("SELECT jobs.enqueue(:task, CAST(:arguments AS jsonb), :queue, :lock, :once)")


async def enqueue(
    connection: AsyncConnection,
    task: str,
    arguments: dict[str, Any],
    *,
    queue: str = "default",
    lock: str | None = None,
    once: str | None = None,
) -> int | None:
    """Ask for a job; its number, or None where a job with the same ``once`` waits already.

    It starts after the transaction commits. Jobs of one ``lock`` never run side by side.
    """
    values = {"task": task, "arguments": json.dumps(arguments), "queue": queue, "lock": lock, "once": once}
    number: int | None = (await connection.execute(_ENQUEUE, values)).scalar_one()
    return number
