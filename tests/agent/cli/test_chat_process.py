"""The chat as a process, on a real video: killed between turns, scripted, and at a terminal."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from tests.chat_script import PASSES, Spans, script, scripted_model
from tests.drawing import draw_video, even_times
from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S
from tests.servers import Answer, Asked, says, serving
from tools.video.reader import probe

TEXTS = [
    "an empty road",
    "a brown dog jumps over a fence",
    "a fence",
    "a red car stops",
    "a man gets out",
    "the man waits",
    "the man walks off",
    "an empty road",
]
pytestmark = pytest.mark.slow

CHAT = [sys.executable, "-m", "agent.cli", "chat"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all: preparing the embedder takes seconds."""
    return tmp_path_factory.mktemp("home")


class Chat:
    """A running chat, one JSON line a turn."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdin
        assert process.stdout
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout

    def ask(self, said: str) -> dict[str, Any]:
        self.say(said)
        line = self._out.readline()
        assert line, self.process.communicate()[1]
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def say(self, said: str) -> None:
        self._in.write(f"{said}\n")
        self._in.flush()


@contextmanager
def chatting(*arguments: str, home: Path, cwd: Path, **environment: str) -> Iterator[Chat]:
    own = {"PYTHONPATH": str(ROOT), "WHENABOUTS_HOME": str(home)} | environment
    with subprocess.Popen(
        [*CHAT, *arguments, "--json"],
        cwd=cwd,
        env=os.environ | own,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Chat(process)
        finally:
            process.kill()
            process.communicate()


def spans(answer: dict[str, Any]) -> Spans:
    (result,) = answer["results"]
    return [(one["start_s"], one["end_s"]) for one in result["intervals"]]


@pytest.mark.data
@pytest.mark.parametrize("reader", ["grammar", "llm"])
def test_twelve_turns_give_the_expected_intervals_even_if_killed_between_them(
    reader: str, home: Path, shared_data: Path, tmp_path: Path
) -> None:
    videos = shared_data / "videos"
    video = str(videos / "permissive_composite.mp4")
    captions = str(videos / "captions" / "permissive_composite.jsonl")
    turns = script(PASSES) if reader == "llm" else script(PASSES[2:5])
    with serving(scripted_model, models=["scripted"]) as server:
        reasoner = "openai:scripted" if reader == "llm" else "similarity"
        arguments = ["--thread", f"twelve-{reader}", "--reasoner", reasoner]
        environment = {"OPENAI_BASE_URL": server.url} if reader == "llm" else {}
        number = 0
        for few, named in (
            (turns[:3], [video, "--captions", captions]),
            (turns[3:8], []),
            (turns[8:], []),
        ):
            with chatting(*named, *arguments, home=home, cwd=tmp_path, **environment) as chat:
                for turn in few:
                    number += 1
                    answer = chat.ask(turn.said)
                    assert answer.get("turn") == number, answer
                    assert answer["by"] == reader
                    misread = reader == "llm" and turn.said == "and after that?"
                    kinds = [one["kind"] for one in answer["refusals"]]
                    assert kinds == ["unknown_turn"] * misread
                    assert answer["results"][0]["outcome"] == turn.outcome, turn.said
                    assert sorted(spans(answer)) == turn.spans, turn.said
                chat.process.send_signal(signal.SIGKILL)
        clip = Path(answer["results"][0]["clip"])
        assert clip.parent == tmp_path
        assert probe(clip).header_duration_s == pytest.approx(8.0, abs=0.1)


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(48, 6.0))


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "road.jsonl"
    lines = [{"t": second, "caption": text} for second, text in enumerate(TEXTS)]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def test_a_bad_turn_is_one_line_of_json_and_the_chat_goes_on(
    road: Path, captions: Path, tmp_path: Path
) -> None:
    arguments = [str(road), "--captions", str(captions), "--reasoner", "similarity"]
    with chatting(*arguments, home=tmp_path / "home", cwd=tmp_path) as chat:
        bad = chat.ask("and after that?")
        assert bad["said"] == "and after that?"
        assert "nothing before this to refer to" in bad["error"]
        read = chat.ask("what happens between 0:02 and 0:04?")
        texts = [one["text"] for one in read["results"][0]["captions"]]
        assert texts == TEXTS[2:4]
        chat.say("/nonsense")
        chat.say("/trace 1")
        chat.say("/trace 7")
        chat.say("/videos")
        chat.say("/quit")
        out, err = chat.process.communicate(timeout=PATIENCE_S)
    assert chat.process.returncode == 0
    assert out == ""
    assert "there is no command /nonsense; /help lists the commands" in err
    assert "turn 1: “what happens between 0:02 and 0:04?”" in err
    assert "there is no turn 7 to show; the chat has turns 1 to 1" in err
    assert f"* {road}" in err
    assert "whenabouts chat --thread chat-" in err


def test_a_transcript_through_a_pipe_shows_questions_answers_and_what_was_understood(
    road: Path, captions: Path, tmp_path: Path
) -> None:
    lines = ["what happens at 0:03?", "", "and after that?", "/clip out.mp4", "/help", "/trace"]
    done = subprocess.run(
        [*CHAT, str(road), "--captions", str(captions), "--thread", "mine"],
        input="\n".join(lines),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "WHENABOUTS_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout
    assert "road.mp4> what happens at 0:03?\nunderstood: what the captions say at 0:03.0" in shown
    assert f"0:03.0  {TEXTS[3]}" in shown
    assert "understood: what the captions say after 0:06.0 (the end of the last answer)" in shown
    assert "written to out.mp4" in shown
    assert (tmp_path / "out.mp4").is_file()
    assert "the second time · the last one" in shown
    assert "understood by grammar" in shown
    assert "“mine” is a new chat" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--thread", "x"], "“x” is a new chat, and there is no video to talk about"),
        (["missing.mp4"], "there is no file missing.mp4"),
        (["a.mp4", "b.mp4", "--captions", "c.jsonl"], "describes one video"),
    ],
)
def test_a_chat_about_nothing_ends_at_once_and_says_why(
    arguments: list[str], complaint: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [*CHAT, *arguments],
        stdin=subprocess.DEVNULL,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "WHENABOUTS_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert complaint in done.stderr


AT_TERMINAL = """
import fcntl, runpy, signal, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # So that Ctrl-C reaches it,
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where tests run in the background.
runpy.run_module("agent.cli", run_name="__main__", alter_sys=True)
"""


class Terminal:
    """A chat at a pseudo-terminal; what it shows is kept."""

    def __init__(self, master: int) -> None:
        self._master = master
        self.shown = ""

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, words: str) -> None:
        """Read until the words are shown, once for every call."""
        while words not in self.shown:
            ready, _, _ = select.select([self._master], [], [], 60)
            assert ready, f"{words!r} never came: {self.shown[-2000:]!r}"
            self.shown += os.read(self._master, 65536).decode(errors="replace")
        self.shown = self.shown.partition(words)[2]


def test_ctrl_c_cancels_the_question_and_ctrl_d_leaves(
    road: Path, captions: Path, tmp_path: Path
) -> None:
    asked, released = threading.Event(), threading.Event()

    def model(request: Asked) -> Answer:
        asked.set()
        return says("never read").after(released)

    master, slave = pty.openpty()
    arguments = [str(road), "--captions", str(captions), "--reasoner", "openai:slow"]
    with serving(model, models=["slow"]) as server:
        own = {
            "PYTHONPATH": str(ROOT),
            "WHENABOUTS_HOME": str(tmp_path / "home"),
            "TERM": "xterm",
            "PROMPT_TOOLKIT_NO_CPR": "1",  # Nobody here answers where the cursor is.
        }
        with subprocess.Popen(
            [sys.executable, "-c", AT_TERMINAL, "chat", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=os.environ | own | {"OPENAI_BASE_URL": server.url},
            cwd=tmp_path,
            start_new_session=True,
        ) as process:
            os.close(slave)
            terminal = Terminal(master)
            try:
                terminal.wait_for("road.mp4>")
                terminal.type("a dog\r")
                assert asked.wait(PATIENCE_S)
                terminal.type("\x03")
                terminal.wait_for("cancelled")
                terminal.wait_for("road.mp4>")
                terminal.type("\x03")
                terminal.wait_for("Ctrl-D or /quit leaves")
                terminal.wait_for("road.mp4>")
                terminal.type("/videos\r")
                terminal.wait_for(f"* {road}")
                terminal.wait_for("road.mp4>")  # Typed sooner, Ctrl-D would go to nobody.
                terminal.type("\x04")
                assert process.wait(PATIENCE_S) == 0, "a reply that nobody wants is not waited for"
            finally:
                released.set()
                process.kill()
                os.close(master)
    assert "a dog" in (tmp_path / "home" / "chat_history").read_text(encoding="utf-8")
