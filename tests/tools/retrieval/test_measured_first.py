"""What is measured answers beside captions if it is asked for; else captions do."""

from dataclasses import replace

import numpy as np
import pytest

from tests.fakes import WordEmbedder
from tools.captioners.classical import VERSION
from tools.ranking import Ranking, Verdict, Window
from tools.retrieval.fusion import Voice, fuse
from tools.retrieval.measured_need import can_be_measured, may_be_read, measured_need
from tools.retrieval.retrieval import retrieve
from tools.timeline import Caption, Interval, Source, Track

DESCRIBED = Track("file:abc", "", "file")
MEASURED = Track(VERSION, "", "frame@1/s")
MEASURED_TEXT = Track(f"{VERSION}+ocr", "", "frame@1/s")


def voice(track: Track, verdict: Verdict, at_s: float, *, is_exact: bool = False) -> Voice:
    source: Source = "signal" if track == MEASURED else "vision"
    captions = [
        Caption("video", Interval(second, second + 1), f"{source} {second}", source, track)
        for second in range(20)
    ]
    windows = (Window(Interval(at_s, at_s + 1), 0.9, 0.9),)
    relevance = np.zeros(20)
    relevance[int(at_s)] = 1.0
    events = windows if verdict == "found" else ()
    kept = () if verdict == "cannot_tell" else windows
    return Voice.of(
        captions, Ranking(verdict, kept, events, relevance, track.model, is_exact=is_exact)
    )


@pytest.mark.parametrize(
    ("described", "measured", "is_exact", "answers", "verdict"),
    [
        ("found", "found", True, MEASURED, "found"),
        ("found", "not_found", True, MEASURED, "not_found"),
        ("found", "found", False, DESCRIBED, "found"),
        ("not_found", "found", False, MEASURED, "found"),
        ("cannot_tell", "not_found", False, MEASURED, "not_found"),
        ("not_found", "cannot_tell", False, DESCRIBED, "not_found"),
        ("not_found", "cannot_tell", True, MEASURED, "cannot_tell"),
        ("found", "cannot_tell", True, DESCRIBED, "found"),
    ],
)
def test_one_source_answers_and_is_named(
    described: Verdict, measured: Verdict, is_exact: bool, answers: Track, verdict: Verdict
) -> None:
    both = [voice(DESCRIBED, described, 3), voice(MEASURED, measured, 12, is_exact=is_exact)]
    captions, ranking = fuse(both)
    assert ranking.verdict == verdict
    assert [one.track for one in ranking.heard if one.answers] == [answers.key]
    assert {event.track for event in ranking.events} <= {answers.key}
    assert sum(one.source == "signal" for one in captions) < 20  # Only those near what answers.


def test_captions_that_hardly_fit_give_way_to_what_is_measured_of_things() -> None:
    described, measured = voice(DESCRIBED, "found", 3), voice(MEASURED, "found", 12)
    unsure = (replace(described.ranking.windows[0], confidence=0.15),)
    weak = replace(described.ranking, windows=unsure, events=unsure)
    _, ranking = fuse([replace(described, ranking=weak), measured])
    assert [one.track for one in ranking.heard if one.answers] == [MEASURED.key]
    assert [event.span for event in ranking.events] == [Interval(12, 13)]


def test_which_of_several_is_measured_is_not_changed_by_what_captions_say() -> None:
    described, measured = voice(DESCRIBED, "not_found", 3), voice(MEASURED, "found", 12)
    others = Window(Interval(3, 4), 0.9, 0.9)
    second = replace(measured.ranking, windows=(*measured.ranking.windows, others))
    _, ranking = fuse([described, replace(measured, ranking=second)])
    assert [event.span for event in ranking.events] == [Interval(12, 13)]


@pytest.mark.parametrize(
    ("query", "need"),
    [
        ("the third cut", "picture"),
        ("the screen turns orange", "picture"),
        ("black screen", "picture"),
        ("a dog barks after the second cut", "picture"),
        ('the title "The End"', "text"),
        ("when does $48,230 appear?", "text"),
        ("The Silent Sea", "text"),
        ("when does Big Buck Bunny appear?", "text"),
        ("something enters", "picture"),
        ("when does someone leave?", "picture"),
        ("a dog barks after something moves", "picture"),
        ("before the last cut", "picture"),
        ("what happens after the screen goes black?", "picture"),
        ("from the first cut to the end", "picture"),
        ("before the coffee", None),
        ("from the coffee to the end", None),
        ("someone opens the fridge", None),
        ("Anna opens the door", None),
        ("a woman in a red coat", None),
    ],
)
def test_a_video_is_measured_beside_captions_only_where_that_is_asked_for(
    query: str, need: str | None
) -> None:
    assert measured_need(query) == need


@pytest.mark.parametrize(
    ("query", "need"),
    [
        ("coffee is poured before 5:00", None),
        ("what happens at 0:22?", None),
        ("who is at the table at 1:20?", None),
        ("a dog barks between 1:00 and 2:30", None),
        ("what does the sign say at 1:20?", "text"),
        ("$48,230 before 5:00", "text"),
        ("the clock is at 1:20", "text"),
        ("they go home at 11:00", "text"),
    ],
)
def test_a_time_of_the_video_is_not_read_off_its_screen(query: str, need: str | None) -> None:
    assert measured_need(query, duration_s=400.0) == need


@pytest.mark.parametrize(
    ("query", "is_hopeless"),
    [
        ("a woman dances", True),
        ("something enters", False),
        ("when is Anna here", False),
        ("the third cut", False),
    ],
)
def test_what_no_sense_can_know_is_known_before_one_looks(query: str, is_hopeless: bool) -> None:
    assert (not can_be_measured(query) and not may_be_read(query)) is is_hopeless


def told(words: dict[int, str], track: Track, *, seconds: int = 20) -> list[Caption]:
    """A caption each second; those of a measured track that say something are screen text."""
    return [
        Caption("video", Interval(at, at + 1), words.get(at, "a road"), "vision", track)
        for at in range(seconds)
    ]


CUTS = [
    Caption(
        "video",
        Interval(at, at + 0.04),
        f"A new shot begins, cut at {at:.2f} s.",
        "signal",
        MEASURED,
    )
    for at in (3.0, 8.0, 14.0)
]


def ask(query: str, *tracks: list[Caption]) -> tuple[list[Caption], Ranking]:
    embedder = WordEmbedder()
    embedded = [(one, embedder.embed([caption.text for caption in one])) for one in tracks]
    found = retrieve(query, embedded, embedder=embedder, duration_s=20.0)
    return list(found.captions), found.ranking


def test_parts_of_an_order_are_found_each_in_the_track_that_knows_it() -> None:
    dogs = told(dict.fromkeys((4, 16, 17), "a dog barks"), DESCRIBED)
    captions, ranking = ask("a dog barks after the third cut", dogs, CUTS)
    assert ranking.verdict == "found"
    assert [one.span for one in ranking.events] == [Interval(16, 18)]
    assert {one.kind for one in ranking.heard if one.answers} == {"described", "measured"}
    assert {CUTS[2].id} <= {one.id for one in captions}
    _, ranking = ask("the last cut before a dog barks", told({10: "a dog barks"}, DESCRIBED), CUTS)
    assert [one.span.start_s for one in ranking.events] == [8.0]
    _, ranking = ask("a dog barks after the third cut", told({4: "a dog barks"}, DESCRIBED), CUTS)
    assert ranking.verdict == "not_found"


def test_words_that_are_read_as_a_title_is_written_do_not_give_way_to_captions() -> None:
    read = [
        Caption("video", Interval(5, 6), "On screen: “THE SILENT SEA”.", "screen", MEASURED_TEXT),
        Caption("video", Interval(6, 7), "The camera is still.", "signal", MEASURED_TEXT),
    ]
    _, ranking = ask("The Silent Sea", told({12: "the silent sea"}, DESCRIBED), read)
    assert [one.span.start_s for one in ranking.events] == [5.0]


def test_words_that_are_read_though_nobody_said_text_stand_beside_what_captions_find() -> None:
    read = voice(MEASURED, "found", 12)
    shown = [replace(one, source="screen") for one in read.captions]
    _, ranking = fuse([voice(DESCRIBED, "found", 3), Voice.of(shown, read.ranking)])
    assert sorted(one.span.start_s for one in ranking.events) == [3.0, 12.0]
