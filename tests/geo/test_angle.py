"""Angles in every spelling that decrees, registers and surveyors use."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import angle


@pytest.mark.parametrize(
    ("text", "degrees", "axis"),
    [
        ("72°03'04\" с.ш.", 72 + 3 / 60 + 4 / 3600, "lat"),
        ("65°10'34\" восточной долготы", 65 + 10 / 60 + 34 / 3600, "lon"),
        ("42°25'13.235\"N", 42 + 25 / 60 + 13.235 / 3600, "lat"),
        ("47°09'42,698\"Е", 47 + 9 / 60 + 42.698 / 3600, "lon"),
        ("N 56 08 04.5", 56 + 8 / 60 + 4.5 / 3600, "lat"),
        ("50º10′00.2″", 50 + 10 / 60 + 0.2 / 3600, None),
        ("120° 30' W", -120.5, "lon"),
        ("55,1234", 55.1234, None),
        ("-55.5", -55.5, None),
        ("12 гр. 30 мин. 36 сек. ю.ш.", -12.51, "lat"),
    ],
)
def test_an_angle_is_read_in_every_spelling(text: str, degrees: float, axis: str | None) -> None:
    found = angle.parse(text)
    assert math.isclose(found.degrees, degrees, abs_tol=1e-12)
    assert found.axis == axis


@pytest.mark.parametrize("text", ["", "abc", "50°10'60\"", "91° с.ш.", "N 50 S", "1e400", "50°70'"])
def test_what_is_no_angle_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        angle.parse(text)


def test_pairs_of_a_running_text() -> None:
    text = (
        "N 1 72°03'04\" северной широты и 65°10'34\" восточной долготы; N 2 72°03'05\" с.ш. 65°10'35\" в.д."
    )
    assert len(angle.pairs(text)) == 2
    with pytest.raises(ValueError, match="latitudes"):
        angle.pairs("72°03'04\" с.ш.; 72°03'05\" с.ш. 65°10'35\" в.д.")


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    for read in (angle.parse, angle.pairs):
        try:
            read(text)
        except ValueError:
            continue


@given(st.floats(-179.9999, 179.9999))
def test_degrees_come_back_from_their_parts(degrees: float) -> None:
    whole = abs(degrees)
    minutes = (whole % 1) * 60
    text = (
        f"{'-' if degrees < 0 else ''}{int(whole)}°{int(minutes)}'{min((minutes % 1) * 60, 59.9999999):.7f}\""
    )
    assert math.isclose(angle.parse(text).degrees, degrees, abs_tol=1e-9)
