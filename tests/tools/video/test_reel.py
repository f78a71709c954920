"""A reel shows each scene from edge to edge, after its card, whatever its videos are like."""

from pathlib import Path

import av
import numpy as np
import pytest

from tests.drawing import draw_video, even_times, gray
from tests.tools.video.test_clip import every_frame, loudness_by_tenth
from tools.errors import VideoError
from tools.timeline import Interval
from tools.video import reel
from tools.video.reader import probe
from tools.video.reel import CARD_COLOUR, ReelScene, draw_card, fitted, write_reel

WHITE = np.full((480, 320, 3), 255, np.uint8)


def scene(path: Path, start_s: float, end_s: float) -> ReelScene:
    return ReelScene(probe(path), Interval(start_s, end_s), "a title", "a note")


def test_scenes_of_any_rate_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    slow = draw_video(tmp_path / "a.mp4", even_times(40, 8), offset_s=3)
    fast = draw_video(tmp_path / "b.mp4", even_times(50, 25), picture=lambda n: gray(50 - n))
    out = tmp_path / "reel.mp4"
    write_reel([scene(slow, 1.0, 2.5), scene(fast, 0.4, 1.4)], out, card_s=0.5)
    frames, until_s = every_frame(out)
    times_s = [frame.time_s for frame in frames]
    assert until_s == pytest.approx(0.5 + 1.5 + 0.5 + 1.0, abs=2e-3)
    # A card, 12 pictures at 8 a second, a card, 25 pictures at 25 a second.
    expected = [0.0, *(0.5 + n / 8 for n in range(12)), 2.0, *(2.5 + n / 25 for n in range(25))]
    assert times_s == pytest.approx(expected, abs=2e-3)
    levels = [float(frame.image.mean()) for frame in frames]
    assert levels[1:13] == pytest.approx([5 * n for n in range(8, 20)], abs=3)
    assert levels[14:] == pytest.approx([5 * (50 - n) for n in range(10, 35)], abs=3)


def test_without_cards_there_is_nothing_but_the_scenes(tmp_path: Path) -> None:
    video = draw_video(tmp_path / "a.mp4", even_times(40, 8))
    write_reel([scene(video, 1, 2), scene(video, 3, 4)], tmp_path / "out.mkv", card_s=0)
    frames, _ = every_frame(tmp_path / "out.mkv")
    levels = [float(frame.image.mean()) for frame in frames]
    assert levels == pytest.approx([5 * n for n in (*range(8, 16), *range(24, 32))], abs=3)


def test_the_first_scene_sets_the_size_and_others_get_bars(tmp_path: Path) -> None:
    wide = draw_video(tmp_path / "a.mp4", even_times(16, 8))
    tall = draw_video(tmp_path / "b.mp4", even_times(16, 8), picture=lambda _: WHITE)
    write_reel([scene(wide, 0, 1), scene(tall, 0, 1)], tmp_path / "out.mp4", card_s=0.25)
    frames, _ = every_frame(tmp_path / "out.mp4")
    shapes = {frame.image.shape for frame in frames}
    assert len(shapes) == 1
    (height_px, width_px, _), *_ = shapes
    last = frames[-1].image
    inner_px = height_px * 320 // 480
    assert last[:, width_px // 2].min() > 240
    assert last[:, : (width_px - inner_px) // 2 - 4].max() < 20


def test_sound_stays_with_its_scene_and_the_rest_is_silent(tmp_path: Path) -> None:
    # Two seconds of silence, then a tone.
    heard = draw_video(tmp_path / "a.mp4", even_times(40, 10), sound_s=4.0)
    mute = draw_video(tmp_path / "b.mp4", even_times(40, 10))
    out = tmp_path / "out.mp4"
    write_reel([scene(mute, 0, 1), scene(heard, 1.5, 3), scene(mute, 1, 2)], out, card_s=0.5)
    levels = loudness_by_tenth(out)
    # The tone begins after 0.5 + 1.0 + 0.5 + 0.5 s, and lasts for 1 s.
    assert max(levels[:24]) < 0.02
    assert min(levels[26:34]) > 0.05
    assert max(levels[36:]) < 0.02
    with av.open(str(out)) as container:
        (sound,) = container.streams.audio
        assert sound.duration is not None
        assert sound.time_base is not None
        assert float(sound.duration * sound.time_base) == pytest.approx(5.0, abs=0.05)


def test_a_reel_of_mute_scenes_has_no_sound(tmp_path: Path) -> None:
    video = draw_video(tmp_path / "a.mp4", even_times(16, 8))
    write_reel([scene(video, 0, 1)], tmp_path / "out.mp4", card_s=0.5)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


def test_a_scene_that_cannot_be_shown_leaves_no_file(tmp_path: Path) -> None:
    video = draw_video(tmp_path / "a.mp4", even_times(16, 8))
    with pytest.raises(VideoError, match="shows nothing"):
        write_reel([scene(video, 0, 1), scene(video, 60, 61)], tmp_path / "out.mp4", card_s=1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_an_interruption_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = draw_video(tmp_path / "a.mp4", even_times(16, 8))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reel, "fitted", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_reel([scene(video, 0, 1)], tmp_path / "out.mp4", card_s=1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("out.avi", r"ends in \.mp4 or \.mkv"),
        ("there.mp4", "is there already"),
        ("none/out.mp4", "there is no directory"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str, why: str) -> None:
    video = draw_video(tmp_path / "a.mp4", even_times(16, 8))
    (tmp_path / "there.mp4").write_bytes(b"mine")
    with pytest.raises(VideoError, match=why):
        write_reel([scene(video, 0, 1)], tmp_path / name, card_s=1)
    assert (tmp_path / "there.mp4").read_bytes() == b"mine"


def test_a_reel_never_replaces_one_of_its_videos(tmp_path: Path) -> None:
    video = draw_video(tmp_path / "a.mp4", even_times(16, 8))
    content = video.read_bytes()
    with pytest.raises(VideoError, match="one of its videos"):
        write_reel([scene(video, 0, 1)], video, card_s=1, overwrite=True)
    assert video.read_bytes() == content


@pytest.mark.parametrize(
    "title", ["", "a dog", "猫が座る", "😀 \u202eabc", "x" * 5000, "a b " * 900]
)
@pytest.mark.parametrize("size_px", [(1280, 720), (64, 48), (2, 2), (360, 640)])
def test_any_title_fits_on_any_card(title: str, size_px: tuple[int, int]) -> None:
    card = draw_card(title, title, size_px)
    assert card.shape == (size_px[1], size_px[0], 3)
    if size_px[0] > 100:
        # Nothing is written over the edges, and something is written where there is something.
        edges = np.concatenate([card[:, :4].reshape(-1, 3), card[:2].reshape(-1, 3)])
        assert np.all(edges == CARD_COLOUR)
        assert bool(title) == bool(np.any(card != np.array(CARD_COLOUR, np.uint8)))


def test_a_picture_keeps_its_shape() -> None:
    image = fitted(WHITE, (640, 480))
    assert image.shape == (480, 640, 3)
    assert image[:, 160:480].min() == 255
    assert image[:, :158].max() == image[:, 482:].max() == 0
