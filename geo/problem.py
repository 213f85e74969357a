"""Problems: an error as it is kept in a row, so that a page can say it later in the reader's language."""

from collections.abc import Mapping
from typing import Any

from geo.errors import MezhaError
from geo.sentence import Sentence


def problem_of(err: MezhaError) -> dict[str, Any]:
    """An error as it is kept: the sentences with their values."""
    return {
        "code": err.code,
        "message": kept(err.message),
        "remedy": kept(err.remedy),
        "field": err.field,
        "value": err.value,
    }


def kept(sentence: str) -> dict[str, Any]:
    """A sentence as it is kept: its pattern and its values."""
    if isinstance(sentence, Sentence):
        values = {k: kept(v) if isinstance(v, str) else v for k, v in sentence.values.items()}
        return {"pattern": sentence.pattern, "values": values}
    return {"pattern": sentence.replace("%", "%%"), "values": {}}


def sentence_of(found: Mapping[str, Any]) -> Sentence:
    """The sentence of what `kept` made."""
    values = {k: sentence_of(v) if isinstance(v, Mapping) else v for k, v in found["values"].items()}
    return Sentence.of(found["pattern"] if values else found["pattern"].replace("%%", "%"), values)


def error_of(found: Mapping[str, Any], kind: type[MezhaError]) -> MezhaError:
    """The error of what `problem_of` made, as one of ``kind``."""
    return kind(
        sentence_of(found["message"]),
        sentence_of(found["remedy"]),
        field=found["field"],
        value=found["value"],
    )
