"""What is read again, and what not: clocks, terminals, text on its side."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.drawing import draw_video, even_times
from tests.fakes import Titles
from tools.signals.ocr import Box, Part, TextReader, load_text_reader
from tools.signals.sameness import is_another_scene, shows_the_same
from tools.signals.screen_reader import ScreenReader
from tools.timeline import Frame
from tools.video.reader import FrameReader, probe

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 512, 288
UPRIGHT, TURNED = (HEIGHT, WIDTH), (WIDTH, HEIGHT)
NO_LUMA = np.zeros((1, 36, 64), np.uint8)


def desk(seed: int = 0) -> Picture:
    """A picture full of soft shapes."""
    coarse = np.random.default_rng(seed).integers(60, 160, (9, 16, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def written(picture: Picture, text: str, *, at: tuple[int, int], scale: float = 0.5) -> Picture:
    out = picture.copy()
    cv2.putText(out, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (250, 250, 250), 1, cv2.LINE_AA)
    return out


def grained(picture: Picture, seed: int) -> Picture:
    grain = np.random.default_rng(seed).normal(0, 3, picture.shape)
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)


def grey(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.mark.parametrize("digits", ["01", "12", "38", "56", "89", "17"])
def test_a_digit_that_changes_makes_another_picture_and_grain_does_not(digits: str) -> None:
    one, other = (grey(written(desk(), f"12:00:0{d}", at=(8, 20), scale=0.35)) for d in digits)
    assert not shows_the_same(one, other)
    first, second = (grey(grained(desk(), seed)) for seed in (1, 2))
    assert shows_the_same(first, second)


def test_pictures_of_two_sizes_are_not_the_same() -> None:
    assert not shows_the_same(grey(desk()), grey(desk())[:100])


def test_only_a_picture_with_little_in_common_is_another_scene() -> None:
    here = grey(desk())
    assert not is_another_scene(here, grey(written(desk(), "A TITLE", at=(100, 200), scale=3)))
    assert is_another_scene(here, 255 - here)


def frame(picture: Picture, native: Picture | None = None) -> Frame:
    whole = None if native is None else lambda: native
    return Frame(0.0, picture, None, None, NO_LUMA, np.zeros(1), whole)


def reading(read: TextReader, *pictures: Picture) -> list[tuple[str, ...]]:
    screen = ScreenReader(lambda: read)
    return [screen.lines(frame(picture)) for picture in pictures]


def upright_or_turned(upright: str, turned: str) -> Callable[[Picture], str]:
    """One text for a picture that is wider than high, and another one for it turned."""
    return lambda picture: upright if picture.shape[0] < picture.shape[1] else turned


def test_a_scene_is_turned_once_where_that_brings_no_text() -> None:
    reader = Titles(upright_or_turned("TITLE", ""))
    reading(reader, desk(), desk(1), 255 - desk())
    assert reader.searched_in == [UPRIGHT, TURNED, UPRIGHT, UPRIGHT, TURNED]


def test_where_a_part_changed_only_that_part_is_searched() -> None:
    reader = Titles(upright_or_turned("TITLE", ""))
    pages = reading(reader, desk(), written(desk(), "MORE", at=(90, 99)), desk())
    (height_px, width_px), again = reader.searched_in[2:]
    assert (height_px, width_px) == again
    assert height_px * width_px < 0.2 * HEIGHT * WIDTH
    # What stands elsewhere stands there still.
    assert pages == [("TITLE",)] * 3


def test_what_comes_slowly_elsewhere_is_found_at_last() -> None:
    """Each step is too small to be a change, and something else changes all the time."""
    searched: list[Part | None] = []

    class Finds:
        def find(self, _: Picture, within: Part | None = None) -> list[Box]:
            searched.append(within)
            return []

        def read(self, _: Picture, boxes: Sequence[Box]) -> list[str]:
            return [""] * len(boxes)

    def shown(step: int) -> Picture:
        picture = written(desk(), f"{step % 10}", at=(20, 40))
        picture[200:230, 400:430] += np.uint8(4 * step)
        return picture

    reading(Finds(), *map(shown, range(12)))
    parts = [part for part in searched[2:] if part]
    assert parts
    assert any(part is None or part[2] > 400 for part in searched[2:])


@pytest.mark.parametrize(("said", "whole"), [("LINE", True), ("", False)])
def test_only_a_line_that_goes_on_beyond_the_part_has_all_searched(said: str, whole: bool) -> None:
    searched: list[Part | None] = []

    class Finds:
        def find(self, _: Picture, within: Part | None = None) -> list[Box]:
            searched.append(within)
            if not within:
                return []
            left, top, _right, bottom = within
            return [np.array([[left, top + 9], [left + 50, bottom - 9]] * 2, np.float32)]

        def read(self, _: Picture, boxes: Sequence[Box]) -> list[str]:
            return [said] * len(boxes)

    reading(Finds(), desk(), written(desk(), "MORE", at=(90, 99)))
    assert (searched[-1] is None) == whole


def test_where_text_stands_on_its_side_it_is_read_on() -> None:
    reader = Titles(upright_or_turned("", "ROW"))
    pages = reading(reader, *(written(desk(), f"{n}", at=(99, 99)) for n in range(3)))
    assert pages == [("ROW",)] * 3
    assert reader.searched_in == [UPRIGHT, TURNED] * 3


def test_what_is_read_upright_is_not_read_again_on_its_side() -> None:
    assert reading(Titles(lambda _: "TITLE"), desk()) == [("TITLE",)]


def test_where_only_known_text_changed_it_is_read_and_nothing_is_searched() -> None:
    reader = Titles(upright_or_turned("SCORE", ""), side_px=40)
    reading(reader, *(written(desk(), f"{n}", at=(8, 30)) for n in range(4)))
    assert reader.searched_in == [UPRIGHT, TURNED]
    assert reader.read_in == [UPRIGHT] * 4


def test_where_known_text_is_gone_all_is_searched_again() -> None:
    shown = [written(desk(), "UNTIL", at=(8, 30)), desk(), desk()]
    reader = Titles(lambda p: "UNTIL" if np.array_equal(p, shown[0]) else "", side_px=40)
    assert reading(reader, *shown) == [("UNTIL",), (), ()]
    assert reader.searched_in == [UPRIGHT, TURNED, UPRIGHT]


def test_a_change_that_sampling_hides_is_read_in_the_picture_at_its_own_size() -> None:
    reader = Titles(lambda p: f"{p.shape[1]} {p[9, 9, 0]}" if p.shape[1] > 2000 else "", side_px=40)
    screen = ScreenReader(lambda: reader)
    large = np.zeros((4 * HEIGHT, 4 * WIDTH, 3), np.uint8)
    other = large.copy()
    other[4:20, 4:20] = 40
    assert screen.lines(frame(desk(), large)) == ("2048 0",)
    assert screen.lines(frame(desk(), other)) == ("2048 40",)


def test_lines_come_in_rows_from_the_top_and_each_row_from_the_left() -> None:
    class Table:
        def find(self, _: Picture, within: Part | None = None) -> list[Box]:
            places = [(200, 33), (20, 30), (20, 80), (200, 78)]
            return [
                np.array([[x, y], [x + 60, y], [x + 60, y + 20], [x, y + 20]], np.float32)
                for x, y in places
            ]

        def read(self, _: Picture, boxes: Sequence[Box]) -> list[str]:
            return ["10", "Tea", "Milk", "20"][: len(boxes)]

    assert reading(Table(), desk())[0][:4] == ("Tea", "10", "Milk", "20")


@pytest.fixture(scope="module")
def read() -> TextReader:
    pytest.importorskip("rapidocr", reason="the extra `ocr` is not installed")
    return load_text_reader()


@pytest.mark.slow
def test_a_burnt_in_clock_is_right_in_every_caption(
    read: TextReader,
) -> None:
    screen = ScreenReader(lambda: read)
    right = 0
    for second in range(90):
        clock = f"12:{timedelta(seconds=second)}"[-8:]
        lines = screen.lines(frame(grained(written(desk(), clock, at=(8, 20)), second)))
        right += any(clock in line for line in lines)
    assert right >= 85


@pytest.mark.slow
def test_a_small_clock_in_a_large_video_is_right_in_every_caption(
    read: TextReader, tmp_path: Path
) -> None:
    def clock(second: int) -> Picture:
        # Digits of 15 of 1080 lines: four, once they are sampled.
        wide = cv2.resize(desk(), (1920, 1080), interpolation=cv2.INTER_CUBIC)
        return written(np.asarray(wide), f"12:00:{second:02d}", at=(1700, 1050), scale=0.7)

    path = draw_video(tmp_path / "clock.mp4", even_times(60, 1.0), picture=clock)
    screen = ScreenReader(lambda: read)
    right = [
        any(f"12:00:{second:02d}" in line for line in screen.lines(shown))
        for second, shown in enumerate(FrameReader(probe(path), rate_hz=1.0, native=True))
    ]
    assert len(right) == 60
    assert sum(right) >= 57


@pytest.mark.slow
def test_ok_in_a_terminal_is_read_in_the_frame_where_it_comes(
    read: TextReader,
) -> None:
    terminal = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    terminal = written(terminal, "$ make install", at=(10, 30))
    before, after = reading(read, terminal, written(terminal, "OK", at=(10, 55)))
    assert "OK" not in before
    assert "OK" in after


@pytest.mark.slow
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_text_on_either_side_and_upside_down_is_read(read: TextReader, turns: int) -> None:
    picture = written(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), "CHAPTER 3", at=(200, 250))
    sign = written(np.full((60, 260, 3), 90, np.uint8), "WINDOW SEAT", at=(10, 40), scale=1)
    turned = np.rot90(sign, turns)
    picture[10 : 10 + turned.shape[0], 20 : 20 + turned.shape[1]] = turned
    assert sorted(*reading(read, picture)) == ["CHAPTER 3", "WINDOW SEAT"]
