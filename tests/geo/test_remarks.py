"""Remarks: every sentence that an import can write about a row is said in Russian too."""

import ast
from pathlib import Path

import pytest

from geo import remarks

INGEST = Path(__file__).parents[2] / "ingest"


def _texts(node: ast.expr) -> list[str]:
    """The sentences that an expression can make, «1» standing for every value in it."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return ["".join(p.value if isinstance(p, ast.Constant) else "1" for p in parts)]
        case ast.IfExp(body=one, orelse=other):
            return _texts(one) + _texts(other)
        case _:
            return []


def sentences() -> set[str]:
    """Messages and remedies of every problem that the code of the imports makes."""
    found: set[str] = set()
    for path in INGEST.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Problem":
                found.update(text for argument in call.args[4:6] for text in _texts(argument))
    return found


def test_every_sentence_is_said_in_russian() -> None:
    made = sentences()
    assert len(made) > 30
    assert [
        s for s in sorted(made) if not remarks.known(s.removesuffix("1") if s.endswith(".1") else s)
    ] == []


@pytest.mark.parametrize(
    ("english", "russian"),
    [
        ("The row has no geometry.", "У строки нет границы."),
        (
            "self-intersection at 83.1 55.2. The repair changes the area by -12.5 m² (from 1e+06 m²).",
            "Самопересечение границы: 83.1 55.2. Исправление меняет площадь на -12.5 м² (было 1e+06 м²).",
        ),
        (
            "age: “сто” is no integer: could not convert string to float: 'сто'.",
            "age: «сто» не подходит (целое число): «сто» — не число.",
        ),
        ("Feature 3: it has no member “geometry”.", "Объект 3: нет части «geometry»."),
        (
            "issued_on: “30.02.2024” is no date: day is out of range for month.",
            "issued_on: «30.02.2024» не подходит (дата): такого дня в этом месяце нет.",
        ),
    ],
)
def test_a_sentence_keeps_its_values(english: str, russian: str) -> None:
    assert remarks.said(english, "ru") == russian
    assert remarks.said(english, "en") == english


def test_an_unknown_sentence_stays_as_it_was_written() -> None:
    assert remarks.said("Something nobody foresaw {here}", "ru") == "Something nobody foresaw {here}"
