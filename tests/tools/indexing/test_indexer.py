"""What the indexer stores: right spans, once, by any captioner; Chroma and the decoder are real."""

import bisect
import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.drawing import draw_video, even_times, halves
from tests.fakes import BrightnessCaptioner, WordEmbedder
from tests.tiers import first_fast
from tools.captioners.file import file_track
from tools.captioners.protocol import Description
from tools.errors import CaptionError
from tools.indexing import caption_writer
from tools.indexing.indexer import Progress, frame_track, index_captions_file, index_video
from tools.indexing.scenes import read_scenes
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Caption
from tools.video.decoding import DecodePass
from tools.video.reader import Video, probe

UNEVEN_S = [0.0, 0.9, 1.0, 1.04, 3.5, 3.6, 7.25, 7.3, 9.0, 9.04]
SAMPLED_S = [0.0, 1.0, 3.5, 7.25, 9.0]
"""The first frame at or after each second of UNEVEN_S; seconds without a frame have none."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CaptionStore]:
    with CaptionStore.open(tmp_path / "store", embedder=WordEmbedder.name) as opened:
        yield opened


@pytest.fixture
def uneven(tmp_path: Path) -> Video:
    return probe(draw_video(tmp_path / "uneven.mp4", UNEVEN_S))


@pytest.fixture
def even(tmp_path: Path) -> Video:
    return probe(draw_video(tmp_path / "even.mp4", even_times(48, 8.0)))


def index(
    video: Video,
    captioner: Any,
    store: CaptionStore,
    *,
    rate_hz: float = 1.0,
    report: Callable[[Progress], None] = lambda _: None,
) -> VideoRecord:
    return index_video(
        video, captioner, rate_hz=rate_hz, store=store, embedder=WordEmbedder(), report=report
    )


def import_file(video: Video, path: Path, store: CaptionStore) -> VideoRecord:
    return index_captions_file(
        video, path, store=store, embedder=WordEmbedder(), report=lambda _: None
    )


def captions_of(record: VideoRecord, store: CaptionStore) -> list[Caption]:
    return [*store.read(record.video_id, record.track)[0]]


def write_captions(path: Path, **caption_at: str) -> Path:
    rows = [{"t": float(t.removeprefix("t")), "caption": text} for t, text in caption_at.items()]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


# --- spans


@pytest.mark.parametrize("ahead", first_fast(0, 1, 3, 20, fast=2))
@pytest.mark.parametrize("backwards", [False, True])
def test_a_caption_holds_from_its_frame_to_the_next_and_the_last_to_the_true_end(
    ahead: int, backwards: bool, uneven: Video, store: CaptionStore
) -> None:
    record = index(uneven, BrightnessCaptioner(ahead=ahead, backwards=backwards), store)
    captions = captions_of(record, store)
    assert [caption.start_s for caption in captions] == pytest.approx(SAMPLED_S, abs=1e-3)
    for earlier, later in pairwise(captions):
        assert earlier.end_s == later.start_s
    assert captions[-1].end_s == record.duration_s
    assert record.duration_s > UNEVEN_S[-1]


def test_each_caption_tells_of_its_own_frame(uneven: Video, store: CaptionStore) -> None:
    record = index(uneven, BrightnessCaptioner(ahead=2, backwards=True), store)
    seen = [int(caption.text.split()[1]) for caption in captions_of(record, store)]
    # The drawn frame's brightness is five times its place among UNEVEN_S.
    assert seen == pytest.approx([5 * UNEVEN_S.index(time_s) for time_s in SAMPLED_S], abs=2)


def test_all_sources_of_a_frame_share_its_span_and_all_captions_are_counted(
    uneven: Video, store: CaptionStore
) -> None:
    captioner = BrightnessCaptioner(sources=("signal", "screen"), ahead=1)
    record = index(uneven, captioner, store)
    captions = captions_of(record, store)
    assert [caption.source for caption in captions[:2]] == ["screen", "signal"]
    assert captions[0].span == captions[1].span
    assert record.captions == len(captions) == 2 * len(SAMPLED_S)


def test_a_description_of_a_frame_that_was_not_read_is_a_bug_and_not_lost(
    even: Video, store: CaptionStore
) -> None:
    class Inventive(BrightnessCaptioner):
        def describe(self, frames: Any, *, seen: Any) -> Iterator[Description]:
            next(iter(frames))
            yield Description(0.3, "made up", "vision")

    with pytest.raises(ValueError, match=r"description of 0\.3 s, where no frame was read"):
        index(even, Inventive(), store)


def test_each_caption_is_embedded_once(
    even: Video, store: CaptionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[int] = []

    class Counting(WordEmbedder):
        def embed(self, texts: Any) -> Any:
            embedded.append(len(texts))
            return super().embed(texts)

    monkeypatch.setattr(caption_writer, "BATCH_CAPTIONS", 10)
    record = index_video(
        even,
        BrightnessCaptioner(ahead=3),
        rate_hz=8.0,
        store=store,
        embedder=Counting(),
        report=lambda _: None,
    )
    assert len(embedded) > 3
    assert sum(embedded) == record.captions == 48


# --- tracks


def test_indexing_again_adds_nothing_and_describes_nothing(
    even: Video, store: CaptionStore
) -> None:
    first = index(even, BrightnessCaptioner(), store)
    before = captions_of(first, store)
    again = BrightnessCaptioner()
    second = index(even, again, store)
    assert again.described_s == []
    assert captions_of(second, store) == before
    assert (second.captions, second.complete) == (6, True)
    assert len(store.records()) == 1


@pytest.mark.slow
def test_another_rate_or_captioner_is_another_track_and_tracks_do_not_mix(
    even: Video, store: CaptionStore
) -> None:
    records = [
        index(even, BrightnessCaptioner(), store),
        index(even, BrightnessCaptioner(), store, rate_hz=2.0),
        index(even, BrightnessCaptioner(model="other"), store),
    ]
    assert [record.captions for record in records] == [6, 12, 6]
    assert len({record.track for record in records}) == 3
    for record in records:
        assert {caption.track for caption in captions_of(record, store)} == {record.track}
    assert set(store.records(even.id)) == set(records)


@pytest.mark.parametrize(
    ("rate_hz", "mode"),
    [(1.0, "frame@1/s"), (1, "frame@1/s"), (0.5, "frame@0.5/s"), (1 / 3, f"frame@{1 / 3!r}/s")],
)
def test_the_track_tells_the_rate_to_the_last_digit(rate_hz: float, mode: str) -> None:
    captioner = BrightnessCaptioner()
    assert frame_track(captioner, rate_hz).mode == mode
    assert frame_track(captioner, rate_hz) != frame_track(captioner, rate_hz * (1 + 1e-9))


# --- pictures that stay the same


STILL_S = [0.0, 3.0, 4.0, 7.0]
"""Where the picture changes in the film below."""

DESCRIBED_S = [0.0, 2.0, 3.0, 4.0, 6.0, 7.0]
"""Both sides of each change."""


def still_film(path: Path) -> Video:
    """10 s, a picture of its own from each of STILL_S on, 8 frames a second."""
    looks = [halves((30,) * 3, (90,) * 3), halves((200,) * 3, (40,) * 3)]
    looks += [halves((90,) * 3, (240,) * 3), halves((250,) * 3, (10,) * 3)]
    return probe(
        draw_video(
            path,
            even_times(80, 8.0),
            picture=lambda n: looks[bisect.bisect_right(STILL_S, n / 8) - 1],
        )
    )


@pytest.mark.parametrize("ahead", [0, 2])
def test_a_caption_holds_until_the_frame_before_the_picture_changes(
    ahead: int, store: CaptionStore, tmp_path: Path
) -> None:
    video = still_film(tmp_path / "still.mp4")
    said: list[Progress] = []
    captioner = BrightnessCaptioner(ahead=ahead, needs_every_frame=False)
    record = index(video, captioner, store, report=said.append)
    captions = captions_of(record, store)
    assert [caption.start_s for caption in captions] == DESCRIBED_S
    assert [caption.end_s for caption in captions] == [*DESCRIBED_S[1:], record.duration_s]
    assert captioner.described_s == DESCRIBED_S
    assert (said[-1].frames, said[-1].skipped) == (10, 4)


@pytest.mark.slow
def test_captions_of_every_frame_and_of_new_pictures_are_two_tracks(
    store: CaptionStore, tmp_path: Path
) -> None:
    video = still_film(tmp_path / "still.mp4")
    captioner = BrightnessCaptioner(needs_every_frame=False)
    few = index(video, captioner, store)
    every = index_video(
        video,
        captioner,
        rate_hz=1.0,
        store=store,
        embedder=WordEmbedder(),
        report=lambda _: None,
        every_frame=True,
    )
    assert (few.track.mode, few.captions) == ("frame@1/s distinct4", 6)
    assert (every.track.mode, every.captions) == ("frame@1/s", 10)
    assert frame_track(captioner, 1.0) == few.track
    assert frame_track(captioner, 1.0, every_frame=True) == every.track


def test_an_index_of_new_pictures_goes_on_with_the_same_pictures(
    store: CaptionStore, tmp_path: Path
) -> None:
    def stop(said: int) -> None:
        if said == 2:
            raise KeyboardInterrupt

    video = still_film(tmp_path / "still.mp4")
    stopped = BrightnessCaptioner(needs_every_frame=False, before_saying=stop)
    with pytest.raises(KeyboardInterrupt):
        index(video, stopped, store)
    kept = store.read(video.id, frame_track(stopped, 1.0))[0]
    # The second picture's end is looked for before the run ends.
    assert [(one.start_s, one.end_s) for one in kept] == [(0.0, 2.0), (2.0, 3.0)]
    rest = BrightnessCaptioner(needs_every_frame=False)
    captions = captions_of(index(video, rest, store), store)
    assert rest.described_s == DESCRIBED_S[2:]
    assert [caption.start_s for caption in captions] == DESCRIBED_S


@pytest.mark.slow
@pytest.mark.parametrize("every_frame", [True, False])
def test_an_index_that_saw_the_whole_video_leaves_its_scenes(
    every_frame: bool, store: CaptionStore, tmp_path: Path
) -> None:
    video = still_film(tmp_path / "still.mp4")

    def stop(said: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index(video, BrightnessCaptioner(before_saying=stop), store)
    assert read_scenes(store, video.id) == []
    record = index(video, BrightnessCaptioner(needs_every_frame=every_frame), store)
    scenes = read_scenes(store, video.id)
    assert [scene.start_s for scene in scenes] == STILL_S
    assert [scene.end_s for scene in scenes] == [*STILL_S[1:], record.duration_s]
    # They are no captions.
    found = store.search(WordEmbedder().embed(["a cut"])[0], limit=99)
    assert {caption.track for caption, _ in found} == {record.track}
    store.forget(video.id)
    assert read_scenes(store, video.id) == []


# --- progress


def test_progress_begins_at_once_grows_and_ends_with_the_video(
    even: Video, store: CaptionStore
) -> None:
    said: list[Progress] = []
    record = index(even, BrightnessCaptioner(), store, rate_hz=8.0, report=said.append)
    assert (said[0].seen_s, said[0].captions, said[0].resumed) == (0.0, 0, False)
    assert said[-1].seen_s == record.duration_s
    assert said[-1].captions == record.captions == 48
    assert said == sorted(said, key=lambda progress: progress.seen_s)
    said.clear()
    index(even, BrightnessCaptioner(), store, rate_hz=8.0, report=said.append)
    assert (said[0].seen_s, said[0].resumed) == (47 / 8, True)


# --- what files say of themselves


ODD_VIDEOS = [
    ("made_truncated_1500kB.mp4", 0.2, 62.9, "ends early: its header says 139.4 s, 62.9 s decode"),
    ("exo_ssasample.mkv", 1.0, 30.0, "ends early: its header says 1449.9 s"),
    ("exo_sample_fragmented.mp4", 10.0, 1.0, ""),
    ("mpy_no_duration.webm", 10.0, 4.9, ""),
]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("odd", ODD_VIDEOS, ids=lambda odd: odd[0])
def test_a_video_is_as_long_as_it_decodes_and_the_record_says_what_is_wrong(
    odd: tuple[str, float, float, str], store: CaptionStore, shared_data: Path
) -> None:
    name, rate_hz, length_s, warning = odd
    video = probe(shared_data / "odd_videos" / name)
    record = index(video, BrightnessCaptioner(), store, rate_hz=rate_hz)
    assert record.complete
    assert record.duration_s == pytest.approx(length_s, abs=0.1)
    assert captions_of(record, store)[-1].end_s == record.duration_s
    assert warning in record.warning
    assert bool(warning) == bool(record.warning)


# --- captions files


def test_a_captions_file_is_imported_without_decoding(
    even: Video, store: CaptionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_captions(tmp_path / "even.jsonl", t0="a road", t2="a dog", t5="a road")

    def decode(*_: object) -> None:
        raise AssertionError("a frame was decoded")

    monkeypatch.setattr(DecodePass, "__iter__", decode)
    record = import_file(even, path, store)
    assert (record.track, record.rate_hz) == (file_track(path), None)
    assert (record.complete, record.captions) == (True, 3)
    assert record.duration_s == pytest.approx(6.0, abs=0.01)
    assert [(one.start_s, one.end_s, one.text) for one in captions_of(record, store)] == [
        (0.0, 2.0, "a road"),
        (2.0, 5.0, "a dog"),
        (5.0, record.duration_s, "a road"),
    ]


def test_the_same_captions_under_another_name_add_nothing_and_others_are_another_track(
    even: Video, store: CaptionStore, tmp_path: Path
) -> None:
    path = write_captions(tmp_path / "even.jsonl", t0="a road")
    first = import_file(even, path, store)
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(path.read_bytes())
    assert import_file(even, copy, store).track == first.track
    assert store.count(even.id, first.track) == 1
    changed = import_file(even, write_captions(path, t0="a river"), store)
    assert changed.track != first.track
    assert [one.text for one in captions_of(first, store)] == ["a road"]
    assert [one.text for one in captions_of(changed, store)] == ["a river"]


def test_of_a_file_with_a_caption_past_the_end_nothing_is_written(
    even: Video, store: CaptionStore, tmp_path: Path
) -> None:
    path = write_captions(tmp_path / "even.jsonl", t0="a road", t6="past the end")
    with pytest.raises(CaptionError, match=r"even\.jsonl:2: the caption starts at 6\.0 s"):
        import_file(even, path, store)
    assert store.records() == []
    assert store.count(even.id, file_track(path)) == 0


def test_captions_that_start_together_are_all_counted(
    even: Video, store: CaptionStore, tmp_path: Path
) -> None:
    path = tmp_path / "even.jsonl"
    rows = [{"start_s": 0, "end_s": end_s, "caption": "a road"} for end_s in (1, 2, 3)]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert import_file(even, path, store).captions == 3
