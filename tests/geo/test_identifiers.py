"""Identifiers: what is right is taken, what is mistyped is found, whatever is typed."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.identifiers import (
    account_is_valid,
    inn_is_valid,
    kpp_is_valid,
    ogrn_is_valid,
    region_is_valid,
    snils_is_valid,
    whole_number,
)

digits = st.characters(min_codepoint=48, max_codepoint=57)
# Digits of other scripts look like digits to a careless pattern, and the database refuses them.
foreign = st.characters(categories=["Nd"], exclude_characters="0123456789")


def numbers(length: int, first: str = "0123456789") -> st.SearchStrategy[str]:
    """Texts of digits."""
    return st.builds(
        str.__add__,
        st.sampled_from(first),
        st.text(alphabet=digits, min_size=length - 1, max_size=length - 1),
    )


@pytest.mark.requirement("C-37")
@pytest.mark.parametrize(
    ("check", "right"),
    [
        (inn_is_valid, "7707083893"),
        (inn_is_valid, "7736050003"),
        (inn_is_valid, "500100732259"),
        (ogrn_is_valid, "1027700132195"),
        (ogrn_is_valid, "304500116000157"),
        (snils_is_valid, "112-233-445 95"),
        (kpp_is_valid, "773601001"),
    ],
)
def test_numbers_that_are_published_are_right(check: Callable[[str], bool], right: str) -> None:
    assert check(right)


@given(numbers(9, "123456789"))
def test_of_the_ten_last_digits_of_an_inn_exactly_one_fits(body: str) -> None:
    assert sum(inn_is_valid(f"{body}{last}") for last in range(10)) == 1


@given(numbers(10, "123456789"))
def test_of_the_hundred_last_digits_of_a_persons_inn_exactly_one_fits(body: str) -> None:
    assert sum(inn_is_valid(f"{body}{last:02d}") for last in range(100)) == 1


@given(numbers(12, "15"), numbers(14, "3"))
def test_of_the_ten_last_digits_of_an_ogrn_exactly_one_fits(company: str, entrepreneur: str) -> None:
    for body in (company, entrepreneur):
        assert sum(ogrn_is_valid(f"{body}{last}") for last in range(10)) == 1


@given(numbers(9, "123456789"))
def test_of_the_hundred_sums_of_a_snils_exactly_one_fits(body: str) -> None:
    assert sum(snils_is_valid(f"{body[:3]}-{body[3:6]}-{body[6:]} {last:02d}") for last in range(100)) == 1


@given(st.text(), st.text(alphabet=foreign, min_size=9, max_size=20))
def test_nothing_else_is_a_number(anything: str, other: str) -> None:
    for text in (anything, other):
        for check in (inn_is_valid, ogrn_is_valid, kpp_is_valid):
            assert not check(text) or re.fullmatch("[0-9A-Z]+", text)
        assert not snils_is_valid(text) or len(re.findall("[0-9]", text)) == 11
        assert not account_is_valid(text, text)


@pytest.mark.parametrize(
    "text", ["٧٧٠٧٠٨٣٨٩٣", "7707083893\n", " 7707083893", "", "0000000000", "7707083894"]
)
def test_an_inn_in_other_digits_or_with_more_is_none(text: str) -> None:
    assert not inn_is_valid(text)


@given(st.one_of(st.text(), st.text(foreign, min_size=1), st.text(digits, min_size=1, max_size=40)))
def test_a_typed_number_is_ascii_and_fits_an_id(text: str) -> None:
    fits = text.isascii() and text.isdecimal() and len(text) <= 18
    assert whole_number(text) == (int(text) if fits else None)
    assert region_is_valid(text) == (fits and len(text) == 2)
