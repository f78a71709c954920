"""What an image model is shown: the right frames, together, at a bearable size."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from tools.captioners.looks import LookMode, encode_jpeg, seconds_label, take_looks
from tools.errors import CaptionerError
from tools.timeline import Frame


def frame(time_s: float, *, width_px: int = 320, height_px: int = 180) -> Frame:
    """Its brightness tells its time, up to 20."""
    image = np.full((height_px, width_px, 3), 50 + 10 * int(time_s), np.uint8)
    return Frame(time_s, image, None, None, np.zeros((1, 36, 64), np.uint8), np.zeros(1))


def frames(count: int) -> Iterator[Frame]:
    return (frame(float(number)) for number in range(count))


@pytest.mark.parametrize("name", ["frame", "grid4", "clip16", "grid2"])
def test_a_mode_is_what_it_is_named(name: str) -> None:
    assert str(LookMode.parse(name)) == name


def test_a_grid_or_clip_without_a_number_has_four() -> None:
    assert LookMode.parse("grid") == LookMode("grid", 4)
    assert LookMode.parse(" clip ") == LookMode("clip", 4)


@pytest.mark.parametrize("name", ["", "frames", "frame2", "grid-4", "clip4@1/s", "Grid4"])
def test_another_name_is_told_the_right_ones(name: str) -> None:
    with pytest.raises(CaptionerError, match="use frame, grid4 or clip4"):
        LookMode.parse(name)


@pytest.mark.parametrize("name", ["grid1", "clip17", "grid0"])
def test_a_number_that_makes_no_sense_is_refused(name: str) -> None:
    with pytest.raises(CaptionerError, match="a grid or clip is 2 to 16"):
        LookMode.parse(name)


@pytest.mark.parametrize("kind", ["grid3", "clip3"])
def test_every_frame_is_shown_once_in_groups_counted_from_the_start(kind: str) -> None:
    mode = LookMode.parse(kind)
    assert [look.times_s for look in take_looks(frames(7), mode, seen=())] == [
        (0.0, 1.0, 2.0),
        (3.0, 4.0, 5.0),
        (6.0,),
    ]
    # A resumed run makes the same groups.
    assert [look.times_s for look in take_looks(frames(7), mode, seen={0.0, 6.0})] == [
        (3.0, 4.0, 5.0)
    ]
    assert list(take_looks(frames(0), mode, seen=())) == []


def test_single_frames_that_are_seen_are_left_out_and_others_untouched() -> None:
    looks = list(take_looks(frames(3), LookMode(), seen={1.0}))
    assert [(look.time_s, look.last_s) for look in looks] == [(0.0, 0.0), (2.0, 2.0)]
    assert looks[0].images[0].shape == (180, 320, 3)


def test_a_clip_shows_each_picture_and_makes_large_ones_smaller() -> None:
    (look,) = take_looks(frames(4), LookMode("clip", 4), seen=(), long_side_px=160)
    assert [image.shape for image in look.images] == [(90, 160, 3)] * 4
    assert [int(image.mean()) for image in look.images] == [50, 60, 70, 80]


def test_a_grid_shows_its_frames_row_by_row_below_their_times() -> None:
    (look,) = take_looks(frames(4), LookMode("grid", 4), seen=())
    (grid,) = look.images
    strip_px = grid.shape[0] // 2 - 180
    assert grid.shape[1] == 640
    cells = [grid[top + strip_px : top + strip_px + 180, left : left + 320]
             for top in (0, grid.shape[0] // 2) for left in (0, 320)]  # fmt: skip
    assert [int(cell.mean()) for cell in cells] == [50, 60, 70, 80]
    assert [len(np.unique(cell)) for cell in cells] == [1, 1, 1, 1]  # nothing is written into it
    strips = [grid[top : top + strip_px, left : left + 320]
              for top in (0, grid.shape[0] // 2) for left in (0, 320)]  # fmt: skip
    assert all(strip.max() > 200 and strip.min() == 0 for strip in strips)
    assert len({strip.tobytes() for strip in strips}) == 4


@pytest.mark.parametrize("count", [2, 5, 9, 16])
def test_a_grid_keeps_within_its_size(count: int) -> None:
    (look,) = take_looks(frames(count), LookMode("grid", count), seen=(), long_side_px=500)
    assert max(look.images[0].shape) <= 500


def test_a_grid_takes_frames_that_change_size() -> None:
    mixed = [frame(0.0), frame(1.0, width_px=100, height_px=200)]
    (look,) = take_looks(mixed, LookMode("grid", 2), seen=())
    assert look.images[0].shape[1] == 640


def test_no_more_frames_are_read_than_a_look_needs() -> None:
    read: list[float] = []

    def noted() -> Iterator[Frame]:
        for one in frames(100):
            read.append(one.time_s)
            yield one

    next(take_looks(noted(), LookMode("clip", 4), seen=()))
    assert len(read) == 4


def test_a_jpeg_keeps_its_limit_and_is_still_the_picture() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    noise[:, :200] //= 4
    small = encode_jpeg(noise, max_bytes=8_000)
    assert len(small) <= 8_000 < len(encode_jpeg(noise, max_bytes=10**6))
    decoded = np.asarray(cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_COLOR))
    middle_px = decoded.shape[1] // 2
    assert decoded[:, :middle_px].mean() < 50
    assert decoded[:, middle_px:].mean() > 100


def test_colours_survive() -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 250
    encoded = np.frombuffer(encode_jpeg(red, max_bytes=10**6), np.uint8)
    bgr = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    assert bgr[32, 32, 2] > 240
    assert bgr[32, 32, 0] < 10


def test_a_limit_that_no_picture_keeps_is_named() -> None:
    with pytest.raises(CaptionerError, match="no picture fits into 50 bytes"):
        encode_jpeg(np.zeros((64, 64, 3), np.uint8), max_bytes=50)


@pytest.mark.parametrize(
    ("time_s", "label"), [(0.0, "0 s"), (12.5, "12.5 s"), (12.04, "12.04 s"), (100.0, "100 s")]
)
def test_times_are_short(time_s: float, label: str) -> None:
    assert seconds_label(time_s) == label
