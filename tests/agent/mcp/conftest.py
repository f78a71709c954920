"""A desk over a folder with one drawn video, and the SDK's own client."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.api import Grounder
from agent.mcp.desk import Desk
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
def desk(folder: Path) -> Iterator[Desk]:
    with Grounder(captioner=BrightnessCaptioner()) as grounder:
        opened = Desk(grounder, [folder])
        opened.open()
        yield opened
        opened.close()
