"""What cannot be answered is said before a video is looked at; a person may insist."""

import os
import pty
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from agent.api import Grounder
from agent.cli import index_progress
from agent.cli.main import main
from tests.drawing import draw_video, even_times
from tests.patience import PATIENCE_S
from tools.waiting import NowAndThen

HOPELESS = "a woman dances"


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(24, 8.0))


def is_indexed() -> bool:
    with Grounder() as grounder:
        return bool(grounder.records())


def test_a_subtitle_file_of_another_format_is_named_before_the_video_is_looked_at(
    road: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    road.with_suffix(".ttml").write_text("<tt/>")
    assert main(["ask", str(road), HOPELESS]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "Its subtitles (road.ttml) are left out: .ttml files cannot be read; convert" in told


def test_two_lines_say_what_can_be_asked_now_and_what_would_answer(
    road: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")  # Nothing is folded.
    assert main(["ask", str(road), "someone opens the fridge"]) == 1
    told = capsys.readouterr()
    asked, answered = told.out.splitlines()
    assert "does not know “opens”, “fridge”. Ask for a black, white, dark or bright screen" in asked
    assert "whenabouts setup` finds a model that fits this machine; or --captions" in answered
    assert told.err == ""
    assert not is_indexed()


@pytest.mark.slow
@pytest.mark.usefixtures("word_embedder")
def test_without_a_terminal_the_answer_is_given_at_once(
    road: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", str(road), HOPELESS, "--captioner", "classical"]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("cannot tell")
    assert "--anyway" in printed
    assert not is_indexed()
    assert main(["ask", str(road), HOPELESS, "--captioner", "classical", "--anyway"]) == 1
    assert is_indexed()


@pytest.mark.slow
@pytest.mark.usefixtures("word_embedder")
def test_a_captions_file_beside_the_video_is_named(
    road: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = road.with_suffix(".jsonl")
    beside.write_text('{"t": 0, "caption": "a woman dances"}\n')
    assert main(["ask", str(road), HOPELESS]) == 1
    assert f"--captions {beside}" in capsys.readouterr().out
    assert main(["index", str(road)]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "road.jsonl beside it holds captions: `whenabouts ask` answers from them" in told
    assert f"--captions {beside}" in told
    # A file of another kind is none.
    beside.write_text('{"t": 0, "label": "road"}\n')
    other = draw_video(road.with_name("other.mp4"), even_times(24, 7.0))
    beside.rename(other.with_suffix(".jsonl"))
    assert main(["ask", str(other), HOPELESS]) == 1
    assert "--captions FILE.jsonl" in capsys.readouterr().out


@pytest.mark.data
def test_subtitles_that_cannot_be_read_are_named_before_the_video_is_looked_at(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = shared_data / "cases" / "media" / "ttml_only.mp4"
    assert main(["ask", str(video), HOPELESS]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "Its subtitles (stream 2) are left out: text of the kind ttml cannot be read" in told


@pytest.mark.slow
@pytest.mark.usefixtures("word_embedder")
def test_without_a_terminal_progress_is_told_in_lines(
    road: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_progress, "NowAndThen", partial(NowAndThen, every_s=0.0))
    assert main(["index", str(road), "--captioner", "classical"]) == 0
    told = capsys.readouterr().err
    assert re.search(r"^road\.mp4: 0:0\d\.\d of 0:0\d\.\d, \d+ captions?", told, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "looks"), [("n\n", False), ("\n", False), ("y\n", True)])
def test_a_person_at_a_terminal_is_asked_first(typed: str, looks: bool, road: Path) -> None:
    main_end, its_end = pty.openpty()
    command = [sys.executable, "-m", "agent.cli", "ask", str(road), HOPELESS]
    with os.fdopen(main_end, "r+b", buffering=0) as terminal:
        process = subprocess.Popen(
            [*command, "--captioner", "classical"],
            stdin=its_end,
            stdout=subprocess.PIPE,
            stderr=its_end,
        )
        os.close(its_end)
        terminal.write(typed.encode())
        printed, _ = process.communicate(timeout=PATIENCE_S)
        shown = re.sub(r"\x1b\[[\d?]*\w", "", terminal.read(65536).decode())
    assert "The classical describer does not know “woman”, “dances”" in shown
    assert "Look at the video anyway? [y/N]" in shown
    assert printed.decode().startswith("cannot tell")
    assert is_indexed() is looks
