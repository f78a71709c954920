"""A store that was used before a fork is opened anew in the child, and stays the parent's too."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.store.store_writer import TRACK, captions_of, vectors_of
from tools.store.store import CaptionStore

pytestmark = pytest.mark.skipif(
    not hasattr(os, "memfd_create"), reason="only Linux has what it takes"
)

PATIENCE_S = 60


def in_a_child(act: Callable[[], bool]) -> bool:
    """Whether it said yes in a child that was forked from this process as it is."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE_S)
        code = 1
        try:
            code = 0 if act() else 3
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_parent_and_child_read_and_write_after_a_fork(tmp_path: Path) -> None:
    with CaptionStore.open(tmp_path / "store", embedder="minilm") as store:
        store.add(captions_of("v", 40), vectors_of("v", 40))

        def write() -> bool:
            read = store.read("v", TRACK)[0] == captions_of("v", 40)
            return read and store.add(captions_of("w", 7), vectors_of("w", 7)) == 7

        assert in_a_child(write)
        assert store.read("w", TRACK)[0] == captions_of("w", 7)
        store.add(captions_of("x", 3), vectors_of("x", 3))
        assert in_a_child(lambda: store.count("x", TRACK) == 3 and store.forget("x") == 3)
        assert store.count("x", TRACK) == 0
