"""What ends the command, and with which code: a fault of ours never passes for "not found"."""

import errno
import json
from pathlib import Path

import pytest

from agent import api
from agent.cli.main import main
from tests.drawing import draw_video, even_times

pytestmark = pytest.mark.usefixtures("word_embedder")

HOSTILE = "\x1b]0;owned\x07\x1b[31m\u202egpj\x9b2J"


class PanicException(BaseException):  # as it is called in what is written in Rust
    """What a panic in Rust is in Python."""


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(24, 8.0))


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyError("start_s"), 70, "this is a fault in whenabouts, not yours (KeyError: 'start_s')"),
        (FileNotFoundError("some file"), 70, "this is a fault in whenabouts"),
        (RecursionError(), 70, "this is a fault in whenabouts, not yours (RecursionError)"),
        (ValueError("http://u:hidden@host"), 70, "http://…@host"),
        (ValueError(HOSTILE), 70, "\\x1b"),
        (
            PanicException("range end out of range"),
            2,
            "Chroma, crashed (range end out of range)",
        ),
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/a"), 2, "/tmp/a: No space left"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 999), 2, "…: File name too long"),
        (ValueError("OTEL_BSP_TIMEOUT is no number"), 2, "correct or unset OTEL_BSP_TIMEOUT"),
        (ImportError("Using SOCKS proxy, but 'socksio' is missing"), 2, "pip install"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (BrokenPipeError(), 2, ""),
    ],
)
def test_every_error_has_its_code(
    error: BaseException,
    code: int,
    told: str,
    *,
    road: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(api.Grounder, "find", fail)
    monkeypatch.setattr("tools.terminal.abandon_output", lambda: None)
    assert main(["ask", str(road), "a dog", "--anyway"]) == code
    said = capfd.readouterr().err
    assert told in said
    assert ("Traceback" in said) == (code == 70)
    assert "hidden" not in said
    assert "\x1b" not in said
    assert "\u202e" not in said


@pytest.mark.slow
def test_a_hostile_name_reaches_no_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Names of files, queries, captions, arguments: on every way out."""
    road = draw_video(tmp_path / f"road{HOSTILE}.mp4", even_times(24, 6.0))
    captions = tmp_path / f"road{HOSTILE}.jsonl"
    rows = [{"t": t, "caption": f"a dog{HOSTILE} jumps" if t == 2 else f"{t}"} for t in range(4)]
    captions.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    trace = tmp_path / f"trace{HOSTILE}.jsonl"
    query = f"a dog {HOSTILE} jumps"
    ask = ["ask", str(road), query, "--captions", str(captions), "--trace", str(trace)]
    printed = ""
    for argv in (
        [*ask, "--thread", f"t{HOSTILE}"],
        [*ask, "--json"],
        ["list"],
        ["list", "--json"],
        ["index", str(road), "--captions", str(captions)],
        ["index", f"{HOSTILE}.mp4"],
        ["replay", f"t{HOSTILE}"],
        ["replay", f"t{HOSTILE}", "--json"],
        ["trace", str(trace), "--prompts"],
        ["trace", HOSTILE],
        ["doctor", "--env", HOSTILE],
        ["ask", "--all", query],
        ["ask", str(road), query, "--within", HOSTILE],
        ["ask", str(road), query, "--captioner", HOSTILE],
        ["forget", str(road)],
        ["forget", HOSTILE],
        ["eval", "own", "--annotations", HOSTILE, "--videos", HOSTILE, "--out", HOSTILE],
    ):
        assert main(argv) in {0, 1, 2}, argv
        shown = "".join(capfd.readouterr())
        assert shown, argv
        printed += shown
    for argv in (["list", f"--{HOSTILE}"], [f"{HOSTILE}"], ["trace", "x", f"--{HOSTILE}"]):
        with pytest.raises(SystemExit):
            main(argv)
        printed += "".join(capfd.readouterr())
    assert {char for char in printed if char in HOSTILE and not char.isprintable()} == set()
    assert "\\x1b" in printed
