"""Single pictures of a video at the moments asked for."""

from pathlib import Path

from tests.drawing import draw_video, even_times
from tools.video.reader import probe
from tools.video.thumbnails import filmstrip_times, thumbnails


def test_each_picture_is_the_first_at_or_after_its_moment(tmp_path: Path) -> None:
    video = probe(draw_video(tmp_path / "clip.mp4", even_times(40, 5)))
    images = thumbnails(video, [0.0, 3.0, 1.1, 7.8], long_side_px=64)
    levels = [None if image is None else round(float(image.mean()) / 5) for image in images]
    assert levels == [0, 15, 6, 39]


def test_past_the_last_frame_there_is_no_picture(tmp_path: Path) -> None:
    video = probe(draw_video(tmp_path / "clip.mp4", even_times(5, 5)))
    assert thumbnails(video, [30.0], long_side_px=64) == [None]


def test_times_of_a_strip_are_the_middles_of_equal_parts() -> None:
    assert filmstrip_times(10.0, 4) == [1.25, 3.75, 6.25, 8.75]
