"""The demo clip is the same everywhere, and its questions have the answers it was drawn with."""

from pathlib import Path

import pytest

from agent.cli.demo import DEMO_QUESTIONS, END, DemoQuestion, draw_demo_clip
from agent.cli.main import main
from tools.captioners.classical import ClassicalCaptioner
from tools.signals.signal_grounder import ground_signals
from tools.timeline import Caption, Interval, Track
from tools.video.reader import FrameReader, probe

RATE_HZ = 1.0
"""The coarsest at which the demo's questions are to be answered; the default of ``index``."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.mp4"
    draw_demo_clip(path)
    return path


@pytest.fixture(scope="module")
def captions(clip: Path) -> list[Caption]:
    pytest.importorskip("rapidocr")
    captioner = ClassicalCaptioner(read_text=True)
    reader = FrameReader(probe(clip), rate_hz=RATE_HZ)
    found = list(captioner.describe(reader, seen=()))
    times_s = sorted({one.time_s for one in found})
    ends_s = dict(zip(times_s, [*times_s[1:], reader.decoded_until_s], strict=True))
    track = Track(captioner.model, "", "frame@1/s")
    return [
        Caption("demo", Interval(one.time_s, ends_s[one.time_s]), one.text, one.source, track)
        for one in found
    ]


@pytest.mark.slow
def test_the_clip_is_as_long_as_it_was_drawn(clip: Path) -> None:
    reader = FrameReader(probe(clip), rate_hz=RATE_HZ)
    assert len(list(reader)) == RATE_HZ * END.end_s
    assert reader.decoded_until_s == pytest.approx(END.end_s, abs=1e-3)


@pytest.mark.slow
def test_two_drawings_are_the_same_bytes(clip: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.mp4"
    draw_demo_clip(again)
    assert again.read_bytes() == clip.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("question", DEMO_QUESTIONS, ids=lambda question: question.query)
def test_each_demo_question_has_its_answer(question: DemoQuestion, captions: list[Caption]) -> None:
    ranking = ground_signals(question.query, captions, duration_s=END.end_s)
    if question.answer is None:
        assert ranking.verdict == "cannot_tell"
    else:
        (event,) = ranking.events
        assert abs(event.span.start_s - question.answer.start_s) <= 1 / RATE_HZ
        assert abs(event.span.end_s - question.answer.end_s) <= 1 / RATE_HZ


@pytest.mark.slow
def test_nothing_else_is_read_than_what_was_written(captions: list[Caption]) -> None:
    read = {caption.text for caption in captions if caption.source == "screen"}
    assert read == {
        "On screen: “A QUIET MORNING / drawn by whenabouts”.",
        "On screen: “THE END”.",
    }


def test_a_clip_to_keep_never_replaces_a_file_and_names_no_option_that_demo_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "clip.mp4"
    kept.write_bytes(b"mine")
    assert main(["demo", "--keep", str(kept)]) == 2
    told = capsys.readouterr().err
    assert "is there already; give another name" in told
    assert "--" not in told
    assert kept.read_bytes() == b"mine"
