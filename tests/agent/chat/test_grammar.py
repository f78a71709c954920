"""What the grammar makes of follow-ups, and what it honestly refuses."""

from typing import Any

import pytest

from agent.chat.follow_up import FollowUp, FollowUpError
from agent.chat.grammar import FORMS, parse_follow_up
from agent.chat.turns import ChatAnswer, Moment, VideoResult, check_references
from agent.chat.wording import say_understood
from agent.grounding import VideoFacts

LOBBY, YARD = "/v/lobby.mp4", "/v/yard.mp4"
VIDEOS = [LOBBY, YARD]
THAT = {"turn": 1}


def turn(
    number: int, follow_up: FollowUp, *spans: tuple[float, float], video: str = LOBBY
) -> ChatAnswer:
    """A turn that found these, the later the surer."""
    result = VideoResult(
        video=VideoFacts(id="x", path=video, duration_s=600.0),
        outcome="found" if spans else "not_found",
        words="",
        intervals=tuple(
            Moment(start_s=start, end_s=end, confidence=place / 10)
            for place, (start, end) in enumerate(spans)
        ),
    )
    return ChatAnswer(
        turn=number,
        said=follow_up.query or "and after that?",
        understood="",
        by="grammar",
        follow_up=follow_up,
        results=(result,),
    )


def find(query: str) -> FollowUp:
    return FollowUp(kind="find", query=query)


DOG = [turn(1, find("a dog"), (10, 20), (30, 40))]


def read(said: str, turns: list[ChatAnswer] = DOG) -> dict[str, Any]:
    """What is understood, without the defaults and the video of the turn meant."""
    follow_up = parse_follow_up(said, turns=turns, videos=VIDEOS)
    check_references(follow_up, turns=turns, videos=VIDEOS)
    return follow_up.model_dump(exclude_defaults=True, exclude={"videos"})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("and after that?", {"kind": "describe", "relation": "after"} | THAT),
        ("And what happens next?", {"kind": "describe", "relation": "after"} | THAT),
        ("what about before that?", {"kind": "describe", "relation": "before"} | THAT),
        ("until then", {"kind": "describe", "relation": "before"} | THAT),
        ("what happens up to that point?", {"kind": "describe", "relation": "before"} | THAT),
        ("from there to the end", {"kind": "describe", "relation": "after"} | THAT),
        ("and from then on?", {"kind": "describe", "relation": "after"} | THAT),
        ("who was there before that", {"kind": "describe", "relation": "before"} | THAT),
        (
            "again?",
            {"kind": "find", "query": "a dog", "relation": "after", "which": 1} | THAT,
        ),
        (
            "is there another one after that?",
            {"kind": "find", "query": "a dog", "relation": "after", "which": 1} | THAT,
        ),
        (
            "the one before that",
            {"kind": "find", "query": "a dog", "relation": "before", "which": -1} | THAT,
        ),
        (
            "does he come back?",
            {"kind": "find", "query": "a dog", "relation": "after", "which": 1} | THAT,
        ),
        ("how many times?", {"kind": "find", "query": "a dog", "every_time": True}),
        (
            "how many people come in total?",
            {"kind": "find", "query": "people come", "every_time": True},
        ),
        (
            "how often does the cat sleep?",
            {"kind": "find", "query": "the cat sleep", "every_time": True},
        ),
        ("when was it there first?", {"kind": "find", "query": "a dog", "which": 1}),
        ("the second time", {"kind": "find", "query": "a dog", "which": 2}),
        ("and the 3rd?", {"kind": "find", "query": "a dog", "which": 3}),
        ("show me the last one", {"kind": "find", "query": "a dog", "which": -1}),
        (
            "is he still there at 2:10?",
            {"kind": "still_there", "query": "a dog", "relation": "at", "times": ("2:10",)},
        ),
        (
            "is the cat there at 90 s?",
            {"kind": "still_there", "query": "the cat", "relation": "at", "times": ("90 s",)},
        ),
        (
            "what happens between 1:00 and 1:30?",
            {"kind": "describe", "relation": "during", "times": ("1:00", "1:30")},
        ),
        ("what happens at 0:45?", {"kind": "describe", "relation": "at", "times": ("0:45",)}),
        ("and at 2:00?", {"kind": "describe", "relation": "at", "times": ("2:00",)}),
        (
            "before she sits down, who was there?",
            {"kind": "describe", "relation": "before", "event": "she sits down"},
        ),
        (
            "who was there before she sits down?",
            {"kind": "describe", "relation": "before", "event": "she sits down"},
        ),
        (
            "after the dog runs, when does a car come?",
            {
                "kind": "find",
                "query": "when does a car come",
                "relation": "after",
                "event": "the dog runs",
            },
        ),
        ("cut that out", {"kind": "cut"} | THAT),
        ("cut out the first one", {"kind": "cut", "turn": 1, "interval": 1}),
        ("Please cut out the last one, please", {"kind": "cut", "turn": 1, "interval": 2}),
        (
            "between 0:20 and 0:30 what happens?",
            {"kind": "describe", "relation": "during", "times": ("0:20", "0:30")},
        ),
        (
            "at 0:45, who is there?",
            {"kind": "describe", "relation": "at", "times": ("0:45",)},
        ),
        ("cut 1:00 to 1:30", {"kind": "cut", "times": ("1:00", "1:30")}),
        (
            "how many people come to the table?",
            {"kind": "find", "query": "people come to the table", "every_time": True},
        ),
        (
            "every time the dog runs",
            {"kind": "find", "query": "the dog runs", "every_time": True},
        ),
        ("whenever a car comes", {"kind": "find", "query": "a car comes", "every_time": True}),
        ("when was the dog there first?", {"kind": "find", "query": "the dog there", "which": 1}),
        ("the last time a car comes", {"kind": "find", "query": "a car comes", "which": -1}),
        ("a car after that", {"kind": "find", "query": "a car", "relation": "after"} | THAT),
        (
            "a car between 1:00 and 3:00",
            {"kind": "find", "query": "a car", "relation": "during", "times": ("1:00", "3:00")},
        ),
    ],
)
def test_a_follow_up_becomes_what_it_means(said: str, expected: dict[str, Any]) -> None:
    assert read(said) == expected


@pytest.mark.parametrize(
    ("said", "same_as"),
    [
        ("when does it happen again?", "again?"),
        ("when does it happen next?", "again?"),
        ("once more", "again?"),
        ("the one after that", "again?"),
        ("another one", "again?"),
        ("go back", "the one before"),
        ("what happened just before?", "and before that?"),
        ("what happened right after?", "and after that?"),
        ("any others?", "how many times?"),
        ("is it the only time?", "how many times?"),
        ("what else?", "how many times?"),
        ("how many times does it happen?", "how many times?"),
        ("are you sure?", "show me"),
        ("really?", "show me"),
        ("why?", "show me"),
        ("how long was it?", "show me"),
        ("how long did it last?", "show me"),
        ("when is it over?", "when does it end?"),
        ("does it leave?", "when does it end?"),
        ("until when does it stay?", "when does it end?"),
        ("when does it come?", "when did it start?"),
        ("how long does it stay?", "show me"),
        ("how long was he there?", "show me"),
        ("show me the list again", "show me"),
        ("list them again", "show me"),
        ("the list, please", "show me"),
        ("everytime the dog runs", "every time the dog runs"),
        ("thanks, no, the second", "the second one"),
        ("play it", "show me"),
        ("let me see it", "show me"),
        ("can you play it?", "show me"),
        ("play the clip", "show me"),
        ("how long is that?", "show me"),
        ("repeat that", "show me"),
        ("download it", "cut that out"),
        ("no, I mean the second one", "the second one"),
        ("thanks, and after that?", "and after that?"),
        ("when was that exactly?", "show me"),
    ],
)
def test_other_words_for_a_follow_up_are_the_same_follow_up(said: str, same_as: str) -> None:
    assert read(said) == read(same_as)
    assert read(said) != {"kind": "find", "query": said.rstrip("?")}


def test_how_long_one_of_several_was_is_told_of_that_one() -> None:
    assert read("how long was the first one?") == {"kind": "recap", "interval": 1} | THAT


@pytest.mark.parametrize(
    "said", ["and in hall.mp4?", "a red car in hall.mp4", "open hall.mp4", "hall.mp4"]
)
def test_a_video_that_is_not_in_the_chat_is_not_looked_for_as_a_word(said: str) -> None:
    with pytest.raises(FollowUpError, match=r"no hall\.mp4 .*“/video hall\.mp4” adds it"):
        read(said)


def test_what_was_told_again_is_still_the_answer_before_it() -> None:
    assert read("show me") == {"kind": "recap"} | THAT


@pytest.mark.parametrize(
    "said",
    [
        "the dog runs after the ball",
        "why does the dog bark",
        "show me the dog",
        "how long does the dog run",
        "when does the dog appear again on the lawn",
        "a man looks after a child",
        "the last train leaves",
        "a second dog",
        "who is the first man",
        "it rains",
    ],
)
def test_words_of_ones_own_are_a_new_question(said: str) -> None:
    assert read(said) == {"kind": "find", "query": said}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.example)
def test_every_example_that_is_shown_is_understood_by_its_own_form(form: Any) -> None:
    for example in form.example.split(" · "):
        words = example.rstrip("?")
        matching = [one for one in FORMS if one.pattern.fullmatch(words)]
        assert matching[0] is form


@pytest.mark.parametrize("said", ["and her?", "is she there?", "is it there first"])
def test_what_only_points_is_refused_with_the_forms_that_are_understood(said: str) -> None:
    with pytest.raises(FollowUpError, match=r"is not understood\.\n(.|\n)*the second time"):
        read(said)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("and after that?", "nothing before this to refer to"),
        ("cut that out", "nothing before this to refer to"),
        ("the second time", "no question before this"),
        ("is he still there at 2:10?", "no question before this"),
        ("?!", "nothing to look for"),
        ("what happens at 1:75?", "is no time"),
        ("cut 2:00 to 1:00", "does not come after"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_says_why(said: str, complaint: str) -> None:
    with pytest.raises(FollowUpError, match=complaint):
        read(said, [])


@pytest.mark.parametrize("said", ["cut that out and save it as a.mp4", "save it to a.mp4"])
def test_a_clip_of_ones_own_name_is_led_to_the_command_for_it(said: str) -> None:
    with pytest.raises(FollowUpError, match=r"“/clip a\.mp4”"):
        read(said)


def test_more_than_the_last_answer_has_cannot_be_cut() -> None:
    with pytest.raises(FollowUpError, match="has 2 intervals, and no more"):
        read("cut out the third one")


def test_the_video_of_an_answer_is_named_where_the_chat_is_about_another() -> None:
    follow_up = parse_follow_up("and after that?", turns=DOG, videos=[YARD])
    assert say_understood(follow_up, DOG, videos=[YARD]).endswith(" in lobby.mp4")


def test_again_after_an_answer_without_intervals_has_nothing_to_go_on_from() -> None:
    with pytest.raises(FollowUpError, match="nothing comes before or after"):
        read("again?", [*DOG, turn(2, find("a helicopter"))])


def test_that_is_the_latest_answer_and_no_earlier_one_that_is_offered_instead() -> None:
    turns = [*DOG, turn(2, find("a helicopter"))]
    with pytest.raises(FollowUpError, match=r"helicopter.* no interval to refer to; name .*dog"):
        read("and after that?", turns)


def test_reading_on_continues_and_turning_back_returns_to_the_event() -> None:
    on = FollowUp(kind="describe", relation="after", turn=1, interval=1)
    turns = [*DOG, turn(2, on, (40, 70))]
    assert read("and after that?", turns)["turn"] == 2
    assert read("and before that?", turns)["turn"] == 1


def test_again_goes_on_from_the_question_and_not_from_what_was_read_since() -> None:
    on = FollowUp(kind="describe", relation="during", times=("5:00", "6:00"))
    turns = [*DOG, turn(2, on, (300, 360))]
    assert read("again?", turns)["turn"] == 1


@pytest.mark.parametrize(
    ("said", "videos", "query"),
    [
        ("a red car in yard.mp4", (YARD,), "a red car"),
        ("a red car in yard", (YARD,), "a red car"),
        ("in lobby, a red car", (LOBBY,), "a red car"),
        ("a red car in all", (LOBBY, YARD), "a red car"),
        ("a red car in yard.mp4 and lobby.mp4", (YARD, LOBBY), "a red car"),
        ("a red car in yard and a garage", (), "a red car in yard and a garage"),
        ("in all videos, a red car", (LOBBY, YARD), "a red car"),
        ("a red car in a garage", (), "a red car in a garage"),
    ],
)
def test_a_video_is_named_in_the_turn(said: str, videos: tuple[str, ...], query: str) -> None:
    follow_up = parse_follow_up(said, turns=[], videos=VIDEOS)
    assert (follow_up.videos, follow_up.query) == (videos, query)


@pytest.mark.parametrize(
    "said", ["the same in yard.mp4", "in yard.mp4", "and in yard?", "what about it in yard"]
)
def test_the_same_is_asked_of_another_video(said: str) -> None:
    follow_up = parse_follow_up(said, turns=DOG, videos=VIDEOS)
    assert (follow_up.query, follow_up.videos) == ("a dog", (YARD,))


def test_with_one_video_a_place_in_it_is_not_taken_for_its_name() -> None:
    follow_up = parse_follow_up("a dog in the lobby", turns=[], videos=[LOBBY])
    assert follow_up.query == "a dog in the lobby"
    follow_up = parse_follow_up("a dog in lobby", turns=[], videos=[LOBBY])
    assert follow_up.query == "a dog in lobby"


def test_that_belongs_to_its_own_video() -> None:
    follow_up = parse_follow_up("and after that?", turns=DOG, videos=[YARD, LOBBY])
    assert follow_up.videos == (LOBBY,)
    with pytest.raises(FollowUpError, match="mean nothing in another video"):
        read("and after that in yard?")


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ("and after that?", "what the captions say after 0:40.0 (the end of the last answer)"),
        ("again?", "the next time of “a dog” after 0:40.0 (the end of the last answer)"),
        ("cut out the first one", "cut out 0:10.0–0:20.0 (the last answer)"),
        ("cut that out", "cut out 0:30.0–0:40.0 (the last answer)"),
        ("how many times?", "every time of “a dog”"),
        ("is he still there at 2:10?", "is “a dog” there at 2:10.0?"),
        ("a car between 1:00 and 3:00", "“a car” between 1:00.0 and 3:00.0"),
    ],
)
def test_what_was_understood_is_said_with_its_seconds(said: str, understood: str) -> None:
    follow_up = parse_follow_up(said, turns=DOG, videos=[LOBBY])
    assert say_understood(follow_up, DOG, videos=[LOBBY]) == understood


@pytest.mark.parametrize(
    "said", ["thanks!", "quit", "ok, please", "show me 1:00 to 1:30", "at 1:20, is he there?"]
)
def test_what_names_nothing_to_look_for_is_asked_back(said: str) -> None:
    with pytest.raises(FollowUpError, match="is not understood"):
        parse_follow_up(said, turns=[], videos=["road.mp4"])


def test_a_time_in_quotes_is_looked_for() -> None:
    said = 'the text "10:30" is on the screen'
    assert parse_follow_up(said, turns=[], videos=["road.mp4"]).query == said


def test_what_answers_a_question_is_there_and_not_the_question() -> None:
    follow_up = parse_follow_up("is he still there at 2:10?", turns=DOG, videos=[LOBBY])
    asked = follow_up.model_copy(update={"query": "who comes first"})
    said = say_understood(asked, DOG, videos=[LOBBY])
    assert said == "is the answer to “who comes first” there at 2:10.0?"
