""" "He", "she" and "it" are what the last answer is about, or are said to be unknown."""

from typing import Any

import pytest

from agent.chat.follow_up import FollowUp, FollowUpError
from agent.chat.turns import ChatAnswer
from tests.agent.chat.test_grammar import YARD, find, read, turn

MAN = [turn(1, find("a man in jeans"), (123, 135))]
WHILE_HE_IS_THERE = {"relation": "during", "turn": 1}
AT = FollowUp(kind="still_there", query="a man in jeans", relation="at", times=("0:30",))
GLASSES = FollowUp(kind="find", query="wear glasses", relation="during", turn=1)
SECOND = FollowUp(kind="find", query="a man in jeans", which=2)


@pytest.mark.parametrize(
    ("said", "query"),
    [
        ("does he wear glasses?", "wear glasses"),
        ("and when does he sit down?", "sit down"),
        ("he sits down", "sits down"),
        ("is his shirt red?", "the shirt red"),
        ("does anyone talk to him?", "does anyone talk to someone"),
        ("does a woman talk to him?", "does a woman talk to someone"),
    ],
)
def test_what_he_does_is_looked_for_while_he_is_there(said: str, query: str) -> None:
    assert read(said, MAN) == {"kind": "find", "query": query} | WHILE_HE_IS_THERE


@pytest.mark.parametrize(
    "said", ["what does he do?", "what is he wearing?", "who talks to him?", "who is he?"]
)
def test_an_open_question_about_him_is_answered_by_the_captions_of_his_time(said: str) -> None:
    assert read(said, MAN) == {"kind": "describe"} | WHILE_HE_IS_THERE


@pytest.mark.parametrize("later", [AT, GLASSES, SECOND], ids=["at", "glasses", "second"])
def test_he_is_still_the_same_after_a_question_about_him(later: FollowUp) -> None:
    turns = [*MAN, turn(2, later)]
    assert read("is he there at 2:10?", turns)["query"] == "a man in jeans"
    assert read("how long does he stay?", turns) == {"kind": "recap", "turn": 1}
    assert read("does he smile?", turns)["turn"] == 1


def test_he_was_not_found_in_another_video_and_is_not_he_of_the_first() -> None:
    turns = [*MAN, turn(2, find("a man in jeans"), video=YARD)]
    with pytest.raises(FollowUpError, match="has no interval"):
        read("does he smile?", turns)


@pytest.mark.parametrize(
    ("said", "edge"),
    [("does he leave?", "end"), ("until when?", "end"), ("when does he come?", "start")],
)
def test_his_coming_and_leaving_are_the_edges_of_the_answer(said: str, edge: str) -> None:
    assert read(said, MAN) == {"kind": "recap", "turn": 1, "edge": edge}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("what happens after he leaves?", {"kind": "describe", "relation": "after"}),
        ("what happened before he came?", {"kind": "describe", "relation": "before"}),
        ("after he is gone, when does a car come?", {"relation": "after"}),
        ("is he still there?", {"kind": "recap", "edge": "end"}),
        ("how many times does he smile?", {"query": "smile", "every_time": True}),
        ("when does he smile first?", {"query": "smile", "which": 1}),
    ],
)
def test_he_is_known_in_every_form(said: str, expected: dict[str, Any]) -> None:
    understood = read(said, MAN)
    assert understood["turn"] == 1
    assert understood | expected == understood


def test_how_often_he_comes_is_how_often_he_was_looked_for() -> None:
    expected = {"kind": "find", "query": "a man in jeans", "every_time": True}
    assert read("how many times does he come?", MAN) == expected


@pytest.mark.parametrize(
    ("said", "turns", "why"),
    [
        ("when does she come?", MAN, "“she” is, is not known: .*“a man in jeans”"),
        ("is her hat red?", MAN, "“her” is, is not known"),
        ("does he leave?", [turn(1, find("a dog"))], "“a dog” has no interval"),
        ("is she there at 2:10?", MAN, "“she” is, is not known"),
        ("does it fly?", [turn(1, find("a bird"))], "“it” is, is not known"),
        ("when does he close it?", MAN, "“it” is, is not known"),
    ],
)
def test_who_cannot_be_meant_is_unknown_and_not_looked_for(
    said: str, turns: list[ChatAnswer], why: str
) -> None:
    with pytest.raises(FollowUpError, match=why) as told:
        read(said, turns)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("said", "times"),
    [
        ("and in the first minute?", ("0:00.0", "1:00.0")),
        ("what about the last minute?", ("9:00.0", "10:00.0")),
        ("is he there in the second half?", ("5:00.0", "10:00.0")),
    ],
)
def test_a_stretch_alone_is_where_the_same_is_looked_for(said: str, times: tuple[str, str]) -> None:
    expected: dict[str, Any] = {"query": "a man in jeans", "relation": "during", "times": times}
    assert read(said, MAN) == {"kind": "find"} | expected


def test_a_place_alone_may_be_a_video_and_is_asked_about() -> None:
    with pytest.raises(FollowUpError, match=r"“a man in jeans in the kitchen” or “and in lobby"):
        read("and in the kitchen?", MAN)


@pytest.mark.parametrize(
    "said",
    [
        "when does she open it? and when does she close it?",
        "when does the man come and when does he leave?",
        "is there a dog? a cat?",
    ],
)
def test_of_two_questions_the_first_is_named(said: str) -> None:
    with pytest.raises(FollowUpError, match=r"one question at a time, please: ask “(when|is)"):
        read(said, MAN)


@pytest.mark.parametrize(
    "said", ["“stop? go left?”", "a man who is tall and is in the yard", "a dog?!", "a dog???"]
)
def test_one_question_is_one(said: str) -> None:
    assert read(said, [])["kind"] == "find"


@pytest.mark.parametrize("said", ["is it still open at 0:35?", "is the fridge open at 5:00?"])
def test_what_is_not_understood_is_told_in_two_lines(said: str) -> None:
    with pytest.raises(FollowUpError, match="is not understood") as told:
        read(said, MAN)
    assert len(str(told.value).splitlines()) == 2
