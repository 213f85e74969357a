"""Dictionaries of codes: the register keeps the code, people see its label."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml


@cache
def _all() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return yaml.safe_load(files("geo").joinpath("dictionaries.yaml").read_text("utf-8"))  # type: ignore[no-any-return]


def dictionary(name: str) -> Mapping[str, Mapping[str, str]]:
    """Code → {ru, en}; an unknown dictionary is a fault of the programme, so KeyError."""
    return _all()[name]


def label(name: str, code: str | None, locale: str) -> str:
    """The label of a code, or the code itself where the dictionary does not know it."""
    if code is None:
        return ""
    found = dictionary(name).get(str(code))
    return found[locale] if found else str(code)
