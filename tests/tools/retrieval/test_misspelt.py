"""Misspelt words are taken for those that captions say; words are left as they are."""

import pytest

from tools.retrieval.misspelt import mended

SAID = [
    *("a hand opens the fridge", "the refrigerator is open", "a cockatoo sits"),
    *("a row of tiles", "two horses"),
]


def test_misspelt_words_are_taken_for_those_of_captions_with_a_note() -> None:
    query, note = mended("wen is the frige opend", SAID)
    assert query == "when is the fridge open"
    assert note == "Taken: “wen” for “when”, “frige” for “fridge”, “opend” for “open”."


@pytest.mark.parametrize(
    "query",
    [
        *("a bridge opens", "the cockatoo", "asdfgh qwerty", "when is Frige here", "“frige”"),
        *("the cockatoo tilts", "somebody hones a knife"),
    ],
)
def test_words_and_what_is_near_none_stay(query: str) -> None:
    assert mended(query, SAID) == (query, "")
