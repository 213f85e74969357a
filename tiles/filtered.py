"""CQL2 filters in tiles: the conditions of `geo.filters`, written for the statement of a tile."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy.dialects.postgresql import asyncpg

from geo import filters
from geo.layers import layer
from geo.objects import gate

_DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]
_NUMBER = re.compile(r"\$(\d+)")


@dataclass(frozen=True)
class Filter:
    """A filter as the request has it."""

    text: str
    language: str = "cql2-text"


@dataclass(frozen=True)
class Condition:
    """SQL of a condition with its values at $1, $2, …"""

    sql: str
    values: tuple[Any, ...]

    def at(self, first: int) -> str:
        """The SQL with its values from ``$first`` on."""
        return _NUMBER.sub(lambda match: f"${int(match[1]) + first - 1}", self.sql)


@lru_cache(maxsize=128)
def condition_of(name: str, wanted: Filter) -> Condition:
    """The condition of a filter on a layer; FilterError where it is no filter or the layer lacks a property."""
    clause = filters.condition(layer(name), gate(name), wanted.text, language=wanted.language)
    compiled = clause.compile(dialect=_DIALECT)
    return Condition(str(compiled), tuple(compiled.params[key] for key in compiled.positiontup or ()))
