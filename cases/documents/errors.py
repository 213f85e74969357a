"""Errors of documents."""

from dataclasses import dataclass

from cases.documents.fault import TEXTS
from geo.errors import MezhaError


class UnknownDocumentError(MezhaError):
    """There is no such document, or the caller may not know of it."""

    code = "unknown-document"


class TooManyDocumentsError(MezhaError):
    """The case, or the kind within it, has as many documents as it may have."""

    code = "too-many-documents"


class DocumentsClosedError(MezhaError):
    """Nothing can be attached or removed in this state of the case."""

    code = "documents-closed"


class ScannerError(MezhaError):
    """The virus scanner is configured and does not answer: nothing is taken in."""

    code = "scanner"


class DamagedStoreError(MezhaError):
    """The bytes in the store are missing, or are not those that were handed in."""

    code = "damaged-store"


@dataclass
class FileRefusedError(MezhaError):
    """The file cannot be taken; ``fault`` says why, ``ru`` and ``en`` in words."""

    fault: str = ""
    ru: str = ""
    en: str = ""

    code = "file-refused"

    @property
    def extensions(self) -> dict[str, str]:
        """What a problem document tells besides."""
        return {"fault": self.fault, "ru": self.ru, "en": self.en}


def refused(fault: str, **facts: object) -> FileRefusedError:
    """The error of a fault with its facts filled in."""
    ru, en = (text.format(**facts) for text in TEXTS[fault])
    return FileRefusedError(
        en, field="file", value=str(facts.get("name", ""))[:60], fault=fault, ru=ru, en=en
    )
