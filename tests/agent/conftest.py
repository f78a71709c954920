"""The road's captions, in a store that a test may take for its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.road import stored
from tools.store.store import CaptionStore


@pytest.fixture(scope="session")
def _road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], CaptionStore]]:
    """Gives the same store until something was written into it; opening one takes 10 ms."""
    written: list[tuple[CaptionStore, object]] = []
    with ExitStack() as opened:

        def now() -> CaptionStore:
            if not written or generation_of(written[-1][0]) != written[-1][1]:
                opened.close()
                store = opened.enter_context(stored(tmp_path_factory.mktemp("road")))
                written.append((store, generation_of(store)))
            return written[-1][0]

        yield now


def generation_of(store: CaptionStore) -> object:
    """Another number after every change of what is stored."""
    return store._connection.generation


@pytest.fixture
def store(_road: Callable[[], CaptionStore]) -> CaptionStore:
    return _road()
