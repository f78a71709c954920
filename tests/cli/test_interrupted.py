"""Ctrl-C while a model thinks: a question ends at once, describing with the second Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.media.drawing import draw_video, even_times
from tests.package.source_imports import ROOT
from tests.servers import Answer, Asked, says, serving


@pytest.mark.slow
def test_ctrl_c_ends_a_question_that_waits_for_its_model(tmp_path: Path) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 6.0))
    captions = tmp_path / "road.jsonl"
    lines = [json.dumps({"t": second, "caption": f"a dog, {second}"}) for second in range(6)]
    captions.write_text("\n".join(lines), encoding="utf-8")
    asked, released = threading.Event(), threading.Event()

    def model(_: Asked) -> Answer:
        asked.set()
        return says("never read").after(released)

    with serving(model, models=["slow"]) as server:
        own = {"PYTHONPATH": str(ROOT), "WHENABOUTS_HOME": str(tmp_path / "home")}
        question = ["ask", str(video), "a dog", "--captions", str(captions)]
        with subprocess.Popen(
            [sys.executable, "-m", "agent.cli", *question, "--reasoner", "openai:slow"],
            env=os.environ | own | {"OPENAI_BASE_URL": server.url},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert asked.wait(60)
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=15)  # The reply would come after 20.
            finally:
                released.set()
                process.kill()
    assert process.returncode == 2
    assert "whenabouts: interrupted" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_second_ctrl_c_leaves_replies_that_are_paid_for(tmp_path: Path) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 6.0))
    asked, released = threading.Event(), threading.Event()

    def model(_: Asked) -> Answer:
        asked.set()
        return says("a road").after(released)

    with serving(model, models=["slow"]) as server:
        own = {"PYTHONPATH": str(ROOT), "WHENABOUTS_HOME": str(tmp_path / "home")}
        with subprocess.Popen(
            [sys.executable, "-m", "agent.cli", "index", str(video), "--captioner", "openai:slow"],
            env=os.environ | own | {"OPENAI_BASE_URL": server.url},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert asked.wait(60)
                process.send_signal(signal.SIGINT)
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(2)
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=15)  # The replies would come after 20.
            finally:
                released.set()
                process.kill()
    assert process.returncode == 2
    assert "whenabouts: left at once" in said
