"""The road's captions, in a store of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.road import stored
from tools.store.store import CaptionStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CaptionStore]:
    with stored(tmp_path / "store") as opened:
        yield opened
