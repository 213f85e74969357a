"""Questions too big to answer at once: kept as rows, answered by the worker with progress, cancelled by a word."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
import structlog
from psycopg.rows import dict_row
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo.access import Caller
from geo.db import Database
from geo.errors import MezhaError, UnknownObjectError
from geo.jobs import enqueue
from geo.layers import layer
from geo.moment import Moment
from geo.settings import Settings
from geo.spatial.cut import of_layer
from geo.spatial.shape import Shape, of_geometry
from geo.spatial.standing import Terms, standings

TASK = "spatial.question"
# Questions of one caller that may wait at once; all anonymous callers share one such number.
MOST_WAITING = 20
_INSERT = text(
    "INSERT INTO spatial.questions (kind, arguments, caller, account) VALUES"
    " ('intersect', CAST(:arguments AS jsonb), CAST(:caller AS jsonb), :account) RETURNING id::text"
)
_WAITING = text(
    "SELECT count(*) FROM spatial.questions WHERE status IN ('waiting', 'running') AND account IS NOT DISTINCT FROM :account"
)
_OF = text(
    "SELECT id::text, kind, status, progress, message, answer, file, asked_at, finished_at FROM spatial.questions"
    " WHERE id = CAST(:id AS uuid) AND account IS NOT DISTINCT FROM :account"
)
_CANCEL = text(
    "UPDATE spatial.questions SET status = 'cancelled', finished_at = clock_timestamp()"
    " WHERE id = CAST(:id AS uuid) AND account IS NOT DISTINCT FROM :account AND status IN ('waiting', 'running')"
)
log = structlog.get_logger("questions")


class TooManyQuestionsError(MezhaError):
    """The caller has more questions waiting than one may have."""

    code = "too-many-questions"


def _arguments(shape: Shape, names: tuple[str, ...], moment: Moment) -> str:
    return orjson.dumps(
        {
            "shape": shape.wkb.hex(),
            "names": names,
            "first": moment.first,
            "last": moment.last,
            "as_of": moment.as_of or datetime.now(UTC),
        }
    ).decode()


async def ask(connection: AsyncConnection, shape: Shape, names: tuple[str, ...], terms: Terms) -> str:
    """Keep a question and ask for its job; returns its id. The moment of asking is the moment answered for."""
    account = terms.caller.account
    waiting = (await connection.execute(_WAITING, {"account": account})).scalar_one()
    if waiting >= MOST_WAITING:
        raise TooManyQuestionsError(
            f"{waiting} questions are waiting already.", "Wait for them, or cancel some."
        )
    values = {
        "arguments": _arguments(shape, names, terms.moment),
        "caller": orjson.dumps(asdict(terms.caller)).decode(),
        "account": account,
    }
    identity: str = (await connection.execute(_INSERT, values)).scalar_one()
    await enqueue(connection, TASK, {"identity": identity})
    return identity


async def find(connection: AsyncConnection, identity: str, caller: Caller) -> Mapping[str, Any]:
    """A question of the caller's; UnknownObjectError where it is not his."""
    with contextlib.suppress(ValueError):
        values = {"id": str(UUID(identity)), "account": caller.account}
        row = (await connection.execute(_OF, values)).mappings().first()
        if row is not None:
            return dict(row)
    raise UnknownObjectError(
        f"There is no question {identity[:40]}.", "Ask it anew.", field="id", value=identity[:40]
    )


async def cancel(connection: AsyncConnection, identity: str, caller: Caller) -> Mapping[str, Any]:
    """Cancel a question; its statement in the database is cancelled within a second or two."""
    found = await find(connection, identity, caller)
    await connection.execute(_CANCEL, {"id": found["id"], "account": caller.account})
    return await find(connection, identity, caller)


def file_of(settings: Settings, question: Mapping[str, Any]) -> Path:
    """The result's file; UnknownObjectError where there is none yet."""
    path = settings.home / "questions" / str(question["file"])
    if not question["file"] or not path.is_file():
        raise UnknownObjectError(
            f"Question {question['id']} has no result yet: it is {question['status']}.",
            "Ask for its state, and fetch the file when it is done.",
            field="id",
            value=question["id"],
        )
    return path


_SCHEMA = pa.schema(
    [("layer", pa.string()), ("id", pa.int64()), ("version", pa.int64()), ("title", pa.string()),
     ("subtitle", pa.string()), ("overlap_ha", pa.float64()), ("share_of_object", pa.float64()),
     ("share_of_question", pa.float64()), ("geometry", pa.binary())]
)  # fmt: skip
_ABOUT = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
}


class _Row:
    """A question's row, written by the worker as it goes."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], identity: str) -> None:
        self._connection = connection
        self.identity = identity

    async def begin(self) -> Mapping[str, Any] | None:
        """Take the question; None where it was cancelled, done or never there."""
        cursor = self._connection.cursor(row_factory=dict_row)
        await cursor.execute(
            "UPDATE spatial.questions SET status = 'running', progress = 0 WHERE id = %s AND status IN ('waiting', 'running')"
            " RETURNING arguments, caller",
            [self.identity],
        )
        return await cursor.fetchone()

    async def reach(self, progress: float) -> None:
        """Write the progress, 0…1."""
        await self._connection.execute(
            "UPDATE spatial.questions SET progress = %s WHERE id = %s", [progress, self.identity]
        )

    async def end(
        self, status: str, *, answer: bytes | None = None, file: str = "", message: str = ""
    ) -> None:
        """Write the end, unless it was cancelled meanwhile."""
        await self._connection.execute(
            "UPDATE spatial.questions SET status = %s, answer = %s::jsonb, file = nullif(%s, ''), message = %s,"
            " progress = CASE WHEN %s = 'done' THEN 1 ELSE progress END, finished_at = clock_timestamp()"
            " WHERE id = %s AND status = 'running'",
            [status, answer and answer.decode(), file, message, status, self.identity],
        )

    async def cancelled(self) -> bool:
        """Whether somebody cancelled it."""
        row = await (
            await self._connection.execute(
                "SELECT status FROM spatial.questions WHERE id = %s", [self.identity]
            )
        ).fetchone()
        return row is None or row[0] == "cancelled"


async def answer(settings: Settings, identity: str) -> None:
    """Answer a question as its caller would see it; safe to begin anew."""
    database = Database(settings)
    await database.open()
    registrar = await psycopg.AsyncConnection.connect(settings.url_for("registrar"), autocommit=True)
    try:
        row = _Row(registrar, identity)
        found = await row.begin()
        if found is None:
            return
        work = asyncio.create_task(_cuts(database, settings, row, found))
        while not (await asyncio.wait({work}, timeout=1))[0]:
            if await row.cancelled():
                work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
    finally:
        await registrar.close()
        await database.close()


async def _cuts(database: Database, settings: Settings, row: _Row, found: Mapping[str, Any]) -> None:
    folder = settings.home / "questions"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    path = folder / f"{row.identity}.parquet"
    given = found["arguments"]
    terms = _terms(settings, given, found["caller"])
    shape = of_geometry(shapely.from_wkb(bytes.fromhex(given["shape"])))
    counted: dict[str, Any] = {}
    marked = _SCHEMA.with_metadata({b"geo": orjson.dumps(_ABOUT)})
    try:
        with pq.ParquetWriter(path, marked, compression="zstd") as writer:
            for done, name in enumerate(given["names"], 1):
                async with database.raw(terms.caller) as connection:
                    await connection.execute("SET LOCAL statement_timeout = 0")
                    cuts = await of_layer(connection, layer(name), shape, terms, shapes=True)
                    known = (await standings(connection, (name,), terms))[name].found(len(cuts))
                if cuts:
                    await asyncio.to_thread(writer.write_table, pa.Table.from_pylist(cuts, schema=_SCHEMA))
                total = sum(c["overlap_ha"] or 0 for c in cuts)
                counted[name] = known.document() | {"overlap_ha": round(total, 6)}
                await row.reach(done / len(given["names"]))
    except BaseException as err:
        path.unlink(missing_ok=True)
        if isinstance(err, asyncio.CancelledError):
            raise
        log.exception("question failed", question=row.identity)
        await row.end("failed", message="The question could not be answered; support sees why in the log.")
        return
    await row.end("done", answer=orjson.dumps({"layers": counted}), file=path.name)


def _terms(settings: Settings, given: Mapping[str, Any], caller: Mapping[str, Any]) -> Terms:
    def day(value: str | None) -> date | None:
        return date.fromisoformat(value) if value else None

    who = Caller(
        account=caller["account"],
        rank=caller["rank"],
        regions=tuple(caller["regions"]),
        inns=tuple(caller["inns"]),
        objects=tuple(caller["objects"]),
    )
    moment = Moment(day(given["first"]), day(given["last"]), datetime.fromisoformat(given["as_of"]))
    return Terms(who, moment, timedelta(days=settings.stale_days), settings.region)
