"""Several kinds of captions asked together: whose events count, and what that does to verdicts."""

from dataclasses import replace

import numpy as np
import pytest

from tools.ranking import Ranking, Verdict, Window
from tools.retrieval.fusion import Voice, fuse
from tools.timeline import Caption, Interval, Source, Track


def captions_of(source: Source, *spans: tuple[float, float]) -> list[Caption]:
    track = Track(source, "", source)
    return [Caption("video", Interval(*span), f"{source} {span}", source, track) for span in spans]


def ranking_of(
    verdict: Verdict, *windows: tuple[float, float, float], captions: int, presence: float | None
) -> Ranking:
    ranked = tuple(Window(Interval(a, b), score, score) for a, b, score in windows)
    return Ranking(
        verdict,
        ranked,
        ranked[:1] if verdict == "found" else (),
        np.linspace(1.0, 0.0, captions),
        f"{verdict} it is",
        presence,
    )


SEEN = captions_of("vision", (0, 4), (4, 8), (8, 12))
SAID = captions_of("subtitle", (1, 2), (9, 11))


def test_one_track_is_left_as_it_is() -> None:
    ranking = ranking_of("found", (4, 8, 0.7), captions=3, presence=0.7)
    assert fuse([Voice.of(SEEN, ranking)]) == (SEEN, ranking)


def test_what_one_track_finds_is_found_though_another_does_not_see_it() -> None:
    seen = ranking_of("not_found", (4, 8, 0.1), captions=3, presence=0.1)
    said = ranking_of("found", (9, 11, 0.8), captions=2, presence=0.8)
    captions, fused = fuse([Voice.of(SEEN, seen), Voice.of(SAID, said)])
    assert (fused.verdict, fused.presence, fused.reasoning) == ("found", 0.8, "found it is")
    assert [event.span for event in fused.events] == [Interval(9, 11)]
    assert [window.span for window in fused.windows] == [Interval(9, 11), Interval(4, 8)]
    assert captions == sorted(captions, key=lambda one: one.span)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("cannot_tell", "not_found", "cannot_tell"),
        ("not_found", "cannot_tell", "not_found"),
        ("cannot_tell", "found", "found"),
    ],
)
def test_the_first_track_decides_unless_another_finds_it(
    one: Verdict, other: Verdict, together: Verdict
) -> None:
    seen = ranking_of(one, (4, 8, 0.1), captions=3, presence=None)
    said = ranking_of(other, (9, 11, 0.8), captions=2, presence=0.4)
    assert fuse([Voice.of(SEEN, seen), Voice.of(SAID, said)])[1].verdict == together


@pytest.mark.parametrize(("confidence", "told"), [(0.5, True), (0.3, False)])
def test_an_event_of_another_kind_is_told_too_if_it_is_nearly_as_sure(
    confidence: float, told: bool
) -> None:
    seen = ranking_of("found", (4, 8, 0.8), captions=3, presence=0.8)
    said = ranking_of("found", (9, 11, confidence), captions=2, presence=confidence)
    fused = fuse([Voice.of(SEEN, seen), Voice.of(SAID, said)])[1]
    assert [event.span for event in fused.events] == [Interval(4, 8), Interval(9, 11)][: 1 + told]


def test_the_same_moment_is_told_once() -> None:
    seen = ranking_of("found", (8, 12, 0.8), captions=3, presence=0.8)
    said = ranking_of("found", (8.2, 12, 0.7), captions=2, presence=0.7)
    fused = fuse([Voice.of(SEEN, seen), Voice.of(SAID, said)])[1]
    assert len(fused.events) == len(fused.windows) == 1


def test_relevance_is_by_place_within_a_track() -> None:
    seen = ranking_of("not_found", captions=3, presence=0.1)
    said = ranking_of("not_found", captions=2, presence=0.1)
    captions, fused = fuse([Voice.of(SEEN, seen), Voice.of(SAID, said)])
    best = {captions[index].source for index in np.argsort(-fused.relevance)[:2]}
    assert best == {"vision", "subtitle"}


def test_of_what_is_measured_the_same_for_long_the_ends_are_told() -> None:
    measured = Track("classical-4", "", "classical")
    seconds = [
        Caption("video", Interval(at, at + 1), "Something is present.", "signal", measured)
        for at in range(60)
    ]
    stays = ranking_of("found", (10, 50, 0.8), captions=60, presence=0.8)
    shown = np.array([float(10 <= at < 50) for at in range(60)])
    stays = replace(stays, relevance=shown)
    seen = ranking_of("cannot_tell", captions=3, presence=None)
    captions, fused = fuse([Voice.of(SEEN, seen), Voice.of(seconds, stays)])
    told = [one.start_s for one in captions if one.source == "signal"]
    assert told == [*range(8, 13), *range(47, 52)]
    assert [event.span for event in fused.events] == [Interval(10, 50)]
    assert len(fused.relevance) == len(captions)
