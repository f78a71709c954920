"""Sources that point to the same time make it surer; one that is not at hand changes nothing."""

import json
from pathlib import Path

import numpy as np
import pytest

from tools import ranking as rankings
from tools.embedders.embedder import open_embedder
from tools.ranking import Ranking, Verdict, Window
from tools.retrieval.agreement import OddsCurve
from tools.retrieval.fusion import Voice, fuse
from tools.retrieval.retrieval import rank, retrieve
from tools.sight.frame_track import as_caption, sight_track
from tools.timeline import Caption, Interval, Track

DESCRIBED, SAID, SEEN = (
    Track("openai:eyes", "", "frame@1/s"),
    Track("speaker", "", "subtitles"),
    sight_track("sight:tiny@1", "frame@1/s"),
)
LENGTH_S = 100


def voice(track: Track, *windows: tuple[float, float, float], verdict: Verdict = "found") -> Voice:
    spans = [Interval(float(at), at + 1.0) for at in range(LENGTH_S)]
    source = "subtitle" if track is SAID else "vision"
    captions = [
        as_caption("v", span, track)
        if track is SEEN
        else Caption("v", span, str(span), source, track)  # type: ignore[arg-type]  # a Source
        for span in spans
    ]
    ranked = tuple(Window(Interval(a, b), score, score) for a, b, score in windows)
    events = ranked[:1] if verdict == "found" else ()
    best = max((one.confidence for one in ranked), default=0.0)
    presence = None if verdict == "cannot_tell" and not ranked else best
    return Voice.of(captions, Ranking(verdict, ranked, events, np.zeros(LENGTH_S), "", presence))


def spans(ranking: Ranking) -> list[tuple[float, float]]:
    return [(one.span.start_s, one.span.end_s) for one in ranking.events]


def test_two_that_point_to_one_time_are_surer_than_each_and_say_that_they_agree() -> None:
    described, seen = voice(DESCRIBED, (10, 20, 0.6)), voice(SEEN, (11, 20, 0.5))
    fused = fuse([described, seen])[1]
    assert spans(fused) == [(10, 20)]
    assert fused.events[0].confidence > 0.7
    assert fused.presence is not None
    assert fused.presence >= fused.events[0].confidence
    assert [one.agrees for one in fused.heard] == [True, True]


def test_a_time_that_two_know_comes_before_one_that_one_of_them_prefers() -> None:
    described = voice(DESCRIBED, (10, 20, 0.6), (50, 60, 0.45))
    fused = fuse([described, voice(SEEN, (50, 60, 0.7))])[1]
    assert spans(fused)[0] == (50, 60)


def test_one_that_points_elsewhere_is_told_with_its_time() -> None:
    fused = fuse([voice(DESCRIBED, (10, 20, 0.9)), voice(SEEN, (50, 60, 0.4))])[1]
    assert spans(fused)[0] == (10, 20)
    by_kind = {one.kind: one for one in fused.heard}
    assert by_kind["described"].agrees
    assert by_kind["seen"].agrees is False
    assert by_kind["seen"].best == Interval(50, 60)
    plain = json.loads(json.dumps(fused.as_dict()["heard"]))
    assert tuple(map(rankings.Testimony.from_dict, plain)) == fused.heard
    # A thread of an earlier version has neither.
    old = {name: plain[1][name] for name in ("kind", "name", "track", "verdict", "answers")}
    assert rankings.Testimony.from_dict(old).agrees is None


@pytest.mark.parametrize("verdict", ["not_found", "cannot_tell"])
def test_silence_of_speech_is_no_contradiction_but_that_of_frames_is(verdict: Verdict) -> None:
    described = voice(DESCRIBED, (10, 20, 0.6))
    for track, expected in ((SAID, None), (SEEN, False if verdict == "not_found" else None)):
        fused = fuse([described, voice(track, verdict=verdict)])[1]
        assert [one.agrees for one in fused.heard] == [True, expected]
        assert fused.events[0].confidence == 0.6


def test_speech_is_no_less_sure_of_what_no_caption_shows() -> None:
    fused = fuse([voice(DESCRIBED, (50, 60, 0.4)), voice(SAID, (10, 20, 0.9))])[1]
    assert fused.events[0].confidence == 0.9


def test_all_that_find_nothing_agree() -> None:
    silent = [voice(one, verdict="not_found") for one in (DESCRIBED, SEEN)]
    assert [one.agrees for one in fuse(silent)[1].heard] == [True, True]


def test_a_curve_is_one_where_a_source_says_nothing_and_its_mean_is_one() -> None:
    silent = OddsCurve(voice(SEEN, verdict="cannot_tell").ranking, duration_s=LENGTH_S)
    assert silent.log_odds(Interval(3, 9)) == 0.0
    curve = OddsCurve(voice(SEEN, (10, 20, 0.5), (70, 90, 0.1)).ranking, duration_s=LENGTH_S)
    seconds = [curve.log_odds(Interval(float(at), at + 1.0)) for at in range(LENGTH_S)]
    assert np.mean(np.exp(seconds)) == pytest.approx(1.0, abs=0.05)
    assert seconds[15] > 0 > seconds[30]


@pytest.mark.slow
def test_without_sight_an_answer_from_captions_is_the_same_to_the_last_bit(
    tmp_path: Path,
) -> None:
    embedder = open_embedder("minilm", cache=tmp_path)
    texts = [f"a dog {what}" for what in ("sleeps", "sleeps", "eats", "eats", "runs", "barks")]
    captions = [
        Caption("v", Interval(2.0 * at, 2.0 * at + 2), text, "vision", DESCRIBED)
        for at, text in enumerate(texts)
    ]
    vectors = embedder.embed(texts)
    for query in ("the dog eats", "the dog eats after it sleeps", "a car crashes"):
        alone = rank(query, captions, vectors, embedder=embedder, duration_s=12.0)
        answer = retrieve(query, [(captions, vectors)], embedder=embedder, duration_s=12.0).ranking
        assert answer.as_dict() == alone.as_dict()
        assert answer.relevance.tobytes() == alone.relevance.tobytes()
