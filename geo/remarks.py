"""Remarks: what an import found wrong with a row, and the cure, in the language of the reader.

The pipeline writes one plain English sentence; ``remarks.yaml`` knows every such sentence by its pattern. A sentence
that it does not know stays as it was written.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_PLACE = re.compile(r"\\\{(\w+)\\\}")


@cache
def _document() -> Mapping[str, Any]:
    return yaml.safe_load(files("geo").joinpath("remarks.yaml").read_text("utf-8"))  # type: ignore[no-any-return]


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """English patterns and their Russian sentences; the most particular ones first."""
    pairs = sorted(
        _document()["sentences"], key=lambda pair: len(_PLACE.sub("", re.escape(pair["en"]))), reverse=True
    )
    return tuple(
        (re.compile(_PLACE.sub(r"(?P<\1>.*?)", re.escape(pair["en"])), re.DOTALL), pair["ru"])
        for pair in pairs
    )


def known(sentence: str) -> bool:
    """Whether the sentence can be said in Russian."""
    return any(pattern.fullmatch(sentence) for pattern, _ in _patterns())


def said(sentence: str, locale: str) -> str:
    """The sentence in a language; words within it that have a translation of their own are translated too."""
    if locale != "ru" or not sentence:
        return sentence
    words = _document()["words"]
    for pattern, russian in _patterns():
        if match := pattern.fullmatch(sentence):
            return russian.format(
                **{k: words.get(v) or said(v, locale) for k, v in match.groupdict().items()}
            )
    return sentence
