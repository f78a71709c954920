"""Ctrl-C, or the end asked for: a question ends at once, describing with the second time."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.drawing import draw_video, even_times
from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S
from tests.servers import Answer, Asked, says, serving
from tools.store.store import CaptionStore

pytestmark = pytest.mark.slow


@contextmanager
def waiting(folder: Path, command: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that waits for a model, whose replies come when the block ends."""
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
                assert asked.wait(PATIENCE_S)
                yield process
            finally:
                released.set()
                process.kill()


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """What a shell's background job starts would ignore Ctrl-C, as the job does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


both = pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])


@both
def test_a_question_that_waits_for_its_model_ends_at_once(
    tmp_path: Path, sign: signal.Signals
) -> None:
    captions = tmp_path / "road.jsonl"
    lines = [json.dumps({"t": second, "caption": f"a dog, {second}"}) for second in range(6)]
    captions.write_text("\n".join(lines), encoding="utf-8")
    question = ["a dog", "--captions", str(captions), "--reasoner", "openai:slow"]
    with waiting(tmp_path, "ask", *question) as process:
        process.send_signal(sign)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + sign
    assert "whenabouts: interrupted" in said
    assert "Traceback" not in said


@both
@pytest.mark.parametrize("command", [["index"], ["ask", "a road"]])
def test_the_second_time_replies_that_are_paid_for_are_left(
    tmp_path: Path, sign: signal.Signals, command: list[str]
) -> None:
    name, *query = command
    with waiting(tmp_path, name, *query, "--captioner", "openai:slow") as process:
        process.send_signal(sign)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        while process.poll() is None:
            # One that comes before the first was dealt with is the same as the first.
            process.send_signal(sign)
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + sign
    assert "whenabouts: stopped at once" in said


@pytest.mark.parametrize("command", [["index"], ["ask", "a road", "--reasoner", "similarity"]])
def test_the_first_time_replies_that_are_paid_for_are_stored_and_no_more_are_asked_for(
    tmp_path: Path, command: list[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 6.0))
    two_asked, released = threading.Event(), threading.Event()

    def model(asked: Asked) -> Answer:
        if asked.number == 1:
            two_asked.set()
        return says(f"a road, {asked.number}").after(released)

    home = tmp_path / "home"
    own = {"PYTHONPATH": str(ROOT), "WHENABOUTS_HOME": str(home), "WHENABOUTS_IN_FLIGHT": "2"}
    name, *more = command
    options = ["--captioner", "openai:slow", "--every-frame"]
    with serving(model, models=["slow"]) as server:
        with subprocess.Popen(
            [sys.executable, "-m", "agent.cli", name, str(video), *more, *options],
            env=os.environ | own | {"OPENAI_BASE_URL": server.url},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert two_asked.wait(60)
                process.send_signal(signal.SIGINT)
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(1)
                released.set()
                _, said = process.communicate(timeout=60)
            finally:
                released.set()
                process.kill()
        assert len(server.asked) == 2
    assert process.returncode == 130
    assert "whenabouts: interrupted" in said
    with CaptionStore.open(home / "store", embedder="minilm") as store:
        (record,) = store.records()
        captions, _ = store.read(record.video_id, record.track)
    assert not record.complete
    assert sorted(one.text for one in captions) == ["a road, 0", "a road, 1"]
