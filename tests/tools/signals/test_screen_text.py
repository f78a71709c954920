"""Which texts on the screen have the words asked for: a number beside its unit is that number."""

import pytest

from tools.signals.screen_text import text_fit
from tools.signals.vocabulary import words_of


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("37.5 °C", "37.5℃"),
        ("100 °F", "100℉"),
        ("17.3", "-17.3kg"),
        ("17.3 kg", "-17.3kg"),
        ("200", "200ml"),
        ("5kg", "5 kg"),
        ("120 km/h", "120km/h"),
        ("12:30", "12:30PM"),
        ("3 m²", "3m²"),
        ("h2o", "H2O"),
    ],
)
def test_a_number_and_its_unit_may_be_run_together(asked: str, shown: str) -> None:
    assert text_fit(words_of(asked), shown) == 1


@pytest.mark.parametrize(
    ("asked", "shown"), [("5 kg", "6kg"), ("20", "200ml"), ("1 km", "11km"), ("7.3", "17.3kg")]
)
def test_another_number_of_the_same_unit_is_another_one(asked: str, shown: str) -> None:
    assert text_fit(words_of(asked), shown) == 0


@pytest.mark.parametrize(
    ("asked", "shown", "is_there"),
    [
        ("hello", "HELL0 4821", True),
        ("hello 4821", "HELL0 4821", True),
        ("stop", "ST0P", True),
        ("exit", "EX1T", True),
        ("so", "50", False),
        ("oslo", "0510", False),
        ("4821", "48Z1", False),
        ("chapter 2", "chapter z", False),
        ("is", "1 5", False),
    ],
)
def test_a_digit_in_a_word_is_the_letter_that_it_looks_like(
    asked: str, shown: str, is_there: bool
) -> None:
    assert (text_fit(words_of(asked), shown) > 0) == is_there
