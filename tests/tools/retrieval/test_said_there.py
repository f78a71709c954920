"""Of a short question, the captions of the answer say every word, or it is none or unsure."""

import numpy as np
import pytest

from tests.fakes import WordEmbedder
from tools.ranking import PartFound, Ranking, Window
from tools.retrieval.contraries import contrary_in, contrary_of_name
from tools.retrieval.said_there import missing_there
from tools.retrieval.second_thoughts import thought_over
from tools.retrieval.verb_forms import in_third_person
from tools.timeline import Caption, Interval, Track

SHOWN = (
    "a hand pours coffee from a steel kettle",
    "two runners stand at a white table with a red plastic cup",
)
ELSEWHERE = "a man sits down on a chair"


class _Named(WordEmbedder):
    name = "minilm-test"


def thought(query: str, verdict: str = "found", *parts: PartFound) -> Ranking:
    track = Track("file", "", "file")
    told = [
        Caption("v", Interval(at, at + 1.0), text, "vision", track)
        for at, text in enumerate([*SHOWN, ELSEWHERE])
    ]
    event = Window(Interval(0, 2), 0.8, 0.8)
    found = Ranking(
        verdict,  # type: ignore[arg-type]
        (event,),
        (event,) if verdict == "found" else (),
        np.zeros(3),
        "by likeness",
        parts=parts,
    )
    return thought_over(query, found, told, embedder=_Named(), has_sound=lambda: True)


def missing(text: str) -> tuple[list[str], list[str]]:
    left = missing_there(text, SHOWN, _Named())
    return [one.word for one in left.things], [one.word for one in left.deeds]


@pytest.mark.parametrize(
    ("text", "things", "deeds"),
    [
        ("tea is poured", ["tea"], []),
        ("is juice poured", ["juice"], []),
        ("a coffee saucer", ["saucer"], []),
        ("the kettle is broken", ["broken"], []),
        ("somebody drinks coffee", [], ["drinks"]),
        ("he drink the coffee", [], ["drink"]),
        ("the kettle explodes", [], ["explodes"]),
        ("somebody plays basketball", ["basketball"], ["plays"]),
        ("a woman with a child", ["child"], []),
        ("turn off the kettle", [], ["turn off"]),
        ("he puts the kettle down", [], ["puts down"]),
        ("coffee in a tent", [], ["tent"]),
        ("a short-haired runner", ["short", "haired"], []),
        ("people run", [], []),
        ("the coffee is poured", [], []),
        ("a lady pours coffee quickly", [], []),
        ("a big yellow parrot on a high swing drinks", [], []),
        ("milk is poured into a steel kettle", ["milk"], []),
        ("the runners stood at a table", [], []),
        ("the cup is taken away", [], ["taken away"]),
        ("a woman with a kettle", [], []),
    ],
)
def test_words_that_no_caption_of_the_answer_says(
    text: str, things: list[str], deeds: list[str]
) -> None:
    assert missing(text) == (things, deeds)


def test_a_thing_that_is_not_said_there_is_not_found_and_the_closest_is_told() -> None:
    answer = thought("tea is poured")
    assert (answer.verdict, answer.events) == ("cannot_tell", ())
    assert "No caption says “tea”" in answer.reasoning
    assert "The closest is 0:00.0–0:02.0." in answer.reasoning


def test_where_another_caption_says_it_that_one_is_named() -> None:
    assert "the caption at 0:02.0 does" in thought("a chair is poured").reasoning


def test_a_deed_that_is_not_said_there_leaves_half_of_the_confidence() -> None:
    answer = thought("somebody drinks coffee")
    assert answer.verdict == "found"
    assert answer.events[0].confidence == pytest.approx(0.4)
    assert answer.reasoning.startswith("Unsure: no caption of it says “drinks”")


def test_what_a_question_takes_for_granted_is_not_doubted() -> None:
    assert thought("why is the tea poured").verdict == "found"
    assert thought("why is the cup blue").verdict == "found"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a blue cup", ""),
        ("a blue plastic cup", "red plastic"),
        ("the table is black", "white table"),
        ("somebody sits at the table", "stand"),
        ("three runners", "two runners"),
    ],
)
def test_captions_that_say_the_contrary_speak_against_it(text: str, said: str) -> None:
    why = contrary_in(text, SHOWN)
    assert why
    assert said in why
    assert thought(text).verdict == "cannot_tell"


@pytest.mark.parametrize(
    "text",
    [
        "a red cup",
        "a white table",
        "a person in blue",
        "a blue parrot",
        "somebody stands at the table",
        "is the table white",
        "two runners",
        "three cups",
    ],
)
def test_nothing_speaks_against_what_is_said_so_or_left_open(text: str) -> None:
    assert contrary_in(text, SHOWN) == ""


def test_a_thing_of_another_name_is_none_where_captions_call_the_thing_otherwise() -> None:
    near, said = ["three red cups"], ["three red cups", "a blue mug", "a ball"]
    assert "“blue mug”, and not “red mug”" in contrary_of_name("is the mug red", near, said)
    assert contrary_of_name("is the mug red", near, [*said, "a red mug"]) == ""
    assert contrary_of_name("is the ball red", near, said) == ""
    assert contrary_of_name("is the cup red", near, said) == ""


def test_a_white_and_red_thing_is_white_as_well() -> None:
    assert contrary_in("a white dog", ["a brown and white dog runs"]) == ""


def test_an_order_is_not_denied_where_a_part_is_not_said() -> None:
    found = PartFound("the cup is washed", (Window(Interval(1, 2), 0.5, 0.5),))
    answer = thought("coffee is poured after the cup is washed", "not_found", found)
    assert answer.verdict == "cannot_tell"
    assert "Where “the cup is washed” may be, no caption says “washed”" in answer.reasoning
    said = PartFound("the coffee is poured", (Window(Interval(0, 1), 0.5, 0.5),))
    assert thought("x after the coffee is poured", "not_found", said).verdict == "not_found"


def test_what_comes_after_something_unsaid_is_unsure() -> None:
    answer = thought("what does he do after washing the cup?")
    assert answer.events[0].confidence == pytest.approx(0.4)


DOG = [
    "the dog sits in front of a woman",
    "the dog runs off to the right",
    "the dog comes back with a stick",
    "the dog sniffs along the ground",
    "a woman bends down to the dog",
    "the dog drinks from a bowl",
    "the dog lies on the path",
]


def in_scene(query: str, *more: str) -> Ranking:
    track = Track("file", "", "file")
    told = [
        Caption("v", Interval(at, at + 1.0), text, "vision", track)
        for at, text in enumerate([*DOG, *more])
    ]
    event = Window(Interval(0, len(told)), 0.8, 0.8)
    found = Ranking("found", (event,), (event,), np.zeros(len(told)), "by likeness")
    return thought_over(query, found, told, embedder=_Named(), has_sound=lambda: True)


@pytest.mark.parametrize(
    ("query", "span"),
    [
        ("the dog drinks", (5.0, 6.0)),
        ("when does the dog come back?", (2.0, 3.0)),
        ("does the dog drink?", (5.0, 6.0)),
        ("the dog sniffs", (3.0, 4.0)),
    ],
)
def test_what_captions_tell_of_once_in_a_scene_happens_there(
    query: str, span: tuple[float, float]
) -> None:
    answer = in_scene(query)
    assert [(one.span.start_s, one.span.end_s) for one in answer.events] == [span]
    assert "part of 0:00.0–0:07.0" in answer.reasoning


def test_what_captions_tell_of_now_and_then_goes_on_between() -> None:
    answer = in_scene("the dog drinks", "the dog runs", "the dog drinks again")
    assert [(one.span.start_s, one.span.end_s) for one in answer.events] == [(0.0, 9.0)]


@pytest.mark.parametrize(
    ("bare", "said"),
    [
        ("the dog jump", "the dog jumps"),
        ("the woman sit down", "the woman sits down"),
        ("a red car stop", "a red car stops"),
        ("the man in the blue shirt carry a box", "the man in the blue shirt carries a box"),
        ("the cat catch the mouse", "the cat catches the mouse"),
        ("the dog have a stick", "the dog has a stick"),
        ("people dance", "people dance"),
        ("the old man wave", "the old man waves"),
    ],
)
def test_after_does_a_verb_is_known_by_where_it_stands(bare: str, said: str) -> None:
    assert in_third_person(bare) == said


def test_a_man_where_captions_tell_of_women_alone_is_unsure() -> None:
    said = ["a woman holds a ball"]
    assert [one.word for one in missing_there("the man held a ball", said, _Named()).words] == [
        "man"
    ]
    assert missing_there("the lady held a ball", said, _Named()).words == ()
    assert missing_there("the man held a ball", ["a person holds a ball"], _Named()).words == ()


def test_what_captions_do_not_say_is_no_doubt_where_it_must_be_missing() -> None:
    assert thought("a table without a saucer").reasoning == "by likeness"


def test_a_thing_called_like_a_deed_is_no_deed() -> None:
    said = ["a drink is poured into a mug"]
    assert [one.word for one in missing_there("she drinks", said, _Named()).deeds] == ["drinks"]
    said = ["the open fridge shows milk"]
    assert missing_there("the fridge is opened", said, _Named()).deeds == ()


def test_a_longer_statement_is_trusted_by_the_share_of_its_words_that_are_said() -> None:
    one_of_three = thought("milk is poured from the kettle").events[0].confidence
    one_of_four = thought("milk is poured from the steel kettle").events[0].confidence
    assert 0.4 < one_of_three < one_of_four < 0.8
