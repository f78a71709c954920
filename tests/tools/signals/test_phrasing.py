"""How strangers word their questions: understood, or handed back with the reason."""

import pytest

from tests.measured_film import FILM, STILL, ask, at_left, cut_at, read, said, spans
from tools.signals.claims import Claim, Kind


@pytest.mark.parametrize(
    ("query", "same_as"),
    [
        ("pls tell me when someone comes in", "something enters"),
        (
            "Hello, could you kindly find the moment when someone enters the room?",
            "something enters",
        ),
        ("I'd like to know when the screen is black", "the screen is black"),
        ("give me the exact timestamp when a visitor leaves", "something leaves"),
        ("something has left", "something leaves"),
        ("when has the person left the room", "something leaves"),
        ("no one is there", "nothing is there"),
        ("there isn't anybody in the room", "nothing is there"),
        ("there are no people", "nothing is there"),
        ("a room without people", "nothing is there"),
        ("a static shot", "the camera is still"),
        ("the picture cuts to black", "the screen is black"),
        ("the screen goes BLACK", "the screen is black"),
        ("something on the right", "something at the right"),
    ],
)
def test_other_words_for_the_same_question_have_the_same_answer(query: str, same_as: str) -> None:
    expected = ask(same_as)
    assert expected.verdict != "cannot_tell" or "right" in query
    assert (ask(query).verdict, spans(ask(query))) == (expected.verdict, spans(expected))


def test_the_left_is_a_side_and_whoever_left_has_gone() -> None:
    film = [said(0, STILL), said(1, STILL, at_left("appears")), said(2, STILL, at_left("gone"))]
    assert spans(ask("something on the left", film)) == [(1, 2)]
    assert spans(ask("somebody left", film)) == [(1, 3)]


@pytest.mark.parametrize("query", ["the screen freezes", "a freeze frame", "the picture is stuck"])
def test_a_still_room_is_not_called_a_frozen_picture(query: str) -> None:
    still = [said(at, STILL, Claim("unchanged", at_s=0.0)) for at in range(3)]
    answer = ask(query, [*still, *(said(at, STILL, at_left("moves")) for at in range(3, 10))])
    assert (answer.verdict, answer.events) == ("cannot_tell", ())
    assert answer.reasoning.startswith("The picture is unchanged at 0:00.00–0:03.00; whether")
    lively = [said(at, STILL, at_left("moves")) for at in range(10)]
    assert ask(query, lively).verdict == "not_found"


@pytest.mark.parametrize("query", ["slow motion", "a slow-mo scene", "time lapse", "split screen"])
def test_a_term_of_film_is_not_taken_word_by_word(query: str) -> None:
    answer = ask(query)
    assert answer.verdict == "cannot_tell"
    assert "“slow" in answer.reasoning or query in answer.reasoning


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("when does the title appear?", "title"),
        ("subtitles", "subtitles"),
        ("a headline", "headline"),
    ],
)
def test_any_text_need_not_be_of_the_kind_that_is_asked_for(query: str, kind: str) -> None:
    answer = ask(query)
    assert (answer.verdict, answer.events) == ("cannot_tell", ())
    assert answer.reasoning == (
        f"Text can be read at 0:00.00–0:02.00, 0:09.00–0:10.00; whether it is “{kind}” cannot be "
        "told."
    )
    assert ask(query, [*FILM[:3], read(0)]).verdict == "not_found"


@pytest.mark.parametrize(
    "query",
    [
        "opening titles",
        "German subtitles",
        "a text message",
        "the title page",
        "when do DOGS appear",
    ],
)
def test_words_that_may_tell_of_the_text_what_it_is_are_not_known_to_be_absent(query: str) -> None:
    answer = ask(query)
    assert answer.verdict == "cannot_tell"
    assert "cannot be read on the screen" in answer.reasoning
    assert "put it in quotes" in answer.reasoning


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("two people are in the room", "How many there are, or whether it is all, is not counted."),
        ("everyone leaves", "How many there are, or whether it is all, is not counted."),
        ("the lights go off", "ask when the screen is dark or bright."),
        ("Wann lacht jemand laut?", "They understand English, and the plainest words of German"),
        ("¿Cuándo canta alguien?", "They understand English, and the plainest words of German"),
        ("когда кто-то входит?", "They understand English, and the plainest words of German"),
        ("the camra shakes", "Did “camra” mean “camera”?"),
        (
            "a picture in black and white",
            "not what they say together: “picture in black and white”",
        ),
    ],
)
def test_the_reason_says_what_is_missing_and_what_to_ask(query: str, why: str) -> None:
    answer = ask(query)
    assert answer.verdict == "cannot_tell"
    assert why in answer.reasoning


@pytest.mark.parametrize(
    "query", ["someone turns around", "somebody goes", "a close look", "a leer"]
)
def test_an_english_word_is_no_misspelling_and_no_presence(query: str) -> None:
    answer = ask(query)
    assert answer.verdict == "cannot_tell"
    assert "Did “" not in answer.reasoning
    assert "English" not in answer.reasoning


@pytest.mark.parametrize(
    ("asked", "shown", "is_there"),
    [
        ("$20", "Only $20!", True),
        ("$20", "Only €20!", False),
        ("€20", "20 €", True),
        ("€20", "$20", False),
        ("20 euros", "€20.00", True),
        ("20 dollars", "now 20 dollars", True),
        ("20 dollars", "20 EUR", False),
        ("$20", "was €20, now $20", True),
        ("$20", "20", True),
        ("£48,230", "€48,230", False),
        ('the text "$48,230"', "Total €48,230", False),
        ("the price is $48,230", "Total €48,230.00", False),
    ],
)
def test_a_price_in_another_currency_is_another_price(
    asked: str, shown: str, is_there: bool
) -> None:
    assert ask(asked, [read(0, shown)]).verdict == ("found" if is_there else "not_found")


@pytest.mark.parametrize(
    ("query", "shown", "other"),
    [
        ("when does a price appear?", "Total 48,230.50 €", "48 people"),
        ("is there a number on the screen", "Chapter 2", "Chapter two"),
        ("an URL", "see example.com/a", "the end. Of it"),
        ("a website is shown", "www.example.net", "info@example.net"),
        ("e-mail address", "write to info@example.com", "example.com"),
        ("a date", "2026-11-27", "12.5 kg"),
        ("the date appears", "12 May 2024", "may be"),
        ("a percentage", "now 50% off", "50 off"),
        ("the time code", "01:00:06:12", "12:30"),
    ],
)
def test_text_is_found_by_its_form(query: str, shown: str, other: str) -> None:
    assert spans(ask(query, [read(0, other), read(3, shown), read(4, shown)])) == [(3, 5)]
    assert ask(query, [read(0, other)]).verdict == "not_found"


@pytest.mark.parametrize(
    ("query", "shown", "other"),
    [
        ("when does https://www.example.com appear?", "Visit example.com", "example shop com"),
        ("info@example.com", "mail: info@example.com", "info: example.com"),
        ("the sign says www.example.org", "www.example.org/start", "example.com"),
    ],
)
def test_an_address_stands_on_the_screen_or_nowhere(query: str, shown: str, other: str) -> None:
    assert spans(ask(query, [read(0, other), read(3, shown)])) == [(3, 4)]
    assert ask(query, [read(0, other)]).verdict == "not_found"


@pytest.mark.parametrize("query", ["is there any text?", "a number"])
def test_two_signs_in_a_single_frame_may_be_a_pattern(query: str) -> None:
    speck, lasting = [read(0, "71")], [read(5, "71"), read(6, "72")]
    answer = ask(query, speck)
    assert answer.verdict == "cannot_tell"
    assert answer.reasoning.startswith("Two signs were read in a single frame, at 0:00.00–0:01.00")
    assert spans(ask(query, [*speck, *lasting])) == [(5, 7)]
    assert ask('the text "71"', speck).verdict == "found"


@pytest.mark.parametrize("query", ["it gets brighter", "when is it darker?", "a dim room"])
def test_brighter_than_before_is_not_bright(query: str) -> None:
    answer = ask(query)
    assert answer.verdict == "cannot_tell"
    assert "ask when the screen is dark or bright" in answer.reasoning


def test_what_only_reaches_into_the_end_is_not_at_the_end() -> None:
    film = [said(at, STILL, Claim("present", place="at the left", size="small")) for at in range(8)]
    film += [said(at, STILL, Claim("empty")) for at in range(8, 10)]
    answer = ask("is someone there at the end?", film)
    assert (answer.verdict, answer.events) == ("not_found", ())
    assert answer.reasoning.endswith("None of it is at the end.")
    assert spans(ask("is someone there at the start?", film)) == [(0, 8)]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("when does the timecode show 00:00:10?", "00:00:10:11"),
        ("the clock reaches 00:15", "00:15"),
        ("SAM", "SAM"),
        ("EXIT ROUTE", "EXIT ROUTE"),
        ("see https://www.example.org/.", "example.org"),
    ],
)
def test_a_clock_and_a_shouted_name_are_read(query: str, shown: str) -> None:
    assert spans(ask(query, [read(0, "12:30 route"), read(3, shown)])) == [(3, 4)]


@pytest.mark.parametrize(
    ("query", "cuts_s", "expected"),
    [
        ("fade to black", [], [(2, 4)]),
        ("the picture fades to black", [3.9], [(2, 4)]),
        ("when does it fade to black?", [1.9], []),
        ("a fade from black", [1.9], [(2, 4)]),
        ("a fade from black", [3.9], []),
        ("the screen goes black", [1.9, 3.9], [(2, 4)]),
    ],
)
def test_what_comes_or_goes_with_a_cut_does_not_fade(
    query: str, cuts_s: list[float], expected: list[tuple[float, float]]
) -> None:
    kinds: list[Kind] = ["medium", "medium", "black", "black", "medium", "medium"]
    film = [said(at_s, Claim(kind)) for at_s, kind in enumerate(kinds)]
    answer = ask(query, [*film, *map(cut_at, cuts_s)])
    assert spans(answer) == expected
    if not expected:
        assert "nothing fades" in answer.reasoning


@pytest.mark.parametrize("query", ["what is written on the blocks", "words on the wall"])
def test_what_words_stand_on_is_not_what_they_say(query: str) -> None:
    answer = ask(query)
    assert answer.verdict == "cannot_tell"
    assert "whether it is “on the " in answer.reasoning
    assert spans(ask("text on the screen")) == [(0, 2), (9, 10)]
    assert spans(ask("the sign says in stock", [read(1, "IN STOCK")])) == [(1, 2)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("the video starts with black", []),
        ("it ends with red", [(8, 10)]),
        ("the film begins with a cut", []),
    ],
)
def test_what_a_video_starts_and_ends_with_is_at_its_start_and_end(
    query: str, expected: list[tuple[float, float]]
) -> None:
    assert spans(ask(query)) == expected


def test_how_large_a_thing_is_was_left_out() -> None:
    assert "Left out: “small”" in ask("a small object appears").reasoning
    assert "Left out" not in ask("a small red area").reasoning


@pytest.mark.parametrize(
    ("query", "same_as"),
    [
        ("Wann ist der Bildschirm schwarz?", "the screen is black"),
        ("wann kommt jemand herein?", "something enters"),
        ("der zweite Schnitt", "the second cut"),
        ("¿Cuándo entra alguien?", "something enters"),
        ("algo rojo", "something red"),
        ("Quand est-ce que quelqu'un entre ?", "something enters"),
        ("il n'y a personne", "nobody is there"),
        ("qualcosa di rosso", "something red"),
        ("o segundo corte", "the second cut"),
        ("wanneer komt iemand binnen", "something enters"),
        ("the screen is blakc", "the screen is black"),
        ("sombody entres", "somebody enters"),
        ("a persn leaves", "a person leaves"),
    ],
)
def test_plain_words_of_other_languages_and_slips_are_read(query: str, same_as: str) -> None:
    answer, expected = ask(query), ask(same_as)
    assert (answer.verdict, spans(answer)) == (expected.verdict, spans(expected))
    assert "read as" in answer.reasoning or answer.verdict == "cannot_tell"


@pytest.mark.parametrize("query", ["a man in shorts", "movies", "the worlds", "a tiles shop"])
def test_another_english_word_is_no_slip(query: str) -> None:
    answer = ask(query)
    assert answer.verdict == "cannot_tell"
    assert "read as" not in answer.reasoning


@pytest.mark.parametrize(
    "query",
    [
        "a word is spelled",
        "letters spelling a word",
        "words come up onto the screen",
        "words appear over the beach",
        "5",
        "when does the counter reach 10 seconds?",
        "text before the second act",
    ],
)
def test_what_need_not_be_written_so_is_not_known_to_be_absent(query: str) -> None:
    assert ask(query).verdict == "cannot_tell"


def test_less_of_a_colour_than_is_asked_for_is_no_proof_that_there_is_not_more() -> None:
    film = [*FILM[:-4], said(9, Claim("colour", colour="red", place="at the left", percent=20))]
    answer = ask("the screen is red", film)
    assert answer.verdict == "cannot_tell"
    assert answer.reasoning.startswith("The largest red area that was measured is 20%")
    assert ask("the screen is blue", film).verdict == "not_found"


def test_what_could_be_heard_is_not_told() -> None:
    assert "subtitles, or --speech MODEL" in ask("the music starts").reasoning
    assert ask("somebody says hello").reasoning.startswith(
        "The classical describer does not know “says”, “hello”."
    )
