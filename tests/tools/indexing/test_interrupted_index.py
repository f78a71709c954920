"""An index that was stopped goes on where it was, and ends as one that was not stopped."""

import itertools
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.drawing import draw_video, even_times, gray
from tests.fakes import BrightnessCaptioner, WordEmbedder
from tests.tiers import first_fast
from tests.tools.indexing import index_alone
from tests.tools.indexing.index_alone import AHEAD, RATE_HZ, SOURCES
from tools.errors import CaptionerError, EmbedderError, StoreError, VideoError
from tools.indexing import indexer
from tools.indexing.indexer import frame_track, index_video
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Caption, Frame
from tools.video.reader import FrameReader, Video, probe

FRAMES = 90
STORED_SOURCES = len(SOURCES)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return draw_video(path, even_times(FRAMES, RATE_HZ), picture=lambda index: gray(index % 50))


@pytest.fixture
def video(film: Path) -> Video:
    return probe(film)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CaptionStore]:
    with open_store(tmp_path / "store") as opened:
        yield opened


def open_store(folder: Path) -> CaptionStore:
    return CaptionStore.open(folder, embedder=WordEmbedder.name)


def index(
    video: Video, captioner: BrightnessCaptioner, store: CaptionStore, embedder: Any = None
) -> VideoRecord:
    return index_video(
        video,
        captioner,
        rate_hz=RATE_HZ,
        store=store,
        embedder=embedder or WordEmbedder(),
        report=lambda _: None,
    )


def stored(video: Video, captioner: BrightnessCaptioner, store: CaptionStore) -> list[Caption]:
    return [*store.read(video.id, frame_track(captioner, RATE_HZ))[0]]


@pytest.fixture(scope="module")
def undisturbed(film: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Caption]:
    captioner = BrightnessCaptioner(sources=SOURCES, ahead=AHEAD)
    with open_store(tmp_path_factory.mktemp("undisturbed")) as store:
        index(probe(film), captioner, store)
        captions = stored(probe(film), captioner, store)
    assert len(captions) == FRAMES * STORED_SOURCES
    return captions


def raising(error: BaseException, *, before: int) -> Callable[[int], None]:
    def raise_it(said: int) -> None:
        if said == before:
            raise error

    return raise_it


def end_undisturbed(
    video: Video, store: CaptionStore, undisturbed: list[Caption]
) -> BrightnessCaptioner:
    """Index again, without anything going wrong, and compare; returns who described the rest."""
    captioner = BrightnessCaptioner(sources=SOURCES, ahead=AHEAD)
    record = index(video, captioner, store)
    assert stored(video, captioner, store) == undisturbed
    assert record.complete
    assert record.captions == len(undisturbed)
    return captioner


def run_alone(store: Path, film: Path, *killed_before: int) -> "subprocess.Popen[str]":
    arguments = [str(store), str(film), *map(str, killed_before)]
    return subprocess.Popen(
        [sys.executable, "-m", index_alone.__name__, *arguments],
        cwd=Path(__file__).parents[3],
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("killed_before", [1, 65, 66, 67, 150, 179])
def test_a_killed_index_goes_on_and_describes_no_stored_frame_again(
    killed_before: int, film: Path, tmp_path: Path, undisturbed: list[Caption]
) -> None:
    killed = run_alone(tmp_path / "store", film, killed_before)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    video, captioner = probe(film), BrightnessCaptioner()
    with open_store(tmp_path / "store") as store:
        kept_s = {caption.start_s for caption in stored(video, captioner, store)}
        (record,) = store.records(video.id)
        assert not record.complete
        assert bool(kept_s) == (killed_before > 64)
        rest = end_undisturbed(video, store, undisturbed)
    assert Counter(rest.described_s) == dict.fromkeys(
        {caption.start_s for caption in undisturbed} - kept_s, STORED_SOURCES
    )


@pytest.mark.slow
@pytest.mark.parametrize("said", first_fast(65, 0, 1, 63, 64, 66, 100, 179))
def test_an_interruption_loses_no_whole_frame_and_keeps_no_half_of_one(
    said: int, video: Video, store: CaptionStore, undisturbed: list[Caption]
) -> None:
    stopped = BrightnessCaptioner(
        sources=SOURCES, ahead=AHEAD, before_saying=raising(KeyboardInterrupt(), before=said)
    )
    with pytest.raises(KeyboardInterrupt):
        index(video, stopped, store)
    kept = Counter(caption.start_s for caption in stored(video, stopped, store))
    assert set(kept.values()) <= {STORED_SOURCES}
    # The captioner reads ahead: of the last frame described, more might have been said.
    whole = said // STORED_SOURCES
    assert whole - 1 <= len(kept) <= whole
    rest = end_undisturbed(video, store, undisturbed)
    assert not set(rest.described_s) & set(kept)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), CaptionerError("the service is gone")])
def test_of_a_captioner_that_does_not_read_ahead_every_described_frame_is_kept(
    error: BaseException, video: Video, store: CaptionStore
) -> None:
    stopped = BrightnessCaptioner(before_saying=raising(error, before=12))
    with pytest.raises(type(error)):
        index(video, stopped, store)
    kept_s = [caption.start_s for caption in stored(video, stopped, store)]
    assert kept_s == stopped.described_s
    assert len(kept_s) == 12


@pytest.mark.slow
def test_a_video_that_stops_decoding_keeps_what_was_described(
    video: Video,
    store: CaptionStore,
    undisturbed: list[Caption],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Torn(FrameReader):
        def __iter__(self) -> Iterator[Frame]:
            yield from itertools.islice(super().__iter__(), 31)
            raise VideoError("the disk is gone")

    monkeypatch.setattr(indexer, "FrameReader", Torn)
    stopped = BrightnessCaptioner(sources=SOURCES)
    with pytest.raises(VideoError, match="the disk is gone"):
        index(video, stopped, store)
    monkeypatch.undo()
    # The 31st frame's end is not known.
    assert len(stored(video, stopped, store)) == 30 * STORED_SOURCES
    rest = end_undisturbed(video, store, undisturbed)
    assert len(rest.described_s) == (FRAMES - 30) * STORED_SOURCES


@pytest.mark.slow
@pytest.mark.parametrize("error", [KeyboardInterrupt(), EmbedderError("no answer")])
def test_an_interruption_while_embedding_loses_nothing(
    error: BaseException, video: Video, store: CaptionStore
) -> None:
    class Embedder(WordEmbedder):
        calls = 0

        def embed(self, texts: Any) -> Any:
            Embedder.calls += 1
            if Embedder.calls == 1:
                raise error
            return super().embed(texts)

    captioner = BrightnessCaptioner()
    with pytest.raises(type(error)):
        index(video, captioner, store, Embedder())
    kept_s = [caption.start_s for caption in stored(video, captioner, store)]
    assert len(kept_s) >= 60
    assert kept_s == captioner.described_s[: len(kept_s)]
    assert len(captioner.described_s) - len(kept_s) <= 1


@pytest.mark.slow
def test_a_store_that_cannot_be_written_is_the_error_that_comes_out(
    video: Video, store: CaptionStore, undisturbed: list[Caption], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise StoreError("no space is left")

    monkeypatch.setattr(store, "add", full)
    with pytest.raises(StoreError, match="no space is left"):
        index(video, BrightnessCaptioner(sources=SOURCES, ahead=AHEAD), store)
    monkeypatch.undo()
    end_undisturbed(video, store, undisturbed)


@pytest.mark.slow
def test_two_processes_index_two_videos_into_one_store_at_once(
    film: Path, tmp_path: Path, undisturbed: list[Caption]
) -> None:
    times_s = even_times(FRAMES + 10, RATE_HZ)
    other = draw_video(tmp_path / "other.mp4", times_s, picture=lambda index: gray(index % 40))
    both = [run_alone(tmp_path / "store", path) for path in (film, other)]
    for one in both:
        _, said = one.communicate()
        assert one.returncode == 0, said
    captioner = BrightnessCaptioner()
    with open_store(tmp_path / "store") as store:
        assert stored(probe(film), captioner, store) == undisturbed
        assert len(stored(probe(other), captioner, store)) == (FRAMES + 10) * STORED_SOURCES
        assert all(record.complete for record in store.records())
        track = replace(frame_track(captioner, RATE_HZ), mode="another")
        assert np.size(store.read(probe(film).id, track)[1]) == 0
