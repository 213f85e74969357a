"""How the documents of a case are shown: by kind, newest version first, with what may be done."""

from collections.abc import Sequence
from dataclasses import dataclass

from cases.documents.shelf import DECISION, OFFICE, Document, kinds, open_for
from cases.file_format import INLINE
from cases.lifecycle import Role
from cases.queue import Dossier
from cases.service_definition import FileKind
from cases.signatures.kept import Signature


@dataclass(frozen=True)
class Paper:
    """A document: its newest version, the older ones, the signatures of the newest."""

    newest: Document
    older: Sequence[Document]
    signatures: Sequence[Signature]

    @property
    def inline(self) -> bool:
        """Whether a browser shows it by itself."""
        return self.newest.format in INLINE


@dataclass(frozen=True)
class Shelf:
    """A kind of documents with its papers; ``open`` where this reader may attach, ``room`` where one more fits."""

    kind: FileKind
    papers: Sequence[Paper]
    open: bool
    room: bool

    @property
    def accept(self) -> str:
        """What the file chooser offers."""
        from cases.file_format import EXTENSIONS

        return ",".join(f".{e}" for f in self.kind.formats for e in EXTENSIONS[f])


def _papers(dossier: Dossier, kind: str) -> list[Paper]:
    series: dict[int, list[Document]] = {}
    for document in dossier.documents:
        if document.kind == kind:
            series.setdefault(document.series, []).append(document)
    return [
        Paper(
            versions[-1],
            versions[-2::-1],
            [s for s in dossier.signatures if s.document_id == versions[-1].id],
        )
        for versions in series.values()
    ]


def shelves(dossier: Dossier) -> list[Shelf]:
    """The kinds of a case in the order of its service, those of the office last; empty ones only where one may attach."""
    mine = {k.kind for k in kinds(dossier.service, dossier.role)}
    open_ = open_for(dossier.case, dossier.role)
    found = []
    for kind in (*dossier.service.files, OFFICE):
        papers, may = _papers(dossier, kind.kind), open_ and kind.kind in mine
        if papers or may:
            found.append(Shelf(kind, papers, may, len(papers) < kind.most))
    return found


def decisions(dossier: Dossier) -> list[Document]:
    """Decisions of a case, the newest first."""
    return [d for d in reversed(dossier.documents) if d.kind == DECISION]


def signed(dossier: Dossier) -> list[Signature]:
    """Signatures of the submission, the newest first."""
    return [s for s in reversed(dossier.signatures) if s.document_id is None and s.role == Role.applicant]
