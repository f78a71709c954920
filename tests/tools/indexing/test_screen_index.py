"""The text on the screen goes into the store as a track of its own, also in several goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.drawing import HEIGHT_PX, WIDTH_PX, Picture, draw_video, even_times
from tests.fakes import Titles, WordEmbedder
from tools.captioners.screen import ScreenCaptioner
from tools.indexing.indexer import index_video
from tools.store.store import CaptionStore, VideoRecord
from tools.video.reader import Video, probe

if TYPE_CHECKING:
    from tools.timeline import Image

SHOWN = [0] * 4 + [1] * 14 + [2] * 3 + [0] * 12 + [1] * 2
"""Which title each second of the video shows; 0 for none."""


def impatient(patience: int) -> Titles:
    """Reads the title off a picture's brightness; breaks down when it was asked too often."""
    left = iter(range(patience))

    def title_of(image: Image) -> str:
        if next(left, None) is None:
            raise KeyboardInterrupt
        title = round(float(image.mean()) / 100)
        return f"Title {title}" if title else ""

    return Titles(title_of)


def slide(index: int) -> Picture:
    return np.full((HEIGHT_PX, WIDTH_PX, 3), SHOWN[index] * 100, np.uint8)


@pytest.fixture
def slides(tmp_path: Path) -> Video:
    return probe(draw_video(tmp_path / "slides.mp4", even_times(len(SHOWN), 1.0), picture=slide))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CaptionStore]:
    with CaptionStore.open(tmp_path / "store", embedder=WordEmbedder.name) as opened:
        yield opened


def index(video: Video, store: CaptionStore, *, patience: int) -> VideoRecord:
    return index_video(
        video,
        ScreenCaptioner(impatient(patience)),
        rate_hz=1.0,
        store=store,
        embedder=WordEmbedder(),
        report=lambda _: None,
    )


def told(record: VideoRecord, store: CaptionStore) -> list[tuple[float, float, str]]:
    captions, _ = store.read(record.video_id, record.track)
    assert {caption.source for caption in captions} == {"screen"}
    return [(caption.start_s, caption.end_s, caption.text) for caption in captions]


def test_each_title_is_stored_from_when_it_comes_to_when_it_goes(
    slides: Video, store: CaptionStore
) -> None:
    record = index(slides, store, patience=99)
    assert record.complete
    assert told(record, store) == [
        (4.0, 14.0, "On screen: “Title 1”."),
        (14.0, 18.0, "On screen: “Title 1”."),
        (18.0, 21.0, "On screen: “Title 2”."),
        (33.0, 35.0, "On screen: “Title 1”."),
    ]


@pytest.mark.slow
def test_a_reading_that_broke_off_again_and_again_stores_the_same(
    slides: Video, store: CaptionStore
) -> None:
    with pytest.raises(KeyboardInterrupt):
        index(slides, store, patience=8)
    with pytest.raises(KeyboardInterrupt):
        index(slides, store, patience=8)
    record = index(slides, store, patience=18)
    assert [(start_s, end_s) for start_s, end_s, _ in told(record, store)] == [
        *((4.0, 14.0), (14.0, 18.0), (18.0, 21.0), (33.0, 35.0)),
    ]
