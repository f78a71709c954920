"""``whenabouts watch``: a file is indexed once it is whole, and again when it has changed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli.folder_watch import SETTLED_S, Arrivals
from agent.cli.main import main
from tests.drawing import draw_video, even_times
from tests.package.source_imports import ROOT


def test_a_file_that_is_being_written_waits_until_it_is_whole(tmp_path: Path) -> None:
    arrivals = Arrivals([tmp_path])
    assert arrivals.look(0.0) == []
    copied = tmp_path / "a.mp4"
    copied.write_bytes(b"the first half")
    assert arrivals.look(1.0) == []
    assert arrivals.is_waiting()
    copied.write_bytes(b"the first half, and the second")
    # So long after it came, and too soon after it grew.
    assert arrivals.look(1.5) == []
    assert arrivals.look(1.4 + SETTLED_S) == []
    assert arrivals.look(1.5 + SETTLED_S) == [str(copied)]
    arrivals.take(str(copied))
    assert arrivals.look(100.0) == []
    assert not arrivals.is_waiting()


def test_what_has_changed_comes_again_and_what_is_gone_does_not(tmp_path: Path) -> None:
    arrivals = Arrivals([tmp_path])
    (tmp_path / "below").mkdir()
    for name in ("a.mp4", "below/b.mkv", "notes.txt", ".hidden.mp4"):
        (tmp_path / name).write_bytes(b"once")
    arrivals.look(0.0)
    first = arrivals.look(SETTLED_S)
    assert first == [str(tmp_path / "a.mp4"), str(tmp_path / "below" / "b.mkv")]
    for path in first:
        arrivals.take(path)
    (tmp_path / "a.mp4").write_bytes(b"another")
    (tmp_path / "below" / "b.mkv").unlink()
    arrivals.look(10.0)
    assert arrivals.look(10.0 + SETTLED_S) == [str(tmp_path / "a.mp4")]
    # It changes once more while it is being indexed.
    (tmp_path / "a.mp4").write_bytes(b"a third one")
    arrivals.take(str(tmp_path / "a.mp4"))
    arrivals.look(20.0)
    assert arrivals.look(20.0 + SETTLED_S) == [str(tmp_path / "a.mp4")]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_there_and_what_comes_is_indexed_until_somebody_stops_it(
    tmp_path: Path, number: int
) -> None:
    pytest.importorskip("watchfiles", reason="watchfiles is not installed")
    folder = tmp_path / "videos"
    folder.mkdir()
    draw_video(folder / "first.mp4", even_times(16, 8.0))
    own = {"PYTHONPATH": str(ROOT), "WHENABOUTS_READ_TEXT": "false"}
    with subprocess.Popen(
        [sys.executable, "-m", "agent.cli", "watch", str(folder), "--captioner", "classical"],
        env=os.environ | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert watching.stdout.readline().startswith(f"{folder}/first.mp4: ")
        (folder / "broken.mp4").write_bytes(b"no video")
        (folder / "new").mkdir()
        draw_video(tmp_path / "second.mp4", even_times(24, 8.0))
        (tmp_path / "second.mp4").rename(folder / "new" / "second.mp4")
        assert watching.stdout.readline().startswith(f"{folder}/new/second.mp4: ")
        watching.send_signal(number)
        assert watching.stdout.read() == ""
        told = watching.stderr.read()
    assert watching.returncode == 128 + number
    assert "broken.mp4 cannot be read as a video" in told
    assert "Traceback" not in told


def test_what_cannot_be_watched_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "nowhere"]) == 2
    assert "nowhere is not a folder; name folders to watch" in capsys.readouterr().err
