"""What is no question about a video is answered as what it is, and looked for by nobody."""

import pytest

from agent.chat.doors import PAGE, TERMINAL, Door
from agent.chat.grammar import parse_follow_up
from agent.chat.small_talk import NoQuestionError, check_is_question
from tests.agent.chat.test_grammar import DOG, find, turn


def answer_to(said: str, *, door: Door = TERMINAL) -> str:
    turns = [*DOG, turn(2, find("a cat"), (50, 60))]
    with pytest.raises(NoQuestionError) as told:
        check_is_question(said, turns=turns, door=door, forms="all of the forms")
    return str(told.value)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("thanks", "you are welcome"),
        ("thank you, that's it", "you are welcome"),
        ("thanks, bye", "you are welcome"),
        ("that's it, thanks", "fine"),
        ("Great, thanks a lot!", "you are welcome"),
        ("hello there", "hello; go on"),
        ("how are you?", "hello"),
        ("lol", "fine; go on"),
        ("very good", "fine"),
        ("never mind", "fine"),
        ("that’s wrong", "other words"),
        ("stop", "nothing to stop"),
        ("what did I ask first?", "you asked first: “a dog”"),
        ("what was my last question?", "you asked last: “a cat”"),
        ("what have I asked so far?", "you asked: “a dog”, “a cat”"),
        ("how long is the video?", "lobby.mp4, 10:00.0 long"),
        ("what is the video about?", "not summed up"),
        ("what can you do?", "all of the forms"),
        ("bye", "/quit leaves"),
    ],
)
def test_small_talk_is_answered_as_what_it_is(said: str, answer: str) -> None:
    assert answer in answer_to(said)


def test_the_page_offers_nothing_of_the_terminal() -> None:
    for said in ("bye", "that is wrong", "thanks", "hello"):
        assert "/quit" not in answer_to(said, door=PAGE)
    assert "--reasoner" not in PAGE.forms_lead


@pytest.mark.parametrize(
    "said",
    [
        "a man says hello",
        "“hello”",
        '"stop"',
        "the dog stops",
        "no cars",
        "a good dog",
        "what did he ask first?",
        "how long is the car there",
        "and after that?",
        "are you sure?",
        "play it",
    ],
)
def test_what_may_be_about_the_video_passes(said: str) -> None:
    check_is_question(said, turns=DOG, door=TERMINAL, forms="")


@pytest.mark.parametrize(
    ("said", "query"),
    [
        ("no, I mean the man with glasses", "the man with glasses"),
        ("No I meant the man with glasses.", "the man with glasses"),
        ("sorry, not him, I mean the man", "the man"),
        ("actually, a red car", "a red car"),
        ("thanks, a red car", "a red car"),
        ("and what about the red car?", "the red car"),
        ("yes, a red car", "a red car"),
        ("can you find a red car?", "a red car"),
        ("I'm looking for a red car", "a red car"),
        ("no cars", "no cars"),
        ("what I mean is gone", "what I mean is gone"),
    ],
)
def test_what_only_leads_to_the_question_is_not_looked_for(said: str, query: str) -> None:
    follow_up = parse_follow_up(said, turns=DOG, videos=["/v/lobby.mp4"])
    assert (follow_up.kind, follow_up.query) == ("find", query)
