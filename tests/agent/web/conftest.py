"""A server over a folder with one drawn video, and a client of it on the loopback."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.api import Grounder
from agent.web.rooms import Rooms
from tests.agent.web.serving import MOST_BYTES, client_of
from tests.drawing import draw_video, even_times
from tests.fakes import BrightnessCaptioner


@pytest.fixture(autouse=True)
def _words(word_embedder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENABOUTS_READ_TEXT", "false")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    draw_video(folder / "road.mp4", even_times(48, 8.0))
    return folder


@pytest.fixture
def captioner() -> BrightnessCaptioner:
    return BrightnessCaptioner()


@pytest.fixture
def grounder(captioner: BrightnessCaptioner) -> Iterator[Grounder]:
    with Grounder(captioner=captioner) as opened:
        yield opened


@pytest.fixture
def rooms(grounder: Grounder, folder: Path) -> Rooms:
    return Rooms(grounder, [folder], most_bytes=MOST_BYTES)


@pytest.fixture
def client(rooms: Rooms) -> Iterator[Any]:
    with client_of(rooms) as opened:
        yield opened
