"""Statuses of the case engine's errors."""

from accounts.errors import UnknownFeedError
from cases import errors as known
from cases.decisions import errors as decisions
from cases.documents import errors as documents
from cases.signatures import errors as signatures
from geo.errors import MezhaError
from geo.history import ChangedMeanwhileError

CASE_STATUSES: dict[type[MezhaError], int] = {
    known.UnknownServiceError: 404,
    known.UnknownCaseError: 404,
    known.UnknownWebhookError: 404,
    UnknownFeedError: 404,
    known.NotAllowedError: 403,
    known.WrongStateError: 409,
    known.ReasonMissingError: 422,
    known.OutdatedError: 412,
    known.RevisionMissingError: 428,
    known.RepeatedKeyError: 422,
    known.TermOverError: 409,
    known.ObjectGoneError: 409,
    known.IncompleteError: 422,
    ChangedMeanwhileError: 409,
    documents.UnknownDocumentError: 404,
    documents.TooManyDocumentsError: 409,
    documents.DocumentsClosedError: 409,
    documents.ScannerError: 503,
    documents.DamagedStoreError: 503,
    documents.FileRefusedError: 422,
    decisions.NoSealError: 503,
    decisions.UnknownDecisionError: 404,
    signatures.UnknownSignatureError: 404,
    signatures.SignedOtherwiseError: 409,
    signatures.LevelError: 409,
    signatures.SignatureRefusedError: 422,
}
