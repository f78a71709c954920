"""What an index will take, told before: exact on short videos, near on long ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.drawing import Picture, draw_video, even_times, halves
from tests.fakes import BrightnessCaptioner, WordEmbedder
from tools.captioners.looks import LookMode
from tools.indexing.estimate import CaptionCost, assumed_tokens, estimate_index
from tools.indexing.indexer import index_video
from tools.llm.prices import Price
from tools.store.store import CaptionStore
from tools.timeline import Caption, Interval, Track
from tools.video.reader import Video, probe

COST = CaptionCost(tokens_in=300, tokens_out=50, seconds=6, in_flight=3)
PRICE = Price(2.0, 8.0, "", "")
LOOKS = [halves((30,) * 3, (90,) * 3), halves((200,) * 3, (40,) * 3)]


def changing_every(seconds: int) -> Callable[[int], Picture]:
    return lambda index: LOOKS[index // (2 * seconds) % 2]


def film(path: Path, *, length_s: int, every_s: int) -> Video:
    picture = changing_every(every_s)
    return probe(draw_video(path, even_times(2 * length_s, 2.0), picture=picture))


def test_of_a_short_video_the_captions_are_counted(tmp_path: Path) -> None:
    video = film(tmp_path / "short.mp4", length_s=40, every_s=3)
    told = estimate_index(video, COST, rate_hz=1, mode=LookMode(), every_frame=False, price=PRICE)
    assert (told.frames, told.captions, told.uncertainty) == (40, 27, 0)
    assert (told.duration_s, told.measured_s) == pytest.approx((40, 40), abs=0.5)
    assert (told.tokens_in, told.tokens_out) == (8100, 1350)
    assert told.usd == pytest.approx(0.027)
    assert told.minutes == pytest.approx(54 / 60)
    captioner = BrightnessCaptioner(needs_every_frame=False)
    with CaptionStore.open(tmp_path / "store", embedder=WordEmbedder.name) as store:
        record = index_video(
            video,
            captioner,
            rate_hz=1,
            store=store,
            embedder=WordEmbedder(),
            report=lambda _: None,
        )
    assert record.captions == told.captions


@pytest.mark.parametrize(
    ("mode", "every_frame", "described", "captions"),
    [
        ("frame", True, 0, 40),
        ("frame", True, 15, 25),
        ("frame", True, 99, 0),
        ("grid4", True, 0, 10),
        ("grid4", False, 0, 7),
    ],
)
def test_how_frames_are_shown_and_what_is_there_counts(
    mode: str, every_frame: bool, described: int, captions: int, tmp_path: Path
) -> None:
    told = estimate_index(
        film(tmp_path / "short.mp4", length_s=40, every_s=3),
        COST,
        rate_hz=1,
        mode=LookMode.parse(mode),
        every_frame=every_frame,
        price=None,
        described=described,
    )
    assert (told.captions, told.usd) == (captions, None)


@pytest.mark.slow
def test_of_a_long_video_stretches_stand_for_the_whole(tmp_path: Path) -> None:
    video = film(tmp_path / "long.mp4", length_s=1200, every_s=3)
    told = estimate_index(video, COST, rate_hz=1, mode=LookMode(), every_frame=False, price=PRICE)
    assert told.frames == 1200
    assert told.measured_s == pytest.approx(160)
    # 19 steps of a stretch hold six or seven of these changes, with a frame on each side.
    assert 12 / 19 <= told.captions / 1200 <= 14 / 19 + 0.01
    assert told.uncertainty < 30


def test_a_picture_costs_its_tiles_and_a_reply_what_replies_were_long(tmp_path: Path) -> None:
    video = film(tmp_path / "short.mp4", length_s=1, every_s=1)
    prompt = "x" * 40
    assert assumed_tokens(video, LookMode(), prompt=prompt) == (85 + 170 + 10, 60)
    assert assumed_tokens(video, LookMode("clip", 3), prompt=prompt) == (3 * (85 + 170) + 10, 60)
    caption = Caption("v", Interval(0, 1), "y" * 80, "vision", Track("m", "", ""))
    assert assumed_tokens(video, LookMode(), prompt="", captions=[caption])[1] == 20
