"""Runs over video files: found by the dataset's names, described once, and paid for once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.cli.main import main
from agent.watching import opened
from evaluation.results import BenchmarkError, Result, read_results
from evaluation.runs.videos import VideoFolder
from tests.drawing import draw_sound, draw_video, even_times
from tests.fakes import BrightnessCaptioner, WordEmbedder
from tools.errors import CaptionerError, VideoError
from tools.llm.prices import TokenUsage

USD_A_CAPTION = 0.5


class PaidCaptioner(BrightnessCaptioner):
    """Half a dollar a caption.

    Args:
        before_saying: Called before each caption with how many there were; may raise.
    """

    @property
    def usage(self) -> TokenUsage:
        count = len(self.described_s)
        return TokenUsage(captions=count, tokens_in=10 * count, usd=USD_A_CAPTION * count)

    def asked(self, prompt: str, prompt_version: str) -> "PaidCaptioner":
        other = PaidCaptioner()
        other.prompt_version = f"{prompt_version}-{len(prompt)}"
        return other


Hire = Callable[..., PaidCaptioner]


@pytest.fixture
def hire(monkeypatch: pytest.MonkeyPatch) -> Hire:
    """Has a paid captioner describe frames from now on."""
    monkeypatch.setattr(opened, "open_embedder", lambda *_, **__: WordEmbedder())

    def put_in_place(before_saying: Callable[[int], None] = lambda _: None) -> PaidCaptioner:
        captioner = PaidCaptioner(before_saying=before_saying)
        monkeypatch.setattr(opened, "open_captioner", lambda *_, **__: captioner)
        return captioner

    return put_in_place


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """Two videos of 6 s and 4 s, and three labels; the first video has two."""
    folder = tmp_path / "clips"
    (folder / "sub").mkdir(parents=True)
    draw_video(folder / "one.mp4", even_times(12, 2))
    draw_video(folder / "sub" / "two.mp4", even_times(8, 2))
    labels = tmp_path / "own.csv"
    labels.write_text(
        "video,query,start,end\none,brightness 20,4,5\none.mp4,brightness 5,1,2\n"
        "sub/two,brightness 10,2,5\n"
    )
    files = ["--videos", str(folder), "--annotations", str(labels)]
    return ["eval", "own", *files, "--captioner", "classical", "--reasoner", "similarity"]


def run(arguments: list[str], out: Path, *, code: int = 0) -> tuple[dict[str, Any], list[Result]]:
    assert main([*arguments, "--out", str(out)]) == code
    summary = json.loads((out / "summary.json").read_text())
    return summary, read_results(out / "results.jsonl")


@pytest.mark.slow
def test_a_video_is_described_for_its_first_question_and_paid_once(
    arguments: list[str], tmp_path: Path, hire: Hire
) -> None:
    captioner = hire()
    summary, results = run([*arguments, "--null-rate", "1"], tmp_path / "run")
    assert [one.costs["captioner"].captions for one in results] == [6, 0, 4, 0, 0, 0]
    assert summary["cost"]["captioner"] == {
        "captions": 10,
        "tokens_in": 100,
        "tokens_out": 0,
        "usd": 5.0,
        "calls": 0,
        "frames": 0,
    }
    assert len(captioner.described_s) == 10
    assert [one.video for one in results[:3]] == ["one", "one.mp4", "sub/two"]
    assert [one.duration_s for one in results[:3]] == pytest.approx([6, 6, 4])
    assert {one.models["captioner"] for one in results} == {"brightness"}
    again = hire()
    run([*arguments, "--null-rate", "1"], tmp_path / "run")
    assert again.described_s == []
    # Another run finds the captions in the store, and they cost it nothing.
    other, _ = run([*arguments, "--workers", "3"], tmp_path / "other")
    assert other["cost"]["captioner"]["usd"] == 0


def test_a_label_is_cut_to_the_video_or_refused_by_its_measured_length(
    arguments: list[str], tmp_path: Path, hire: Hire, capsys: pytest.CaptureFixture[str]
) -> None:
    hire()
    summary, results = run(arguments, tmp_path / "run")
    ((start_s, end_s),) = results[2].truth
    # Measured by packets; the last one's length is a guess.
    assert (start_s, end_s) == pytest.approx((2.0, 4.0), abs=0.1)
    assert summary["windows_cut_to_video"] == {
        "queries": 1,
        "furthest_s": pytest.approx(1.0, abs=0.1),
    }
    labels = Path(arguments[5])
    labels.write_text(labels.read_text() + "sub/two,brightness 15,4,6\n")
    assert main([*arguments, "--out", str(tmp_path / "late")]) == 2
    message = capsys.readouterr().err
    assert "own.csv:5: the window 4–6 s starts after the video has ended, at " in message


@pytest.mark.slow
def test_a_run_stops_describing_at_its_limit_of_dollars_and_keeps_what_was_paid(
    arguments: list[str], tmp_path: Path, hire: Hire
) -> None:
    captioner = hire()
    stopped, results = run([*arguments, "--max-usd", "4"], tmp_path / "run", code=1)
    # The first video's six captions are 3 dollars; the second video's first two reach the limit.
    assert "--max-usd 4 are spent" in stopped["stopped"]
    assert [one.key for one in results][:1] == ["own:one:0"]
    assert len(results) < 3
    before = len(captioner.described_s)
    assert before >= 8
    done, results = run([*arguments, "--max-usd", "40"], tmp_path / "run")
    assert len(captioner.described_s) == 10
    assert done["cost"]["captioner"]["usd"] == 5.0
    assert len(results) == 3


@pytest.mark.slow
def test_with_the_activity_strategy_every_question_has_its_own_captions(
    arguments: list[str], tmp_path: Path, hire: Hire
) -> None:
    captioner = hire()
    summary, results = run([*arguments, "--strategy", "activity"], tmp_path / "run")
    assert captioner.described_s == []
    assert [one.costs["captioner"].captions for one in results] == [6, 6, 4]
    assert summary["cost"]["captioner"]["usd"] == 8.0
    assert summary["provenance"]["strategy"] == "activity"


@pytest.mark.slow
def test_a_captioner_that_fails_fails_the_questions_of_that_video_alone(
    arguments: list[str], tmp_path: Path, hire: Hire
) -> None:
    failed: list[int] = []

    def fail_late(said: int) -> None:
        if said == 8:
            failed.append(said)
            raise CaptionerError("the service is gone")

    labels = Path(arguments[5])
    labels.write_text(labels.read_text() + "sub/two,brightness 15,3,4\n")
    hire(fail_late)
    summary, results = run(arguments, tmp_path / "run", code=1)
    assert summary["questions"]["errors"] == 2
    assert [one.error for one in results] == ["", "", *["the service is gone"] * 2]
    assert failed == [8]  # Not once more for the second question.
    assert results[2].costs["captioner"].captions == 2
    captioner = hire()
    summary, results = run(arguments, tmp_path / "run")
    assert len(captioner.described_s) == 2
    assert [one.error for one in results] == [""] * 4
    assert summary["cost"]["captioner"]["usd"] == 5.0


@pytest.mark.slow
def test_videos_that_are_missing_or_unreadable_are_named_before_anything_is_described(
    arguments: list[str], tmp_path: Path, hire: Hire, capsys: pytest.CaptureFixture[str]
) -> None:
    captioner = hire()
    folder, labels = Path(arguments[3]), Path(arguments[5])
    labels.write_text(labels.read_text() + "gone,a dog,1,2\ngone,a cat,1,2\n")
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    message = capsys.readouterr().err
    assert f"there is no gone in {folder} (2 of 5 queries are about it); mend it" in message
    draw_sound(folder / "gone.m4a")
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    assert "gone.m4a" in capsys.readouterr().err
    assert captioner.described_s == []
    summary, results = run([*arguments, "--skip-bad"], tmp_path / "run")
    assert len(results) == 3
    assert (summary["bad_videos"]["videos"], summary["bad_videos"]["queries"]) == (1, 2)
    assert "gone.m4a" in summary["bad_videos"]["examples"][0]


def test_files_are_found_with_and_without_their_suffix(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.json", "s30-d52.avi", "b.c.webm"):
        (tmp_path / name).touch()
    folder = VideoFolder(tmp_path)
    assert folder.asked_as("a") == str(tmp_path / "a.mp4")
    assert folder.asked_as("s30-d52.avi") == str(tmp_path / "s30-d52.avi")
    assert folder.asked_as("b.c") == str(tmp_path / "b.c.webm")
    assert "b" not in folder
    with pytest.raises(VideoError, match="there is no video b in"):
        folder.asked_as("b")


def test_a_folder_of_captions_in_place_of_videos_is_told_with_what_takes_it(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"t": 0, "caption": "a dog"}')
    with pytest.raises(BenchmarkError, match=f"give it as --captions {tmp_path}, without --videos"):
        VideoFolder(tmp_path)
