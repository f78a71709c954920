"""A file that became another video is noticed, however soon it did."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.watching.moved_files import state_of, warning_of
from tests.drawing import draw_video, even_times, gray
from tests.fakes import BrightnessCaptioner, WordEmbedder
from tools.indexing.indexer import index_video
from tools.store.store import CaptionStore, VideoRecord
from tools.video.reader import Video, probe

TICK_S = 0.01
"""What the kernel's clock for files may be behind by."""


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "other.mp4", even_times(3, 1.0), picture=lambda i: gray(9 + i))


@pytest.fixture
def video(tmp_path: Path) -> Video:
    return probe(draw_video(tmp_path / "road.mp4", even_times(3, 1.0)))


def indexed(video: Video, tmp_path: Path) -> VideoRecord:
    with CaptionStore.open(tmp_path / "store", embedder=WordEmbedder.name) as store:
        return index_video(
            video,
            BrightnessCaptioner(),
            rate_hz=1.0,
            store=store,
            embedder=WordEmbedder(),
            report=lambda _: None,
        )


def test_a_file_that_was_replaced_within_a_tick_of_the_clock_is_another(
    video: Video, other: Path, tmp_path: Path
) -> None:
    record = indexed(video, tmp_path)
    shutil.copy(other, video.path)
    a_tick_later_s = video.path.stat().st_ctime + TICK_S
    late = replace(record, indexed_at=datetime.fromtimestamp(a_tick_later_s, UTC).isoformat())
    # Earlier versions kept no hash of the whole content beside the id.
    for kept in (late, replace(late, content_id="", file_stamp="")):
        assert "is another video now" in warning_of(kept)
        assert "another video lies there now" in state_of(kept)


def test_a_file_that_is_as_it_was_gives_no_warning(video: Video, tmp_path: Path) -> None:
    record = indexed(video, tmp_path)
    assert (warning_of(record), state_of(record)) == ("", "ready")
