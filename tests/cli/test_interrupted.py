"""Ctrl-C while a model thinks: a question ends at once, describing with the second Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.media.drawing import draw_video, even_times
from tests.package.source_imports import ROOT
from tests.servers import Answer, Asked, says, serving

pytestmark = pytest.mark.slow


@contextmanager
def waiting(folder: Path, command: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that waits for a model, whose replies come after 20 seconds."""
    video = draw_video(folder / "road.mp4", even_times(48, 6.0))
    asked, released = threading.Event(), threading.Event()

    def model(_: Asked) -> Answer:
        asked.set()
        return says("never read").after(released)

    with serving(model, models=["slow"]) as server:
        own = {"PYTHONPATH": str(ROOT), "WHENABOUTS_HOME": str(folder / "home")}
        with subprocess.Popen(
            [sys.executable, "-m", "agent.cli", command, str(video), *arguments],
            env=os.environ | own | {"OPENAI_BASE_URL": server.url},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert asked.wait(60)
                yield process
            finally:
                released.set()
                process.kill()


def test_ctrl_c_ends_a_question_that_waits_for_its_model(tmp_path: Path) -> None:
    captions = tmp_path / "road.jsonl"
    lines = [json.dumps({"t": second, "caption": f"a dog, {second}"}) for second in range(6)]
    captions.write_text("\n".join(lines), encoding="utf-8")
    question = ["a dog", "--captions", str(captions), "--reasoner", "openai:slow"]
    with waiting(tmp_path, "ask", *question) as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=15)
    assert process.returncode == 2
    assert "whenabouts: interrupted" in said
    assert "Traceback" not in said


def test_a_second_ctrl_c_leaves_replies_that_are_paid_for(tmp_path: Path) -> None:
    with waiting(tmp_path, "index", "--captioner", "openai:slow") as process:
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=15)
    assert process.returncode == 2
    assert "whenabouts: left at once" in said
