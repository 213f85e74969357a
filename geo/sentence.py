"""Sentences for people: the English text, and the pattern with its values from which other languages make theirs."""

from collections.abc import Mapping
from typing import Any


class Sentence(str):
    """An English sentence that remembers how it was made, so that a page can say it in the reader's language.

    ``pattern`` holds ``%(name)s`` for the values, and is the msgid of the catalogues.
    """

    __slots__ = ("pattern", "values")
    pattern: str
    values: dict[str, Any]

    def __new__(cls, pattern: str, **values: Any) -> "Sentence":
        made = super().__new__(cls, pattern % values if values else pattern)
        made.pattern, made.values = pattern, values
        return made

    @classmethod
    def of(cls, pattern: str, values: Mapping[str, Any]) -> "Sentence":
        """The sentence of a pattern that was kept."""
        return cls(pattern, **values)

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.pattern,), self.values
