"""The end that is asked for, wherever it comes: its own exit code, and no traceback."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from agent import ending
from agent.graph.cancelling import Background
from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S

COMMAND = """
import os, signal, sys, threading
import agent.cli.main as cli
import tools.terminal as terminal

def strike(*_, **__):
    os.kill(os.getpid(), signal.{sign})
    for _ in range(1000):
        pass

class Lost:
    def __del__(self):
        strike()

{where}
cli.run()
"""

STRUCK_AT = {
    "before anything was read": "terminal.prepare_streams = strike",
    "while it says how it failed": "sys.argv[1:] = ['ask', 'x', '--clip', '-']; "
    "terminal.complain = lambda said: strike() if 'interrupted' not in said else None",
    "while it gives up its output": "cli._parse_and_run = lambda _: (_ for _ in ()).throw("
    "BrokenPipeError()); terminal.abandon_output = strike",
}

OVER = {
    "when it is over": "threading.enumerate = lambda: strike() or []",
    "while Python ends": "import atexit; atexit.register(strike)",
    "while Python waits for threads": "threading._register_atexit(strike)",
    "where Python can raise nothing": "cli._parse_and_run = lambda _: Lost() and 0",
}


def end_of(where: str, sign: str = "SIGTERM") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND.format(where=where, sign=sign), "--version"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("where", STRUCK_AT.values(), ids=STRUCK_AT)
def test_a_request_to_end_has_its_own_code_wherever_it_comes(where: str) -> None:
    code, said = end_of(where)
    assert code == 128 + signal.SIGTERM
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.parametrize("where", OVER.values(), ids=OVER)
def test_a_request_that_comes_too_late_changes_nothing(where: str) -> None:
    assert end_of(where) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_what_the_process_was_started_to_ignore_stays_ignored(sign: str) -> None:
    ignored = f"signal.signal(signal.{sign}, signal.SIG_IGN); terminal.prepare_streams = strike"
    assert end_of(ignored, sign) == (0, "")


@pytest.mark.slow
def test_a_terminal_that_closes_asks_for_the_end_too() -> None:
    code, said = end_of(STRUCK_AT["before anything was read"], "SIGHUP")
    assert code == 128 + signal.SIGHUP
    assert "interrupted" in said


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The codes that the process would have ended with at once."""
    codes: list[int] = []
    monkeypatch.setattr(ending, "_asked", [])
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(os, "write", lambda *_: 0)
    return codes


def test_the_second_signal_of_a_pair_is_not_a_second_request(
    left: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``timeout`` signals its command and then its group; ``uv run`` hands Ctrl-C on."""
    before = {one: signal.getsignal(one) for one in ending._ENDING}
    now_s = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    try:
        with pytest.raises(KeyboardInterrupt):
            ending._interrupt(signal.SIGTERM, None)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    ending._leave(signal.SIGTERM, None)
    assert left == []
    now_s[0] += 2
    ending._leave(signal.SIGINT, None)
    assert left == [128 + signal.SIGTERM], "the first one says how it ended"


def test_a_server_is_told_of_a_terminal_that_closes_as_of_any_request_to_end(
    left: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvicorn knows no SIGHUP: an interrupt within it would end in a traceback."""
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    try:
        ending._interrupt(signal.SIGHUP, None)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == [signal.SIGTERM]
    assert left == []
    assert ending.exit_code() == 128 + signal.SIGHUP


def test_an_interrupt_that_was_lost_in_a_library_is_noticed_where_work_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reply = threading.Event()
    working: Background[None, bool] = Background(lambda _: reply.wait(PATIENCE_S))
    monkeypatch.setattr(ending, "_asked", [(signal.SIGTERM, 0.0)])
    try:
        with pytest.raises(KeyboardInterrupt):
            working.result()
    finally:
        reply.set()
        working.join()


def test_little_is_loaded_before_signals_are_taken() -> None:
    loaded = "import sys; import agent.cli.main; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loaded],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"argparse", "pathlib", "tools.terminal", "dataclasses"} & set(done.stdout.split())
