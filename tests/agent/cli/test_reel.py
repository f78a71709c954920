"""``whenabouts reel``: several questions, one file, and a word on those without an answer."""

from pathlib import Path

import pytest

from agent.cli.main import main
from tests.drawing import draw_video, even_times, gray
from tools.video.reader import probe

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _quick(word_embedder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENABOUTS_READ_TEXT", "false")


@pytest.fixture
def flashing(tmp_path: Path) -> Path:
    """Grey, and black from 2 s to 4 s."""
    return draw_video(
        tmp_path / "flashing.mp4",
        even_times(48, 8.0),
        picture=lambda n: gray(0 if 16 <= n < 32 else 30),
    )


def run(*words: str) -> int:
    return main(["reel", *words])


def test_the_answers_of_several_questions_are_joined_and_missing_ones_told(
    flashing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "reel.mp4"
    questions = ["the screen goes black", "the screen is white", "a dog jumps"]
    assert run(*questions, "--in", str(flashing), "--out", str(out), "--card", "1") == 0
    told = capsys.readouterr()
    assert "“the screen goes black”: flashing.mp4 0:02.0–0:04.0, confidence " in told.err
    assert "“the screen is white”: not found, so no clip of it is in the reel" in told.err
    assert "“a dog jumps”: cannot be told" in told.err
    assert f"joining 1 clip\n1 clip, 3.0 s, written to {out}" in told.err
    assert told.out == ""
    assert probe(out).header_duration_s == pytest.approx(3.0, abs=0.01)


def test_one_question_to_several_videos_joins_a_clip_of_each(
    flashing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_video(
        tmp_path / "other.mp4",
        even_times(60, 10.0),
        picture=lambda n: gray(0 if 30 <= n < 40 else 30),
    )
    out = tmp_path / "reel.mkv"
    assert run("the screen goes black", "--in", str(tmp_path), "--out", str(out)) == 0
    told = capsys.readouterr().err
    assert "flashing.mp4 0:02.0–0:04.0" in told
    assert "other.mp4 0:03.0–0:04.0" in told
    assert "2 clips, 7.0 s, written" in told


def test_nothing_found_writes_nothing(
    flashing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "reel.mp4"
    assert run("the screen is white", "--in", str(flashing), "--out", str(out)) == 1
    assert f"nothing was found, so {out} was not written" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["", "--out", "r.mp4"], "the query is empty"),
        (["a", "--out", "r.avi"], "ends in .mp4 or .mkv"),
        (["a", "--out", "r.mp4", "--limit", "0"], "--limit must be at least 1"),
        (["a", "--out", "r.mp4", "--card", "nan"], "--card must be 0 to 60 seconds"),
        (["a", "--out", "r.mp4", "--card", "-1"], "--card must be 0 to 60 seconds"),
        (["a", "--out", "r.mp4"], "nothing is indexed yet"),
        (["a", "--in", "gone.mp4", "--out", "r.mp4"], "gone.mp4"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is(
    arguments: list[str],
    why: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    assert why in capsys.readouterr().err
    assert not list(tmp_path.glob("r.*"))


def test_an_existing_file_and_an_indexed_video_are_kept(
    flashing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "reel.mp4"
    out.write_bytes(b"mine")
    question = ["the screen goes black", "--in", str(flashing)]
    assert run(*question, "--out", str(out)) == 2
    assert "is there already" in capsys.readouterr().err
    content = flashing.read_bytes()
    assert run(*question, "--out", str(flashing), "--overwrite") == 2
    assert flashing.read_bytes() == content
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(content)
    assert main(["index", str(flashing)]) == 0
    assert run(*question, "--out", str(copy), "--overwrite") == 2
    assert copy.read_bytes() == content
    assert run(*question, "--out", str(out), "--overwrite", "--card", "0") == 0
    assert probe(out).header_duration_s == pytest.approx(2.0, abs=0.01)
