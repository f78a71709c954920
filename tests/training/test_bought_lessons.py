"""What was bought from a teacher is kept, whatever happens, and never bought again."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S
from tests.servers import Answer, Asked, says, serving
from tests.small_files import files_of_at_most
from tests.training.lessons import INSIDE, arguments, lesson, tune
from training.conversations import IMAGES, TuningError, read_data
from training.drawn_world import make_events, write_video
from training.replies import REPLIES, open_replies
from training.teacher import NOT_SHOWN

Served = Callable[[str], None]
TEACHER = ("--teacher", "openai:big")


def kept(out: Path) -> list[str]:
    """The whole lines of replies; a reader of the file that is being written sees the same."""
    file = out / REPLIES
    lines = file.read_text(encoding="utf-8").split("\n")[:-1] if file.is_file() else []
    return [line for line in lines if line]


@pytest.mark.slow
def test_killed_and_started_again_it_asks_the_teacher_nothing_twice(
    videos: Path, tmp_path: Path, served: Served
) -> None:
    out, killed = tmp_path / "data", threading.Event()

    def four_then_none(asked: Asked) -> Answer:
        return lesson(asked) if asked.number < 4 else lesson(asked).after(killed)

    with serving(four_then_none) as server:
        served(server.url)
        process = subprocess.Popen(
            [sys.executable, "-m", "agent.cli", *arguments(videos, out, *TEACHER)],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + PATIENCE_S
        while len(kept(out)) < 4 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        killed.set()
        answered = {repr(one.body["messages"]) for one in server.asked[:4]}
    assert len(kept(out)) == 4
    with serving(lesson) as server:
        served(server.url)
        assert tune(videos, out, *TEACHER) == 0
        again = {repr(one.body["messages"]) for one in server.asked}
        assert len(server.asked) == 5
        assert not answered & again
    assert len(read_data(out).train) == 12


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Room for one reply and some pictures; skips where nothing can be mounted."""
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "disk",
    [lambda _: files_of_at_most(33_000), small_disk],
    ids=["a limit on files", "a full disk"],
)
def test_a_disk_that_fills_is_found_out_before_money_is_spent(
    videos: Path,
    tmp_path: Path,
    served: Served,
    capsys: pytest.CaptureFixture[str],
    disk: Callable[[Path], AbstractContextManager[None]],
) -> None:
    full, roomy = tmp_path / "disk", tmp_path / "roomy"
    with disk(full), serving(lesson) as server:
        served(server.url)
        out = full / "data"
        assert tune(videos, out, *TEACHER) == 2
        told = capsys.readouterr().err
        assert f"{out} cannot be written" in told
        assert "kept" in told
        # How many are asked before the disk is full is chance; all of them are kept.
        assert len(server.asked) == len(kept(out)) < 9
        bought = len(kept(out))
        shutil.copytree(out, roomy)
    with serving(lesson) as server:
        served(server.url)
        assert tune(videos, roomy, *TEACHER) == 0
        assert len(server.asked) == 9 - bought


def test_a_picture_that_is_broken_or_gone_is_taken_again_and_nobody_asked(
    videos: Path, tmp_path: Path, served: Served
) -> None:
    out = tmp_path / "data"
    with serving(lesson) as server:
        served(server.url)
        assert tune(videos, out, *TEACHER) == 0
        asked = len(server.asked)
        first, second, *_ = sorted((out / IMAGES).iterdir())
        first.write_bytes(first.read_bytes()[:100])
        second.unlink()
        with pytest.raises(TuningError, match="run the same `whenabouts tune data` again"):
            read_data(out)
        assert tune(videos, out, *TEACHER) == 0
        assert len(server.asked) == asked
    assert len(read_data(out).train) == 12


@pytest.mark.slow
def test_two_processes_do_not_buy_the_same(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "data"
    with open_replies(out):
        assert tune(videos, out, "--teacher", "human") == 2
    assert "another `whenabouts tune data` is writing" in capsys.readouterr().err
    assert tune(videos, out, "--teacher", "human") == 0


@pytest.mark.slow
def test_another_prompt_is_not_mixed_with_what_was_bought_by_the_first(
    videos: Path,
    tmp_path: Path,
    served: Served,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, prompts = tmp_path / "data", tmp_path / "prompts"
    shutil.copytree(ROOT / "prompts", prompts, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with serving(lesson) as server:
        served(server.url)
        assert tune(videos, out, *TEACHER) == 0
        bought = kept(out)
        (taught,) = prompts.rglob("teach.md")
        taught.write_text(taught.read_text() + "\nBe brief.\n")
        monkeypatch.setenv("WHENABOUTS_PROMPTS", str(prompts))
        assert tune(videos, out, *TEACHER) == 2
    assert f"{out} holds replies with prompts" in capsys.readouterr().err
    assert len(server.asked) == 9
    assert kept(out) == bought


def test_what_was_bought_is_not_in_the_price_of_going_on(
    videos: Path, tmp_path: Path, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "data"
    with serving(lesson) as server:
        served(server.url)
        assert tune(videos, out, *TEACHER) == 0
        lines = kept(out)
        (out / REPLIES).write_text("\n".join(lines[:6]) + "\n")
        capsys.readouterr()
        assert tune(videos, out, *TEACHER, "--dry-run") == 0
    told = capsys.readouterr().err
    assert "6 of them were answered before" in told
    assert ", 750 out" in told


def test_what_a_killed_process_left_is_no_reply(tmp_path: Path) -> None:
    with open_replies(tmp_path) as replies:
        replies.make_room()
        replies.keep({"key": "a"})
    file = tmp_path / REPLIES
    assert file.read_bytes() == b'{"key": "a"}\n'
    file.write_bytes(file.read_bytes() + b'{"key": "b' + b"\n" * 5000)
    with open_replies(tmp_path) as replies:
        replies.make_room()
        replies.keep({"key": "c"})
    assert file.read_bytes() == b'{"key": "a"}\n{"key": "b\n{"key": "c"}\n'


def test_a_video_that_breaks_off_costs_its_own_samples_alone(
    videos: Path, tmp_path: Path, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "videos"
    shutil.copytree(videos, folder)
    short = write_video(folder / "short.mp4", make_events(random.Random(9))[:1])
    (folder / "nothing.mp4").write_bytes(b"no video")
    with (folder / "labels.csv").open("a") as labels:
        labels.write(f"{short.stem},it runs,1,500\nnothing,it runs,1,2\n")
    with serving(lesson) as server:
        served(server.url)
        assert tune(folder, tmp_path / "data", *TEACHER) == 0
    told = capsys.readouterr()
    assert "cannot be read: nothing" in told.err
    assert "stopped by --max-usd" not in told.err
    dropped = read_data(tmp_path / "data").manifest["dropped"]
    assert dropped == {"the video has no frame there": 2}


@pytest.mark.slow
def test_a_teacher_that_says_nothing_is_counted_and_asked_no_more(
    videos: Path, tmp_path: Path, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "data"
    with serving(lambda _: says("")) as server:
        served(server.url)
        assert tune(videos, out, *TEACHER) == 2
        asked = len(server.asked)
        assert "none brought a lesson" in capsys.readouterr().err
        assert tune(videos, out, *TEACHER) == 2
        assert len(server.asked) == asked
    assert len(kept(out)) == 9


def test_the_same_replies_teach_the_general_prompt(
    videos: Path, tmp_path: Path, served: Served
) -> None:
    out = tmp_path / "data"
    with serving(lesson) as server:
        served(server.url)
        assert tune(videos, out, *TEACHER) == 0
        asked = len(server.asked)
        assert tune(videos, out, *TEACHER, "--strategy", "general") == 0
        assert len(server.asked) == asked
    data = read_data(out)
    described = [row for row in data.train if row.kind == "description"]
    assert len({row.prompt for row in described}) == 1
    assert not any(NOT_SHOWN in row.completion for row in described)
    assert next(iter(data.manifest["prompts"])) == "describe_general"
    assert INSIDE not in json.dumps([row.prompt for row in data.train])
