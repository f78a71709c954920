"""Grounding by sight, on drawn videos that a tiny trained model really sees."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.drawing import draw_video, even_times
from tests.sight_presence import found_of
from tests.tiny_joint import NOTHING, Thing, draw, random_thing
from tools.errors import StoreError
from tools.grounding.grounder import ground
from tools.grounding.other_frames import OtherFrames
from tools.indexing.sight_pass import index_by_sight, looking, track_of
from tools.retrieval.sight_evidence import SIGHT
from tools.retrieval.sight_scale import SightScale
from tools.sight.frame_track import as_caption
from tools.sight.joint_model import OnnxJointModel
from tools.sight.words import SightWords
from tools.store.store import CaptionStore
from tools.timeline import Interval
from tools.video.reader import FrameReader, probe

pytestmark = pytest.mark.slow

VIDEOS = 20


@pytest.fixture(scope="module")
def model(tiny_joint: Path) -> OnnxJointModel:
    return OnnxJointModel(tiny_joint)


def test_what_is_drawn_is_found_at_its_time_in_nine_of_ten_questions(model: OnnxJointModel) -> None:
    rng = np.random.default_rng(3)
    words, scale = SightWords(model), SightScale.measure(model)
    track = track_of(model, 1.0)
    videos = []
    for _ in range(VIDEOS):
        shown = [(random_thing(rng), int(rng.integers(3, 14))) for _ in range(8)]
        frames = [draw(thing, rng) for thing, length_s in shown for _ in range(length_s)]
        videos.append((shown, model.embed_pictures(frames)))
    right = []
    for shown, vectors in videos:
        captions = [
            as_caption("video", Interval(float(at_s), at_s + 1.0), track)
            for at_s in range(len(vectors))
        ]
        others = np.concatenate([other for _, other in videos if other is not vectors])
        for place, (thing, length_s) in enumerate(shown):
            if not thing.colour or sum(one == thing for one, _ in shown) > 1:
                continue
            start_s = sum(length for _, length in shown[:place])
            ranking = ground(
                str(thing),
                words.embed([str(thing)])[0],
                captions,
                vectors,
                duration_s=float(len(captions)),
                background=vectors[:0],
                calibration=SIGHT,
                others=OtherFrames(others, scale.texts, scale.match),
            )
            truth = Interval(float(start_s), float(start_s + length_s))
            right.append(ranking.windows[0].span.iou(truth) >= 0.5)
    assert len(right) > 100
    assert np.mean(right) >= 0.9


def drawn(path: Path) -> Path:
    shown = [NOTHING, Thing("red", "circle", "left"), NOTHING, Thing("blue", "cross", "top")]
    pictures = [draw(thing) for thing in shown]
    return draw_video(path, even_times(64, 4.0), picture=lambda at: pictures[at // 16])


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_frames(
    model: OnnxJointModel, tmp_path: Path
) -> None:
    video = probe(drawn(tmp_path / "drawn.mp4"))

    def indexed(folder: Path, *, stopped_first: bool) -> list[tuple[float, float]]:
        with CaptionStore.open(folder, embedder=model.name) as store:
            if stopped_first:
                with looking(video, model, rate_hz=4.0, store=store) as sight:
                    assert sight
                    for frame in list(FrameReader(video, rate_hz=4.0))[:40]:
                        sight.watch(frame)
                assert not store.records(video.id)[0].complete
                assert store.count(video.id, sight.track) > 0
            index_by_sight(video, model, rate_hz=4.0, store=store, report=lambda _: None)
            (record,) = store.records(video.id)
            assert record.complete
            frames, vectors = store.read(video.id, record.track)
            assert len(frames) == len(vectors) == record.captions
            return [(one.start_s, one.end_s) for one in frames]

    whole = indexed(tmp_path / "whole", stopped_first=False)
    assert indexed(tmp_path / "stopped", stopped_first=True) == whole
    assert whole[0][0] == 0.0
    assert whole[-1][1] == pytest.approx(16.0, abs=0.3)
    assert all(before[1] == after[0] for before, after in pairwise(whole))
    assert len(whole) < 64, "frames that look alike are kept once"


def test_a_video_that_was_seen_is_not_looked_at_again_and_can_be_forgotten(
    model: OnnxJointModel, tmp_path: Path
) -> None:
    video = probe(drawn(tmp_path / "drawn.mp4"))
    with CaptionStore.open(tmp_path / "store", embedder=model.name) as store:
        index_by_sight(video, model, rate_hz=1.0, store=store, report=lambda _: None)
        with looking(video, model, rate_hz=1.0, store=store) as again:
            assert again is None
        # Whatever the embedder of the store that forgets.
        with CaptionStore.open(tmp_path / "store", embedder="words") as other:
            assert other.forget(video.id) > 0
        assert store.records(video.id) == []


def test_what_is_forgotten_meanwhile_is_not_kept(model: OnnxJointModel, tmp_path: Path) -> None:
    video = probe(drawn(tmp_path / "drawn.mp4"))
    with (
        CaptionStore.open(tmp_path / "store", embedder=model.name) as store,
        looking(video, model, rate_hz=1.0, store=store) as sight,
    ):
        assert sight
        for frame in FrameReader(video, rate_hz=1.0):
            sight.watch(frame)
        store.forget(video.id)
        with pytest.raises(StoreError, match="was forgotten"):
            sight.settle(16.0)


def test_what_is_there_is_found_and_what_is_not_is_not_however_many_other_videos_there_are(
    model: OnnxJointModel,
) -> None:
    for asked in found_of(model, seed=7).values():
        assert len(asked["present"]) > 20
        assert np.mean(asked["present"]) >= 0.9
        assert np.mean(asked["absent"]) <= 0.15
