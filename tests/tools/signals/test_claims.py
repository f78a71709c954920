"""A claim's sentence and its reading are one contract."""

from typing import get_args

import pytest

from tools.signals.claims import (
    COLOURS,
    PLACES,
    PRECISION,
    SENTENCES,
    SIZES,
    Claim,
    Kind,
    place_of,
    read_claims,
    read_screen_text,
    size_of,
    write_claims,
    write_screen_text,
)


def some_claim(kind: Kind, *, place: str, size: str, colour: str) -> Claim:
    slots = SENTENCES[kind]
    return Claim(
        kind,
        place=place if "{place}" in slots else "",
        size=size if "{size}" in slots else "",
        colour=colour if "{colour}" in slots else "",
        percent=12 if "{percent}" in slots else None,
        at_s=9.25 if "{at_s}" in slots else None,
    )


def test_every_kind_has_a_sentence_and_a_precision() -> None:
    assert set(SENTENCES) == set(PRECISION) == set(get_args(Kind))
    assert all(0.5 < precision <= 1 for precision in PRECISION.values())


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_claim_is_read_back_as_it_was_written(kind: Kind) -> None:
    for place in PLACES:
        for size in SIZES:
            for colour in COLOURS:
                claim = some_claim(kind, place=place, size=size, colour=colour)
                assert read_claims(write_claims([claim])) == [claim]


def test_several_claims_of_one_caption_are_read_back_in_order() -> None:
    claims = [Claim("cut", at_s=9.62), Claim("camera still"), Claim("unchanged", at_s=12.0)]
    text = write_claims(claims)
    assert text == (
        "A new shot begins, cut at 9.62 s. The camera is still. "
        "The picture is unchanged since 12.00 s."
    )
    assert read_claims(text) == claims


def test_a_sentence_of_somebody_else_is_no_claim() -> None:
    assert read_claims("A dog barks. The screen is black, says the dog.") == []


def test_an_orange_area_has_its_article() -> None:
    claim = Claim("colour", colour="orange", place="at the left", percent=12)
    assert claim.sentence == "there is an orange area at the left, 12% of the picture"


@pytest.mark.parametrize("lines", [["GAME OVER"], ["Chapter 2", "The  “End”."], ["a / b"]])
def test_screen_text_is_read_back_word_for_word(lines: list[str]) -> None:
    shown = read_screen_text(write_screen_text(lines))
    words = " ".join(lines).replace("“", '"').replace("”", '"').split()
    assert [word for word in shown.split() if word != "/"] == [w for w in words if w != "/"]


def test_a_signal_caption_holds_no_screen_text() -> None:
    assert read_screen_text("The screen is black.") == ""


def test_places_are_named_from_the_viewers_side() -> None:
    assert place_of(0.1, 0.5, share=0.1) == "at the left"
    assert place_of(0.9, 0.9, share=0.1) == "at the bottom right"
    assert place_of(0.5, 0.5, share=0.1) == "in the middle"
    assert place_of(0.1, 0.1, share=0.7) == "nearly everywhere"
    assert [size_of(share) for share in (0.01, 0.1, 0.4)] == list(SIZES)
