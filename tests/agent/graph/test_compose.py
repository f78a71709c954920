"""From an accepted answer to intervals: edges beside what nobody saw, and unknown scripts."""

import itertools
from pathlib import Path

import pytest

from agent.api import Grounder
from agent.graph.advice import unknown_script
from agent.graph.compose import ground_event, standing
from agent.grounding import GroundedInterval
from agent.reasoning.answer import Answer, NumberedEvent
from tests.drawing import draw_video, even_times
from tests.fakes import WordEmbedder
from tools.timeline import Caption, Interval, Track


def captions_of(mode: str, *edges_s: float) -> list[Caption]:
    track = Track("openai:tiny", "v1", mode)
    return [
        Caption("video", Interval(start_s, end_s), f"caption {start_s}", "vision", track)
        for start_s, end_s in itertools.pairwise(edges_s)
    ]


def test_an_edge_beside_what_was_not_looked_at_is_nobodys() -> None:
    captions = captions_of("frame@1/s", 10, 11, 12)
    edges = (Interval(0, 10), Interval(12, 30))
    found = Answer(found=True, events=(NumberedEvent(first=1, last=2),))
    interval = ground_event(
        found.events[0],
        found,
        captions,
        [],
        duration_s=30.0,
        tracks={captions[0].track.key},
        unseen=edges,
    )
    assert (interval.start_by, interval.end_by) == ("unseen", "unseen")
    assert interval.start_precision_s == 10.0


def test_what_stands_beside_an_edge_is_of_the_source_that_made_it() -> None:
    described = captions_of("frame@0.5/s", 2, 4, 6, 8)
    measured = Track("classical-4", "", "frame@1/s")
    appears = Caption("video", Interval(3, 4), "Something appears.", "signal", measured)
    gone = Caption("video", Interval(6, 7), "Something has gone.", "signal", measured)
    closer = Caption(
        "video", Interval(3.5, 3.6), "an empty road", "vision", Track("openai:tiny", "v2", "closer")
    )

    def beside(*others: Caption, kept: slice = slice(None)) -> dict[str, str]:
        captions = sorted([*described[kept], *others], key=lambda one: one.start_s)
        event = captions.index(described[1]) + 1
        found = Answer(found=True, events=(NumberedEvent(first=event, last=event),))
        interval = ground_event(
            found.events[0],
            found,
            captions,
            [],
            duration_s=30.0,
            tracks={described[0].track.key, measured.key},
        )
        return {one.role: one.text for one in interval.evidence}

    assert beside(appears, gone) == {
        "before": "caption 2",
        "start": "caption 4",
        "after": "caption 6",
    }
    assert beside(appears, closer)["before"] == "an empty road", "a closer look is nearest"
    alone = beside(appears, gone, kept=slice(1, 2))
    assert (alone["before"], alone["after"]) == ("Something appears.", "Something has gone.")


@pytest.mark.parametrize(
    ("query", "texts", "embedder", "script"),
    [
        ("собака прыгает", ["a dog jumps"], "minilm", "CYRILLIC"),
        ("狗跳过栅栏", ["a dog jumps"], "minilm", "CJK"),
        ("der Hund springt", ["a dog jumps"], "minilm", ""),
        ("собака прыгает", ["a dog jumps", "собака прыгает"], "minilm", ""),
        ("собака прыгает", ["a dog jumps"], "intfloat/multilingual-e5-small", ""),
        ("12:30", ["a dog jumps"], "minilm", ""),
        ("найди момент when the dog jumps over it", ["a dog jumps"], "minilm", "CYRILLIC"),
        ("10 µm of Δt", ["a dog jumps"], "minilm", ""),
        ("собака прыгает", [*["a dog jumps"] * 9, "ВЫХОД"], "minilm", "CYRILLIC"),
        ("ｔｈｅ　ｄｏｇ　ｊｕｍｐｓ", ["a dog jumps"], "minilm", ""),
        ("ドアを開ける", ["男が扉を開ける"], "minilm", ""),
        ("कुत्ता कूदता है", ["a dog jumps"], "minilm", "DEVANAGARI"),
    ],
)
def test_a_question_in_letters_that_nothing_here_knows_is_noticed(
    query: str, texts: list[str], embedder: str, script: str
) -> None:
    assert unknown_script(query, texts, embedder=embedder) == script


def test_intervals_that_are_as_sure_as_printed_stand_in_the_order_of_time() -> None:
    def interval(start_s: float, confidence: float) -> GroundedInterval:
        return GroundedInterval(
            start_s=start_s,
            end_s=start_s + 1,
            confidence=confidence,
            start_precision_s=0.0,
            end_precision_s=0.0,
            start_by="caption",
            end_by="caption",
            evidence=(),
        )

    given = [interval(8, 0.912), interval(2, 0.908), interval(4, 0.95), interval(6, 0.909)]
    assert [one.start_s for one in sorted(given, key=standing)] == [4, 2, 6, 8]


@pytest.mark.usefixtures("word_embedder")
def test_that_nothing_reads_a_script_is_the_reason_and_not_how_near_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WordEmbedder, "name", "minilm-test")
    video = draw_video(tmp_path / "road.mp4", even_times(24, 4.0))
    captions = tmp_path / "road.jsonl"
    captions.write_text('{"t": 0, "caption": "a dog jumps"}\n{"t": 3, "caption": "a road"}\n')
    with Grounder() as grounder:
        answer = grounder.find(video, "狗跳过栅栏", captions=captions)
    assert (answer.verdict, answer.intervals) == ("cannot_tell", ())
    assert answer.reasoning == "Nothing here can read its CJK letters."


@pytest.mark.usefixtures("word_embedder")
@pytest.mark.parametrize("query", ["what happens at 5:00?", "is a dog there at 5:00?"])
def test_a_moment_after_the_end_is_told_as_such(tmp_path: Path, query: str) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(24, 4.0))
    captions = tmp_path / "road.jsonl"
    captions.write_text('{"t": 0, "caption": "a dog jumps"}\n{"t": 3, "caption": "a road"}\n')
    with Grounder() as grounder:
        answer = grounder.find(video, query, captions=captions)
    assert answer.verdict == "not_found"
    assert "The video ends at 0:06.0" in answer.reasoning
