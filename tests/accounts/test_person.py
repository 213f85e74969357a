"""A duty is what it says: a federal one reaches every region, but it is no other duty."""

import pytest

from accounts.person import Duty, Person


def serving(duty: str, region: str) -> Person:
    """Somebody with one duty."""
    return Person(1, "Анна", duties=(Duty(duty, region, "Управление"),))


@pytest.mark.requirement("R-17")
@pytest.mark.parametrize(
    ("person", "asked", "region", "answer"),
    [
        (serving("registrar", "97"), "registrar", "97", True),
        (serving("registrar", "97"), "registrar", None, True),
        (serving("registrar", "97"), "registrar", "54", False),
        (serving("registrar", "*"), "registrar", "54", True),
        (serving("inspector", "*"), "registrar", None, False),
        (serving("inspector", "*"), "registrar", "97", False),
        (Person(2, "Пётр"), "registrar", None, False),
    ],
)
def test_a_duty_serves_itself_only(person: Person, asked: str, region: str | None, answer: bool) -> None:
    assert person.serves(asked, region) is answer
