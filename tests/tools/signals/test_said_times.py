"""The stretch of a video that a question names, and which of several it wants."""

import pytest

from tests.measured_film import FILM, ask, cut_at, said, spans
from tools.ranking import Ranking
from tools.signals.claims import Claim
from tools.signals.counting import ordinal, take_numbers
from tools.signals.said_times import take_stretch, why_no_time
from tools.signals.signal_grounder import WINDOWS_LIMIT, ground_signals
from tools.timeline import Interval


@pytest.mark.parametrize(
    ("query", "rest", "expected"),
    [
        ("is it dark between 0:20 and 0:30?", "is it dark ?", (20, 30)),
        ("from 10 to 20 seconds, red", "red", (10, 20)),
        ("red between 10s and 1 min", "red", (10, 60)),
        ("someone enters after 1:00", "someone enters", (60, 100)),
        ("a dark scene after 1 minute", "a dark scene", (60, 100)),
        ("text before 0:15", "text", (0, 15)),
        ("cuts in the first half", "cuts", (0, 50)),
        ("red in the last quarter", "red", (75, 100)),
        ("something moves in the last 10 seconds", "something moves", (90, 100)),
        ("red in the last minute", "red", (40, 100)),
        ("nobody in the second minute", "nobody", (60, 100)),
        ("the scene changes at 0:30", "the scene changes", (28, 32)),
        ("a cut around the 30 second mark", "a cut", (25, 35)),
        ("before the end", "", (90, 100)),
        ("right after the beginning of the video", "", (0, 10)),
        ("the second half is black", "the picture is black", (50, 100)),
        ("is the first quarter of the video dark?", "the picture is dark", (0, 25)),
    ],
)
def test_a_named_stretch_is_searched(query: str, rest: str, expected: tuple[float, float]) -> None:
    left, stretch = take_stretch(query)
    assert left == rest
    assert stretch is not None
    assert stretch.within(100.0) == Interval(*expected)


@pytest.mark.parametrize(
    "query",
    [
        "the timer is at 0:30",
        "the clock reads 10:00",
        'the text "after 1:00"',
        "he leaves at 10:30 pm",
        "ten seconds after the goal",
        "after 10 seconds of silence",
        "between the first and the second cut",
        "in the first half of the game",
        "it lasts for 5 seconds",
        "people walk around as well",
        "he plays on for about a minute",
        "films from the 1990s",
        "for the last time",
        "the second half is of wood",
        "he arrives before the end of the game",
    ],
)
def test_other_times_are_no_stretch_of_the_video(query: str) -> None:
    assert take_stretch(query) == (query, None)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("what happens at 9:99?", "9:99 is no time"),
        ("a man between 0:10 and 0:75", "0:75 is no time"),
        ("a man between 2:00 and 1:00", "1:00 is not after 2:00"),
        ("from 1:00 to 1:00, a man", "1:00 is not after 1:00"),
        ("a man at 1:05", ""),
        ("between 1:00 and 2:00, a man", ""),
        ("the score is 9:99", ""),
        ('the text "at 9:99"', ""),
    ],
)
def test_a_time_that_is_none_is_told(query: str, why: str) -> None:
    assert why_no_time(query).startswith(why)
    assert bool(why_no_time(query)) == bool(why)


def test_a_stretch_past_the_end_is_none() -> None:
    _, stretch = take_stretch("red after 2:00")
    assert stretch is not None
    assert stretch.within(100.0) is None


@pytest.mark.parametrize(
    ("said_as", "numbers"),
    [
        ("the second person walks in", (2,)),
        ("the second to last cut", (-2,)),
        ("last but one cut", (-2,)),
        ("the next-to-last shot", (-2,)),
        ("the shot before the last", (-2,)),
        ("the first two cuts", (1, 2)),
        ("the last 3 shots", (-3, -2, -1)),
        ("the first and the third cut", (1, 3)),
        ("cut number 3", (3,)),
        ("the 21st cut", (21,)),
        ("the opening shot", (1,)),
        ("someone enters for the third time", (3,)),
        ("lower third", ()),
        ("for a second", ()),
        ("every second cut", ()),
    ],
)
def test_numbers_are_said_in_many_ways(said_as: str, numbers: tuple[int, ...]) -> None:
    assert take_numbers(said_as)[1] == numbers


def test_ordinals_in_words() -> None:
    assert [ordinal(number) for number in (1, 11, 12, 21, 22, 103, -1, -2)] == [
        *("first", "11th", "12th", "21st", "22nd", "103rd", "last", "second to last")
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("the second cut", [(7.0, 7.04)]),
        ("the second to last cut", [(4.62, 4.66)]),
        ("cut number 2", [(7.0, 7.04)]),
        ("the third to last shot", [(0.0, 4.62)]),
        ("how long is the second shot?", [(4.62, 7.0)]),
        ("after the first cut", [(4.62, 7.0)]),
        ("after the last cut", [(7.0, 10.0)]),
        ("before the first cut", [(0.0, 4.62)]),
        ("what happens between the first and the second cut?", [(4.62, 7.0)]),
        ("between cut 1 and 2", [(4.62, 7.0)]),
        ("while it is black", [(5.0, 7.0)]),
        ("until the screen is black", [(0.0, 5.0)]),
        ("until the second cut", [(0.0, 7.0)]),
        ("from the start until the first cut", [(0.0, 4.62)]),
        ("from the first cut to the second cut", [(4.62, 7.0)]),
        ("from the first cut to the second", [(4.62, 7.0)]),
        ("between the first cut and the last one", [(4.62, 7.0)]),
        ("from cut 1 to the end", [(4.62, 10.0)]),
        ("from the first cut on", [(4.62, 10.0)]),
        ("between the start and the first cut", [(0.0, 4.62)]),
        ("between the last cut and the end of the video", [(7.0, 10.0)]),
        ("from when something appears until the screen is black", [(2.0, 7.0)]),
        ("when does the second shot start?", [(4.62, 4.66)]),
        ("shot 3 begins", [(7.0, 7.04)]),
        ("the end of the second shot", [(7.0, 7.04)]),
        ("the start of the last shot", [(7.0, 7.04)]),
        ("when does it stop being black", [(7.0, 7.04)]),
        ("red in the last shot", [(8.0, 10.0)]),
        ("black in the second shot", [(5.0, 7.0)]),
        ("when is the screen not black?", [(0.0, 5.0), (7.0, 10.0)]),
    ],
)
def test_a_part_of_what_is_measured_is_answered(
    query: str, expected: list[tuple[float, float]]
) -> None:
    assert spans(ask(query)) == expected


@pytest.mark.parametrize("query", ["the third cut", "after the fifth cut", "red in the first shot"])
def test_a_number_that_is_not_there_is_not_found(query: str) -> None:
    answer = ask(query)
    assert (answer.verdict, answer.events) == ("not_found", ())


def test_the_number_of_an_arrival_is_open_where_some_may_not_have_been_seen() -> None:
    film = [said(at, Claim("pans left")) for at in range(8, 20)]
    answer = ground_signals("the second time something enters", [*FILM[:5], *film], duration_s=20.0)
    assert answer.verdict == "cannot_tell"
    assert answer.reasoning.startswith("There is one, and no second one. The camera was still")


def test_what_lies_before_the_last_of_many_cuts_begins_with_the_one_before_it() -> None:
    film = [cut_at(float(at)) for at in range(1, 30)]
    answer = ground_signals("before the last cut", film, duration_s=40.0)
    assert spans(answer) == [(28.0, 29.0)]
    assert len(answer.windows) <= WINDOWS_LIMIT


def _within(query: str, low_s: float, high_s: float) -> Ranking:
    kept = [one for one in FILM if low_s <= one.start_s and one.end_s <= high_s]
    return ground_signals(query, kept, duration_s=10.0, within=Interval(low_s, high_s))


def test_a_part_of_a_video_is_judged_by_itself() -> None:
    assert spans(_within("the longest shot", 2.0, 9.0)) == [(2.0, 4.62)]
    assert _within("the camera pans right", 1.0, 4.0).verdict == "not_found"
    assert spans(_within("the last cut", 4.0, 6.0)) == [(4.62, 4.66)]


def test_how_many_and_how_long_are_said() -> None:
    assert ask("how many cuts are there?").reasoning.endswith("Counted: 2.")
    assert ask("how long is it black?").reasoning.endswith("It lasts 2.0 s.")
    assert ask("is it always black?").reasoning.endswith("black”. It is so for 2 s in all.")
    assert ask("after the second cut").reasoning.endswith(
        "are not looked for. This is what comes after “the second cut”."
    )
    assert ask("how long is the video?").reasoning == "The video is 10.0 s long."
    many = [*FILM[:4], *(cut_at(float(at)) for at in range(5, 9))]
    assert ask("the last two cuts", many).reasoning.endswith(
        "There are 4; these are the second to last and the last."
    )


@pytest.mark.parametrize("query", ["exactly one person is there", "somebody is not moving"])
def test_what_is_not_counted_or_told_apart_stays_open(query: str) -> None:
    assert ask(query).verdict == "cannot_tell"
