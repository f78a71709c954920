"""What an answer by likeness must not claim: sounds nobody heard, words nobody knows or says."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fakes import WordEmbedder
from tools.ranking import Ranking, Window
from tools.retrieval import unsaid
from tools.retrieval.second_thoughts import thought_over
from tools.retrieval.unsaid import closest_to
from tools.timeline import Caption, Interval, Source, Track

TRACK = Track("file", "", "file")


def captions(*texts: str, source: Source = "vision") -> list[Caption]:
    return [
        Caption("v", Interval(at, at + 1.0), text, source, TRACK) for at, text in enumerate(texts)
    ]


def ranked(verdict: Any, *events: Window) -> Ranking:
    return Ranking(verdict, (Window(Interval(0, 1), 0.1, 0.1),), events, np.zeros(1), "by likeness")


def over(
    query: str,
    verdict: Any = "not_found",
    *,
    said: list[Caption] | None = None,
    has_sound: bool = True,
    confidence: float = 0.5,
) -> Ranking:
    events = (Window(Interval(0, 1), confidence, confidence),) if verdict == "found" else ()
    return thought_over(
        query,
        ranked(verdict, *events),
        said or captions("a man in a suit walks", "a rocket stands on a pad"),
        embedder=_Named(),
        has_sound=lambda: has_sound,
    )


class _Named(WordEmbedder):
    name = "minilm-test"


@pytest.mark.parametrize("query", ["music plays", "applause", "silence", "a bell rings"])
def test_a_sound_that_nobody_listened_to_is_not_denied(query: str) -> None:
    thought = over(query)
    assert thought.verdict == "cannot_tell"
    assert "nobody listened" in thought.reasoning


@pytest.mark.parametrize("verdict", ["found", "not_found", "cannot_tell"])
def test_a_question_that_names_no_real_time_is_not_answered_without_it(verdict: str) -> None:
    thought = over("a man at 9:99", verdict)
    assert (thought.verdict, thought.is_unclear) == ("cannot_tell", True)
    assert "9:99 is no time" in thought.reasoning


@pytest.mark.parametrize("query", ["a man says hello", "people laugh", "she tells a joke"])
def test_what_is_said_aloud_is_not_denied_by_captions_of_pictures(query: str) -> None:
    assert over(query).verdict == "cannot_tell"


def test_a_transcript_denies_words_and_no_other_sound() -> None:
    heard = captions("we have a lift off", source="speech")
    assert over("he says goodbye", said=heard).verdict == "not_found"
    assert over("music plays", said=heard).verdict == "cannot_tell"


@pytest.mark.parametrize(
    "query", ["someone says hello", "who says “hello”?", "she says good night"]
)
def test_what_somebody_says_has_to_be_said_there(query: str) -> None:
    heard = captions("we have a lift off, good people", source="speech")
    assert over(query, "found", said=heard).verdict == "cannot_tell"
    greeted = captions("hello and good night", source="speech")
    answered = over(query, "found", said=greeted)
    assert (answered.verdict, answered.reasoning) == ("found", "by likeness")


def test_of_a_longer_sentence_some_word_has_to_be_said() -> None:
    heard = captions("we have a lift off", source="speech")
    query = "he says that the big rocket has its lift over the wide sea"
    assert over(query, "found", said=heard).verdict == "found"
    assert over("he says that kettles cost money now", "found", said=heard).verdict != "found"


def test_without_a_sound_track_a_sound_is_denied_and_laughing_people_are_looked_for() -> None:
    music = over("music plays", has_sound=False)
    assert (music.verdict, "no sound track" in music.reasoning) == ("not_found", True)
    assert over("people laugh", has_sound=False).reasoning == "by likeness"


@pytest.mark.parametrize("has_sound", [True, False])
def test_what_is_seen_is_found_and_the_sound_beside_it_doubted(has_sound: bool) -> None:
    for query in (
        "a man in a suit walks as music plays",
        "a man talks in a suit, walking to songs",
    ):
        thought = over(query, "found", has_sound=has_sound)
        assert (thought.verdict, thought.reasoning[:7]) == ("found", "Unsure:"), query


@pytest.mark.parametrize(
    "query", ["a man in a suit screams", "the siren of a rocket on a pad", "a man walks to music"]
)
def test_a_sound_that_is_all_that_happens_is_not_found_by_what_is_seen(query: str) -> None:
    assert over(query, "found", has_sound=False).verdict == "not_found"
    assert over(query, "found").verdict == "cannot_tell"


def test_a_sound_that_captions_tell_of_is_found_or_not_as_they_say() -> None:
    band = captions("a band plays music on a stage", "an empty stage")
    assert over("music plays", "found", said=band).verdict == "found"
    assert over("loud music", said=band).verdict == "not_found"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("?", "no word"),
        ("asdfgh qwerty", "No word of it is known"),
        ("Wann springt der Hund?", "in German"),
        ("quand le chien saute", "in French"),
        ("¿dónde está el perro?", "in Spanish"),
    ],
)
def test_what_cannot_be_understood_is_not_denied(query: str, why: str) -> None:
    thought = over(query)
    assert (thought.verdict, thought.is_unclear) == ("cannot_tell", True)
    assert why in thought.reasoning


@pytest.mark.parametrize(
    "query", ["a zebra", "somebody plays the ukulele", "a cockatoo", "a yacht in los angeles"]
)
def test_rare_words_are_words(query: str) -> None:
    assert over(query, has_sound=False).reasoning == "by likeness"


def test_a_question_in_the_language_of_the_captions_is_understood() -> None:
    german = captions("der Hund springt über das Gras", "ein Mann und eine Frau")
    assert over("Wann springt der Hund?", said=german).reasoning == "by likeness"


def test_a_thing_that_no_caption_names_is_not_found_by_likeness_alone() -> None:
    thought = over("is there an elephant?", "found", said=captions("a toy frog", "a table"))
    assert thought.verdict == "cannot_tell"
    assert "No caption says “elephant”" in thought.reasoning
    assert over("is there a frog?", "found", said=captions("a toy frog")).verdict == "found"


def test_a_word_that_another_caption_says_is_not_called_unsaid() -> None:
    fridge = captions("a hand holds a milk jug", "the fridge shows a juice bottle")
    thought = over("a bottle", "found", said=fridge)
    assert "No caption" not in thought.reasoning
    assert "the caption at 0:01.0 does: “the fridge shows a juice bottle”" in thought.reasoning


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("a man with a hat", "No caption says “hat”"),
        ("a woman wearing a red dress", "Captions say “grey dress”, and not “red dress”"),
        ("someone sits down on a chair", "No caption says “chair”"),
    ],
)
def test_an_unsure_answer_is_none_where_no_caption_says_what_is_asked_for(
    query: str, why: str
) -> None:
    said = captions("a man in a suit walks", "a woman in a grey dress sits")
    thought = over(query, "found", said=said, confidence=0.2)
    assert (thought.verdict, thought.events) == ("cannot_tell", ())
    assert why in thought.reasoning
    assert "The closest is 0:00.0–0:01.0." in thought.reasoning


def test_a_longer_question_is_answered_with_a_doubt_on_what_no_caption_says() -> None:
    said = captions("a tall man in a grey suit walks", "a woman in a grey dress sits")
    surer = over("a tall man in a suit walks with a saucer", "found", said=said, confidence=0.6)
    assert (surer.verdict, surer.reasoning) == ("found", "Unsure: no caption of it says “saucer”.")


@pytest.mark.parametrize(
    "query",
    [
        "a man in a suit walks",
        "a gentleman in a suit",
        "people walking quickly",
        "a couple in a suit",
        "scenes of the walk",
        "a man in a tidy suit carries his heavy blue suitcase across the lawn",
    ],
)
def test_an_unsure_answer_stays_where_captions_say_it_or_much_is_asked(query: str) -> None:
    said = captions("a man in a suit walks", "a woman in a grey dress sits")
    thought = over(query, "found", said=said, confidence=0.2)
    assert (thought.verdict, thought.reasoning) == ("found", "by likeness")


def test_a_thing_of_another_kind_is_not_found_for_its_colour() -> None:
    cups = captions("three red cups", "a hand moves the red cups")
    assert over("a red car", "found", said=cups).verdict == "cannot_tell"
    assert over("a red cup", "found", said=cups).verdict == "found"


def test_what_was_read_or_measured_stays_as_it_is() -> None:
    exact = replace(ranked("found", Window(Interval(0, 1), 1.0, 1.0)), is_exact=True)
    said = captions("a road")
    thought = thought_over("?", exact, said, embedder=_Named(), has_sound=lambda: True)
    assert thought is exact


def test_a_word_that_was_compared_before_is_not_embedded_again() -> None:
    class Noting(WordEmbedder):
        def __init__(self) -> None:
            self.asked: list[str] = []

        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            self.asked += texts
            return super().embed(texts)

    embedder = Noting()
    first = closest_to(["hat"], ["a red cap", "a cap and a coat"], embedder)
    assert closest_to(["hat"], ["a red cap", "a cap and a coat"], embedder) == first
    assert sorted(embedder.asked) == ["cap", "coat", "hat", "red"]
    closest_to(["scarf"], ["a red coat"], embedder)
    assert embedder.asked[4:] == ["scarf"]


def test_a_word_is_compared_with_those_that_captions_say_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unsaid, "MOST_COMPARED", 1)
    said = ["a scarf on a chair", "a cap on a chair", "the chair"]
    (found,) = closest_to(["hat"], said, WordEmbedder())
    assert found.closest == "chair"
