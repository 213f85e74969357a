"""What a submission lacks before it may go: documents by their number and age, signatures by their level."""

from collections.abc import Sequence
from datetime import date

from cases.documents.shelf import Document
from cases.form import Problem
from cases.service_definition import FileKind, ServiceDefinition
from cases.signatures.kept import Signature

_LEVELS = {
    "code": ("кодом из письма", "with the code of a letter"),
    "code_or_qualified": (
        "кодом из письма или квалифицированной подписью",
        "with the code of a letter or a qualified signature",
    ),
    "qualified": ("квалифицированной электронной подписью", "with a qualified electronic signature"),
}


def of_documents(
    service: ServiceDefinition, papers: Sequence[Document], signatures: Sequence[Signature], today: date
) -> list[Problem]:
    """Documents that are missing, too old by now, or not signed."""
    found = []
    for kind in service.files:
        own = [p for p in papers if p.kind == kind.kind]
        if len(own) < kind.least:
            found.append(_problem(kind, "required", "Приложите: {title}.", "Attach: {title}."))
        if kind.max_age_days and any(
            p.dated is None or (today - p.dated).days > kind.max_age_days for p in own
        ):
            ru, en = (
                "{title}: старше {days} дней, приложите новый документ.",
                "{title}: older than {days} days.",
            )
            found.append(_problem(kind, "too-old", ru, en))
        if kind.signed and any(not _signed(p, signatures) for p in own):
            ru, en = "{title}: приложите файл подписи (.sig).", "{title}: attach the signature file (.sig)."
            found.append(_problem(kind, "unsigned", ru, en))
    return found


def _signed(paper: Document, signatures: Sequence[Signature]) -> bool:
    return any(s.document_id == paper.id and s.holds(paper.sha256) for s in signatures)


def _problem(kind: FileKind, code: str, ru: str, en: str) -> Problem:
    days = kind.max_age_days
    return Problem(
        f"files.{kind.kind}",
        code,
        ru.format(title=kind.title.ru, days=days),
        en.format(title=kind.title.en, days=days),
    )


def fulfilled(service: ServiceDefinition, signatures: Sequence[Signature], sha256: str) -> bool:
    """Whether what has this hash is signed at the level of the service."""
    if service.signature == "none":
        return True
    holding = [s for s in signatures if s.document_id is None and s.holds(sha256)]
    return any(s.level == "qualified" or service.signature != "qualified" for s in holding)


def of_submission(service: ServiceDefinition, signatures: Sequence[Signature], sha256: str) -> list[Problem]:
    """The signature that is missing, or that was given for an earlier text."""
    if fulfilled(service, signatures, sha256):
        return []
    ru, en = _LEVELS[service.signature]
    if any(s.document_id is None and s.role == "applicant" and s.signed_sha256 != sha256 for s in signatures):
        return [
            Problem(
                "signature",
                "signed-otherwise",
                f"После подписания что-то изменилось. Подпишите снова {ru}.",
                f"Something changed after the signature. Sign again {en}.",
            )
        ]
    return [Problem("signature", "required", f"Подпишите {ru}.", f"Sign {en}.")]
