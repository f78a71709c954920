"""A closed client is out of its folder before anybody else goes in."""

import threading
from pathlib import Path

import pytest

from tests.tools.store.store_writer import captions_of, vectors_of
from tools.store.leaving import DESCRIPTORS, wait_until_left
from tools.store.store import CaptionStore

pytestmark = pytest.mark.skipif(not DESCRIPTORS.exists(), reason="only Linux lists what is open")


def test_what_another_thread_still_has_open_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    file = (tmp_path / "index" / "data_level0.bin").open("wb")
    assert not wait_until_left(tmp_path, longest_s=0.0)
    threading.Timer(0.1, file.close).start()
    assert wait_until_left(tmp_path)
    assert file.closed


def test_our_own_files_are_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    with (tmp_path / "lock").open("w"), (tmp_path / "claims" / "a").open("w"):
        assert wait_until_left(tmp_path, longest_s=0.0)


def test_a_closed_store_has_nothing_open(tmp_path: Path) -> None:
    with CaptionStore.open(tmp_path / "store", embedder="minilm") as store:
        store.add(captions_of("v", 150), vectors_of("v", 150))
        store.count("v", captions_of("v", 1)[0].track)
        assert not wait_until_left(tmp_path / "store", longest_s=0.0)
    assert wait_until_left(tmp_path / "store", longest_s=0.0)
