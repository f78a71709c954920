"""A client that does not close does not hold its process for ever."""

import gc
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S
from tools.store import chroma

# PyDLL keeps Python's own lock, as Chroma does while its engine is taken down.
SCRIPT = """
import ctypes, pathlib, sys
from tools.store import chroma

class Client:
    def close(self):
        ctypes.PyDLL(None).sleep(int(sys.argv[2]))

chroma.CLOSE_S = 0.2
connection = chroma.FolderConnection(
    pathlib.Path(sys.argv[1]), busy_timeout_s=1.0, on_wait=None
)
connection._client = Client()
connection.close()
print("closed")
"""

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no alarms"
)


def close(folder: Path, *, seconds: float) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", SCRIPT, str(folder), str(int(seconds))]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@pytest.mark.slow
def test_a_close_that_never_ends_is_ended_by_the_system(tmp_path: Path) -> None:
    assert close(tmp_path, seconds=PATIENCE_S).returncode == -signal.SIGALRM


@pytest.mark.slow
def test_a_close_that_ends_leaves_no_alarm_behind(tmp_path: Path) -> None:
    done = close(tmp_path, seconds=0)
    assert (done.returncode, done.stdout, done.stderr) == (0, "closed\n", "")


def test_what_is_thrown_away_unclosed_waits_for_nobody_and_is_closed_with_the_next(
    tmp_path: Path,
) -> None:
    entered = threading.Event()

    def throw_away() -> None:
        opening = chroma.open_folder(tmp_path / "one", busy_timeout_s=1.0, on_wait=None)
        opening.__enter__()
        with chroma._opening_folders:  # As when garbage is collected while a folder is opened.
            del opening
            gc.collect()
        entered.set()

    threading.Thread(target=throw_away, daemon=True).start()
    assert entered.wait(PATIENCE_S / 30)
    assert tmp_path / "one" in chroma._open_folders
    with chroma.open_folder(tmp_path / "two", busy_timeout_s=1.0, on_wait=None):
        assert tmp_path / "one" not in chroma._open_folders
