"""Questions with an order, a number, a time or a denial, asked of the captions of the example."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import WordEmbedder
from tools.ranking import Ranking, Window
from tools.retrieval.all_times import cut_to_told
from tools.retrieval.negation import is_negative, read_negation
from tools.retrieval.retrieval import inside, rank
from tools.retrieval.told_there import named_at
from tools.signals.said_times import take_stretch
from tools.timeline import Caption, Interval, Track

LOBBY = Path(__file__).parents[3] / "examples" / "lobby" / "lobby.jsonl"
VISITS = [(8, 20), (24, 46), (52, 70), (76, 88), (94, 120), (124, 136)]
"""When captions name somebody; the labels beside them say the same to two seconds."""


def lobby() -> list[Caption]:
    track = Track("file", "", "file")
    rows = [json.loads(line) for line in LOBBY.read_text().splitlines()]
    return [
        Caption("v", Interval(row["t"], row["t"] + 2.0), row["caption"], "vision", track)
        for row in rows
    ]


def ask(query: str, *, captions: list[Caption] | None = None, every_time: bool = False) -> Ranking:
    """As ``ask`` does: what is there at a moment is looked for in the whole video."""
    track = lobby() if captions is None else captions
    vectors = WordEmbedder().embed([one.text for one in track])
    duration_s = track[-1].end_s
    _, said = take_stretch(query)
    within = said.within(duration_s) if said and not query.startswith("is ") else None
    some, its_vectors = inside(track, np.asarray(vectors), within)
    return rank(
        query,
        some,
        its_vectors,
        embedder=WordEmbedder(),
        duration_s=duration_s,
        every_time=every_time,
        within=within,
    )


def spans(ranking: Ranking) -> list[tuple[float, float]]:
    return sorted((one.span.start_s, one.span.end_s) for one in ranking.events)


@pytest.mark.parametrize(
    ("query", "visit"),
    [
        ("when is the first person at the table?", 0),
        ("the third person comes to the table", 2),
        ("a fourth person arrives", 3),
        ("the last person arrives", 5),
        ("who is the last to arrive?", 5),
        ("who arrives third?", 2),
        ("the second last person arrives", 4),
        ("who is at the table after the man with glasses?", 4),
        ("a second woman comes to the table", 2),
        ("the third man", 5),
        ("after the blonde woman leaves, who comes?", 3),
        ("who comes after the man with glasses leaves?", 4),
        ("the person after the blonde woman", 3),
        ("who comes before the blonde woman?", 1),
        ("after the man with glasses leaves, a woman comes", 4),
    ],
)
def test_who_is_asked_for_by_number_or_order_is_that_visitor(query: str, visit: int) -> None:
    ranking = ask(query)
    assert ranking.verdict == "found"
    start_s, end_s = VISITS[visit]
    assert all(start_s - 0.1 <= first < last <= end_s + 0.1 for first, last in spans(ranking)), (
        spans(ranking)
    )
    assert len(ranking.events) == 1


@pytest.mark.parametrize("query", ["the seventh person arrives", "the fourth man", "a fifth woman"])
def test_a_number_that_is_not_reached_is_not_found_and_the_count_is_said(query: str) -> None:
    ranking = ask(query)
    assert ranking.verdict == "not_found"
    assert "times; there is no number" in ranking.reasoning


@pytest.mark.parametrize(
    "query",
    [
        "how many people come to the table?",
        "every time a person is at the table",
        "whenever somebody comes to the table",
    ],
)
def test_all_visits_are_counted_and_listed(query: str) -> None:
    ranking = ask(query)
    assert spans(ranking) == VISITS
    assert "6 stretches" in ranking.reasoning


def test_nobody_is_there_between_the_visits() -> None:
    ranking = ask("every time nobody is at the table")
    gaps = [0, *(edge for visit in VISITS for edge in visit), 140]
    assert spans(ranking) == list(zip(gaps[::2], gaps[1::2], strict=True))


@pytest.mark.parametrize(
    ("query", "visits"),
    [
        ("a woman but not blonde", [0, 4]),
        ("a woman in black, not the blonde one", [4]),
        ("a man without glasses", [1, 5]),
    ],
)
def test_what_must_not_be_is_left_out(query: str, visits: list[int]) -> None:
    ranking = ask(query)
    assert ranking.verdict == "found"
    starts_s = [first for first, _ in spans(ranking)]
    assert [min(range(6), key=lambda at: abs(VISITS[at][0] - one)) for one in starts_s] == visits


@pytest.mark.parametrize(
    "query", ["nobody wears a hat", "the man is not wearing a hat", "a woman never sits down"]
)
def test_what_captions_do_not_deny_cannot_be_told(query: str) -> None:
    assert ask(query).verdict in {"cannot_tell", "not_found"}


def test_what_happens_at_a_time_is_what_the_caption_there_says() -> None:
    ranking = ask("what happens at 1:20?")
    assert spans(ranking) == [(80, 82)]
    assert "short-haired man with glasses" in ranking.reasoning


def test_without_a_time_or_an_event_nothing_can_be_looked_for() -> None:
    ranking = ask("what happens?")
    assert (ranking.verdict, ranking.is_unclear) == ("cannot_tell", True)


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ("is the blonde woman still there at 1:00?", "found"),
        ("is the blonde woman still there at 1:20?", "not_found"),
        ("is there a man at 0:30?", "found"),
        ("is a man at the table at 1:40?", "not_found"),
    ],
)
def test_whether_somebody_is_there_is_judged_at_that_moment(query: str, verdict: str) -> None:
    ranking = ask(query)
    assert ranking.verdict == verdict
    if verdict == "not_found":
        assert "no caption there names it" in ranking.reasoning


def test_what_happens_next_is_what_follows_and_not_the_thing_itself() -> None:
    ranking = ask("what happens after the man with glasses leaves?")
    assert ranking.verdict == "found"
    assert all(one.span.start_s >= 88 for one in ranking.events)


def test_what_happens_next_follows_the_one_that_is_numbered() -> None:
    ((start_s, end_s),) = spans(ask("what happens after the first woman leaves?"))
    assert start_s == 20
    assert end_s <= 24


def test_where_there_is_no_man_is_between_the_men() -> None:
    assert spans(ask("when is there no man?")) == [(0, 24), (46, 76), (88, 124), (136, 140)]


def test_a_state_is_not_read_off_a_whole_stay() -> None:
    assert (0, 140) not in spans(ask("all the times the table is empty"))


def test_she_is_the_one_who_was_named() -> None:
    ranking = ask("what does the blonde woman do before she leaves?")
    assert ranking.reasoning == "This is what comes before “the blonde woman leaves”."
    assert all(52 <= one.span.start_s < one.span.end_s <= 70 for one in ranking.events)


def test_two_things_in_a_row_are_not_denied_as_one() -> None:
    assert ask("first zebras trumpet, then elephants").verdict == "cannot_tell"


def test_what_leaves_is_answered_by_its_last_moment() -> None:
    for first, last in spans(ask("the blonde woman leaves the table")):
        assert (first, last) == (68, 70)


def test_what_happens_after_something_that_is_not_found_cannot_be_told() -> None:
    ranking = ask("what happens after zebras trumpeted?")
    assert (ranking.verdict, ranking.events) == ("cannot_tell", ())


@pytest.mark.parametrize(
    "told",
    [
        "An Asian man in a full suit without a tie near a conference seems to be in good spirits",
        "A woman walks without shoes on the beach",
        "A man speaks without looking up from his notes",
    ],
)
def test_an_aside_is_no_denial(told: str) -> None:
    assert read_negation(told) is None
    assert not is_negative(told)


def test_what_follows_two_times_is_one_answer() -> None:
    said = ["a road", "a dog", "a road", "a dog", "a tree", "a house", "a tree", "a house"]
    track = Track("file", "", "file")
    some = [
        Caption("v", Interval(2.0 * at, 2.0 * at + 2), text, "vision", track)
        for at, text in enumerate(said)
    ]
    events = spans(ask("what happens after the dog leaves?", captions=some))
    assert events
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(events))


EMPTY = [(0, 8), (20, 24), (46, 52), (70, 76), (88, 94), (120, 124), (136, 140)]
"""Between the visits."""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("every time the table is empty", EMPTY),
        ("when is the table empty?", EMPTY),
        ("the room is deserted", EMPTY),
        ("the first time the table is empty", EMPTY[:1]),
        ("when is the table empty for the second time", EMPTY[1:2]),
        ("the last time the table is empty", EMPTY[-1:]),
    ],
)
def test_an_empty_table_is_one_list_of_times_in_every_form(
    query: str, expected: list[tuple[float, float]]
) -> None:
    assert spans(ask(query)) == expected


def told_as(*said: str) -> list[Caption]:
    """One caption a second."""
    track = Track("file", "", "file")
    return [
        Caption("v", Interval(float(at), at + 1.0), text, "vision", track)
        for at, text in enumerate(said)
    ]


HANDLE = told_as(
    "First-person view of a kitchen.",
    "A hand touches the handle of a wall cupboard.",
    "The wall cupboard is open.",
    "A hand takes a white mug.",
    "A hand is on the handle of the closed cupboard.",
    "Two hands hold a mug above the sink.",
    "The mug is under the faucet.",
    "The open fridge shows a gallon of milk.",
    "A hand touches the jug.",
)


def test_of_what_is_named_all_through_the_captions_that_say_all_of_it_are_counted() -> None:
    query = "a hand is on the cupboard handle"
    assert spans(ask(f"the first time {query}", captions=HANDLE)) == [(1, 2)]
    assert spans(ask(f"the second time {query}", captions=HANDLE)) == [(4, 5)]


@pytest.mark.parametrize("query", ["when is nobody there", "every time nobody is there"])
@pytest.mark.parametrize(
    "captions",
    [
        HANDLE,
        told_as("A woman waves.", *["Hands slide two red cups."] * 5, "A kettle stands.", "A man."),
        told_as("A woman waves.", *["Coffee flows into a mug."] * 6, "A man waves."),
    ],
)
def test_hands_are_somebodys_and_nobody_has_to_be_said(query: str, captions: list[Caption]) -> None:
    ranking = ask(query, captions=captions)
    assert (ranking.verdict, ranking.events) == ("cannot_tell", ())


@pytest.mark.parametrize(
    "query", ["nobody sits", "nobody stands up", "nobody comes", "nobody leaves the table"]
)
def test_what_nobody_does_is_not_that_nobody_is_there(query: str) -> None:
    assert ask(query).verdict == "cannot_tell"


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ("is the mug there at 0:06?", "found"),
        ("is the milk there at 0:07?", "found"),
        ("is there a gallon of milk at 0:07?", "found"),
        ("is the mug there at 0:08?", "not_found"),
        ("is the green mug there at 0:06?", "cannot_tell"),
        ("is nobody there at 0:05?", "not_found"),
    ],
)
def test_what_the_caption_of_a_moment_names_is_there(query: str, verdict: str) -> None:
    ranking = ask(query, captions=HANDLE)
    assert ranking.verdict == verdict
    if verdict == "found":
        at_s = float(query.rstrip("?")[-2:])
        assert any(first <= at_s < last for first, last in spans(ranking))
    if "mug there at 0:08" in query:
        assert "no caption there names it" in ranking.reasoning


@pytest.mark.parametrize("query", ["who is at the table at 1:20?", "who's there at 1:20?"])
def test_who_is_there_at_a_moment_is_said_by_its_caption(query: str) -> None:
    ranking = ask(query)
    assert spans(ranking) == [(80, 82)]
    assert "short-haired man with glasses" in ranking.reasoning


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("how many people come in total?", "Counted: 6. Captions name it in 6 stretches"),
        ("how many people come to the table?", "Counted: 6. "),
        ("how many times is the table empty?", "Counted: 7. In 7 stretches no caption names any"),
        ("every time nobody is in the room", "In 7 stretches no caption names anybody; each"),
        ("when is there no man?", "In 4 stretches no caption names “man”; each counts"),
    ],
)
def test_a_count_is_a_number_in_plain_words(query: str, expected: str) -> None:
    assert ask(query).reasoning.startswith(expected)


def test_where_captions_say_a_number_the_count_of_times_is_told_apart_from_it() -> None:
    said = ["two more red cups stand on a table", "three red cups", "an empty lawn", "a dog"]
    why = ask("how many cups are there?", captions=told(*said)).reasoning
    assert why.startswith("Counted: 1. Captions name it in one stretch. ")
    assert why.endswith("At once there may be more: captions say “three red cups”.")


def test_the_caption_of_a_frame_is_of_what_lies_around_it() -> None:
    track = Track("file", "", "file@0.5/s")
    some = [
        Caption("v", Interval(2.0 * at, 2.0 * at + 2), text, "vision", track)
        for at, text in enumerate(["A road.", "A dog on a road.", "A tree on a road."])
    ]
    assert ask("is the dog there at 0:01.5?", captions=some).verdict == "found"
    assert ask("is the dog there at 0:03.5?", captions=some).verdict == "not_found"


@pytest.mark.parametrize(
    ("text", "moment_s", "is_all"),
    [
        ("the mug", 6.0, True),
        ("the milk", 7.0, True),
        ("the blue mug", 6.0, False),
        ("the mug", 7.0, None),
        ("the mug falls", 6.0, None),
    ],
)
def test_a_caption_names_a_thing_with_or_without_all_that_is_said_of_it(
    text: str, moment_s: float, is_all: bool | None
) -> None:
    named = named_at(text, HANDLE, moment_s)
    assert (named and named[1]) == is_all
    assert named is None or named[0].start_s == moment_s


def told(*texts: str) -> list[Caption]:
    """Captions of two seconds each."""
    track = Track("file", "", "file")
    return [
        Caption("v", Interval(2.0 * at, 2.0 * at + 2.0), text, "vision", track)
        for at, text in enumerate(texts)
    ]


def test_a_person_of_a_womans_visit_is_not_no_woman_and_one_of_a_mans_visit_is() -> None:
    ranking = ask("not a woman")
    assert (0.0, 8.0) in spans(ranking)
    assert (20.0, 52.0) in spans(ranking)


def test_a_person_of_whom_no_caption_says_more_may_be_a_woman() -> None:
    some = told("an empty room", "a person sits", "an empty room", "a woman sits")
    assert spans(ask("not a woman", captions=some)) == [(0.0, 2.0), (4.0, 6.0)]


def test_a_puppy_is_a_dog_and_a_dog_is_no_puppy() -> None:
    some = told("a brown dog", "an empty road", "a white puppy", "a white dog", "an empty road")
    assert spans(ask("the second dog", captions=some)) == [(4.0, 8.0)]
    assert spans(ask("the first puppy", captions=some)) == [(4.0, 6.0)]


def test_one_man_of_several_shown_in_turn_is_there_only_where_captions_say_so() -> None:
    man, others = "a man in a skull hoodie", ["a man in a sweater", "a man with a lanyard"]
    some = told(man, *others * 3, man, *others * 3, man, "an empty road")
    query = "when does the man with the skull hoodie appear for the last time?"
    ranking = ask(query, captions=some)
    assert spans(ranking) == [(28.0, 30.0)]
    assert "3 times" in ranking.reasoning


@pytest.mark.parametrize("query", ["everything except the dog", "all but the dog"])
def test_everything_except_something_is_the_rest_of_the_video(query: str) -> None:
    some = told("an empty road", "a brown dog", "the brown dog runs", "red cups", "red cups move")
    ranking = ask(query, captions=some)
    assert ranking.verdict == "found"
    assert spans(ranking) == [(0.0, 2.0), (6.0, 10.0)]


def test_a_time_much_longer_than_the_captions_that_say_the_words_is_cut_to_them() -> None:
    road, pass_by = "an empty road", "a red car and a silver car pass"
    some = told(road, road, road, pass_by, "the red car leaves, the silver car too", road, road)
    whole = Window(Interval(0.0, 8.0), 0.5, 0.5)
    [cut] = cut_to_told([whole], "a red car and a silver car pass", some)
    assert cut.span == Interval(6.0, 10.0)
    near = Window(Interval(5.0, 8.0), 0.5, 0.5)
    assert cut_to_told([near], "a red car and a silver car pass", some) == (near,)
    assert cut_to_told([whole], "two vehicles meet", some) == (whole,)
