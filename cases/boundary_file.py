"""Files with a boundary: sent into a case, read by the worker, asked about where the file does not say enough.

The reading itself is the worker's (it needs the readers of the imports); here is what is kept and what may be done.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases import drafts, ground, record
from cases.desk import Actor, Desk
from cases.errors import UnknownCaseError, WrongStateError
from cases.lifecycle import EDITABLE, Role, State
from cases.record import Case
from cases.service_definition import ServiceDefinition
from geo.access import Caller
from geo.errors import ParameterError
from geo.jobs import enqueue
from geo.sentence import Sentence

TASK = "cases.read_boundary"
# States in which the worker still has something to do.
BUSY = frozenset({"queued", "reading"})
_SHOWN = (
    "id, case_id, file_name, size, sha256, status, question, answers, choices, problem, objects_read, geometry,"
    " created_at, changed_at"
)
_END_EARLIER = text(
    "UPDATE cases.boundary_files SET status = 'dropped', question = '', body = NULL, changed_at = clock_timestamp()"
    " WHERE case_id = :case AND status IN ('queued', 'reading', 'asking')"
)
_ENTER = text(
    "INSERT INTO cases.boundary_files (case_id, account, file_name, size, sha256, body, answers)"
    " VALUES (:case, (SELECT access.account()), :name, :size, :sha256, :body, CAST(:answers AS jsonb)) RETURNING id"
)
_ONE = text(f"SELECT {_SHOWN} FROM cases.boundary_files WHERE case_id = :case AND id = :id")
_LAST = text(
    f"SELECT {_SHOWN} FROM cases.boundary_files WHERE case_id = :case AND status <> 'dropped'"
    " ORDER BY id DESC LIMIT 1"
)
_TAKE = text(
    "UPDATE cases.boundary_files SET status = 'reading', question = '', changed_at = clock_timestamp()"
    " WHERE id = :id AND status IN ('queued', 'reading') RETURNING id, case_id, account, file_name, body, answers"
)
_NOTE = text(
    "UPDATE cases.boundary_files SET status = :status, question = :question, choices = CAST(:choices AS jsonb),"
    " problem = CAST(:problem AS jsonb), objects_read = greatest(objects_read, :read), changed_at = clock_timestamp(),"
    " geometry = :geometry, body = CASE WHEN :status IN ('refused', 'done') THEN NULL ELSE body END"
    " WHERE id = :id AND status = 'reading'"
)
_READ = text(
    "UPDATE cases.boundary_files SET objects_read = :read, changed_at = clock_timestamp()"
    " WHERE id = :id AND status = 'reading'"
)
_ANSWER = text(
    "UPDATE cases.boundary_files SET status = 'queued', question = '', problem = '{}',"
    " answers = answers || CAST(:answers AS jsonb), changed_at = clock_timestamp()"
    " WHERE case_id = :case AND id = :id AND status = 'asking' RETURNING id"
)
_EXTENT = text(
    "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) FROM ("
    "  SELECT ST_Expand(ST_Extent(geom)::geometry, 1) AS e FROM gate.municipalities"
    "  WHERE region = :region AND sys_to = 'infinity') m WHERE e IS NOT NULL"
)
_WORLD = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True)
class NewFile:
    """A file as it came: its name, its bytes, and the system that the applicant named for it (empty: none)."""

    name: str
    body: bytes
    crs: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Task:
    """What the worker needs to read a file: the bytes, the answers, and where the boundary should lie."""

    id: int
    case: int
    sender: Actor
    file_name: str
    body: bytes
    answers: Mapping[str, Any]
    extent: tuple[float, float, float, float]


@dataclass(frozen=True)
class Outcome:
    """How the reading ended: done with a shape, refused, or asking ``question`` with its choices."""

    status: str
    question: str = ""
    choices: Sequence[Mapping[str, Any]] = ()
    problem: Mapping[str, Any] | None = None
    read: int = 0
    geometry: int | None = None


async def _editable(
    connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int
) -> tuple[Case, ServiceDefinition]:
    """The case, locked, where the actor may give it a boundary from a file now."""
    case = await record.load(connection, case_id, lock=True)
    service = await record.definition_of(connection, desk, case)
    drafts.check_editable(actor, case)
    if "uploaded" not in service.ground.ways:
        raise WrongStateError(
            Sentence("“%(service)s” takes no boundary from a file.", service=service.title.en),
            Sentence("Look at the service: it says how the boundary is given."),
            field="file",
        )
    return case, service


async def enter(connection: AsyncConnection, desk: Desk, actor: Actor, case_id: int, file: NewFile) -> int:
    """Take a file and ask the worker to read it; an earlier one that is not finished is dropped. Returns its number."""
    case, _ = await _editable(connection, desk, actor, case_id)
    if not file.body:
        raise ParameterError(Sentence("The file is empty."), Sentence("Choose another file."), field="file")
    await connection.execute(_END_EARLIER, {"case": case.id})
    crs = file.crs.strip()[:120]
    values = {
        "case": case.id,
        "answers": json.dumps({"crs": crs} if crs else {}, ensure_ascii=False),
        "name": (file.name or "file")[:200],
        "size": len(file.body),
        "sha256": file.digest,
        "body": file.body,
    }
    number = int((await connection.execute(_ENTER, values)).scalar_one())
    await enqueue(connection, TASK, {"number": number}, queue="imports")
    return number


async def one(connection: AsyncConnection, case_id: int, number: int) -> RowMapping:
    """One file of a case; UnknownCaseError where there is none."""
    found = (await connection.execute(_ONE, {"case": case_id, "id": number})).mappings().first()
    if found is None:
        raise UnknownCaseError(
            Sentence("Case %(case)s has no file %(number)s.", case=case_id, number=number),
            Sentence("Send the file again."),
            field="file",
            value=str(number),
        )
    return found


async def last(connection: AsyncConnection, case_id: int) -> RowMapping | None:
    """The newest file of a case that was not dropped."""
    return (await connection.execute(_LAST, {"case": case_id})).mappings().first()


async def answer(
    connection: AsyncConnection,
    desk: Desk,
    actor: Actor,
    case_id: int,
    *,
    number: int,
    answers: Mapping[str, Any],
) -> None:
    """Answer what the reading asked (``crs``, ``contours``, ``repair``) and have the file read again."""
    case, _ = await _editable(connection, desk, actor, case_id)
    values = {"case": case.id, "id": number, "answers": json.dumps(dict(answers), ensure_ascii=False)}
    if (await connection.execute(_ANSWER, values)).first() is None:
        await one(connection, case.id, number)
        raise WrongStateError(
            Sentence("File %(number)s does not wait for an answer.", number=number),
            Sentence("Load the page again to see how it stands."),
            field="file",
            value=str(number),
        )
    await enqueue(connection, TASK, {"number": number}, queue="imports")


async def take(connection: AsyncConnection, number: int) -> Task | None:
    """Take a file to read it, as the clock; None where there is nothing to do any more."""
    row = (await connection.execute(_TAKE, {"id": number})).first()
    if row is None:
        return None
    case = await record.load(connection, row.case_id)
    found = (await connection.execute(_EXTENT, {"region": case.region})).first()
    extent = tuple(found) if found else _WORLD
    sender = Actor(Caller(account=row.account, rank=1, inns=(case.party_inn,)))
    return Task(row.id, row.case_id, sender, row.file_name, bytes(row.body), row.answers, extent)


async def progress(connection: AsyncConnection, number: int, read: int) -> None:
    """Note how many objects were read, for the page that waits."""
    await connection.execute(_READ, {"id": number, "read": read})


async def note(connection: AsyncConnection, number: int, outcome: Outcome) -> None:
    """Note how the reading ended; nothing where the file was dropped meanwhile."""
    values = {
        "id": number,
        "status": outcome.status,
        "question": outcome.question,
        "choices": json.dumps(list(outcome.choices), ensure_ascii=False),
        "problem": json.dumps(outcome.problem or {}, ensure_ascii=False),
        "read": outcome.read,
        "geometry": outcome.geometry,
    }
    await connection.execute(_NOTE, values)


async def keep(connection: AsyncConnection, desk: Desk, task: Task, given: ground.Given) -> int | None:
    """Give the case the boundary that was read, on behalf of the sender; returns the geometry's id.

    The form that is being typed meanwhile is left as it is.
    """
    case = await record.load(connection, task.case, lock=True)
    change = drafts.Change(shape=given)
    done = await drafts.save(connection, desk, task.sender, case.id, change, revision=case.revision)
    return done.geometry


def welcome(actor: Actor, case: Case, service: ServiceDefinition) -> bool:
    """Whether the actor may send a file with a boundary now."""
    ours = actor.role_in(case.party_inn, case.region) == Role.applicant
    return ours and case.state in EDITABLE - {State.submitted} and "uploaded" in service.ground.ways
