"""The shelf of a case: what is attached, in which version, by whom, for whom; each look and each copy is journalled."""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import journal
from accounts.action import Action as Did
from accounts.journal import Entry
from cases.desk import Actor
from cases.documents.errors import DocumentsClosedError, TooManyDocumentsError, UnknownDocumentError
from cases.file_format import EXTENSIONS, MEDIA, Format
from cases.lifecycle import Role, State
from cases.record import Case
from cases.rules import Text
from cases.service_definition import FileKind, ServiceDefinition
from geo.batch import Ask, answered
from geo.errors import ParameterError

COLUMNS = "id, case_id, series, version, side, kind, name, format, size, sha256, dated, facts, scan, shared, made_by, made_at"
_OF_CASE = text(
    f"SELECT {COLUMNS}, (lead(id) OVER (PARTITION BY series ORDER BY version)) IS NULL AS newest"
    " FROM cases.documents WHERE case_id = :case AND removed_at IS NULL ORDER BY kind, series, version"
)
_ONE = text(f"SELECT {COLUMNS}, true AS newest FROM cases.documents WHERE id = :id AND removed_at IS NULL")
_COUNTS = text(
    "SELECT count(*) AS all_, count(DISTINCT series) FILTER (WHERE kind = :kind AND removed_at IS NULL AND series <> :series)"
    " AS kind, coalesce(max(series), 0) AS last FROM cases.documents WHERE case_id = :case"
)
_LAST_SERIES = text("SELECT coalesce(max(series), 0) FROM cases.documents WHERE case_id = :case")
_ADD = text(
    "INSERT INTO cases.documents (case_id, series, version, side, kind, name, format, size, sha256, dated, facts, scan,"
    " shared) VALUES (:case, :series, (SELECT coalesce(max(version), 0) + 1 FROM cases.documents WHERE case_id = :case"
    " AND series = :series), 'system', :kind, :name, :format, :size, :sha256, :dated, CAST(:facts AS jsonb), :scan,"
    " :shared) RETURNING id"
)
_REMOVE = text("UPDATE cases.documents SET removed_at = now() WHERE case_id = :case AND series = :series AND removed_at IS NULL")  # fmt: skip
_SHARE = text("UPDATE cases.documents SET shared = true WHERE id = :id AND NOT shared")

DECISION = "decision"
# What the office itself attaches: minutes, letters, answers of other authorities.
OFFICE = FileKind(
    kind="office",
    title=Text(ru="Документы органа", en="Papers of the office"),
    formats=(Format.pdf, Format.jpeg, Format.png, Format.tiff, Format.docx, Format.xlsx, Format.odt, Format.xml, Format.zip),
    max_mb=50,
    most=50,
)  # fmt: skip


@dataclass(frozen=True)
class Document:
    """One version of one document; ``newest`` where no later version of its series is there."""

    id: int
    case_id: int
    series: int
    version: int
    side: str
    kind: str
    name: str
    format: str
    size: int
    sha256: str
    dated: date | None
    facts: dict[str, Any]
    scan: str
    shared: bool
    made_by: int | None
    made_at: datetime
    newest: bool = True

    @property
    def media(self) -> str:
        """Media type of its format."""
        return MEDIA[Format(self.format)]


@dataclass(frozen=True)
class Offer:
    """A file that somebody wants to attach: its kind and name, the date of the paper, the document it replaces."""

    kind: str
    name: str
    dated: date | None = None
    replaces: int | None = None
    shared: bool = True


@dataclass(frozen=True)
class Kept:
    """What became of the bytes: looked into, scanned, in the store."""

    format: Format
    facts: dict[str, Any]
    size: int
    sha256: str
    scan: str


def kinds(service: ServiceDefinition, role: Role) -> tuple[FileKind, ...]:
    """Kinds of documents that a side may attach."""
    return service.files if role == Role.applicant else (OFFICE,) if role == Role.officer else ()


def kind_of(service: ServiceDefinition, role: Role, name: str) -> FileKind:
    """The kind of that name; ParameterError names those that there are."""
    known = {k.kind: k for k in kinds(service, role)}
    if name not in known:
        raise ParameterError(
            f"kind={name[:40]} is no kind of document of {service.id}.",
            f"The kinds are: {', '.join(known) or 'none'}.",
            field="kind",
            value=name[:40],
        )
    return known[name]


def open_for(case: Case, role: Role) -> bool:
    """Whether a side may attach now; the database says the same."""
    if role == Role.applicant:
        return case.state in (State.draft, State.correction_asked)
    return role == Role.officer and case.state not in (State.draft, State.withdrawn, State.closed)


def check_open(case: Case, role: Role | None) -> Role:
    """The side that may attach now; DocumentsClosedError where it may not."""
    if role is None or not open_for(case, role):
        raise DocumentsClosedError(
            f"Case {case.number or case.id} is {case.state}: its documents cannot be changed now.",
            "Wait for a correction request, or write to the office.",
            field="state",
            value=case.state,
        )
    return role


def cleaned(name: str, formats: Sequence[Format]) -> str:
    """A file name as it is kept: no path, no control or reversing characters; without an extension the first format's."""
    bare = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    kept = "".join(c for c in bare if unicodedata.category(c)[0] != "C").strip(" .")
    stem, dot, extension = kept.rpartition(".")
    if not dot:
        stem, extension = kept, EXTENSIONS[formats[0]][0]
    if not stem:
        raise ParameterError("The file has no name.", "Give its name.", field="name", value=name[:40])
    return f"{stem[:150]}.{extension[:10]}"


async def of_case(connection: AsyncConnection, case: int) -> list[Document]:
    """Documents of a case that the caller may see, every version."""
    return await answered(connection, asked(case))


def asked(case: int) -> Ask[list[Document]]:
    """The same, to be sent with others."""
    return Ask(_OF_CASE, {"case": case}, lambda rows: [Document(**row) for row in rows])


async def current(connection: AsyncConnection, case: int, side: Role = Role.applicant) -> list[Document]:
    """The newest versions of one side: what a submission consists of."""
    return newest(await of_case(connection, case), side)


def newest(papers: Sequence[Document], side: Role = Role.applicant) -> list[Document]:
    """Of each series of one side the last version."""
    return [d for d in papers if d.newest and d.side == side]


async def one(connection: AsyncConnection, case: int, identity: int) -> Document:
    """One document of a case; UnknownDocumentError where the caller sees none."""
    row = (await connection.execute(_ONE, {"id": identity})).mappings().first()
    if row is None or row["case_id"] != case:
        raise UnknownDocumentError(
            f"There is no document {identity}.",
            "Look at the documents of the case again.",
            field="document",
            value=str(identity),
        )
    return Document(**row)


async def decision(connection: AsyncConnection, case: int) -> Document:
    """The newest decision of a case; UnknownDocumentError where it has none."""
    found = [d for d in await of_case(connection, case) if d.kind == DECISION]
    if not found:
        raise UnknownDocumentError(
            f"Case {case} has no decision that you could read.",
            "Wait for it; the case tells when it is there.",
            field="case",
            value=str(case),
        )
    return max(found, key=lambda d: d.id)


async def check_room(connection: AsyncConnection, case: Case, kind: FileKind, offer: Offer, most: int) -> int:
    """The series to which the offered file would belong; TooManyDocumentsError where there is no room for it."""
    series = 0
    if offer.replaces is not None:
        old = await one(connection, case.id, offer.replaces)
        if old.kind != offer.kind:
            raise ParameterError(
                f"Document {old.id} is of kind {old.kind}, not {offer.kind}.",
                "Attach the new version under the same kind.",
                field="replaces",
                value=str(old.id),
            )
        series = old.series
    counts = (await connection.execute(_COUNTS, {"case": case.id, "kind": kind.kind, "series": series})).one()
    if counts.kind >= kind.most or counts.all_ >= most:
        limit = most if counts.all_ >= most else kind.most
        raise TooManyDocumentsError(
            f"There are {limit} documents already, and no more are taken.",
            "Remove one, or put several papers into one file.",
            field="file",
            value=str(limit),
        )
    return series or counts.last + 1


async def next_series(connection: AsyncConnection, case: int) -> int:
    """The series of a document that nobody has offered: the office's own."""
    return int((await connection.execute(_LAST_SERIES, {"case": case})).scalar_one()) + 1


async def add(
    connection: AsyncConnection, actor: Actor, case: Case, offer: Offer, kept: Kept, *, series: int
) -> Document:
    """Put a file that lies in the store on the shelf of a case that the caller holds locked."""
    values = {
        "case": case.id,
        "series": series,
        "kind": offer.kind,
        "name": offer.name,
        "format": kept.format.value,
        "size": kept.size,
        "sha256": kept.sha256,
        "dated": offer.dated,
        "facts": json.dumps(kept.facts),
        "scan": kept.scan,
        "shared": offer.shared,
    }
    identity: int = (await connection.execute(_ADD, values)).scalar_one()
    document = await one(connection, case.id, identity)
    await _journal(connection, actor, case, document, Did.upload)
    return document


async def remove(connection: AsyncConnection, actor: Actor, case: Case, document: Document) -> None:
    """Take a document with all its versions from the shelf; what was submitted with it stays in its event."""
    role = check_open(case, actor.role_in(case.party_inn, case.region))
    if document.side != role or document.kind == DECISION:
        raise DocumentsClosedError(
            f"Document {document.id} is not yours to remove.",
            "Ask those who attached it.",
            field="document",
            value=str(document.id),
        )
    await connection.execute(_REMOVE, {"case": case.id, "series": document.series})
    await _journal(connection, actor, case, document, Did.change, removed=True)


async def share(connection: AsyncConnection, actor: Actor, case: Case, document: Document) -> None:
    """Let the applicant read a paper of the office; this cannot be taken back, for he may have read it."""
    if actor.role_in(case.party_inn, case.region) != document.side:
        raise DocumentsClosedError(
            f"Document {document.id} is not yours to share.",
            "Ask those who attached it.",
            field="document",
            value=str(document.id),
        )
    await connection.execute(_SHARE, {"id": document.id})
    await _journal(connection, actor, case, document, Did.change, shared=True)


async def opened(
    connection: AsyncConnection, actor: Actor, case: Case, identity: int, *, download: bool, address: str = ""
) -> Document:
    """A document that somebody is about to read; the journal knows it before he does."""
    document = await one(connection, case.id, identity)
    did = Did.download if download else Did.view
    await _journal(connection, actor, case, document, did, address=address)
    return document


async def _journal(
    connection: AsyncConnection,
    actor: Actor,
    case: Case,
    document: Document,
    did: Did,
    *,
    address: str = "",
    **more: object,
) -> None:
    entry = Entry(
        did,
        account=actor.caller.account,
        subject="cases.documents",
        object=document.id,
        region=case.region,
        inn=case.party_inn if document.shared else "",
        address=address,
        details={"case": case.id, "name": document.name, "sha256": document.sha256, **more},
    )
    await journal.record(connection, entry)
